//! The key columns of a spine, as the views need them.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef};
use arrow::compute::{CastOptions, cast, cast_with_options};
use arrow::datatypes::{DataType, Schema};
use arrow::util::display::array_value_to_string;
use fs_core::{FeatureSet, KeyBinding, KeyType, ViewName};

use super::times::micros;
use super::{listed, nearest};
use crate::Error;

/// Every key column that `features` needs: where it is in the spine, and what it has to be.
pub(super) fn key_columns(
    schema: &Schema,
    features: &FeatureSet,
) -> Result<Vec<(usize, KeyBinding)>, Error> {
    let mut columns: Vec<(usize, KeyBinding)> = Vec::new();
    for selection in &features.views {
        for key in &selection.keys {
            if columns.iter().all(|(_, seen)| seen.column != key.column) {
                columns.push((find(schema, &selection.label, key)?, key.clone()));
            }
        }
    }
    Ok(columns)
}

fn find(schema: &Schema, view: &ViewName, key: &KeyBinding) -> Result<usize, Error> {
    let at = schema
        .index_of(&key.column)
        .map_err(|_unknown| Error::MissingKey {
            column: key.column.clone(),
            view: view.clone(),
            nearest: nearest(schema, &key.column),
            columns: listed(schema),
        })?;
    let found = schema.field(at).data_type();
    if can_be(key.key_type, found) {
        return Ok(at);
    }
    Err(Error::KeyType {
        column: key.column.clone(),
        view: view.clone(),
        expected: key.key_type,
        found: found.clone(),
    })
}

/// Whether columns of type `found` can hold such keys. Which integers fit is seen row by row.
fn can_be(key_type: KeyType, found: &DataType) -> bool {
    match found {
        DataType::Dictionary(_, values) => can_be(key_type, values),
        DataType::Null => true,
        found => match key_type {
            KeyType::Bool => *found == DataType::Boolean,
            KeyType::Int32 | KeyType::Int64 => found.is_integer(),
            KeyType::String => matches!(
                found,
                DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View
            ),
            KeyType::Bytes => matches!(
                found,
                DataType::Binary
                    | DataType::LargeBinary
                    | DataType::BinaryView
                    | DataType::FixedSizeBinary(_)
            ),
            KeyType::Timestamp => matches!(
                found,
                DataType::Timestamp(..) | DataType::Date32 | DataType::Date64
            ),
        },
    }
}

/// A part of a key column with the type of its join key, shared if it has that already; `start` is
/// the row that errors count from.
pub(super) fn converted(
    column: &ArrayRef,
    key: &KeyBinding,
    start: usize,
) -> Result<ArrayRef, Error> {
    let column = match column.data_type() {
        DataType::Dictionary(_, values) => &cast(column, values)?,
        _ => column,
    };
    if key.key_type == KeyType::Timestamp && *column.data_type() != DataType::Null {
        return Ok(Arc::new(micros(&key.column, start, column)?));
    }
    let wanted = key.key_type.to_arrow();
    if *column.data_type() == wanted {
        return Ok(Arc::clone(column));
    }
    // What does not fit becomes null, and is then told apart from the nulls that were there.
    let lenient = CastOptions {
        safe: true,
        ..CastOptions::default()
    };
    let cast = cast_with_options(column, &wanted, &lenient)?;
    if cast.null_count() > column.logical_null_count() {
        let misfit = |row: &usize| cast.is_null(*row) && !column.is_null(*row);
        if let Some(row) = (0..column.len()).find(misfit) {
            return Err(Error::KeyValue {
                column: key.column.clone(),
                row: start + row,
                value: array_value_to_string(column, row)?,
                expected: key.key_type,
            });
        }
    }
    Ok(cast)
}
