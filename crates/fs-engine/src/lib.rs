//! The DataFusion session and the sources: raw files in, checked rows of a feature view out.
//!
//! An [`Engine`] reads the sources that a catalog defines (Parquet, CSV, JSON, Delta, SQL over
//! them) and yields, for one feature view and a range of event time, exactly the columns that its
//! offline table has: join keys, `event_timestamp`, `created_timestamp`, features, each with its
//! declared type. Rows come in the order of the source, so that "the later row wins" means the
//! same thing on every run.
//!
//! Nothing is lost or bent silently: a type that does not fit is a [`SourceProblem`] before the
//! run, a value that does not fit is an [`Error`] that names it, and a row without its key or its
//! event time fails the run.
//!
//! A run reads one thing from first to last, the [`SourceState`] that it took at its beginning: those
//! files, and those versions of Delta tables. [`Spread`] says where in time their rows lie, and
//! [`SourceChanges`] how far back a Delta table has changed since it was read before; neither reads rows.
//! A [`Validator`] holds the rows against the expectations of their view on their way.
//!
//! Training sets are made by two operators that are here for any plan of `DataFusion`:
//! [`PointInTimeJoinExec`](point_in_time::PointInTimeJoinExec) finds the row of each history that goes
//! with each row of a spine, or what windows that end at its time make of one, and [`FetchRowsExec`] reads
//! the columns of the rows that were found. Plans
//! with them are made by [`OperatorPlanner`], and written to bytes by [`plan_to_bytes`].

mod bounds;
mod changed_since;
mod check;
mod codec;
mod conform;
mod convert;
mod delta_file;
mod delta_table;
mod engine;
mod error;
mod event_times;
mod expectations;
pub mod fetch_rows;
mod files;
mod in_order;
mod options;
mod parquet_table;
mod pins;
mod planner;
pub mod point_in_time;
mod predicate;
mod problem;
mod reading;
mod rows;
mod source_state;
mod spool;
mod spread;
mod sql;
mod tables;
mod text_table;
mod typed;
mod union;
mod view_inputs;
mod view_plan;
mod view_schema;
mod window_filters;

pub use changed_since::SourceChanges;
pub use codec::{OperatorCodec, plan_from_bytes, plan_to_bytes};
pub use engine::Engine;
pub use error::{BadRows, BadValue, Error};
pub use expectations::{Example, Quarantined, Report, Validated, Validator, Verdict};
pub use fetch_rows::{FetchRowsExec, OutputColumn};
pub use options::EngineOptions;
pub use planner::OperatorPlanner;
pub use problem::{Place, SourceField, SourceProblem, ViewField};
pub use reading::Reading;
pub use rows::ViewRows;
pub use source_state::SourceState;
pub use spool::{Spool, Spooled};
pub use spread::{Piece, Spread};
pub use sql::Query;
pub use typed::{Mistyped, typed};
pub use window_filters::{WindowFilters, filter_columns};

#[cfg(test)]
mod tests;
