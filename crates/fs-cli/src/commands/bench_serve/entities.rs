//! The entities to ask about: ranges, or the rows of a Parquet file.

use std::fs::File;
use std::path::Path;

use arrow::array::{ArrayRef, AsArray, RecordBatch};
use arrow::compute::{cast, concat};
use arrow::datatypes::{
    DataType as ArrowType, Int32Type, Int64Type, Schema, TimestampMicrosecondType,
};
use fs_core::{KeyType, KeyValue};
use fs_load::{Entities, KeyColumn};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::args::BenchServeArgs;
use crate::failure::Failure;

/// How many rows of a file are drawn from.
const MOST_ROWS: usize = 1_000_000;

pub(super) fn read(args: &BenchServeArgs) -> Result<Entities, Failure> {
    match &args.entities {
        Some(path) => Ok(Entities::Rows(rows(path, &args.columns)?)),
        // Features of views without entities have no keys.
        None => Ok(Entities::Ranges(args.keys.clone())),
    }
}

fn rows(path: &Path, columns: &[String]) -> Result<Vec<KeyColumn>, Failure> {
    let wrong = |why: &dyn std::fmt::Display| Failure::input(format!("{}: {why}", path.display()));
    let file = File::open(path).map_err(|error| wrong(&error))?;
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| wrong(&error))?;
    let schema = reader.schema().clone();
    let missing = columns.iter().find(|name| schema.index_of(name).is_err());
    if let Some(name) = missing {
        return Err(wrong(&format!(
            "has no column `{name}`, but {}",
            listed(&schema)
        )));
    }
    let names: Vec<&str> = match columns {
        [] => schema
            .fields()
            .iter()
            .map(|field| field.name().as_str())
            .collect(),
        columns => columns.iter().map(String::as_str).collect(),
    };
    let projection = ProjectionMask::columns(reader.parquet_schema(), names.iter().copied());
    let reader = reader
        .with_projection(projection)
        .with_limit(MOST_ROWS)
        .build();
    let batches = reader
        .map_err(|error| wrong(&error))?
        .collect::<Result<Vec<RecordBatch>, _>>();
    let batches = batches.map_err(|error| wrong(&error))?;
    let column = |name: &&str| {
        let parts: Vec<&dyn arrow::array::Array> = batches
            .iter()
            .filter_map(|batch| batch.column_by_name(name))
            .map(AsRef::as_ref)
            .collect();
        let values = match parts.as_slice() {
            [] => return Err(wrong(&"has no rows")),
            parts => concat(parts).map_err(|error| wrong(&error))?,
        };
        keys(name, &values).map_err(|why| wrong(&why))
    };
    names.iter().map(column).collect()
}

fn listed(schema: &Schema) -> String {
    let names = schema
        .fields()
        .iter()
        .map(|field| format!("`{}`", field.name()));
    names.collect::<Vec<_>>().join(", ")
}

fn keys(name: &str, values: &ArrayRef) -> Result<KeyColumn, String> {
    let found = values.data_type();
    let key_type = key_type(found)
        .ok_or_else(|| format!("`{name}` is {found}, which no key is: choose with --columns"))?;
    let typed = cast(values, &key_type.to_arrow()).map_err(|error| format!("`{name}`: {error}"))?;
    if let Some(row) = (0..typed.len()).find(|row| typed.is_null(*row)) {
        return Err(format!("`{name}` has no {key_type} in row {}", row + 1));
    }
    // Nothing is null, so nothing is filtered out.
    let values = match key_type {
        KeyType::Bool => typed
            .as_boolean()
            .iter()
            .flatten()
            .map(KeyValue::Bool)
            .collect(),
        KeyType::Int32 => typed
            .as_primitive::<Int32Type>()
            .iter()
            .flatten()
            .map(KeyValue::Int32)
            .collect(),
        KeyType::Int64 => typed
            .as_primitive::<Int64Type>()
            .iter()
            .flatten()
            .map(KeyValue::Int64)
            .collect(),
        KeyType::String => {
            let texts = typed.as_string::<i32>().iter().flatten();
            texts
                .map(|text| KeyValue::String(text.to_owned()))
                .collect()
        }
        KeyType::Bytes => {
            let values = typed.as_binary::<i32>().iter().flatten();
            values
                .map(|bytes| KeyValue::Bytes(bytes.to_vec()))
                .collect()
        }
        KeyType::Timestamp => {
            let micros = typed
                .as_primitive::<TimestampMicrosecondType>()
                .iter()
                .flatten();
            micros.map(KeyValue::Timestamp).collect()
        }
    };
    Ok(KeyColumn {
        name: name.to_owned(),
        key_type,
        values,
    })
}

/// What a column is asked for as.
fn key_type(arrow: &ArrowType) -> Option<KeyType> {
    Some(match arrow {
        ArrowType::Boolean => KeyType::Bool,
        ArrowType::Int8
        | ArrowType::Int16
        | ArrowType::Int32
        | ArrowType::UInt8
        | ArrowType::UInt16 => KeyType::Int32,
        ArrowType::Int64 | ArrowType::UInt32 | ArrowType::UInt64 => KeyType::Int64,
        ArrowType::Utf8 | ArrowType::LargeUtf8 | ArrowType::Utf8View => KeyType::String,
        ArrowType::Dictionary(_, values) => return key_type(values),
        ArrowType::Binary | ArrowType::LargeBinary | ArrowType::BinaryView => KeyType::Bytes,
        ArrowType::Timestamp(..) | ArrowType::Date32 => KeyType::Timestamp,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Float64Array, Int64Array, StringArray};
    use parquet::arrow::ArrowWriter;

    use super::*;

    fn file(columns: Vec<(&str, ArrayRef)>) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let mut writer =
            ArrowWriter::try_new(file.reopen().unwrap(), batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        file
    }

    fn three() -> tempfile::NamedTempFile {
        file(vec![
            ("id", Arc::new(Int64Array::from(vec![1, 2]))),
            ("name", Arc::new(StringArray::from(vec![Some("a"), None]))),
            ("value", Arc::new(Float64Array::from(vec![1.0, 2.0]))),
        ])
    }

    #[test]
    fn the_columns_of_a_file_become_typed_keys() {
        let columns = rows(three().path(), &["id".to_owned()]).unwrap();
        assert_eq!(columns.len(), 1);
        assert_eq!(columns[0].values, [KeyValue::Int64(1), KeyValue::Int64(2)]);
    }

    #[test]
    fn a_column_that_can_be_no_key_is_refused_with_the_reason() {
        for (column, says) in [
            ("name", "`name` has no string in row 2"),
            ("value", "`value` is Float64, which no key is"),
            ("city", "has no column `city`, but `id`, `name`, `value`"),
        ] {
            let message = rows(three().path(), &[column.to_owned()])
                .unwrap_err()
                .to_string();
            assert!(message.contains(says), "{message}");
        }
        let message = rows(Path::new("nowhere.parquet"), &[])
            .unwrap_err()
            .to_string();
        assert!(message.starts_with("nowhere.parquet: "), "{message}");
    }
}
