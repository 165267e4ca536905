//! Parquet files as tests look at them.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use arrow::array::{
    Array, ArrayRef, AsArray, RecordBatch, RecordBatchReader, StringArray,
    TimestampMicrosecondArray,
};
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Float64Type, Int32Type, Int64Type};
use fs_core::EventTime;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Value, json};

/// All rows of a file.
#[derive(Debug, PartialEq)]
pub struct Rows(RecordBatch);

/// Reads a whole Parquet file.
pub fn read_parquet(path: &Path) -> Result<Rows> {
    let file = File::open(path).with_context(|| format!("{} cannot be opened", path.display()))?;
    let reader = ParquetRecordBatchReaderBuilder::try_new(file)?.build()?;
    let schema = reader.schema();
    let batches: Vec<RecordBatch> = reader.collect::<Result<_, _>>()?;
    Ok(Rows(concat_batches(&schema, &batches)?))
}

/// Writes a spine with string keys, one row per key, all at one instant.
pub fn write_spine(path: &Path, columns: &[&str], keys: &[Vec<String>], at: &str) -> Result<()> {
    let at: EventTime = at.parse()?;
    let rows: Vec<_> = keys.iter().map(|key| (key.as_slice(), at)).collect();
    write_spine_rows(path, columns, &rows)
}

/// Writes a spine with string keys, each row at its own instant.
pub fn write_spine_rows(
    path: &Path,
    columns: &[&str],
    rows: &[(&[String], EventTime)],
) -> Result<()> {
    let mut arrays: Vec<(&str, ArrayRef)> = Vec::new();
    for (position, column) in columns.iter().enumerate() {
        let values = rows.iter().map(|(key, _)| Some(key[position].as_str()));
        arrays.push((column, Arc::new(values.collect::<StringArray>())));
    }
    let times = rows.iter().map(|(_, at)| at.as_micros());
    let times = TimestampMicrosecondArray::from_iter_values(times);
    arrays.push(("event_timestamp", Arc::new(times.with_timezone("UTC"))));
    let batch = RecordBatch::try_from_iter(arrays)?;
    let mut writer = ArrowWriter::try_new(File::create(path)?, batch.schema(), None)?;
    writer.write(&batch)?;
    writer.close()?;
    Ok(())
}

impl Rows {
    /// The rows as one batch.
    pub const fn batch(&self) -> &RecordBatch {
        &self.0
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.0.num_rows()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The names of the columns.
    pub fn columns(&self) -> Vec<String> {
        self.0
            .schema()
            .fields()
            .iter()
            .map(|field| field.name().clone())
            .collect()
    }

    /// Whether both hold the same columns and values, whatever metadata the writers added.
    pub fn same_rows(&self, other: &Self) -> bool {
        self.columns() == other.columns() && self.0.columns() == other.0.columns()
    }

    /// One value as JSON.
    pub fn cell(&self, column: &str, row: usize) -> Result<Value> {
        let values = self
            .0
            .column_by_name(column)
            .with_context(|| format!("no column {column}"))?;
        json_value(values, row).with_context(|| format!("{column} cannot be looked at"))
    }
}

fn json_value(values: &ArrayRef, row: usize) -> Result<Value> {
    if values.is_null(row) {
        return Ok(Value::Null);
    }
    Ok(match values.data_type() {
        DataType::Boolean => json!(values.as_boolean().value(row)),
        DataType::Int32 => json!(values.as_primitive::<Int32Type>().value(row)),
        DataType::Int64 => json!(values.as_primitive::<Int64Type>().value(row)),
        DataType::Float64 => json!(values.as_primitive::<Float64Type>().value(row)),
        DataType::Utf8 => json!(values.as_string::<i32>().value(row)),
        DataType::List(_) => {
            let items = values.as_list::<i32>().value(row);
            let items = (0..items.len()).map(|item| json_value(&items, item));
            items.collect::<Result<_>>()?
        }
        other => anyhow::bail!("it is {other}, which no test looks at"),
    })
}
