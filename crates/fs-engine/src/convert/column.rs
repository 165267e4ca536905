//! One column becomes one of our types, or the first value that cannot is named.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, new_null_array};
use arrow::compute::kernels::cmp::distinct;
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType as ArrowType, Float32Type, Float64Type};
use arrow::util::display::array_value_to_string;

use super::times::to_micros;
use super::{is_string, item_type, text};

/// A value that is not of the wanted type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BadCell {
    /// Its row, counted from 0 in the column that was converted.
    pub row: usize,
    /// The value as text.
    pub value: String,
}

impl BadCell {
    pub(super) fn at(array: &ArrayRef, row: usize) -> Self {
        Self {
            row,
            value: array_value_to_string(array, row).unwrap_or_default(),
        }
    }
}

/// Converts a column to one of our types without losing or bending a value.
///
/// Callers decide with [`fits`](super::fits) whether the types may meet at all.
pub(crate) fn convert(array: &ArrayRef, wanted: &ArrowType) -> Result<ArrayRef, BadCell> {
    let found = array.data_type();
    if found == wanted {
        return Ok(Arc::clone(array));
    }
    match (found, wanted) {
        (ArrowType::Null, _) => Ok(new_null_array(wanted, array.len())),
        (ArrowType::Dictionary(_, values), _) => convert(&cast(array, values)?, wanted),
        (ArrowType::RunEndEncoded(_, values), _) => {
            convert(&cast(array, values.data_type())?, wanted)
        }
        (_, ArrowType::Timestamp(..)) => Ok(Arc::new(to_micros(array)?)),
        (found, ArrowType::List(_)) if item_type(found).is_some() => list(array, wanted),
        (found, wanted) if is_string(found) && !is_string(wanted) => {
            let texts = cast(array, &ArrowType::Utf8)?;
            text::parse(texts.as_string(), wanted).unwrap_or_else(|| cast(array, wanted))
        }
        (found, wanted) if found.is_numeric() && wanted.is_numeric() => number(array, wanted),
        _ => cast(array, wanted),
    }
}

/// A cast of Arrow whose failures are named; for pairs of types where it is lossless.
pub(super) fn cast(array: &ArrayRef, wanted: &ArrowType) -> Result<ArrayRef, BadCell> {
    let options = CastOptions {
        safe: true,
        ..CastOptions::default()
    };
    let result =
        cast_with_options(array, wanted, &options).map_err(|_unsupported| BadCell::at(array, 0))?;
    match (0..array.len()).find(|row| result.is_null(*row) && is_there(array, *row)) {
        Some(row) if result.logical_null_count() > array.logical_null_count() => {
            Err(BadCell::at(array, row))
        }
        _ => Ok(result),
    }
}

fn is_there(array: &ArrayRef, row: usize) -> bool {
    array
        .logical_nulls()
        .is_none_or(|nulls| nulls.is_valid(row))
}

/// A number as another kind of number, when it is the same number there.
///
/// To `float32` a `float64` rounds to the nearest one, as it does when text is read, but does not
/// overflow.
fn number(array: &ArrayRef, wanted: &ArrowType) -> Result<ArrayRef, BadCell> {
    let result = cast(array, wanted)?;
    if *array.data_type() == ArrowType::Float64 && *wanted == ArrowType::Float32 {
        let (wide, narrow) = (
            array.as_primitive::<Float64Type>(),
            result.as_primitive::<Float32Type>(),
        );
        let overflow = (0..wide.len()).find(|row| {
            wide.is_valid(*row) && wide.value(*row).is_finite() && narrow.value(*row).is_infinite()
        });
        return overflow.map_or(Ok(result), |row| Err(BadCell::at(array, row)));
    }
    let back = cast(&result, array.data_type())?;
    let changed = distinct(&back, array).map_err(|_unsupported| BadCell::at(array, 0))?;
    match (0..array.len()).find(|row| changed.value(*row)) {
        Some(row) => Err(BadCell::at(array, row)),
        None => Ok(result),
    }
}

fn list(array: &ArrayRef, wanted: &ArrowType) -> Result<ArrayRef, BadCell> {
    let (ArrowType::List(field), Some(item)) = (wanted, item_type(array.data_type())) else {
        return cast(array, wanted);
    };
    let same_item = ArrowType::new_list(item.clone(), true);
    let lists = cast(array, &same_item)?;
    let lists: &ListArray = lists.as_list();
    let items = convert(lists.values(), field.data_type()).map_err(|bad| BadCell {
        // The list that holds the item is the last one that starts at or before it.
        row: lists
            .value_offsets()
            .partition_point(|offset| usize::try_from(*offset).is_ok_and(|at| at <= bad.row))
            .saturating_sub(1),
        value: bad.value,
    })?;
    ListArray::try_new(
        Arc::clone(field),
        lists.offsets().clone(),
        items,
        lists.nulls().cloned(),
    )
    .map(|lists| Arc::new(lists) as ArrayRef)
    .map_err(|_unsupported| BadCell::at(array, 0))
}
