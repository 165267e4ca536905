//! The spine: the rows of a training set before features.
//!
//! ```text
//!   Spine        where the rows are: memory, a file, a query
//!   SpineTable   the same, checked against the features asked for: a table of the query engine
//!   SpineExec    the operator that puts event time and keys beside the rows, batch by batch
//! ```

mod as_of;
mod columns;
mod csv;
mod exec;
mod keys;
mod memory;
mod origin;
mod parquet;
mod query;
mod read;
mod sql;
mod table;
mod times;

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Schema, SchemaRef};
use datafusion::execution::TaskContext;
use fs_core::suggest::did_you_mean;
use fs_core::{FeatureRef, FeatureSet, ViewName};
use fs_offline::TableVersion;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};

use origin::Origin;
use parquet::ParquetFile;

use crate::Error;

pub use table::SpineTable;

/// The rows of a training set before features: entity keys, event time, and anything else.
///
/// A spine from Parquet or Flight has typed columns, which come back untouched. The columns of a
/// CSV file are text until it is known which of them are keys: then keys get the type of their join
/// key, and the others the narrowest of int64, float64, bool and timestamp that loses nothing.
///
/// The rows of a Parquet file stay in the file until they are read, batch by batch; those of CSV
/// and Flight are in memory. Those of SQL are found when they are read.
#[derive(Debug, Clone)]
pub struct Spine {
    content: Content,
    /// The offline tables that the rows come from.
    tables: BTreeMap<ViewName, TableVersion>,
}

#[derive(Debug, Clone)]
enum Content {
    Typed(Origin),
    Text(Table),
}

#[derive(Debug, Clone)]
struct Table {
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
}

impl Spine {
    /// A spine of these batches, all of which have `schema`.
    pub const fn new(schema: SchemaRef, batches: Vec<RecordBatch>) -> Self {
        Self::of(Origin::Batches(Table { schema, batches }))
    }

    const fn of(origin: Origin) -> Self {
        Self::of_tables(origin, BTreeMap::new())
    }

    const fn of_tables(origin: Origin, tables: BTreeMap<ViewName, TableVersion>) -> Self {
        let content = Content::Typed(origin);
        Self { content, tables }
    }

    const fn text(schema: SchemaRef, batches: Vec<RecordBatch>) -> Self {
        Self {
            content: Content::Text(Table { schema, batches }),
            tables: BTreeMap::new(),
        }
    }

    /// The number of rows, where it is known without reading them.
    pub fn rows(&self) -> Option<usize> {
        match &self.content {
            Content::Typed(origin) => origin.rows(),
            Content::Text(table) => Some(table.rows()),
        }
    }

    /// The offline tables that the rows come from, and their versions: none unless they come from
    /// SQL, or are every key as of a time. Whoever records what a training set was made of records
    /// these too, and reads features of these tables at these versions.
    pub const fn tables(&self) -> &BTreeMap<ViewName, TableVersion> {
        &self.tables
    }

    /// The rows with typed columns as a stream, to be sent to a server that joins `features` to
    /// them.
    pub async fn stream(
        self,
        features: &FeatureSet,
    ) -> Result<(SchemaRef, BoxStream<'static, Result<RecordBatch, Error>>), Error> {
        let origin = self.typed(features).await?;
        origin.check()?;
        let schema = SchemaRef::clone(origin.schema());
        let plan = origin.scan((0..schema.fields().len()).collect())?;
        let rows = plan.execute(0, TaskContext::default().into());
        let rows = rows.map_err(Error::of_query)?;
        let file = origin.file();
        let rows = rows.map_err(move |error| match &file {
            Some(file) => Error::of_query(parquet::carried(file, error)),
            None => Error::of_query(error),
        });
        Ok((schema, rows.boxed()))
    }

    /// All rows with typed columns.
    pub async fn into_batches(
        self,
        features: &FeatureSet,
    ) -> Result<(SchemaRef, Vec<RecordBatch>), Error> {
        let (schema, rows) = self.stream(features).await?;
        Ok((schema, rows.try_collect().await?))
    }
}

/// Every batch must have the columns that were announced.
fn check_batches(schema: &Schema, batches: &[RecordBatch]) -> Result<(), Error> {
    let types = |schema: &Schema| -> Vec<DataType> {
        let fields = schema.fields().iter();
        fields.map(|field| field.data_type().clone()).collect()
    };
    let expected = types(schema);
    match batches.iter().position(|b| types(&b.schema()) != expected) {
        Some(batch) => Err(Error::OtherColumns {
            batch,
            expected: listed(schema),
            found: listed(&batches[batch].schema()),
        }),
        None => Ok(()),
    }
}

/// No name may stand for two columns of the training set.
fn check_names(schema: &Schema, features: &FeatureSet) -> Result<(), Error> {
    let mut names = BTreeSet::new();
    for field in schema.fields() {
        if !names.insert(field.name().as_str()) {
            return Err(Error::RepeatedColumn {
                column: field.name().clone(),
            });
        }
    }
    for column in &features.columns {
        if names.contains(column.name.as_str()) {
            let selection = &features.views[column.view];
            let feature = selection.view.schema[column.feature].name.clone();
            return Err(Error::NameClash {
                feature: FeatureRef::new(selection.label.clone(), feature),
                column: column.name.clone(),
            });
        }
    }
    Ok(())
}

/// The columns of a spine as an error lists them.
fn listed(schema: &Schema) -> String {
    let columns = schema.fields().iter();
    let listed: Vec<String> = columns
        .map(|field| format!("{} ({})", field.name(), field.data_type()))
        .collect();
    if listed.is_empty() {
        "none".to_owned()
    } else {
        listed.join(", ")
    }
}

fn nearest(schema: &Schema, column: &str) -> Option<String> {
    let names = schema.fields().iter().map(|field| field.name().as_str());
    did_you_mean(column, names).map(str::to_owned)
}

/// Of errors that name a row, the one of the first row.
fn first_row(errors: impl IntoIterator<Item = Option<Error>>) -> Option<Error> {
    let row = |error: &Error| match error {
        Error::KeyValue { row, .. }
        | Error::NullTime { row, .. }
        | Error::BadTime { row, .. }
        | Error::TimeOutOfRange { row, .. } => Some(*row),
        _ => None,
    };
    errors.into_iter().flatten().min_by_key(row)
}

#[cfg(test)]
mod tests;
