//! How a version is written: one JSON object, in a numbered format.
//!
//! ```json
//! { "format": 1, "version": 7, "project": "flights", "applied_at": "2013-04-01T00:00:00Z",
//!   "note": "add wind speed", "catalog": { … } }
//! ```
//!
//! What is written is frozen. Each format has structs of its own ([`v1`]) that are converted from and
//! to the model of `fs-core`, so that the model can change while old registries stay readable, and a
//! golden file that every later release reads. The format number is read before anything else, so
//! that a file of a newer `fs` is told from a broken one.

mod v1;

use bytes::Bytes;
use fs_core::{EventTime, ProjectName};
use serde::Deserialize;

use crate::{Error, Version};

/// The format that is written, and the newest that is read.
pub(crate) const NEWEST: u64 = 1;

/// The part that every format has in common.
#[derive(Deserialize)]
struct Head {
    format: u64,
}

/// Writes `version` of `project`.
pub(crate) fn encode(project: &ProjectName, version: &Version) -> Result<Bytes, Error> {
    let document = v1::Document {
        format: NEWEST,
        version: version.number,
        project: project.clone(),
        applied_at: version.applied_at.to_string(),
        note: version.note.clone(),
        catalog: v1::Catalog::from(&*version.catalog),
    };
    let mut json = serde_json::to_vec_pretty(&document).map_err(|source| Error::Encode {
        version: version.number,
        source,
    })?;
    json.push(b'\n');
    Ok(json.into())
}

/// Reads the version that the object named `object` of `project` should hold.
pub(crate) fn decode(
    project: &ProjectName,
    number: u64,
    object: &str,
    bytes: &[u8],
) -> Result<Version, Error> {
    let corrupt = |source: Box<dyn std::error::Error + Send + Sync>| Error::Corrupt {
        object: object.to_owned(),
        source,
    };
    let head: Head = serde_json::from_slice(bytes).map_err(|error| corrupt(error.into()))?;
    match head.format {
        1 => {}
        format if format > NEWEST => {
            return Err(Error::NewerFormat {
                project: project.clone(),
                version: number,
                format,
                newest: NEWEST,
            });
        }
        format => return Err(corrupt(format!("there is no format {format}").into())),
    }
    let document: v1::Document =
        serde_json::from_slice(bytes).map_err(|error| corrupt(error.into()))?;
    if document.version != number || document.project != *project {
        let found = format!(
            "it holds version {} of project `{}`",
            document.version, document.project
        );
        return Err(corrupt(found.into()));
    }
    let applied_at: EventTime = document
        .applied_at
        .parse()
        .map_err(|error: fs_core::time::TimeError| corrupt(error.into()))?;
    let catalog = document
        .catalog
        .into_catalog(project.clone())
        .map_err(|error| corrupt(error.into()))?;
    Ok(Version {
        number,
        applied_at,
        note: document.note,
        catalog: catalog.into(),
    })
}

#[cfg(test)]
mod tests;
