//! Whatever can be asked, can be loaded.

use std::borrow::Cow;
use std::time::Duration;

use crate::{Error, Values};

/// Something that answers requests, which it has encoded before.
pub trait Target: Send + Sync + 'static {
    /// One request at a time.
    type Lane: Lane;

    /// How many different requests there are; at least 1.
    fn requests(&self) -> usize;

    /// How many entities every request is about.
    fn entities_per_request(&self) -> usize;

    /// Connects: `connections` x `in_flight` lanes, those of different connections taking turns.
    fn lanes(
        &self,
        connections: usize,
        in_flight: usize,
    ) -> impl Future<Output = Result<Vec<Self::Lane>, Error>> + Send;
}

/// Asks one request at a time.
pub trait Lane: Send + 'static {
    /// Sends request `number` and waits for the whole answer; with `check`, also decodes it.
    ///
    /// A lane whose connection breaks says so once and connects anew for the next request. A call that
    /// is dropped leaves the lane fit for use.
    fn ask(
        &mut self,
        number: usize,
        check: bool,
    ) -> impl Future<Output = Result<Answer, Refusal>> + Send;
}

/// An answer that was received to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Bytes of the request, without the framing of the protocol.
    pub sent: usize,
    /// Bytes of the answer, likewise.
    pub received: usize,
    /// What was in it, if it was to be checked.
    pub values: Option<Values>,
}

/// An answer that is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The name of a gRPC status, `HTTP 503` and so on, or [`WRONG_ANSWER`](Self::WRONG_ANSWER).
    pub code: Cow<'static, str>,
    /// What was said about it.
    pub message: String,
}

impl Refusal {
    /// The code of an answer that is not what was asked for.
    pub const WRONG_ANSWER: &'static str = "WRONG_ANSWER";

    pub(crate) fn unavailable(message: impl Into<String>) -> Self {
        Self {
            code: Cow::Borrowed("UNAVAILABLE"),
            message: message.into(),
        }
    }

    pub(crate) fn late(after: Duration) -> Self {
        let message = format!("no answer after {} ms", after.as_millis());
        Self {
            code: Cow::Borrowed("DEADLINE_EXCEEDED"),
            message,
        }
    }

    pub(crate) fn wrong(message: impl Into<String>) -> Self {
        Self {
            code: Cow::Borrowed(Self::WRONG_ANSWER),
            message: message.into(),
        }
    }
}
