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
    let mut arrays: Vec<(&str, ArrayRef)> = Vec::new();
    for (position, column) in columns.iter().enumerate() {
        let values = keys.iter().map(|key| Some(key[position].as_str()));
        arrays.push((column, Arc::new(values.collect::<StringArray>())));
    }
    let times = TimestampMicrosecondArray::from_value(at.as_micros(), keys.len());
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
        if values.is_null(row) {
            return Ok(Value::Null);
        }
        Ok(match values.data_type() {
            DataType::Boolean => json!(values.as_boolean().value(row)),
            DataType::Int32 => json!(values.as_primitive::<Int32Type>().value(row)),
            DataType::Int64 => json!(values.as_primitive::<Int64Type>().value(row)),
            DataType::Float64 => json!(values.as_primitive::<Float64Type>().value(row)),
            DataType::Utf8 => json!(values.as_string::<i32>().value(row)),
            other => anyhow::bail!("{column} is {other}, which no test looks at"),
        })
    }
}
