//! A spine in memory, whole.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch, TimestampMicrosecondArray};
use arrow::compute::concat_batches;
use arrow::datatypes::{Field, Schema, SchemaRef, TimestampMicrosecondType};
use datafusion::catalog::TableProvider;
use datafusion::execution::TaskContext;
use fs_core::FeatureSet;
use futures::TryStreamExt;

use crate::{Error, Spine};

/// A spine that fits the features asked for, with what the joins need of it.
#[derive(Debug)]
pub(crate) struct CheckedSpine {
    pub(crate) schema: SchemaRef,
    pub(crate) batches: Vec<RecordBatch>,
    pub(crate) rows: usize,
    /// The event time of each row.
    pub(crate) times: TimestampMicrosecondArray,
    /// The key columns of all rows by name, each with the Arrow type of its join key.
    pub(crate) keys: BTreeMap<String, ArrayRef>,
}

impl Spine {
    /// Checks the spine against the features asked for and reads it whole.
    pub(crate) async fn check(
        self,
        features: &FeatureSet,
        timestamp_field: Option<&str>,
    ) -> Result<CheckedSpine, Error> {
        let table = self.open(features, timestamp_field).await?;
        let schema = Arc::clone(table.spine_schema());
        let all: Vec<usize> = (0..table.schema().fields().len()).collect();
        let (original, made) = all.split_at(schema.fields().len());
        let plan = table.plan(&all).await?;
        let rows = plan.execute(0, Arc::new(TaskContext::default()));
        let rows = rows.map_err(Error::of_query)?;
        let rows: Vec<RecordBatch> = rows.try_collect().await.map_err(Error::of_query)?;
        let internal = concat_batches(
            &Arc::new(table.schema().project(made)?),
            &rows
                .iter()
                .map(|b| b.project(made))
                .collect::<Result<Vec<_>, _>>()?,
        )?;
        let keys = features.key_columns().into_iter().filter_map(|key| {
            let column = internal.column_by_name(table.key_column(&key.column)?)?;
            Some((key.column.clone(), Arc::clone(column)))
        });
        Ok(CheckedSpine {
            rows: internal.num_rows(),
            times: internal
                .column(0)
                .as_primitive::<TimestampMicrosecondType>()
                .clone(),
            keys: keys.collect(),
            batches: rows
                .iter()
                .map(|b| b.project(original))
                .collect::<Result<_, _>>()?,
            schema,
        })
    }
}

impl CheckedSpine {
    /// The columns of the training set: those of the spine as they are, then the features.
    pub(crate) fn output_schema(&self, features: &FeatureSet) -> SchemaRef {
        let columns = features.columns.iter().map(|column| {
            let data_type = column.data_type.to_arrow();
            Arc::new(Field::new(&column.name, data_type, true))
        });
        let fields: Vec<_> = self
            .schema
            .fields()
            .iter()
            .cloned()
            .chain(columns)
            .collect();
        let metadata = self.schema.metadata().clone();
        Arc::new(Schema::new_with_metadata(fields, metadata))
    }
}
