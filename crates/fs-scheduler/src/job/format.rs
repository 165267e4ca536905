//! How the state of a job is written, in the lease of its view.
//!
//! ```json
//! { "format": 1, "done": "…", "tried": { "tick": "…", "attempt": 2, "outcome": "waiting", "again": "…" },
//!   "last_success": "…", "last_run": "…", "last_error": "…" }
//! ```
//! What is written is frozen: `golden/job_v1.json` stays readable for ever.

use fs_core::{Code, Coded, EventTime};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{JobState, Outcome, Tried};

/// The format that is written, and the newest that is read.
const NEWEST: u64 = 1;

/// A state that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    /// Written by a newer `fs`.
    #[error(
        "what is remembered of the schedule is written in format {format}, and this fs reads up to \
         {newest}: upgrade fs"
    )]
    Newer {
        /// The format that it is written in.
        format: u64,
        /// The newest format that this build reads.
        newest: u64,
    },
    /// Not as this program writes it.
    #[error("what is remembered of the schedule cannot be read")]
    Corrupt {
        /// What the reader says.
        source: serde_json::Error,
    },
}

impl Coded for FormatError {
    fn code(&self) -> Code {
        match self {
            Self::Newer { .. } => Code::FailedPrecondition,
            Self::Corrupt { .. } => Code::Internal,
        }
    }
}

#[derive(Deserialize)]
struct Head {
    format: u64,
}

/// Instants are RFC 3339, UTC, to the microsecond.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    format: u64,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "instant")]
    done: Option<EventTime>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tried: Option<TriedDocument>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "instant")]
    last_success: Option<EventTime>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last_run: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last_error: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TriedDocument {
    #[serde(with = "instant")]
    tick: Option<EventTime>,
    attempt: u32,
    outcome: Word,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "instant")]
    again: Option<EventTime>,
}

#[derive(Serialize, Deserialize, Clone, Copy)]
#[serde(rename_all = "snake_case")]
enum Word {
    Begun,
    Waiting,
    GivenUp,
    Done,
}

impl JobState {
    /// Reads what a lease holds; a lease that holds nothing is that of a view that was never run.
    pub fn read(job: &Value) -> Result<Self, FormatError> {
        if job.is_null() {
            return Ok(Self::default());
        }
        let corrupt = |source| FormatError::Corrupt { source };
        let head = Head::deserialize(job).map_err(corrupt)?;
        if head.format > NEWEST {
            return Err(FormatError::Newer {
                format: head.format,
                newest: NEWEST,
            });
        }
        let document = Document::deserialize(job).map_err(corrupt)?;
        Ok(Self {
            done: document.done,
            tried: document.tried.and_then(TriedDocument::into_tried),
            last_success: document.last_success,
            last_run: document.last_run,
            last_error: document.last_error,
        })
    }

    /// As a lease holds it.
    pub(crate) fn write(&self) -> Value {
        let document = Document {
            format: NEWEST,
            done: self.done,
            tried: self.tried.as_ref().map(TriedDocument::from),
            last_success: self.last_success,
            last_run: self.last_run.clone(),
            last_error: self.last_error.clone(),
        };
        // Strings, numbers and nothing else: it always has a JSON form.
        serde_json::to_value(document).unwrap_or_else(|_never| json!({ "format": NEWEST }))
    }
}

impl From<&Tried> for TriedDocument {
    fn from(tried: &Tried) -> Self {
        let (outcome, again) = match tried.outcome {
            Outcome::Begun { again } => (Word::Begun, Some(again)),
            Outcome::Waiting { again } => (Word::Waiting, Some(again)),
            Outcome::GivenUp => (Word::GivenUp, None),
            Outcome::Done => (Word::Done, None),
        };
        Self {
            tick: Some(tried.tick),
            attempt: tried.attempt,
            outcome,
            again,
        }
    }
}

impl TriedDocument {
    fn into_tried(self) -> Option<Tried> {
        let tick = self.tick?;
        // Without an instant, at once.
        let again = self.again.unwrap_or(tick);
        Some(Tried {
            tick,
            attempt: self.attempt,
            outcome: match self.outcome {
                Word::Begun => Outcome::Begun { again },
                Word::Waiting => Outcome::Waiting { again },
                Word::GivenUp => Outcome::GivenUp,
                Word::Done => Outcome::Done,
            },
        })
    }
}

mod instant {
    //! Instants as people read them.

    use fs_core::EventTime;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    #[expect(clippy::ref_option, reason = "serde asks for a reference to the field")]
    pub(super) fn serialize<S: Serializer>(
        at: &Option<EventTime>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match at {
            Some(at) => serializer.collect_str(at),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<EventTime>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| text.parse().map_err(Error::custom))
            .transpose()
    }
}
