//! How the state of a lease is written: one JSON object.
//!
//! ```json
//! { "format": 1, "view": "weather", "number": 42, "fence": 7, "beat": 42,
//!   "holder": { "id": "…", "name": "worker-3:4711", "since": "…", "what": "…", "ttl_millis": 30000, … },
//!   "job": { … } }
//! ```
//! What is written is frozen; `golden/lease_v1.json` and `golden/lease_free_v1.json` stay readable for
//! ever. What `job` holds is the scheduler's, and has a format of its own.

use std::time::Duration;

use bytes::Bytes;
use fs_core::{EventTime, Fence, ViewName};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::process::Mark;
use super::state::{HolderInfo, LeaseState};
use crate::Error;

/// The format that is written, and the newest that is read.
const NEWEST: u64 = 1;

#[derive(Deserialize)]
struct Head {
    format: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    format: u64,
    view: ViewName,
    number: u64,
    fence: Fence,
    beat: u64,
    holder: Option<Holder>,
    #[serde(default, skip_serializing_if = "Value::is_null")]
    job: Value,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Holder {
    id: String,
    name: String,
    /// RFC 3339, UTC, to the microsecond.
    since: String,
    what: String,
    ttl_millis: u64,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    cancel: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    gone: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    process: Option<Mark>,
}

/// Writes `state` as object `number`.
pub(super) fn encode(number: u64, state: &LeaseState) -> Result<Bytes, Error> {
    let document = Document {
        format: NEWEST,
        view: state.view.clone(),
        number,
        fence: state.fence,
        beat: state.beat,
        holder: state.holder.as_ref().map(Holder::from),
        job: state.job.clone(),
    };
    let json = serde_json::to_vec_pretty(&document);
    let mut json = json.map_err(|source| Error::EncodeLease {
        view: state.view.clone(),
        source,
    })?;
    json.push(b'\n');
    Ok(json.into())
}

/// Reads the state that the object named `object` of `view` should hold.
pub(super) fn decode(
    view: &ViewName,
    number: u64,
    object: &str,
    bytes: &[u8],
) -> Result<LeaseState, Error> {
    let corrupt = |source: Box<dyn std::error::Error + Send + Sync>| Error::CorruptLease {
        object: object.to_owned(),
        source,
    };
    let head: Head = serde_json::from_slice(bytes).map_err(|error| corrupt(error.into()))?;
    match head.format {
        1 => {}
        format if format > NEWEST => {
            return Err(Error::NewerLease {
                object: object.to_owned(),
                format,
                newest: NEWEST,
            });
        }
        format => return Err(corrupt(format!("there is no format {format}").into())),
    }
    let document: Document =
        serde_json::from_slice(bytes).map_err(|error| corrupt(error.into()))?;
    if document.number != number || document.view != *view {
        let found = format!("it holds {} of view `{}`", document.number, document.view);
        return Err(corrupt(found.into()));
    }
    let holder = document.holder.map(HolderInfo::try_from).transpose();
    Ok(LeaseState {
        view: document.view,
        fence: document.fence,
        beat: document.beat,
        holder: holder.map_err(corrupt)?,
        job: document.job,
    })
}

impl From<&HolderInfo> for Holder {
    fn from(holder: &HolderInfo) -> Self {
        Self {
            id: holder.id.to_string(),
            name: holder.name.clone(),
            since: holder.since.to_string(),
            what: holder.what.clone(),
            ttl_millis: u64::try_from(holder.ttl.as_millis()).unwrap_or(u64::MAX),
            cancel: holder.cancel,
            gone: holder.gone,
            process: holder.process.clone(),
        }
    }
}

impl TryFrom<Holder> for HolderInfo {
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn try_from(holder: Holder) -> Result<Self, Self::Error> {
        let since: EventTime = holder.since.parse()?;
        Ok(Self {
            id: holder.id.parse::<Uuid>()?,
            name: holder.name,
            since,
            what: holder.what,
            cancel: holder.cancel,
            ttl: Duration::from_millis(holder.ttl_millis),
            gone: holder.gone,
            process: holder.process,
        })
    }
}

#[cfg(test)]
mod tests;
