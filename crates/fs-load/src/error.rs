//! Why no load could be put on a server.

use std::io;

use fs_core::{Code, Coded};

/// Why no load could be put on a server. What a server refuses while it is under load is no error but a
/// result: see [`Report::errors`](crate::Report::errors).
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing listens there.
    #[error("no server answers at {address}: {cause}")]
    Connect {
        /// Where.
        address: String,
        /// What the operating system or the protocol says.
        cause: String,
    },
    /// An address that cannot be one.
    #[error("`{0}` is no address: write HOST:PORT")]
    Address(String),
    /// Entities that no request can be made of.
    #[error("no requests can be made of these entities: {0}")]
    Entities(String),
    /// A load that is none.
    #[error("this is no load: {0}")]
    Load(&'static str),
    /// The first answer was wrong already.
    #[error("the server does not answer what is asked: {code}: {message}")]
    Refused {
        /// The code of the first failure.
        code: String,
        /// What the server says.
        message: String,
    },
    /// A thread could not be started, or did not end well.
    #[error("cannot run the load generator")]
    Runtime(#[source] io::Error),
}

impl Coded for Error {
    fn code(&self) -> Code {
        match self {
            Self::Connect { .. } => Code::Unavailable,
            Self::Address(_) | Self::Entities(_) | Self::Load(_) => Code::InvalidArgument,
            Self::Refused { .. } => Code::FailedPrecondition,
            Self::Runtime(_) => Code::Internal,
        }
    }
}
