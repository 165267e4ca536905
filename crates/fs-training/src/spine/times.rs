//! Which column of a spine holds the event time, and what it says in microseconds UTC.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, TimestampMicrosecondArray};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Date32Type, Date64Type, Schema, TimeUnit, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
};
use fs_core::time::parse_micros;
use fs_core::{EVENT_TIMESTAMP, FeatureSet};

use super::{listed, nearest};
use crate::Error;

const DAY_MICROS: i64 = 24 * 3_600_000_000;

/// The position of the column that holds the event time: the one named, else `event_timestamp`,
/// else the only timestamp column, else the only date column. Key columns are never guessed.
pub(super) fn choose(
    schema: &Schema,
    features: &FeatureSet,
    named: Option<&str>,
) -> Result<usize, Error> {
    if let Some(column) = named {
        return schema
            .index_of(column)
            .map_err(|_unknown| Error::UnknownTimestamp {
                column: column.to_owned(),
                nearest: nearest(schema, column),
                columns: listed(schema),
            });
    }
    if let Ok(column) = schema.index_of(EVENT_TIMESTAMP) {
        return Ok(column);
    }
    let keys = features.key_columns();
    let of_type = |wanted: fn(&DataType) -> bool| -> Vec<usize> {
        let fields = schema.fields().iter().enumerate();
        fields
            .filter(|(_, field)| wanted(field.data_type()))
            .filter(|(_, field)| keys.iter().all(|key| key.column != *field.name()))
            .map(|(at, _)| at)
            .collect()
    };
    let timestamps = of_type(|data_type| matches!(data_type, DataType::Timestamp(..)));
    let found = if timestamps.is_empty() {
        of_type(|data_type| matches!(data_type, DataType::Date32 | DataType::Date64))
    } else {
        timestamps
    };
    match found.as_slice() {
        [column] => Ok(*column),
        found => Err(Error::WhichTimestamp {
            found: found.len(),
            columns: listed(schema),
        }),
    }
}

/// The event time of every row of `batches`, taken from column `at`, which is called `column`.
pub(super) fn micros(
    column: &str,
    at: usize,
    batches: &[RecordBatch],
) -> Result<TimestampMicrosecondArray, Error> {
    let rows = batches.iter().map(RecordBatch::num_rows).sum();
    let mut micros = Vec::with_capacity(rows);
    for batch in batches {
        let start = micros.len();
        let values = column_micros(column, start, batch.column(at))?;
        for (row, value) in values.into_iter().enumerate() {
            micros.push(value.ok_or_else(|| Error::NullTime {
                column: column.to_owned(),
                row: start + row,
            })?);
        }
    }
    Ok(TimestampMicrosecondArray::from(micros))
}

/// A column of timestamps, dates or texts as microseconds UTC. What is finer than a microsecond is
/// rounded down, so that no row moves into its future. `start` is the row that errors count from.
pub(super) fn column_micros(
    column: &str,
    start: usize,
    array: &ArrayRef,
) -> Result<Vec<Option<i64>>, Error> {
    let scaled = |values: Vec<Option<i64>>, factor: i64| {
        let scale = |(row, value): (usize, Option<i64>)| {
            let out_of_range = || Error::TimeOutOfRange {
                column: column.to_owned(),
                row: start + row,
            };
            value
                .map(|value| value.checked_mul(factor).ok_or_else(out_of_range))
                .transpose()
        };
        values.into_iter().enumerate().map(scale).collect()
    };
    match array.data_type() {
        DataType::Timestamp(TimeUnit::Second, _) => {
            let values = array.as_primitive::<TimestampSecondType>();
            scaled(values.iter().collect(), 1_000_000)
        }
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            let values = array.as_primitive::<TimestampMillisecondType>();
            scaled(values.iter().collect(), 1_000)
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            let values = array.as_primitive::<TimestampMicrosecondType>();
            Ok(values.iter().collect())
        }
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            let values = array.as_primitive::<TimestampNanosecondType>();
            let floor = |nanos: i64| nanos.div_euclid(1_000);
            Ok(values.iter().map(|value| value.map(floor)).collect())
        }
        DataType::Date32 => {
            let values = array.as_primitive::<Date32Type>().iter();
            scaled(
                values.map(|value| value.map(i64::from)).collect(),
                DAY_MICROS,
            )
        }
        DataType::Date64 => {
            let values = array.as_primitive::<Date64Type>();
            scaled(values.iter().collect(), 1_000)
        }
        DataType::Dictionary(_, values) => column_micros(column, start, &cast(array, values)?),
        DataType::Utf8 => texts(column, start, array.as_string::<i32>().iter()),
        DataType::LargeUtf8 => texts(column, start, array.as_string::<i64>().iter()),
        DataType::Utf8View => texts(column, start, array.as_string_view().iter()),
        found => Err(Error::NotATimestamp {
            column: column.to_owned(),
            found: found.clone(),
        }),
    }
}

fn texts<'a>(
    column: &str,
    start: usize,
    texts: impl Iterator<Item = Option<&'a str>>,
) -> Result<Vec<Option<i64>>, Error> {
    let read = |(row, text): (usize, Option<&str>)| {
        let bad = |source| Error::BadTime {
            column: column.to_owned(),
            row: start + row,
            source,
        };
        text.map(|text| parse_micros(text).map_err(bad)).transpose()
    };
    texts.enumerate().map(read).collect()
}
