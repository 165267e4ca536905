//! Texts of CSV and JSON as typed values.

use std::str::FromStr;
use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryArray, BooleanArray, PrimitiveArray, StringArray};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType as ArrowType, Float32Type, Float64Type, Int32Type, Int64Type,
};
use fs_core::{KeyType, KeyValue};

use super::column::BadCell;

/// Parses `texts` as `wanted`, which is a scalar type of ours but no timestamp and no string;
/// `None` for any other type.
pub(super) fn parse(texts: &StringArray, wanted: &ArrowType) -> Option<Result<ArrayRef, BadCell>> {
    Some(match wanted {
        ArrowType::Boolean => booleans(texts),
        ArrowType::Int32 => primitives::<Int32Type>(texts, |text| integer(text)?.try_into().ok()),
        ArrowType::Int64 => primitives::<Int64Type>(texts, integer),
        ArrowType::Float32 => {
            primitives::<Float32Type>(texts, |text| float::<f32>(text, f32::is_infinite))
        }
        ArrowType::Float64 => {
            primitives::<Float64Type>(texts, |text| float::<f64>(text, f64::is_infinite))
        }
        ArrowType::Binary => binaries(texts),
        _ => return None,
    })
}

/// Reads an integer; a fraction of zero, as in `3.0`, is allowed.
///
/// Programs that hold a column with gaps as floats write integers that way.
pub(crate) fn integer(text: &str) -> Option<i64> {
    let text = text.trim();
    let whole = match text.split_once('.') {
        Some((whole, fraction)) if !fraction.is_empty() => fraction
            .bytes()
            .all(|digit| digit == b'0')
            .then_some(whole)?,
        Some(_) => return None,
        None => text,
    };
    whole.parse().ok()
}

/// Reads a float; a number too great for the type is not quietly infinite.
fn float<T: FromStr + Copy>(text: &str, is_infinite: impl Fn(T) -> bool) -> Option<T> {
    let text = text.trim();
    let value: T = text.parse().ok()?;
    let says_infinite = text.to_ascii_lowercase().contains("inf");
    (says_infinite || !is_infinite(value)).then_some(value)
}

/// Reads `true` or `false` in any case.
fn boolean(text: &str) -> Option<bool> {
    text.trim().to_ascii_lowercase().parse().ok()
}

fn booleans(texts: &StringArray) -> Result<ArrayRef, BadCell> {
    let values: Result<BooleanArray, BadCell> = parsed(texts, boolean).collect();
    Ok(Arc::new(values?))
}

fn binaries(texts: &StringArray) -> Result<ArrayRef, BadCell> {
    let bytes = |text: &str| match KeyValue::parse(KeyType::Bytes, text) {
        Ok(KeyValue::Bytes(bytes)) => Some(bytes),
        _ => None,
    };
    let values: Result<BinaryArray, BadCell> = parsed(texts, bytes).collect();
    Ok(Arc::new(values?))
}

fn primitives<T: ArrowPrimitiveType>(
    texts: &StringArray,
    read: impl Fn(&str) -> Option<T::Native>,
) -> Result<ArrayRef, BadCell> {
    let values: Result<Vec<Option<T::Native>>, BadCell> = parsed(texts, read).collect();
    Ok(Arc::new(PrimitiveArray::<T>::from_iter(values?)))
}

fn parsed<V>(
    texts: &StringArray,
    read: impl Fn(&str) -> Option<V>,
) -> impl Iterator<Item = Result<Option<V>, BadCell>> {
    texts.iter().enumerate().map(move |(row, text)| {
        text.map(|text| {
            read(text).ok_or_else(|| BadCell {
                row,
                value: text.to_owned(),
            })
        })
        .transpose()
    })
}
