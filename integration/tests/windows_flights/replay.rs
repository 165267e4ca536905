//! The flights as a stream: pushed in the order in which they happened.

use anyhow::{Context, Result, ensure};
use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Int32Type, TimestampMicrosecondType};
use fs_core::EventTime;
use fs_integration::{Client, Repo, Rows, read_parquet};
use fs_proto::v1;
use fs_proto::v1::column::Values;

/// So many of the events before a moment are pushed one by one, the ones before them side by side.
const ALONE: usize = 40;
const SIDE_BY_SIDE: usize = 250;

/// The events of a source that views over its columns take, in the order in which they happened.
pub(crate) struct Stream {
    source: &'static str,
    columns: &'static [&'static str],
    rows: Rows,
    times: Vec<i64>,
    pushed: usize,
}

impl Stream {
    /// The arrivals.
    pub(crate) fn outcomes(repo: &Repo) -> Result<Self> {
        const COLUMNS: [&str; 8] = [
            "carrier",
            "tailnum",
            "origin",
            "dest",
            "arr_delay",
            "air_time",
            "arr_delayed_15",
            "diverted",
        ];
        Self::open(repo, "flight_outcomes", &COLUMNS)
    }

    /// The departures.
    pub(crate) fn departures(repo: &Repo) -> Result<Self> {
        Self::open(
            repo,
            "departures",
            &["origin", "dest", "carrier", "dep_delay"],
        )
    }

    fn open(repo: &Repo, source: &'static str, columns: &'static [&'static str]) -> Result<Self> {
        let rows = read_parquet(&repo.file(&format!("data/{source}.parquet")))?;
        let times = rows.batch().column_by_name("event_timestamp");
        let times = times.context("no event times")?;
        let times = times.as_primitive::<TimestampMicrosecondType>().values();
        ensure!(times.is_sorted(), "{source} is not in the order of time");
        Ok(Self {
            source,
            columns,
            times: times.to_vec(),
            rows,
            pushed: 0,
        })
    }

    /// Lets the events that happened before `start` be past, unpushed.
    pub(crate) fn begin(&mut self, start: EventTime) {
        self.pushed = self.times.partition_point(|at| *at < start.as_micros());
    }

    /// Pushes all events until `now`, that instant included; returns how many there were.
    pub(crate) async fn push_until(
        &mut self,
        now: EventTime,
        client: &mut Client,
    ) -> Result<usize> {
        let end = self.times.partition_point(|at| *at <= now.as_micros());
        let first = self.pushed;
        while self.pushed < end {
            let left = end - self.pushed;
            let rows = if left > ALONE {
                SIDE_BY_SIDE.min(left - ALONE)
            } else {
                1
            };
            let views = client.push(self.request(self.pushed, rows)?).await?;
            ensure!(!views.is_empty(), "no view takes {}", self.source);
            for view in views {
                let stored = view
                    .outcomes
                    .iter()
                    .filter(|outcome| i32::from(**outcome) == STORED);
                ensure!(stored.count() == rows, "{view:?}");
            }
            self.pushed += rows;
        }
        Ok(end - first)
    }

    fn request(&self, first: usize, rows: usize) -> Result<v1::PushRequest> {
        let times = ["event_timestamp", "created_timestamp"];
        let columns = self.columns.iter().chain(&times).map(|name| {
            let values = self.rows.batch().column_by_name(name);
            let values = values.with_context(|| format!("no column {name}"))?;
            Ok(v1::NamedColumn {
                name: (*name).to_owned(),
                values: Some(column(&values.slice(first, rows))?),
            })
        });
        Ok(v1::PushRequest {
            name: self.source.to_owned(),
            columns: columns.collect::<Result<_>>()?,
            to: v1::PushTo::Online.into(),
            idempotency_key: String::new(),
        })
    }
}

/// The outcome of a row that counts online.
const STORED: i32 = v1::PushOutcome::Stored as i32;

fn column(values: &ArrayRef) -> Result<v1::Column> {
    let nulls = (0..values.len()).map(|row| u8::from(values.is_null(row)));
    let nulls = if values.null_count() > 0 {
        nulls.collect()
    } else {
        bytes::Bytes::new()
    };
    let values = match values.data_type() {
        DataType::Boolean => Values::Bools(v1::Bools {
            values: values.as_boolean().values().iter().collect(),
        }),
        DataType::Int32 => Values::Int32s(v1::Int32s {
            values: values.as_primitive::<Int32Type>().values().to_vec(),
        }),
        DataType::Utf8 => Values::Strings(v1::Strings {
            values: values
                .as_string::<i32>()
                .iter()
                .map(|text| text.unwrap_or_default().to_owned())
                .collect(),
        }),
        DataType::Timestamp(..) => Values::Timestamps(v1::Timestamps {
            micros: values
                .as_primitive::<TimestampMicrosecondType>()
                .values()
                .to_vec(),
        }),
        other => anyhow::bail!("the flights have no column of type {other}"),
    };
    Ok(v1::Column {
        values: Some(values),
        nulls,
    })
}
