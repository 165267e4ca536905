//! The payload of all tables at hand, and the columns of the output made of it.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{DataType, SchemaRef, UInt64Type};
use datafusion::error::DataFusionError;

use super::OutputColumn;
use super::directory::Directory;
use super::gather::Slots;
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
        let mut columns: Vec<Option<ArrayRef>> = vec![None; self.columns.len()];
        for (at, column) in self.columns.iter().enumerate() {
            match column {
                OutputColumn::Input { column } => {
                    columns[at] = Some(Arc::clone(input.column(*column)));
                }
                // Others by the same addresses came with the first of them.
                OutputColumn::Fetched { table, address, .. } if columns[at].is_none() => {
                    let (places, wanted) = self.fetched_by(*table, *address);
                    let Loaded { directory, payload } = &tables[*table];
                    let addresses = input.column(*address).as_primitive::<UInt64Type>();
                    let slots = Slots::new(directory, addresses);
                    let found = payload.gather(&wanted, &slots)?;
                    for (place, found) in places.into_iter().zip(found) {
                        columns[place] = Some(found);
                    }
                }
                OutputColumn::Fetched { .. } => {}
            }
        }
        let columns = columns.into_iter().flatten().collect();
        let options = RecordBatchOptions::new().with_row_count(Some(input.num_rows()));
        let schema = Arc::clone(&self.schema);
        Ok(RecordBatch::try_new_with_options(
            schema, columns, &options,
        )?)
    }

    /// The columns that come from `table` by the addresses in `address`: where they go in the output,
    /// and which they are.
    fn fetched_by(&self, table: usize, address: usize) -> (Vec<usize>, Vec<(usize, &DataType)>) {
        let columns = self.columns.iter().zip(self.schema.fields()).enumerate();
        let by_address = columns.filter_map(|(at, (column, field))| match column {
            OutputColumn::Fetched {
                table: t,
                address: a,
                column,
                ..
            } if (*t, *a) == (table, address) => Some((at, (*column, field.data_type()))),
            _ => None,
        });
        by_address.unzip()
    }
}
