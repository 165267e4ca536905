//! Our errors, out of those of the query engine that carried them.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use arrow::error::ArrowError;
use datafusion::error::DataFusionError;
use fs_core::{Code, Coded};

use crate::Error;

/// An error of ours that several branches of a plan met; it says what that error says.
#[derive(Debug)]
pub struct Carried(Arc<DataFusionError>);

impl Carried {
    /// The error.
    pub fn error(&self) -> Option<&Error> {
        find(&self.0)
    }
}

impl fmt::Display for Carried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.error() {
            Some(error) => error.fmt(f),
            None => self.0.fmt(f),
        }
    }
}

impl StdError for Carried {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.error().and_then(StdError::source)
    }
}

impl Coded for Carried {
    fn code(&self) -> Code {
        self.error().map_or(Code::Internal, Coded::code)
    }
}

impl Error {
    /// What a failed query means: the error of ours behind it, or of the layers below, or how the
    /// query failed.
    pub fn of_query(error: DataFusionError) -> Self {
        Self::of_query_over("the training set", error)
    }

    /// The same for an error of the engine, which may have met one of ours on its way.
    pub(crate) fn of_engine(error: fs_engine::Error) -> Self {
        match error {
            fs_engine::Error::Query { origin, cause } => Self::of_query_over(&origin, cause),
            error => Self::Engine(Box::new(error)),
        }
    }

    fn of_query_over(origin: &str, error: DataFusionError) -> Self {
        let error = match take::<Self>(error) {
            Ok(ours) => return ours,
            Err(error) => error,
        };
        if find::<Self>(&error).is_some() {
            return Self::Carried(Carried(Arc::new(error)));
        }
        match take::<fs_offline::Error>(error) {
            Ok(offline) => Self::Offline(Box::new(offline)),
            Err(error) => {
                let error = fs_engine::Error::of_query(origin.to_owned(), error);
                Self::Engine(Box::new(error))
            }
        }
    }
}

impl From<Error> for DataFusionError {
    fn from(error: Error) -> Self {
        Self::External(Box::new(error))
    }
}

/// The `E` behind `error`, by whatever it was wrapped.
fn find<E: StdError + 'static>(error: &DataFusionError) -> Option<&E> {
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        cause = error.source();
    }
    None
}

/// The `E` that `error` carries, where nobody else holds it too.
fn take<E: StdError + 'static>(error: DataFusionError) -> Result<E, DataFusionError> {
    match error {
        DataFusionError::External(inner) => match inner.downcast::<E>() {
            Ok(found) => Ok(*found),
            Err(inner) => match inner.downcast::<DataFusionError>() {
                Ok(inner) => take(*inner),
                Err(inner) => Err(DataFusionError::External(inner)),
            },
        },
        DataFusionError::ArrowError(inner, trace) => match *inner {
            ArrowError::ExternalError(inner) => take(DataFusionError::External(inner)),
            inner => Err(DataFusionError::ArrowError(Box::new(inner), trace)),
        },
        DataFusionError::Context(text, inner) => {
            take(*inner).map_err(|inner| DataFusionError::Context(text, Box::new(inner)))
        }
        DataFusionError::Diagnostic(note, inner) => {
            take(*inner).map_err(|inner| DataFusionError::Diagnostic(note, Box::new(inner)))
        }
        DataFusionError::Shared(inner) => match Arc::try_unwrap(inner) {
            Ok(inner) => take(inner),
            Err(inner) => Err(DataFusionError::Shared(inner)),
        },
        other => Err(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ours() -> DataFusionError {
        DataFusionError::from(Error::NullTime {
            column: "t".to_owned(),
            row: 6,
        })
    }

    fn is_ours(error: DataFusionError) -> bool {
        matches!(Error::of_query(error), Error::NullTime { row: 6, .. })
    }

    #[test]
    fn an_error_of_ours_is_found_below_whatever_wraps_it() {
        assert!(is_ours(ours()));
        assert!(is_ours(ours().context("while sorting")));
        let arrow = ArrowError::ExternalError(Box::new(ours()));
        assert!(is_ours(DataFusionError::ArrowError(Box::new(arrow), None)));
        assert!(is_ours(DataFusionError::Shared(Arc::new(ours()))));
        assert!(is_ours(DataFusionError::External(Box::new(
            ours().context("twice").context("wrapped")
        ))));
    }

    #[test]
    fn an_error_that_others_hold_too_says_the_same_with_the_same_code() {
        let shared = Arc::new(ours().context("in one branch"));
        let error = Error::of_query(DataFusionError::Shared(Arc::clone(&shared)));
        assert_eq!(
            error.to_string(),
            "row 7 of the spine has no time in `t`: every row needs one"
        );
        assert_eq!(error.code(), Code::InvalidArgument);
        assert!(error.source().is_none());
    }

    #[test]
    fn errors_of_the_layers_below_keep_their_code() {
        let view = "activity".parse().unwrap();
        let offline = fs_offline::Error::NotMaterialized { view };
        let code = offline.code();
        let error = Error::of_query(DataFusionError::External(Box::new(offline)));
        assert_eq!(error.code(), code);
        let memory = DataFusionError::ResourcesExhausted("all of it".to_owned());
        assert_eq!(Error::of_query(memory).code(), Code::ResourceExhausted);
    }
}
