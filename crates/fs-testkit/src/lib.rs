//! Fixtures for the tests of every crate: real Redis, real processes, small repos, definitions.
//!
//! Only tests depend on this crate, and of ours it depends on `fs-core` alone.
//!
//! | You need | Use |
//! |---|---|
//! | a Redis that answers | [`redis::TestRedis::shared`], and a project of your own: [`unique_project`] |
//! | a Redis to stop, restart and freeze | [`redis::TestRedis::private`] |
//! | a Redis Cluster to move slots in, and to lose nodes of | [`redis::TestRedisCluster`] |
//! | a port where nobody listens | [`net::free_port`] |
//! | the `fs` binary, run to its end | [`process::run`] on [`process::fs`] |
//! | `fs serve`, started, watched, signalled | [`process::FsProcess`] |
//! | a feature repo with sources, entities, views and services | [`repo::TinyRepo`] |
//! | a folder with a few YAML, Parquet and CSV files | [`repo::Folder`] |
//! | a [`Catalog`](fs_core::Catalog), a view, an entity as values | [`catalog`] |
//! | a clock that stands still, an instant | [`FixedClock`], [`at`] |
//!
//! Whatever starts something stops it when it is dropped, by its handle and never by its name.

pub mod catalog;
pub mod net;
pub mod process;
pub mod redis;
pub mod repo;
mod unique;

use fs_core::EventTime;
pub use fs_core::FixedClock;

pub use unique::unique_project;

/// The instant that `text` names, such as `2013-01-01T00:00:00Z` or `2013-01-01`.
///
/// # Panics
///
/// When `text` is no timestamp.
#[track_caller]
pub fn at(text: &str) -> EventTime {
    catalog::parsed(text)
}
