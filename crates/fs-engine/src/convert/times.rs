//! Instants of every kind as microseconds UTC.

use arrow::array::{
    Array, ArrayRef, AsArray, PrimitiveArray, StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType as ArrowType, Date32Type, Date64Type, TimeUnit,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType,
};
use fs_core::data_type::UTC;
use fs_core::time::parse_micros;

use super::column::{BadCell, cast};

const MICROS_PER_DAY: i64 = 24 * 3_600_000_000;

/// Reads timestamps, dates and strings as `timestamp[us, UTC]`.
///
/// A zone only says how an instant is written, so it falls away; without a zone the value is UTC.
/// Nanoseconds are cut toward minus infinity, so that an instant never moves to a later
/// microsecond, before 1970 either.
pub(crate) fn to_micros(array: &ArrayRef) -> Result<TimestampMicrosecondArray, BadCell> {
    let micros = match array.data_type() {
        ArrowType::Timestamp(TimeUnit::Second, _) => {
            each::<TimestampSecondType>(array, |v| v.checked_mul(1_000_000))
        }
        ArrowType::Timestamp(TimeUnit::Millisecond, _) => {
            each::<TimestampMillisecondType>(array, |v| v.checked_mul(1_000))
        }
        ArrowType::Timestamp(TimeUnit::Microsecond, _) => {
            Ok(array.as_primitive::<TimestampMicrosecondType>().clone())
        }
        ArrowType::Timestamp(TimeUnit::Nanosecond, _) => {
            each::<TimestampNanosecondType>(array, |v| Some(v.div_euclid(1_000)))
        }
        ArrowType::Date32 => {
            each::<Date32Type>(array, |v| i64::from(v).checked_mul(MICROS_PER_DAY))
        }
        ArrowType::Date64 => each::<Date64Type>(array, |v| v.checked_mul(1_000)),
        ArrowType::Null => Ok(TimestampMicrosecondArray::new_null(array.len())),
        _ => from_text(cast(array, &ArrowType::Utf8)?.as_string()),
    };
    Ok(micros?.with_timezone(UTC))
}

fn each<T: ArrowPrimitiveType>(
    array: &ArrayRef,
    convert: impl Fn(T::Native) -> Option<i64>,
) -> Result<TimestampMicrosecondArray, BadCell> {
    let found: &PrimitiveArray<T> = array.as_primitive();
    let micros: TimestampMicrosecondArray = found.unary_opt(convert);
    if micros.null_count() == found.null_count() {
        return Ok(micros);
    }
    let row = (0..found.len()).find(|row| found.is_valid(*row) && micros.is_null(*row));
    Err(BadCell::at(array, row.unwrap_or_default()))
}

fn from_text(texts: &StringArray) -> Result<TimestampMicrosecondArray, BadCell> {
    texts
        .iter()
        .enumerate()
        .map(|(row, text)| {
            text.map(|text| {
                parse_micros(text).map_err(|_unparsed| BadCell {
                    row,
                    value: text.to_owned(),
                })
            })
            .transpose()
        })
        .collect()
}
