//! The rows of the tiny repo, as tests write them.

use std::sync::Arc;

use anyhow::Result;
use arrow::array::{
    ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use fs_core::data_type::UTC;
use fs_core::time::parse_micros;

/// A row of the source `clicks`.
#[derive(Debug, Clone, PartialEq)]
pub struct Click {
    /// Key: `user_id`.
    pub user: i64,
    /// `event_timestamp`.
    pub event: String,
    /// `created_timestamp`.
    pub created: Option<String>,
    /// The feature `clicks`.
    pub clicks: Option<i64>,
    /// The feature `score`.
    pub score: Option<f64>,
}

impl Click {
    /// `clicks` of `user` at `event`, created at the same time, without a score.
    pub fn new(user: i64, event: &str, clicks: impl Into<Option<i64>>) -> Self {
        Self {
            user,
            event: event.to_owned(),
            created: Some(event.to_owned()),
            clicks: clicks.into(),
            score: None,
        }
    }

    /// The same, known at another time, or at none.
    #[must_use]
    pub fn created(mut self, at: Option<&str>) -> Self {
        self.created = at.map(str::to_owned);
        self
    }

    /// The same with a score.
    #[must_use]
    pub fn score(mut self, score: f64) -> Self {
        self.score = Some(score);
        self
    }
}

/// A row of the source `trips`.
#[derive(Debug, Clone, PartialEq)]
pub struct Trip {
    /// Key: `origin`.
    pub origin: String,
    /// Key: `dest`.
    pub dest: String,
    /// `event_timestamp`.
    pub event: String,
    /// The feature `minutes`.
    pub minutes: Option<f64>,
    /// The feature `carrier`.
    pub carrier: Option<String>,
}

impl Trip {
    /// A trip that took `minutes`, with carrier `UA`.
    pub fn new(origin: &str, dest: &str, event: &str, minutes: impl Into<Option<f64>>) -> Self {
        Self {
            origin: origin.to_owned(),
            dest: dest.to_owned(),
            event: event.to_owned(),
            minutes: minutes.into(),
            carrier: Some("UA".to_owned()),
        }
    }

    /// The same with another carrier, or none.
    #[must_use]
    pub fn carrier(mut self, carrier: Option<&str>) -> Self {
        self.carrier = carrier.map(str::to_owned);
        self
    }
}

/// Rows as the files of the source `clicks` hold them.
pub fn clicks_batch(rows: &[Click]) -> Result<RecordBatch> {
    let users: Int64Array = rows.iter().map(|row| Some(row.user)).collect();
    let clicks: Int64Array = rows.iter().map(|row| row.clicks).collect();
    let scores: Float64Array = rows.iter().map(|row| row.score).collect();
    Ok(RecordBatch::try_from_iter_with_nullable([
        ("user_id", Arc::new(users) as ArrayRef, true),
        (
            "event_timestamp",
            instants(rows.iter().map(|row| Some(row.event.as_str())))?,
            true,
        ),
        (
            "created_timestamp",
            instants(rows.iter().map(|row| row.created.as_deref()))?,
            true,
        ),
        ("clicks", Arc::new(clicks), true),
        ("score", Arc::new(scores), true),
    ])?)
}

/// Rows as the files of the source `trips` hold them.
pub fn trips_batch(rows: &[Trip]) -> Result<RecordBatch> {
    let text = |text: fn(&Trip) -> Option<&str>| -> ArrayRef {
        Arc::new(rows.iter().map(text).collect::<StringArray>())
    };
    let minutes: Float64Array = rows.iter().map(|row| row.minutes).collect();
    Ok(RecordBatch::try_from_iter_with_nullable([
        ("origin", text(|row| Some(&row.origin)), true),
        ("dest", text(|row| Some(&row.dest)), true),
        (
            "event_timestamp",
            instants(rows.iter().map(|row| Some(row.event.as_str())))?,
            true,
        ),
        ("minutes", Arc::new(minutes), true),
        ("carrier", text(|row| row.carrier.as_deref()), true),
    ])?)
}

fn instants<'a>(texts: impl Iterator<Item = Option<&'a str>>) -> Result<ArrayRef> {
    let micros: Vec<Option<i64>> = texts
        .map(|text| text.map(parse_micros).transpose())
        .collect::<Result<_, _>>()?;
    Ok(Arc::new(
        TimestampMicrosecondArray::from(micros).with_timezone(UTC),
    ))
}
