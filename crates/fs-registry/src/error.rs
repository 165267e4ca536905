//! What can go wrong with a registry, and what to do about it.

use std::fmt;
use std::time::Duration;

use fs_core::{Code, Coded, EventTime, ProjectName, SelectionError, ServiceName, ViewName};

use crate::plan::{Hurt, Incompatible, write_hurt, write_incompatible};

/// Why the registry could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The location cannot be opened at all.
    #[error("the registry at `{location}` cannot be opened")]
    Open {
        /// Where the registry should be.
        location: String,
        /// What the store or the file system says.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The store does not answer, or refuses.
    #[error("cannot {doing} in the registry at `{location}`")]
    Unavailable {
        /// What was tried.
        doing: &'static str,
        /// Where.
        location: String,
        /// What the store says.
        source: Box<object_store::Error>,
    },
    /// The store took too long.
    #[error(
        "the registry at `{location}` did not {doing} within {}s; {then}",
        after.as_secs()
    )]
    Timeout {
        /// What was tried.
        doing: &'static str,
        /// Where.
        location: String,
        /// How long it was waited for.
        after: Duration,
        /// What to do.
        then: &'static str,
    },
    /// No such version.
    #[error("project `{project}` has no version {version}: {exist}")]
    UnknownVersion {
        /// The project.
        project: ProjectName,
        /// The number that was asked for.
        version: u64,
        /// Those that there are.
        exist: Existing,
    },
    /// An object that is no version, or not the one that its name says.
    #[error(
        "`{object}` is not a readable version; restore it from a backup, or delete it to fall back \
         to the version before"
    )]
    Corrupt {
        /// The object.
        object: String,
        /// What is wrong with it.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Written by a newer `fs`.
    #[error(
        "version {version} of project `{project}` is written in format {format}, and this fs reads \
         formats up to {newest}: upgrade fs"
    )]
    NewerFormat {
        /// The project.
        project: ProjectName,
        /// The number of the version.
        version: u64,
        /// The format that it is written in.
        format: u64,
        /// The newest format that this build reads.
        newest: u64,
    },
    /// Somebody else applied in between.
    #[error(
        "this plan was made on {}, but there is {}{} now: nothing was applied; run \
         `fs plan` again",
        numbered(*base),
        numbered(*winner),
        applied_at.map(|at| format!(" (applied at {at})")).unwrap_or_default()
    )]
    Conflict {
        /// The version that the plan was made on; `None` for an empty registry.
        base: Option<u64>,
        /// The version that is current instead; `None` if the registry was torn down.
        winner: Option<u64>,
        /// When that was recorded, if it can be read.
        applied_at: Option<EventTime>,
    },
    /// The plan would hurt, and was not forced.
    #[error("nothing was applied:{}", Blocked { hurt, incompatible })]
    WouldHurt {
        /// The services whose callers would lose something.
        hurt: Vec<Hurt>,
        /// The views whose stored data cannot follow.
        incompatible: Vec<Incompatible>,
    },
    /// Definitions of one project, a registry of another.
    #[error("these definitions are of project `{found}`, but the registry holds `{expected}`")]
    OtherProject {
        /// The project of the registry.
        expected: ProjectName,
        /// The project of the definitions.
        found: ProjectName,
    },
    /// A service that names what does not exist.
    #[error("feature service `{service}` cannot be resolved")]
    Unresolvable {
        /// The service.
        service: ServiceName,
        /// Why not.
        source: Box<SelectionError>,
    },
    /// Somebody else holds the lease of a view, and went on holding it.
    #[error(
        "view `{view}` is being materialized by {holder} since {since} ({what}): nothing was done; try \
         again, or `fs jobs cancel {view}`"
    )]
    Held {
        /// The view.
        view: ViewName,
        /// Who: host and process.
        holder: String,
        /// What they do.
        what: String,
        /// Since when, by their clock.
        since: EventTime,
    },
    /// A lease that somebody else has taken over, or that could not be renewed in time.
    #[error(
        "this process does not hold the lease of view `{view}` any more: somebody has taken over, or \
         the registry could not be reached for too long; run it again"
    )]
    LeaseLost {
        /// The view.
        view: ViewName,
    },
    /// So many change a lease at once that none of the attempts came through.
    #[error("the lease of view `{view}` is wanted by too many at once: try again")]
    LeaseContended {
        /// The view.
        view: ViewName,
    },
    /// An object that is no lease, or not the one that its name says.
    #[error(
        "`{object}` is not the state of a lease; stop what materializes the view and delete that object"
    )]
    CorruptLease {
        /// The object.
        object: String,
        /// What is wrong with it.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A lease that a newer `fs` has written.
    #[error(
        "`{object}` is written in format {format}, and this fs reads leases up to format {newest}: \
         upgrade fs"
    )]
    NewerLease {
        /// The object.
        object: String,
        /// The format that it is written in.
        format: u64,
        /// The newest format that this build reads.
        newest: u64,
    },
    /// A lease that cannot be written as JSON.
    #[error("the lease of view `{view}` cannot be written as JSON")]
    EncodeLease {
        /// The view.
        view: ViewName,
        /// What the writer says.
        source: serde_json::Error,
    },
    /// A catalog that cannot be written as JSON.
    #[error("version {version} cannot be written as JSON")]
    Encode {
        /// The number that it would have had.
        version: u64,
        /// What the writer says.
        source: serde_json::Error,
    },
}

