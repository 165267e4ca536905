//! Why a command did not do what it was asked to.

use std::fmt;

use fs_core::code::report;
use fs_core::{Code, Coded};
use serde_json::{Value, json};

/// A code, a message and, where there is more to say, a text for people and details for programs.
#[derive(Debug)]
pub(crate) struct Failure {
    code: Code,
    message: String,
    explained: Option<String>,
    details: Option<Value>,
}

impl Failure {
    /// A failure that no error of a crate describes.
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            explained: None,
            details: None,
        }
    }

    /// The input was wrong.
    pub(crate) fn input(message: impl Into<String>) -> Self {
        Self::new(Code::InvalidArgument, message)
    }

    /// The operating system said no.
    pub(crate) fn io(doing: &str, error: &std::io::Error) -> Self {
        Self::new(Code::InvalidArgument, format!("{doing}: {error}"))
    }

    /// The same failure with more to say to people than the message.
    pub(crate) fn explained(mut self, text: impl Into<String>) -> Self {
        self.explained = Some(text.into());
        self
    }

    /// As a person reads it.
    pub(crate) fn for_people(&self) -> &str {
        self.explained.as_deref().unwrap_or(&self.message)
    }

    /// The same failure with details for `--format json`.
    pub(crate) fn with_details(mut self, details: Value) -> Self {
        self.details = Some(details);
        self
    }

    /// What kind of failure this is.
    pub(crate) const fn code(&self) -> Code {
        self.code
    }

    /// As a program reads it.
    pub(crate) fn to_json(&self) -> Value {
        let mut error = json!({ "code": self.code.name(), "message": self.message });
        if let Some(details) = &self.details {
            error["details"] = details.clone();
        }
        json!({ "error": error })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl<E: Coded + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::new(error.code(), report(&error))
    }
}
