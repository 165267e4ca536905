//! Online serving: entity keys in, feature vectors out.
//!
//! A request is resolved once per registry version into a [`Plan`]. Answering is then:
//!
//! ```text
//!   entity columns ─► keys of every view ─► one round trip to the store ─► visible? too old? ─► open, read in place
//!   origin  dest      EWR, JFK, BOS …        each key once                  at `clock.now()`     + a status per value
//! ```
//!
//! | Status | When |
//! |---|---|
//! | [`Status::Present`] | the value is there |
//! | [`Status::NullValue`] | the row is there, and its value is null, or the row is older than the feature |
//! | [`Status::NotFound`] | no row for the key, a row not visible yet, or a key with a null part |
//! | [`Status::OutsideMaxAge`] | the row is older than the ttl of its view; or what is stored cannot give this window exactly any more |
//!
//! Features of windowed views are [computed](windowed) from what is stored of each key, at the same instant.
//!
//! Whether a row is visible is decided by [`fs_pit::Rule`], which training sets use too, so that both
//! agree to the microsecond. Nothing here knows the query engine or a wire.

mod assemble;
mod entities;
mod error;
mod keys;
mod layouts;
mod plan;
mod plan_cache;
mod serving;
mod telemetry;
mod vectors;
mod windowed;

pub use entities::EntityColumns;
pub use error::Error;
pub use plan::{KeyColumn, Plan};
pub use serving::Serving;
pub use vectors::{FeatureVectors, Status, VectorColumn, ViewRows};

#[cfg(test)]
mod tests;
