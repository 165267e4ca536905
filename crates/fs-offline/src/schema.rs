//! The columns of a view's offline table, as its definition has them.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use fs_core::data_type::timestamp_type;
use fs_core::{CREATED_TIMESTAMP, Catalog, EVENT_TIMESTAMP, FeatureView, SEQUENCE, ViewName};

/// The columns of a view's offline table.
///
/// ```text
///   join keys │ event_timestamp │ created_timestamp │ features │ _sequence
///   not null    not null          null if unknown     nullable   not null, ingest << 32 | row
/// ```
///
/// Of a windowed view, whose features are computed from many rows, the columns that its aggregations
/// read stand in the place of the features ([`FeatureView::stored`]).
///
/// Of a row that was pushed, bit 31 of `_sequence` is set, and its upper half is the ingest before it:
/// such a row was committed after that ingest and before the next.
///
/// A table may have more columns than its definition: those of features that were removed since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableSchema {
    view: ViewName,
    /// The folder of the table, below the project's.
    folder: String,
    keys: usize,
    columns: SchemaRef,
}

impl TableSchema {
    /// The columns that `view` asks for.
    pub fn of(catalog: &Catalog, view: &FeatureView) -> Self {
        let keys = catalog.join_keys(view).map(|key| {
            let key_type = key.key_type.to_arrow();
            Field::new(key.name.as_str(), key_type, false)
        });
        let mut fields: Vec<Field> = keys.collect();
        let keys = fields.len();
        fields.push(Field::new(EVENT_TIMESTAMP, timestamp_type(), false));
        fields.push(Field::new(CREATED_TIMESTAMP, timestamp_type(), true));
        fields.extend(view.stored().iter().map(|feature| {
            let data_type = feature.data_type.to_arrow();
            Field::new(feature.name.as_str(), data_type, true)
        }));
        fields.push(Field::new(SEQUENCE, DataType::Int64, false));
        Self {
            view: view.name.clone(),
            folder: view.name.to_string(),
            keys,
            columns: Arc::new(Schema::new(fields)),
        }
    }

    /// The view.
    pub fn view(&self) -> &ViewName {
        &self.view
    }

    /// Where the table is, below the project's folder.
    pub(crate) fn folder(&self) -> &str {
        &self.folder
    }

    /// The same view's table in another folder: nothing in it is needed, and it has `more` columns.
    pub(crate) fn beside(&self, folder: String, more: impl IntoIterator<Item = Field>) -> Self {
        let columns = self.columns.fields().iter();
        let columns = columns.filter(|field| field.name() != SEQUENCE);
        let columns = columns.map(|field| field.as_ref().clone().with_nullable(true));
        Self {
            view: self.view.clone(),
            folder,
            keys: self.keys,
            columns: Arc::new(Schema::new(columns.chain(more).collect::<Vec<_>>())),
        }
    }

    /// Every column, in order.
    pub fn columns(&self) -> &SchemaRef {
        &self.columns
    }

    /// The names of the key columns, in order.
    pub fn key_names(&self) -> impl Iterator<Item = &str> {
        self.columns
            .fields()
            .iter()
            .take(self.keys)
            .map(|field| field.name().as_str())
    }

    /// The names of the feature columns, in order; of a windowed view, those that its aggregations read.
    pub fn feature_names(&self) -> impl Iterator<Item = &str> {
        let features = self.columns.fields().len() - self.keys - 3;
        self.columns
            .fields()
            .iter()
            .skip(self.keys + 2)
            .take(features)
            .map(|field| field.name().as_str())
    }

    /// Whether `column` is one of the keys.
    pub(crate) fn is_key(&self, column: &str) -> bool {
        self.key_names().any(|key| key == column)
    }
}

#[cfg(test)]
mod tests {
    use fs_core::{Aggregation, Feature, Function, KeyType, Windows};

    use crate::fixture::windowed_schema;

    #[test]
    fn the_table_of_a_windowed_view_holds_what_its_aggregations_read() {
        let input = |name: &str, data_type: &str| Feature {
            name: name.parse().unwrap(),
            data_type: data_type.parse().unwrap(),
            description: None,
        };
        let inputs = vec![input("clicks", "float64"), input("is_new", "bool")];
        let window = ["1h".parse().unwrap()];
        let sum = Aggregation::new(Some("clicks".parse().unwrap()), Function::Sum, &window);
        let schema = windowed_schema(
            KeyType::String,
            Windows {
                inputs,
                aggregations: vec![sum.unwrap()],
            },
        );
        assert!(schema.feature_names().eq(["clicks", "is_new"]));
        let names = schema.columns().fields().iter();
        let names: Vec<&str> = names.map(|field| field.name().as_str()).collect();
        let (first, rest) = names.split_first().unwrap();
        assert_eq!(*first, schema.key_names().next().unwrap());
        let expected = [
            "event_timestamp",
            "created_timestamp",
            "clicks",
            "is_new",
            "_sequence",
        ];
        assert_eq!(rest, expected);
    }
}
