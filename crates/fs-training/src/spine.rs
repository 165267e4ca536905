//! The spine: the rows of a training set before features.

mod csv;
mod keys;
mod read;
mod times;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use fs_core::suggest::did_you_mean;
use fs_core::{FeatureRef, FeatureSet};

use crate::Error;

/// The rows of a training set before features: entity keys, event time, and anything else.
///
/// A spine from Parquet or Flight has typed columns, which come back untouched. The columns of a
/// CSV file are text until it is known which of them are keys: then keys get the type of their join
/// key, and the others the narrowest of int64, float64, bool and timestamp that loses nothing.
#[derive(Debug, Clone)]
pub struct Spine {
    content: Content,
}

#[derive(Debug, Clone)]
enum Content {
    Typed(Table),
    Text(Table),
}

#[derive(Debug, Clone)]
struct Table {
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
}

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
    /// A spine of these batches, all of which have `schema`.
    pub const fn new(schema: SchemaRef, batches: Vec<RecordBatch>) -> Self {
        Self {
            content: Content::Typed(Table { schema, batches }),
        }
    }

    const fn text(schema: SchemaRef, batches: Vec<RecordBatch>) -> Self {
        Self {
            content: Content::Text(Table { schema, batches }),
        }
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        let (Content::Typed(table) | Content::Text(table)) = &self.content;
        table.batches.iter().map(RecordBatch::num_rows).sum()
    }

    /// The rows with typed columns, to be sent to a server that joins `features` to them.
    pub fn into_batches(
        self,
        features: &FeatureSet,
    ) -> Result<(SchemaRef, Vec<RecordBatch>), Error> {
        let Table { schema, batches } = self.typed(features)?;
        Ok((schema, batches))
    }

    fn typed(self, features: &FeatureSet) -> Result<Table, Error> {
        match self.content {
            Content::Typed(table) => Ok(table),
            Content::Text(table) => csv::typed(&table, features),
        }
    }

    /// Checks the spine against the features asked for and finds its keys and times.
    ///
    /// Costs a pass over those columns: call it where that may take a while.
    pub(crate) fn check(
        self,
        features: &FeatureSet,
        timestamp_field: Option<&str>,
    ) -> Result<CheckedSpine, Error> {
        let Table { schema, batches } = match self.content {
            Content::Typed(table) => table,
            Content::Text(table) => csv::typed(&table, features)?,
        };
        check_batches(&schema, &batches)?;
        check_names(&schema, features)?;
        let keys = keys::key_columns(&schema, &batches, features)?;
        let column = times::choose(&schema, features, timestamp_field)?;
        let times = times::micros(schema.field(column).name(), column, &batches)?;
        Ok(CheckedSpine {
            rows: times.len(),
            schema,
            batches,
            times,
            keys,
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
        Arc::new(Schema::new_with_metadata(
            fields,
            self.schema.metadata().clone(),
        ))
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

#[cfg(test)]
mod tests;
