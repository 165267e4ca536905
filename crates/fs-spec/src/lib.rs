//! A folder of YAML in, checked definitions or the list of everything that is wrong out.
//!
//! ```text
//!   *.yaml ──► tree ──► interpolate ──► decode ──► check ──► Definitions ──► Repo { settings, catalog, positions }
//!                │           │            │          │          │    ▲ │
//!                │           │            │          │   wanted ▼    │ │ types of columns
//!                │           │            │          │         (sources)
//!                └───────────┴────────────┴──────────┴─────────────────┴──► problems, each with file:line:column
//! ```
//!
//! Definitions may leave it to the sources of which type the columns are that a windowed view aggregates.
//! They are a repo only once those are known: [`Definitions::wanted`] says which, whoever can read sources
//! finds them, and [`Definitions::complete`] checks the rest.
//!
//! Every stage collects problems and goes on, so that one run shows all of them. What a problem
//! makes uncertain is not complained about again: a view with a bad schema is still a view that
//! services may name.
//!
//! YAML is read from parser events into a small tree of our own, not through serde, because serde
//! stops at the first error and forgets where a value stood. `${NAME}` is replaced *in* parsed
//! values, so positions stay right and an environment variable cannot add YAML.
//!
//! | Module | Holds |
//! |---|---|
//! | [`load`](load()) | from a folder to [`Definitions`] |
//! | [`definitions`] | from those to a [`Repo`] |
//! | [`settings`] | what `feature_store.yaml` says |
//! | [`places`] | where everything was written, for problems found later |
//! | [`problem`], [`render`](render()) | problems, for machines and for people |
//! | [`cron`], [`memory_size`] | two small formats |
//! | [`sql`] | which tables a query selects from, and what is no condition |
//! | [`lineage`] | which view is computed from which other views |
//! | [`json_schema`] | the JSON Schema that editors use |

mod check;
pub mod cron;
mod decode;
pub mod definitions;
mod interpolate;
pub mod lineage;
mod load;
pub mod memory_size;
pub mod places;
mod position;
pub mod problem;
mod render;
mod schema;
pub mod settings;
pub mod sql;
mod tree;

pub use definitions::{Definitions, Repo};
pub use lineage::Lineage;
pub use load::{FEATURE_STORE_YAML, LoadError, load, load_settings};
pub use places::{Place, Positions};
pub use position::Position;
pub use problem::{Problem, summary};
pub use render::{Style, render};
pub use schema::json_schema;
pub use settings::{OnlineStoreSettings, RedisSettings, Settings};

#[cfg(test)]
mod tests;
