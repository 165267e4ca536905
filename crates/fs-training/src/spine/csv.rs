//! A spine from CSV: text first, types once the keys are known.
//!
//! Guessing types from text alone would turn the key `007` into 7. Here a column becomes a number
//! only if every text in it is what that number prints as.

use std::fs::File;
use std::io::{BufReader, Seek};
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int32Array, Int64Array, RecordBatch,
    StringArray, TimestampMicrosecondArray,
};
use arrow::csv::ReaderBuilder;
use arrow::csv::reader::Format;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use fs_core::data_type::{UTC, timestamp_type};
use fs_core::time::parse_micros;
use fs_core::{EVENT_TIMESTAMP, FeatureSet, KeyType};

use super::{Spine, Table};
use crate::Error;

/// Reads every column as text; an empty field is null.
pub(super) fn read(path: &Path, file: &File) -> Result<Spine, Error> {
    let failed = |source: ArrowError| Error::Csv {
        path: path.to_owned(),
        source,
    };
    let mut reader = BufReader::new(file);
    let header = Format::default().with_header(true);
    let (inferred, _) = header.infer_schema(&mut reader, Some(0)).map_err(failed)?;
    reader.rewind().map_err(|source| Error::File {
        operation: "read",
        path: path.to_owned(),
        source,
    })?;
    let columns = inferred.fields().iter();
    let fields: Vec<Field> = columns
        .map(|field| Field::new(field.name(), DataType::Utf8, true))
        .collect();
    let schema = Arc::new(Schema::new(fields));
    let rows = ReaderBuilder::new(Arc::clone(&schema)).with_header(true);
    let batches = rows
        .build(reader)
        .and_then(Iterator::collect::<Result<Vec<RecordBatch>, _>>)
        .map_err(failed)?;
    Ok(Spine::text(schema, batches))
}

/// Gives every column its type: keys theirs, the others the narrowest that loses nothing.
pub(super) fn typed(table: &Table, features: &FeatureSet) -> Result<Table, Error> {
    let keys = features.key_columns();
    let mut fields = Vec::new();
    let mut columns: Vec<Vec<ArrayRef>> = Vec::new();
    for (at, field) in table.schema.fields().iter().enumerate() {
        let texts: Vec<&StringArray> = table
            .batches
            .iter()
            .map(|batch| batch.column(at).as_string())
            .collect();
        let (empty, parts) = match keys.iter().find(|key| key.column == *field.name()) {
            Some(key) => (
                key.key_type.to_arrow(),
                key_parts(field.name(), key.key_type, &texts)?,
            ),
            // A file without rows shows no types; its times would be timestamps.
            None if field.name() == EVENT_TIMESTAMP => (timestamp_type(), narrowest(&texts)),
            None => (DataType::Utf8, narrowest(&texts)),
        };
        let data_type = parts.first().map_or(empty, |p| p.data_type().clone());
        fields.push(Field::new(field.name(), data_type, true));
        columns.push(parts);
    }
    let schema: SchemaRef = Arc::new(Schema::new(fields));
    let batches = (0..table.batches.len())
        .map(|batch| {
            let parts = columns.iter().map(|parts| Arc::clone(&parts[batch]));
            RecordBatch::try_new(Arc::clone(&schema), parts.collect())
        })
        .collect::<Result<_, _>>()?;
    Ok(Table { schema, batches })
}

/// The values of a key column; the first text that is none is an error. Bytes stay text, which the
/// check of the key types refuses: CSV has no way to write them.
fn key_parts(
    column: &str,
    key_type: KeyType,
    texts: &[&StringArray],
) -> Result<Vec<ArrayRef>, Error> {
    let mut start = 0;
    let mut parts = Vec::with_capacity(texts.len());
    for part in texts {
        let parsed = match key_type {
            KeyType::Bool => parse(part, |text| text.parse::<bool>().ok())
                .map(|values| Arc::new(BooleanArray::from(values)) as ArrayRef),
            KeyType::Int32 => parse(part, |text| text.trim().parse::<i32>().ok())
                .map(|values| Arc::new(Int32Array::from(values)) as ArrayRef),
            KeyType::Int64 => parse(part, |text| text.trim().parse::<i64>().ok())
                .map(|values| Arc::new(Int64Array::from(values)) as ArrayRef),
            KeyType::Timestamp => parse(part, |text| parse_micros(text).ok()).map(timestamps),
            KeyType::String | KeyType::Bytes => Ok(Arc::new(StringArray::clone(part)) as ArrayRef),
        };
        parts.push(parsed.map_err(|row| Error::KeyValue {
            column: column.to_owned(),
            row: start + row,
            value: part.value(row).to_owned(),
            expected: key_type,
        })?);
        start += part.len();
    }
    Ok(parts)
}

fn narrowest(texts: &[&StringArray]) -> Vec<ArrayRef> {
    let all_null = texts.iter().all(|part| part.null_count() == part.len());
    let candidates: [fn(&StringArray) -> Option<ArrayRef>; 4] = [ints, floats, bools, instants];
    if !all_null {
        for candidate in candidates {
            if let Some(parts) = texts.iter().map(|part| candidate(part)).collect() {
                return parts;
            }
        }
    }
    texts
        .iter()
        .map(|part| Arc::new(StringArray::clone(part)) as ArrayRef)
        .collect()
}

fn ints(texts: &StringArray) -> Option<ArrayRef> {
    let exact = |text: &str| {
        let value: i64 = text.parse().ok()?;
        (value.to_string() == text).then_some(value)
    };
    let values = parse(texts, exact).ok()?;
    Some(Arc::new(Int64Array::from(values)))
}

fn floats(texts: &StringArray) -> Option<ArrayRef> {
    let decimal = |text: &str| {
        // Neither `nan` and `inf`, nor codes with leading zeros such as 007 or 00.5.
        let digits = text.strip_prefix('-').unwrap_or(text);
        let code = digits.len() > 1 && digits.starts_with('0') && !digits.starts_with("0.");
        let number = digits.starts_with(|c: char| c.is_ascii_digit()) && !code;
        // An integer beyond int64 would lose digits.
        let whole = digits.bytes().all(|byte| byte.is_ascii_digit()) && digits.len() > 15;
        (number && !whole).then(|| text.parse().ok()).flatten()
    };
    let values: Vec<Option<f64>> = parse(texts, decimal).ok()?;
    Some(Arc::new(Float64Array::from(values)))
}

fn bools(texts: &StringArray) -> Option<ArrayRef> {
    let values: Vec<Option<bool>> = parse(texts, |text| text.parse().ok()).ok()?;
    Some(Arc::new(BooleanArray::from(values)))
}

fn instants(texts: &StringArray) -> Option<ArrayRef> {
    let values = parse(texts, |text| parse_micros(text).ok()).ok()?;
    Some(timestamps(values))
}

fn timestamps(values: Vec<Option<i64>>) -> ArrayRef {
    Arc::new(TimestampMicrosecondArray::from(values).with_timezone(UTC))
}

/// Every text read by `read`, nulls kept; or the first row that cannot be.
fn parse<T>(
    texts: &StringArray,
    read: impl Fn(&str) -> Option<T>,
) -> Result<Vec<Option<T>>, usize> {
    texts
        .iter()
        .enumerate()
        .map(|(row, text)| match text {
            Some(text) => read(text).map(Some).ok_or(row),
            None => Ok(None),
        })
        .collect()
}
