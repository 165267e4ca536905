//! What is particular to Redis: servers that stop, hang, forget, fill up or are written by others.
#![expect(
    clippy::unwrap_used,
    reason = "a fixture that cannot be made is a test that fails"
)]

#[expect(dead_code, reason = "it is shared with the tests of a cluster")]
#[path = "redis/fixture.rs"]
mod fixture;

#[path = "redis/faults.rs"]
mod faults;
#[path = "redis/forgetting.rs"]
mod forgetting;
#[path = "redis/outages.rs"]
mod outages;
#[path = "redis/proxy.rs"]
mod proxy;
#[path = "redis/secured.rs"]
mod secured;
#[path = "redis/stored.rs"]
mod stored;
#[path = "redis/writers.rs"]
mod writers;