impl Coded for Error {
    fn code(&self) -> Code {
        match self {
            Self::Open { .. } => Code::Unavailable,
            Self::Unavailable { source, .. } => match **source {
                object_store::Error::NotImplemented { .. }
                | object_store::Error::NotSupported { .. } => Code::Unimplemented,
                _ => Code::Unavailable,
            },
            Self::Timeout { .. } => Code::DeadlineExceeded,
            Self::UnknownVersion { .. } => Code::NotFound,
            Self::NewerFormat { .. } | Self::NewerLease { .. } | Self::WouldHurt { .. } => {
                Code::FailedPrecondition
            }
            Self::Conflict { .. }
            | Self::Held { .. }
            | Self::LeaseLost { .. }
            | Self::LeaseContended { .. } => Code::Conflict,
            Self::OtherProject { .. } | Self::Unresolvable { .. } => Code::InvalidArgument,
            Self::Corrupt { .. }
            | Self::CorruptLease { .. }
            | Self::Encode { .. }
            | Self::EncodeLease { .. } => Code::Internal,
        }
    }
}

/// Which versions there are, ascending, printed as ranges: `there are 1 to 3 and 5`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Existing(pub Vec<u64>);

impl fmt::Display for Existing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut runs: Vec<(u64, u64)> = Vec::new();
        for &number in &self.0 {
            match runs.last_mut() {
                Some((_, last)) if *last + 1 == number => *last = number,
                _ => runs.push((number, number)),
            }
        }
        if runs.is_empty() {
            return f.write_str("nothing was applied yet");
        }
        f.write_str("there are ")?;
        for (at, (first, last)) in runs.iter().enumerate() {
            match at {
                0 => {}
                at if at + 1 == runs.len() => f.write_str(" and ")?,
                _ => f.write_str(", ")?,
            }
            write!(f, "{first}")?;
            if last > first {
                write!(f, " to {last}")?;
            }
        }
        Ok(())
    }
}

fn numbered(version: Option<u64>) -> String {
    version.map_or_else(
        || "an empty registry".to_owned(),
        |version| format!("version {version}"),
    )
}

/// The reasons why an apply was refused, as the plan shows them.
struct Blocked<'a> {
    hurt: &'a [Hurt],
    incompatible: &'a [Incompatible],
}

impl fmt::Display for Blocked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\n")?;
        write_hurt(f, self.hurt)?;
        write_incompatible(f, self.incompatible)?;
        f.write_str("Force the apply (`--force`) to change it all the same.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_versions_that_exist_are_told_as_ranges() {
        let text = |numbers: &[u64]| Existing(numbers.to_vec()).to_string();
        assert_eq!(text(&[]), "nothing was applied yet");
        assert_eq!(text(&[1]), "there are 1");
        assert_eq!(text(&[1, 2, 3, 5]), "there are 1 to 3 and 5");
        assert_eq!(text(&[1, 3, 5, 6]), "there are 1, 3 and 5 to 6");
    }

    #[test]
    fn a_store_that_fails_is_unavailable_and_one_that_cannot_is_unimplemented() {
        let error = |source| Error::Unavailable {
            doing: "read",
            location: "s3://b/".to_owned(),
            source: Box::new(source),
        };
        let down = object_store::Error::Generic {
            store: "S3",
            source: "connection refused".into(),
        };
        let unable = object_store::Error::NotSupported {
            source: "put-if-absent".into(),
        };
        assert_eq!(error(down).code(), Code::Unavailable);
        assert_eq!(error(unable).code(), Code::Unimplemented);
    }
}
