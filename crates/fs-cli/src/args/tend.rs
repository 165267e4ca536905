//! `fs optimize`, `fs vacuum` and `fs quarantine`: looking after the offline tables.

use std::time::Duration;

use clap::{Args, Subcommand};
use fs_core::ViewName;

use super::duration;

/// `fs optimize`
#[derive(Debug, Args)]
pub(crate) struct OptimizeArgs {
    /// Only the tables of these views
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    pub(crate) views: Vec<ViewName>,
}

/// `fs vacuum`
#[derive(Debug, Args)]
pub(crate) struct VacuumArgs {
    /// How long old versions of the tables can be read: training sets, and readers that are under way
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "7d")]
    pub(crate) retention: Duration,
    /// Only the tables of these views
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    pub(crate) views: Vec<ViewName>,
    /// Say what would be removed, and remove nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// `fs quarantine`
#[derive(Debug, Subcommand)]
pub(crate) enum QuarantineCommand {
    /// The rows that were put aside because they broke an expectation, newest first
    List {
        /// The feature view
        view: ViewName,
        /// At most so many
        #[arg(long, default_value_t = 20)]
        limit: usize,
    },
}
