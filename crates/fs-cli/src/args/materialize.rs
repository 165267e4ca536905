//! `fs materialize` and `fs materialize-incremental`.

use std::time::Duration;

use clap::Args;
use fs_core::{EventTime, FeatureName, ViewName};

use super::{duration, event_time};

/// `fs materialize`
#[derive(Debug, Args)]
pub(crate) struct MaterializeArgs {
    /// The first instant: a date or an RFC 3339 time
    #[arg(value_parser = event_time, required_unless_present = "backfill")]
    pub(crate) start: Option<EventTime>,
    /// The instant after the last one
    #[arg(value_parser = event_time, required_unless_present = "backfill")]
    pub(crate) end: Option<EventTime>,
    /// Instead of a window: fill features that were added after rows were written
    #[arg(long, conflicts_with_all = ["start", "end"])]
    pub(crate) backfill: bool,
    /// Fill these features, and not all that lack values
    #[arg(long, value_name = "A,B", value_delimiter = ',', requires = "backfill")]
    pub(crate) features: Vec<FeatureName>,
    #[command(flatten)]
    pub(crate) manner: MannerArgs,
}

/// `fs materialize-incremental`
#[derive(Debug, Args)]
pub(crate) struct IncrementalArgs {
    /// The instant after the last one [default: now]
    #[arg(value_parser = event_time)]
    pub(crate) end: Option<EventTime>,
    #[command(flatten)]
    pub(crate) manner: MannerArgs,
}

/// What all materializations have in common.
#[derive(Debug, Args)]
pub(crate) struct MannerArgs {
    /// Only these views
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    pub(crate) views: Vec<ViewName>,
    /// Publish what was visible at this instant instead of now, to replay the past
    #[arg(long, value_name = "TIME", value_parser = event_time)]
    pub(crate) now: Option<EventTime>,
    /// Wait so long for whoever materializes a view already
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "60s")]
    pub(crate) wait: Duration,
    /// Commit a long window in parts of about so many rows [default: 4194304]
    #[arg(long, value_name = "ROWS")]
    pub(crate) chunk_rows: Option<u64>,
}
