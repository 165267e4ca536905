//! The payload of all tables at hand, and the columns of the output made of it.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{SchemaRef, UInt64Type};
use datafusion::error::DataFusionError;

use super::OutputColumn;
use super::directory::Directory;
use super::gather::{Slots, gather};
use super::payload::Payload;

/// A table whose wanted rows were read.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) directory: Directory,
    pub(super) payload: Payload,
}

/// How an output batch is made of an input batch.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) schema: SchemaRef,
    pub(super) columns: Vec<OutputColumn>,
}

impl Layout {
    pub(super) fn assemble(
        &self,
        input: &RecordBatch,
        tables: &[Loaded],
    ) -> Result<RecordBatch, DataFusionError> {
        let mut known: Vec<(usize, usize, Slots)> = Vec::new();
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(self.columns.len());
        for (column, field) in self.columns.iter().zip(self.schema.fields()) {
            let (table, address, at) = match column {
                OutputColumn::Input { column } => {
                    columns.push(Arc::clone(input.column(*column)));
                    continue;
                }
                OutputColumn::Fetched {
                    table,
                    address,
                    column,
                    ..
                } => (*table, *address, *column),
            };
            let Loaded { directory, payload } = &tables[table];
            let place = known
                .iter()
                .position(|(t, a, _)| (*t, *a) == (table, address));
            let place = place.unwrap_or_else(|| {
                let addresses = input.column(address).as_primitive::<UInt64Type>();
                known.push((table, address, Slots::new(directory, addresses)));
                known.len() - 1
            });
            let slots = &known[place].2;
            columns.push(gather(field.data_type(), payload.column(at), slots)?);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(input.num_rows()));
        let schema = Arc::clone(&self.schema);
        Ok(RecordBatch::try_new_with_options(
            schema, columns, &options,
        )?)
    }
}
