//! What can go wrong at the edge, and the one place where it becomes a status.

use std::net::SocketAddr;
use std::time::Duration;

use arrow_flight::error::FlightError;
use fs_core::code::report;
use fs_core::name::NameError;
use fs_core::{Code, Coded, ProjectName};
use tonic::Status;
use tonic::metadata::MetadataValue;

use crate::FeastError;

/// Why the server could not start, go on, or answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An address that cannot be listened on.
    #[error("cannot listen on {address} for {what}: choose another address or stop what uses it")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// `gRPC` or `HTTP`.
        what: &'static str,
        /// What the system says.
        source: std::io::Error,
    },
    /// The gRPC side broke down.
    #[error("the gRPC server stopped")]
    Grpc(#[source] tonic::transport::Error),
    /// The HTTP side broke down.
    #[error("the HTTP server stopped")]
    Http(#[source] std::io::Error),
    /// Traces that cannot be sent to where they should go.
    #[error("cannot send traces to `{endpoint}`: write an address such as http://127.0.0.1:4317")]
    Traces {
        /// The collector.
        endpoint: String,
        /// What the exporter says.
        source: opentelemetry_otlp::ExporterBuildError,
    },
    /// A task of the server ended on its own.
    #[error("a task of the server broke off")]
    Task(#[from] tokio::task::JoinError),
    /// The built-in descriptions of the services cannot be read.
    #[error("cannot describe the gRPC services")]
    Reflection(#[source] tonic_reflection::server::Error),
    /// The registry does not answer, or not well.
    #[error("cannot read the registry")]
    Registry(#[from] Box<fs_registry::Error>),
    /// The registry takes too long.
    #[error("the registry did not answer within {} ms", .after.as_millis())]
    RegistryTimeout {
        /// The time allowed.
        after: Duration,
    },
    /// Nothing to serve yet.
    #[error("nothing has been applied to project `{project}` yet: run `fs apply` first")]
    NothingApplied {
        /// The project.
        project: ProjectName,
    },
    /// The server is going away.
    #[error("the server is shutting down: try again elsewhere")]
    Stopping,

    /// Feature vectors could not be given.
    #[error(transparent)]
    Serving(#[from] fs_serving::Error),
    /// A training set could not be made.
    #[error(transparent)]
    Training(#[from] Box<fs_training::Error>),
    /// Pushed rows were not taken.
    #[error(transparent)]
    Push(#[from] Box<fs_materialize::Error>),
    /// The threads that pushes are worked on by cannot be started.
    #[error("cannot start the threads that write pushed rows")]
    PushThreads(#[source] std::io::Error),
    /// A place for pushed rows that there is not.
    #[error("`to` is {to}, which is no place for rows: write 1 (online), 2 (offline) or 3 (both)")]
    PushPlace {
        /// The number that came.
        to: i32,
    },
    /// Columns of different lengths.
    #[error("column `{column}` has {found} rows and column `{first}` has {expected}")]
    Lengths {
        /// The column.
        column: String,
        /// How many rows it has.
        found: usize,
        /// The first column.
        first: String,
        /// How many rows that has.
        expected: usize,
    },
    /// A request of a Feast client cannot be done.
    #[error(transparent)]
    Feast(#[from] FeastError),
    /// A name that cannot be one.
    #[error(transparent)]
    Name(#[from] NameError),
    /// Neither a service nor features, or both.
    #[error("ask for either `feature_service` or `features`")]
    Selection,
    /// A column without an array.
    #[error("column `{column}` has no values: set one of its arrays, if only an empty one")]
    NoValues {
        /// The column.
        column: String,
    },
    /// Lists whose parts do not agree.
    #[error(
        "column `{column}` holds lists whose lengths do not add up to the number of their items, \
         or lists of lists"
    )]
    MalformedLists {
        /// The column.
        column: String,
    },
    /// An Arrow type that the wire does not have.
    #[error("column `{column}` is {found}, which has no place on the wire: convert it first")]
    NoWireType {
        /// The column.
        column: String,
        /// Its Arrow type.
        found: String,
    },
    /// An answer that no server of ours would give.
    #[error("column `{column}` of the answer does not have one value and one status per row")]
    MalformedAnswer {
        /// The column.
        column: String,
    },
    /// A null mask that does not fit its column.
    #[error(
        "column `{column}` has {values} values and a null mask of {nulls} bytes: give one \
         byte per value, or none at all"
    )]
    NullMask {
        /// The column.
        column: String,
        /// The number of values.
        values: usize,
        /// The number of bytes of the mask.
        nulls: usize,
    },
    /// A column that nothing is computed from.
    #[error(
        "no feature of this request is computed from `{column}`: leave it out of `request_values`"
    )]
    RequestValue {
        /// The column.
        column: String,
    },
    /// A part of a request that is no protobuf.
    #[error("the request cannot be read")]
    Protobuf(#[source] prost::DecodeError),
    /// A string that is none.
    #[error("row {row} of column `{column}` is a string that is not UTF-8")]
    NotUtf8 {
        /// The column.
        column: String,
        /// The row, counted from 0.
        row: usize,
        /// Where it goes wrong.
        source: std::str::Utf8Error,
    },
    /// More entities than are taken at once.
    #[error("the request has {rows} rows, and the server takes {limit} at once: split it")]
    TooManyRows {
        /// How many came.
        rows: usize,
        /// How many may come.
        limit: usize,
    },
    /// An HTTP request of more bytes than are taken.
    #[error("the request is larger than {limit} bytes, which is the most that is taken: split it")]
    BodyTooLarge {
        /// How many bytes may come.
        limit: usize,
    },
    /// An HTTP request that broke off.
    #[error("the request cannot be read to its end")]
    Body(#[source] axum::Error),
    /// More values than are answered at once.
    #[error(
        "the request asks for {values} values ({rows} rows of {features} features), and the server \
         gives {limit} at once: split it"
    )]
    TooManyValues {
        /// How many entities came.
        rows: usize,
        /// How many features are asked for of each.
        features: usize,
        /// The product.
        values: usize,
        /// How many values may be asked for.
        limit: usize,
    },
    /// More to do than can be done in time.
    #[error(
        "the server has as much to do as it can do in time: try again in {} ms", .again_in.as_millis()
    )]
    Overloaded {
        /// When another attempt is worth while.
        again_in: Duration,
    },
    /// A request that takes too long.
    #[error("the request took longer than {} ms", .after.as_millis())]
    Timeout {
        /// The time allowed.
        after: Duration,
    },

    /// A Flight call without a command.
    #[error(
        "a training set needs a command: a descriptor whose `cmd` is JSON such as \
         {{\"feature_service\": \"name\"}}"
    )]
    NoCommand,
    /// A command that cannot be read.
    #[error("the command is not one for a training set; write JSON such as {EXAMPLE}")]
    Command(#[source] serde_json::Error),
    /// A command for an uploaded spine that names none.
    #[error(
        "the command names no rows: upload a spine with DoPut and name the ticket that it returns \
         as `spine`, name `spine_sql` or `as_of`, or use DoExchange"
    )]
    NoTicket,
    /// A command that names a spine and is sent with another.
    #[error(
        "the command names a spine and comes with another, or names two: leave all but one of \
         `spine`, `spine_sql`, `as_of` and the rows out"
    )]
    TwoSpines,
    /// An instant that cannot be read.
    #[error("`as_of` is no instant: write a date or an RFC 3339 time")]
    AsOf(#[source] fs_core::time::TimeError),
    /// An upload that is not there (any more).
    #[error(
        "there is no uploaded spine `{ticket}`: it was never there or has expired; upload it again"
    )]
    UnknownSpine {
        /// The ticket that was named.
        ticket: String,
    },
    /// A spine of more bytes than are taken.
    #[error("the spine is larger than {limit} bytes, which is the most that is taken: split it")]
    SpineTooLarge {
        /// How many bytes may come.
        limit: usize,
    },
    /// A client that stands still in the middle of a training set.
    #[error(
        "the client did not {} within {} ms, and the server goes on with others: try again",
        .step, .after.as_millis()
    )]
    Stalled {
        /// What it should have done: `send the next part of the spine`.
        step: &'static str,
        /// The time allowed.
        after: Duration,
    },
    /// A training set that ended before it was whole.
    #[error("the training set broke off")]
    BrokenOff,
    /// A stream without a schema.
    #[error("no spine came: send a schema, and then the rows")]
    NoSpine,
    /// A stream that is not Arrow data.
    #[error("the spine cannot be read")]
    BadSpine(#[source] FlightError),
    /// A part of Flight that is not offered.
    #[error("{call} is not offered: {instead}")]
    NotOffered {
        /// The call.
        call: &'static str,
        /// What to do.
        instead: &'static str,
    },
    /// A schema that cannot be sent.
    #[error("cannot describe the training set")]
    Schema(#[source] arrow::error::ArrowError),
}

const EXAMPLE: &str = "{\"feature_service\": \"name\"} or {\"features\": [\"view:feature\"]}";

impl From<fs_registry::Error> for Error {
    fn from(error: fs_registry::Error) -> Self {
        Self::Registry(Box::new(error))
    }
}

impl From<fs_materialize::Error> for Error {
    fn from(error: fs_materialize::Error) -> Self {
        Self::Push(Box::new(error))
    }
}

impl From<fs_training::Error> for Error {
    fn from(error: fs_training::Error) -> Self {
        Self::Training(Box::new(error))
    }
}

impl Error {
    /// Whether the request asks for more than is ever given, so that trying again is of no use.
    pub(crate) const fn is_too_large(&self) -> bool {
        matches!(
            self,
            Self::TooManyRows { .. }
                | Self::TooManyValues { .. }
                | Self::BodyTooLarge { .. }
                | Self::SpineTooLarge { .. }
        )
    }

    /// When another attempt is worth while, where the server knows.
    pub(crate) const fn again_in(&self) -> Option<Duration> {
        match self {
            Self::Overloaded { again_in } => Some(*again_in),
            _ => None,
        }
    }

    /// Whether a training set could not be saved, and not only broke off.
    pub(crate) fn is_of_saving(&self) -> bool {
        matches!(self, Self::Training(error) if matches!(**error, fs_training::Error::Dataset(_)))
    }
}

impl Coded for Error {
    fn code(&self) -> Code {
        match self {
            Self::Registry(error) => error.code(),
            Self::Serving(error) => error.code(),
            Self::Training(error) => error.code(),
            Self::Feast(error) => error.code(),
            Self::Push(error) => error.code(),
            Self::NothingApplied { .. } => Code::FailedPrecondition,
            Self::Bind { .. } | Self::Stopping => Code::Unavailable,
            Self::Timeout { .. } | Self::RegistryTimeout { .. } | Self::Stalled { .. } => {
                Code::DeadlineExceeded
            }
            Self::TooManyRows { .. }
            | Self::TooManyValues { .. }
            | Self::BodyTooLarge { .. }
            | Self::Overloaded { .. }
            | Self::SpineTooLarge { .. } => Code::ResourceExhausted,
            Self::UnknownSpine { .. } => Code::NotFound,
            Self::NotOffered { .. } => Code::Unimplemented,
            Self::Traces { .. }
            | Self::Name(_)
            | Self::Selection
            | Self::NoValues { .. }
            | Self::MalformedLists { .. }
            | Self::NoWireType { .. }
            | Self::NullMask { .. }
            | Self::RequestValue { .. }
            | Self::Protobuf(_)
            | Self::NotUtf8 { .. }
            | Self::PushPlace { .. }
            | Self::Lengths { .. }
            | Self::NoCommand
            | Self::Command(_)
            | Self::NoTicket
            | Self::TwoSpines
            | Self::AsOf(_)
            | Self::NoSpine
            | Self::Body(_)
            | Self::BadSpine(_) => Code::InvalidArgument,
            Self::Grpc(_)
            | Self::Http(_)
            | Self::Task(_)
            | Self::PushThreads(_)
            | Self::Reflection(_)
            | Self::MalformedAnswer { .. }
            | Self::BrokenOff
            | Self::Schema(_) => Code::Internal,
        }
    }
}

/// How a gRPC server says when a call is to be tried again: milliseconds, or -1 for never. Clients
/// with a retry policy obey it.
const PUSHBACK: &str = "grpc-retry-pushback-ms";

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        let mut status = Self::new(tonic::Code::from_i32(error.code().grpc()), report(&error));
        let pushback = match error.again_in() {
            Some(again_in) => {
                MetadataValue::from(u64::try_from(again_in.as_millis()).unwrap_or(u64::MAX))
            }
            None if error.is_too_large() => MetadataValue::from(-1_i64),
            None => return status,
        };
        status.metadata_mut().insert(PUSHBACK, pushback);
        status
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_becomes_the_grpc_status_of_its_number_and_name() {
        for code in Code::ALL {
            let status = tonic::Code::from_i32(code.grpc());
            let name = format!("{status:?}").to_uppercase();
            assert_eq!(name, code.name().replace('_', ""), "{code:?}");
        }
    }

    #[test]
    fn a_status_says_all_that_the_error_and_its_causes_say() {
        let source = serde_json::from_str::<u8>("x").unwrap_err();
        let status = Status::from(Error::Command(source));
        assert_eq!(status.code(), tonic::Code::InvalidArgument);
        let text = status.message();
        assert!(
            text.contains("write JSON such as") && text.contains("line 1"),
            "{text}"
        );
    }
}
