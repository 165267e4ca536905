//! Redis Cluster: three real nodes, slots that move, nodes that go away.
#![expect(
    clippy::unwrap_used,
    reason = "a fixture that cannot be made is a test that fails"
)]

#[expect(dead_code, reason = "it is shared with the tests of a single server")]
#[path = "redis/fixture.rs"]
mod fixture;

#[path = "cluster/faults.rs"]
mod faults;
#[path = "cluster/moving.rs"]
mod moving;
#[path = "cluster/spread.rs"]
mod spread;
