//! The key columns of a spine, as the views need them.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, TimestampMicrosecondArray, new_empty_array};
use arrow::compute::{CastOptions, cast, cast_with_options, concat};
use arrow::datatypes::{DataType, Schema};
use arrow::util::display::array_value_to_string;
use fs_core::data_type::UTC;
use fs_core::{FeatureSet, KeyBinding, KeyType, ViewName};

use super::times::column_micros;
use super::{listed, nearest};
use crate::Error;

/// Every key column that `features` needs, over all rows, with the Arrow type of its join key.
pub(super) fn key_columns(
    schema: &Schema,
    batches: &[RecordBatch],
    features: &FeatureSet,
) -> Result<BTreeMap<String, ArrayRef>, Error> {
    let mut columns = BTreeMap::new();
    for selection in &features.views {
        for key in &selection.keys {
            if !columns.contains_key(&key.column) {
                let column = key_column(schema, batches, &selection.label, key)?;
                columns.insert(key.column.clone(), column);
            }
        }
    }
    Ok(columns)
}

fn key_column(
    schema: &Schema,
    batches: &[RecordBatch],
    view: &ViewName,
    key: &KeyBinding,
) -> Result<ArrayRef, Error> {
    let at = schema
        .index_of(&key.column)
        .map_err(|_unknown| Error::MissingKey {
            column: key.column.clone(),
            view: view.clone(),
            nearest: nearest(schema, &key.column),
            columns: listed(schema),
        })?;
    let found = schema.field(at).data_type();
    if !can_be(key.key_type, found) {
        return Err(Error::KeyType {
            column: key.column.clone(),
            view: view.clone(),
            expected: key.key_type,
            found: found.clone(),
        });
    }
    let mut start = 0;
    let mut parts = Vec::with_capacity(batches.len());
    for batch in batches {
        parts.push(converted(batch.column(at), key, start)?);
        start += batch.num_rows();
    }
    if parts.is_empty() {
        return Ok(new_empty_array(&key.key_type.to_arrow()));
    }
    let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
    Ok(concat(&parts)?)
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

/// A part of a key column with the type of its join key; `start` is the row that errors count from.
fn converted(column: &ArrayRef, key: &KeyBinding, start: usize) -> Result<ArrayRef, Error> {
    let column = match column.data_type() {
        DataType::Dictionary(_, values) => &cast(column, values)?,
        _ => column,
    };
    if key.key_type == KeyType::Timestamp && *column.data_type() != DataType::Null {
        let micros = column_micros(&key.column, start, column)?;
        let micros = TimestampMicrosecondArray::from(micros).with_timezone(UTC);
        return Ok(Arc::new(micros));
    }
    // What does not fit becomes null, and is then told apart from the nulls that were there.
    let lenient = CastOptions {
        safe: true,
        ..CastOptions::default()
    };
    let cast = cast_with_options(column, &key.key_type.to_arrow(), &lenient)?;
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
