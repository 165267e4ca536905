//! What each error means to whoever asked.

use fs_core::{Code, Coded};

use super::Error;

impl Coded for Error {
    fn code(&self) -> Code {
        match self {
            Self::Selection(source) => source.code(),
            Self::History { source, .. } | Self::Offline(source) | Self::Dataset(source) => {
                source.code()
            }
            Self::Join { source, .. } => source.code(),
            Self::Engine(source) => source.code(),
            Self::Carried(source) => source.code(),
            Self::NotMaterialized { .. } => Code::FailedPrecondition,
            Self::File { source, .. } if source.kind() == std::io::ErrorKind::NotFound => {
                Code::NotFound
            }
            Self::UnknownFormat { .. }
            | Self::NotPinned { .. }
            | Self::NoRecord { .. }
            | Self::BadRecord { .. }
            | Self::NewerRecord { .. }
            | Self::NoRows { .. }
            | Self::SpineGone { .. }
            | Self::OtherProject { .. }
            | Self::Parquet { .. }
            | Self::Csv { .. }
            | Self::NotCsv { .. }
            | Self::OtherColumns { .. }
            | Self::RepeatedColumn { .. }
            | Self::MissingKey { .. }
            | Self::KeyType { .. }
            | Self::KeyValue { .. }
            | Self::UnknownTimestamp { .. }
            | Self::WhichTimestamp { .. }
            | Self::NotATimestamp { .. }
            | Self::NullTime { .. }
            | Self::BadTime { .. }
            | Self::TimeOutOfRange { .. }
            | Self::NameClash { .. }
            | Self::DifferentKeys { .. } => Code::InvalidArgument,
            Self::File { .. }
            | Self::Write { .. }
            | Self::BadHistory { .. }
            | Self::Assemble(_)
            | Self::Workers(_)
            | Self::Received(_)
            | Self::Interrupted => Code::Internal,
        }
    }
}
