//! A [`RunRecord`] as a row of Arrow, and back.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef, TimestampMicrosecondType};
use arrow::error::ArrowError;
use fs_core::data_type::{UTC, timestamp_type};
use fs_core::{EventTime, Fence};

use super::RunRecord;

/// The columns of the table. Columns may be added at the end; these stay.
pub(super) fn schema() -> SchemaRef {
    let text = |name: &str| Field::new(name, DataType::Utf8, true);
    let time = |name: &str| Field::new(name, timestamp_type(), true);
    let number = |name: &str| Field::new(name, DataType::Int64, true);
    Arc::new(Schema::new(vec![
        text("id"),
        text("view"),
        text("kind"),
        time("range_start"),
        time("range_end"),
        time("started"),
        time("finished"),
        number("rows_read"),
        number("rows_written"),
        number("published"),
        number("deleted"),
        number("table_version"),
        text("status"),
        text("message"),
        number("rejected"),
        number("warned"),
        number("version_before"),
        number("chunks"),
        number("fence"),
        text("trigger"),
        number("attempt"),
    ]))
}

pub(super) fn to_batch(run: &RunRecord) -> Result<RecordBatch, ArrowError> {
    let text = |value: Option<&str>| Arc::new(StringArray::from(vec![value])) as ArrayRef;
    let time = |value: Option<EventTime>| {
        let micros = vec![value.map(EventTime::as_micros)];
        Arc::new(TimestampMicrosecondArray::from(micros).with_timezone(UTC)) as ArrayRef
    };
    let number = |value: Option<i64>| Arc::new(Int64Array::from(vec![value])) as ArrayRef;
    let count = |value: u64| number(Some(i64::try_from(value).unwrap_or(i64::MAX)));
    RecordBatch::try_new(
        schema(),
        vec![
            text(Some(&run.id)),
            text(Some(run.view.as_str())),
            text(Some(run.kind.as_str())),
            time(run.range_start),
            time(Some(run.range_end)),
            time(Some(run.started)),
            time(Some(run.finished)),
            count(run.rows_read),
            count(run.rows_written),
            count(run.published),
            count(run.deleted),
            number(run.table_version),
            text(Some(run.status.as_str())),
            text(run.message.as_deref()),
            count(run.rejected),
            count(run.warned),
            number(run.version_before),
            count(run.chunks),
            number(run.fence.map(|fence| fence.number().cast_signed())),
            text(Some(run.trigger.as_str())),
            count(run.attempt.into()),
        ],
    )
}

/// The runs of a batch, or which value makes no sense.
pub(super) fn from_batch(batch: &RecordBatch) -> Result<Vec<RunRecord>, String> {
    (0..batch.num_rows())
        .map(|row| from_row(&Row { batch, row }))
        .collect()
}

fn from_row(row: &Row<'_>) -> Result<RunRecord, String> {
    let view = row.text("view").unwrap_or_default();
    let fence = row.number("fence");
    let trigger = row.text("trigger").map(|word| word.parse());
    Ok(RunRecord {
        id: row.text("id").unwrap_or_default(),
        view: view.parse().map_err(|error| format!("{error}"))?,
        kind: row.text("kind").unwrap_or_default().parse()?,
        range_start: row.time("range_start"),
        range_end: row.needed_time("range_end")?,
        started: row.needed_time("started")?,
        finished: row.needed_time("finished")?,
        rows_read: row.count("rows_read"),
        rows_written: row.count("rows_written"),
        rejected: row.count("rejected"),
        warned: row.count("warned"),
        published: row.count("published"),
        deleted: row.count("deleted"),
        version_before: row.number("version_before"),
        table_version: row.number("table_version"),
        chunks: row.count("chunks"),
        fence: fence.map(|fence| Fence::new(fence.cast_unsigned())),
        trigger: trigger.transpose()?.unwrap_or_default(),
        attempt: row
            .number("attempt")
            .map_or(1, |attempt| attempt.try_into().unwrap_or(1)),
        status: row.text("status").unwrap_or_default().parse()?,
        message: row.text("message"),
    })
}

struct Row<'a> {
    batch: &'a RecordBatch,
    row: usize,
}

impl Row<'_> {
    fn column(&self, name: &str) -> Option<&ArrayRef> {
        let column = self.batch.column_by_name(name)?;
        column.is_valid(self.row).then_some(column)
    }

    fn text(&self, name: &str) -> Option<String> {
        let column = self.column(name)?.as_string_opt::<i32>()?;
        Some(column.value(self.row).to_owned())
    }

    fn number(&self, name: &str) -> Option<i64> {
        let column = self.column(name)?.as_primitive_opt::<Int64Type>()?;
        Some(column.value(self.row))
    }

    fn count(&self, name: &str) -> u64 {
        let number = self.number(name).unwrap_or(0);
        u64::try_from(number).unwrap_or(0)
    }

    fn time(&self, name: &str) -> Option<EventTime> {
        let column = self.column(name)?;
        let column = column.as_primitive_opt::<TimestampMicrosecondType>()?;
        Some(EventTime::from_micros(column.value(self.row)))
    }

    fn needed_time(&self, name: &str) -> Result<EventTime, String> {
        self.time(name)
            .ok_or_else(|| format!("a run has no `{name}`"))
    }
}
