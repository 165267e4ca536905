//! The arguments of `fs jobs`.

use clap::{Args, Subcommand, ValueEnum};
use fs_core::ViewName;
use fs_offline::RunStatus;

/// `fs jobs`
#[derive(Debug, Subcommand)]
pub(crate) enum JobsCommand {
    /// What runs now, and the latest runs, newest first
    List(JobsListArgs),
    /// One run; or, for a view, its schedule and what came of it
    Show {
        /// The id of the run, or the name of the view
        #[arg(value_name = "RUN|VIEW")]
        what: String,
    },
    /// Ask a run to stop where it safely can; what it has committed stays
    Cancel {
        /// The view that is being materialized, or the id of one of its runs
        #[arg(value_name = "VIEW|RUN")]
        what: String,
    },
    /// Do here what a run did, or failed to do, once more
    Retry {
        /// The id of the run
        #[arg(value_name = "RUN")]
        id: String,
    },
}

/// `fs jobs list`
#[derive(Debug, Args)]
pub(crate) struct JobsListArgs {
    /// At most so many runs
    #[arg(long, default_value_t = 20)]
    pub(crate) limit: usize,
    /// Only those of this view
    #[arg(long)]
    pub(crate) view: Option<ViewName>,
    /// Only those that stand so
    #[arg(long, value_enum)]
    pub(crate) status: Option<JobStatus>,
}

/// How a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum JobStatus {
    /// It has not ended yet
    Running,
    /// It did what it was asked to
    Ok,
    /// It failed
    Failed,
    /// Somebody stopped it
    Cancelled,
    /// Its process died
    Lost,
}

impl JobStatus {
    /// As runs that ended are recorded; `None` for those that did not.
    pub(crate) const fn recorded(self) -> Option<RunStatus> {
        match self {
            Self::Running => None,
            Self::Ok => Some(RunStatus::Ok),
            Self::Failed => Some(RunStatus::Failed),
            Self::Cancelled => Some(RunStatus::Cancelled),
            Self::Lost => Some(RunStatus::Lost),
        }
    }
}
