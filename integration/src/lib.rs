//! What the whole-system tests share: a copy of the flights repo, the `fs` binary, its servers.
//!
//! Nothing of the project but its wire types is linked in. The tests drive the binary that people
//! run, and look at what it prints, writes and answers.

mod chance;
mod client;
mod delta_log;
mod gate;
pub mod generations;
mod leases;
mod load;
mod python;
mod readers;
mod repo;
mod rows;
mod served;
mod skew;
mod skewed;
mod volume;

pub use chance::Chance;
pub use client::{Answer, Client, Entity};
pub use delta_log::{DeltaLog, Version};
pub use gate::Gate;
pub use leases::LeaseFile;
pub use load::{CALL_TIME, Call, Load, Question};
pub use python::{
    duckdb_training_set, duckdb_windows, feast_grpc, feast_protos_compared, feast_sdk,
    flight_client, grpc_client, parquet_record,
};
pub use readers::Readers;
pub use repo::{Online, Repo};
pub use rows::{Rows, read_parquet, write_spine, write_spine_rows};
pub use served::Served;
pub use skew::SkewedClock;
pub use skewed::{write_skewed_events, write_skewed_spine};
pub use volume::Volume;
