//! The closed set of error codes, and the one table that maps them to the outside.

use std::error::Error;
use std::fmt::Write;

/// What kind of failure an error is, for whoever has to react to it.
///
/// | Code | gRPC | HTTP | exit | try again? |
/// |---|---|---|---|---|
/// | `InvalidArgument` | 3 `INVALID_ARGUMENT` | 400 | 2 | no |
/// | `NotFound` | 5 `NOT_FOUND` | 404 | 2 | no |
/// | `FailedPrecondition` | 9 `FAILED_PRECONDITION` | 409 | 2 | no |
/// | `Conflict` | 10 `ABORTED` | 409 | 1 | after reading again |
/// | `ResourceExhausted` | 8 `RESOURCE_EXHAUSTED` | 429 | 1 | later |
/// | `DeadlineExceeded` | 4 `DEADLINE_EXCEEDED` | 504 | 1 | yes |
/// | `Unavailable` | 14 `UNAVAILABLE` | 503 | 2 | yes |
/// | `Unimplemented` | 12 `UNIMPLEMENTED` | 501 | 2 | no |
/// | `Internal` | 13 `INTERNAL` | 500 | 1 | no |
///
/// `Unavailable` exits with 2: on a command line, an address where nothing answers is input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Code {
    /// The request itself is wrong, whatever the state of the system.
    InvalidArgument,
    /// A named thing does not exist.
    NotFound,
    /// The request is fine, but the state of the system forbids it.
    FailedPrecondition,
    /// Somebody else was faster.
    Conflict,
    /// A limit is reached.
    ResourceExhausted,
    /// The time allowed is over.
    DeadlineExceeded,
    /// Something this one depends on does not answer.
    Unavailable,
    /// Valid, but not supported by this build.
    Unimplemented,
    /// Broken data or a defect.
    Internal,
}

impl Code {
    /// Every code, in the order of the table.
    pub const ALL: [Self; 9] = [
        Self::InvalidArgument,
        Self::NotFound,
        Self::FailedPrecondition,
        Self::Conflict,
        Self::ResourceExhausted,
        Self::DeadlineExceeded,
        Self::Unavailable,
        Self::Unimplemented,
        Self::Internal,
    ];

    /// `(name, gRPC status, HTTP status, exit status)`: the table.
    const fn row(self) -> (&'static str, i32, u16, u8) {
        match self {
            Self::InvalidArgument => ("INVALID_ARGUMENT", 3, 400, 2),
            Self::NotFound => ("NOT_FOUND", 5, 404, 2),
            Self::FailedPrecondition => ("FAILED_PRECONDITION", 9, 409, 2),
            Self::Conflict => ("ABORTED", 10, 409, 1),
            Self::ResourceExhausted => ("RESOURCE_EXHAUSTED", 8, 429, 1),
            Self::DeadlineExceeded => ("DEADLINE_EXCEEDED", 4, 504, 1),
            Self::Unavailable => ("UNAVAILABLE", 14, 503, 2),
            Self::Unimplemented => ("UNIMPLEMENTED", 12, 501, 2),
            Self::Internal => ("INTERNAL", 13, 500, 1),
        }
    }

    /// The name of the gRPC status.
    pub const fn name(self) -> &'static str {
        self.row().0
    }

    /// The number of the gRPC status.
    pub const fn grpc(self) -> i32 {
        self.row().1
    }

    /// The HTTP status.
    pub const fn http(self) -> u16 {
        self.row().2
    }

    /// The exit status of the command line.
    pub const fn exit_status(self) -> u8 {
        self.row().3
    }
}

/// An error that knows its code.
///
/// `Display` says what this error adds and never repeats its source; [`report`] joins the chain.
pub trait Coded: Error {
    /// What kind of failure this is.
    fn code(&self) -> Code;
}

/// The messages of an error and of everything behind it, joined with `: `.
pub fn report(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let message = without_wrapper(&error.to_string());
        // Wrappers of foreign crates often print their source themselves.
        if !text.contains(&message) {
            // Writing to a String cannot fail.
            write!(text, ": {message}").ok();
        }
        cause = error.source();
    }
    text
}

/// What a foreign crate says, without what it says only about how the error travelled, and without
/// a prefix that is there twice.
fn without_wrapper(message: &str) -> String {
    let message = message.trim_start_matches("External error: ");
    match message.split_once(": ") {
        Some((prefix, rest)) if rest.starts_with(&format!("{prefix}: ")) => rest.to_owned(),
        _ => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn wrappers_of_foreign_crates_are_not_told() {
        for (message, says) in [
            ("External error: row 4 has no key", "row 4 has no key"),
            (
                "Parquet error: Parquet error: cut short",
                "Parquet error: cut short",
            ),
            ("transport error: refused", "transport error: refused"),
        ] {
            assert_eq!(without_wrapper(message), says);
        }
    }

    #[test]
    fn every_code_has_a_grpc_status_of_its_own() {
        let statuses: BTreeSet<i32> = Code::ALL.iter().map(|code| code.grpc()).collect();
        assert_eq!(statuses.len(), Code::ALL.len());
    }

    #[test]
    fn a_wrong_input_exits_with_2_and_a_failure_with_1() {
        assert_eq!(Code::InvalidArgument.exit_status(), 2);
        assert_eq!(Code::Unavailable.exit_status(), 2);
        assert_eq!(Code::Conflict.exit_status(), 1);
        assert_eq!(Code::Internal.exit_status(), 1);
    }
}
