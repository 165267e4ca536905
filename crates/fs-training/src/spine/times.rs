//! Which column of a spine holds the event time, and what it says in microseconds UTC.

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, PrimitiveArray, TimestampMicrosecondArray,
};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Date32Type, Date64Type, Schema, TimeUnit, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
};
use arrow::error::ArrowError;
use fs_core::data_type::UTC;
use fs_core::time::parse_micros;
use fs_core::{EVENT_TIMESTAMP, FeatureSet};

use super::{first_row, listed, nearest};
use crate::Error;

const DAY_MICROS: i64 = 24 * 3_600_000_000;

/// The position of the column that holds the event time: the one named, else `event_timestamp`,
/// else the only timestamp column, else the only date column. Key columns are never guessed.
pub(super) fn choose(
    schema: &Schema,
    features: &FeatureSet,
    named: Option<&str>,
) -> Result<usize, Error> {
    let at = find(schema, features, named)?;
    let field = schema.field(at);
    if holds_times(field.data_type()) {
        return Ok(at);
    }
    Err(Error::NotATimestamp {
        column: field.name().clone(),
        found: field.data_type().clone(),
    })
}

fn find(schema: &Schema, features: &FeatureSet, named: Option<&str>) -> Result<usize, Error> {
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

/// Whether a column of this type can hold event times. What its texts say is seen row by row.
pub(super) fn holds_times(found: &DataType) -> bool {
    match found {
        DataType::Dictionary(_, values) => holds_times(values),
        DataType::Timestamp(..)
        | DataType::Date32
        | DataType::Date64
        | DataType::Utf8
        | DataType::LargeUtf8
        | DataType::Utf8View => true,
        _ => false,
    }
}

/// The event times of a part of the spine, none of which may be missing. `start` is the row that
/// errors count from; of several rows that are wrong, the first is named.
pub(super) fn event_times(
    column: &str,
    start: usize,
    array: &ArrayRef,
) -> Result<TimestampMicrosecondArray, Error> {
    let nulls = array.logical_nulls().filter(|nulls| nulls.null_count() > 0);
    let missing = nulls.and_then(|nulls| (0..nulls.len()).find(|row| nulls.is_null(*row)));
    let missing = missing.map(|row| Error::NullTime {
        column: column.to_owned(),
        row: start + row,
    });
    let times = micros(column, start, array);
    match (times, missing) {
        (times, None) => times,
        (times, missing) => Err(first_row([times.err(), missing]).unwrap_or(Error::Interrupted)),
    }
}

/// A column of timestamps, dates or texts as microseconds UTC; those that are that already are
/// shared. What is finer than a microsecond is rounded down, so that no row moves into its future.
pub(super) fn micros(
    column: &str,
    start: usize,
    array: &ArrayRef,
) -> Result<TimestampMicrosecondArray, Error> {
    let out_of_range = |row| Error::TimeOutOfRange {
        column: column.to_owned(),
        row: start + row,
    };
    let micros = match array.data_type() {
        DataType::Timestamp(TimeUnit::Second, _) => {
            scaled(array.as_primitive::<TimestampSecondType>(), 1_000_000).map_err(out_of_range)?
        }
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            scaled(array.as_primitive::<TimestampMillisecondType>(), 1_000).map_err(out_of_range)?
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            array.as_primitive::<TimestampMicrosecondType>().clone()
        }
        DataType::Timestamp(TimeUnit::Nanosecond, _) => array
            .as_primitive::<TimestampNanosecondType>()
            .unary(|nanos| nanos.div_euclid(1_000)),
        DataType::Date32 => {
            scaled(array.as_primitive::<Date32Type>(), DAY_MICROS).map_err(out_of_range)?
        }
        DataType::Date64 => {
            scaled(array.as_primitive::<Date64Type>(), 1_000).map_err(out_of_range)?
        }
        DataType::Dictionary(_, values) => micros(column, start, &cast(array, values)?)?,
        DataType::Utf8 => texts(column, start, array.as_string::<i32>().iter())?,
        DataType::LargeUtf8 => texts(column, start, array.as_string::<i64>().iter())?,
        DataType::Utf8View => texts(column, start, array.as_string_view().iter())?,
        found => {
            return Err(Error::NotATimestamp {
                column: column.to_owned(),
                found: found.clone(),
            });
        }
    };
    Ok(micros.with_timezone(UTC))
}

/// Every value times `factor`, or the first row where that is too much for 64 bits.
fn scaled<T>(values: &PrimitiveArray<T>, factor: i64) -> Result<TimestampMicrosecondArray, usize>
where
    T: ArrowPrimitiveType<Native: Into<i64>>,
{
    let scale = |value: T::Native| value.into().checked_mul(factor);
    let beyond = || ArrowError::ComputeError(String::new());
    values
        .try_unary(|value| scale(value).ok_or_else(beyond))
        .map_err(|_beyond| {
            let mut rows = values.iter();
            rows.position(|value| value.is_some_and(|value| scale(value).is_none()))
                .unwrap_or_default()
        })
}

fn texts<'a>(
    column: &str,
    start: usize,
    texts: impl Iterator<Item = Option<&'a str>>,
) -> Result<TimestampMicrosecondArray, Error> {
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
