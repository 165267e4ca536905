//! From given columns to rows of a view.
//!
//! | Column of the view | Taken from |
//! |---|---|
//! | join keys, features | the column of that name, or the one that the source maps to it |
//! | `event_timestamp` | the source's `timestamp_field`, or `event_timestamp` |
//! | `created_timestamp` | the source's `created_timestamp_column`, `created`, or `created_timestamp`; null if there is none |
//!
//! All but the created time must be there, so that a misspelt column is never taken for a null; further
//! columns are read over, because a row of a source has what its other views need.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, new_null_array};
use arrow::datatypes::{Field, Schema};
use fs_core::{
    CREATED_TIMESTAMP, Catalog, DataType, EVENT_TIMESTAMP, FeatureView, ScalarType, Source,
};

use super::FeastError;
use super::column::column;
use super::frame::Frame;
use super::given::Given;

/// What the Python SDK of Feast calls the created time, whatever the source does.
const CREATED: &str = "created";
const TIME: DataType = DataType::Scalar(ScalarType::Timestamp);

/// The rows of `frame` as rows of `view`.
pub(super) fn rows(
    frame: &Frame<'_>,
    catalog: &Catalog,
    view: &FeatureView,
) -> Result<RecordBatch, FeastError> {
    let count = frame.rows().filter(|rows| *rows > 0);
    let count = count.ok_or(FeastError::NoRows)?;
    let rows = Rows {
        frame,
        view,
        source: catalog.sources.get(&view.source),
    };
    let mut columns: Vec<(String, ArrayRef)> = Vec::new();
    let mut add = |name: &str, values| columns.push((name.to_owned(), values));
    for key in catalog.join_keys(view) {
        let name = key.name.as_str();
        add(
            name,
            rows.needed(name, DataType::Scalar(key.key_type.scalar()))?,
        );
    }
    add(EVENT_TIMESTAMP, rows.event_times()?);
    add(CREATED_TIMESTAMP, rows.created_times(catalog, count)?);
    for feature in &view.schema {
        let name = feature.name.as_str();
        add(name, rows.needed(name, feature.data_type)?);
    }
    batch(columns)
}

/// Where the rows of a view come from.
struct Rows<'a> {
    frame: &'a Frame<'a>,
    view: &'a FeatureView,
    source: Option<&'a Source>,
}

impl<'a> Rows<'a> {
    fn needed(&self, name: &str, data_type: DataType) -> Result<ArrayRef, FeastError> {
        let given = self.find(name).ok_or_else(|| self.missing(name))?;
        column(name, data_type, given)
    }

    /// The column of this name, or the one that the source maps to it.
    fn find(&self, name: &str) -> Option<&'a [Given<'a>]> {
        let mapped = |source: &'a Source| {
            let from = |(from, to): (&'a String, &'a String)| (to == name).then_some(from);
            let from = source.field_mapping.iter().find_map(from)?;
            self.frame.get(from)
        };
        self.frame.get(name).or_else(|| mapped(self.source?))
    }

    fn event_times(&self) -> Result<ArrayRef, FeastError> {
        let field = self.source.map(|source| source.timestamp_field.as_str());
        let names = field.into_iter().chain([EVENT_TIMESTAMP]);
        let found = names
            .clone()
            .find_map(|name| self.find(name).map(|given| (name, given)));
        let (name, given) = found.ok_or_else(|| self.missing(field.unwrap_or(EVENT_TIMESTAMP)))?;
        column(name, TIME, given)
    }

    fn created_times(&self, catalog: &Catalog, rows: usize) -> Result<ArrayRef, FeastError> {
        let field = self
            .source
            .and_then(|source| source.created_timestamp_column.as_deref());
        let is_value = |name: &str| {
            let mut keys = catalog.join_keys(self.view);
            self.view.feature_index(name).is_some() || keys.any(|key| key.name.as_str() == name)
        };
        let others = [CREATED, CREATED_TIMESTAMP];
        let others = others.into_iter().filter(|name| !is_value(name));
        let found = field
            .into_iter()
            .chain(others)
            .find_map(|name| self.find(name).map(|given| (name, given)));
        match found {
            Some((name, given)) => column(name, TIME, given),
            None => Ok(new_null_array(&TIME.to_arrow(), rows)),
        }
    }

    fn missing(&self, name: &str) -> FeastError {
        FeastError::MissingColumn {
            column: name.to_owned(),
            view: self.view.name.clone(),
            nearest: self.frame.nearest(name),
        }
    }
}

fn batch(columns: Vec<(String, ArrayRef)>) -> Result<RecordBatch, FeastError> {
    let field =
        |(name, values): &(String, ArrayRef)| Field::new(name, values.data_type().clone(), true);
    let schema = Schema::new(columns.iter().map(field).collect::<Vec<_>>());
    let values = columns.into_iter().map(|(_, values)| values).collect();
    RecordBatch::try_new(Arc::new(schema), values).map_err(FeastError::Rows)
}
