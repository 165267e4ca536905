//! From given columns to rows of views.
//!
//! | Column of the view | Taken from |
//! |---|---|
//! | join keys, features | the column of that name, or the one that the source maps to it |
//! | `event_timestamp` | the source's `timestamp_field`, or `event_timestamp` |
//! | `created_timestamp` | the source's `created_timestamp_column`, `created`, or `created_timestamp`; null if there is none |
//!
//! All but the created time must be there, so that a misspelt column is never taken for a null; further
//! columns are read over, because rows of a source have what its other views need.

use arrow::array::{ArrayRef, RecordBatch, new_null_array};
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

/// The columns of `frame` that any of `views` takes.
pub(super) fn rows(
    frame: &Frame<'_>,
    catalog: &Catalog,
    views: &[&FeatureView],
) -> Result<RecordBatch, FeastError> {
    let count = frame.rows().filter(|rows| *rows > 0);
    let count = count.ok_or(FeastError::NoRows)?;
    let mut taken: Vec<Taken<'_>> = Vec::new();
    for &view in views {
        let rows = Rows {
            frame,
            catalog,
            view,
            source: catalog.sources.get(&view.source),
        };
        rows.take(&mut taken)?;
    }
    let columns: Vec<(&str, ArrayRef, bool)> = taken
        .into_iter()
        .map(|taken| {
            let values = match taken.given {
                Some((name, given)) => column(name, taken.data_type, given)?,
                None => new_null_array(&taken.data_type.to_arrow(), count),
            };
            Ok((taken.name, values, true))
        })
        .collect::<Result<_, FeastError>>()?;
    RecordBatch::try_from_iter_with_nullable(columns).map_err(FeastError::Rows)
}

/// A column that a view takes.
struct Taken<'a> {
    /// What the view calls it.
    name: &'a str,
    data_type: DataType,
    view: &'a FeatureView,
    /// What the client calls it, and its values; nulls where it is left out.
    given: Option<(&'a str, &'a [Given<'a>])>,
}

/// Where the columns of a view come from.
struct Rows<'a> {
    frame: &'a Frame<'a>,
    catalog: &'a Catalog,
    view: &'a FeatureView,
    source: Option<&'a Source>,
}

impl<'a> Rows<'a> {
    /// Adds the columns of the view that are not there yet.
    fn take(&self, taken: &mut Vec<Taken<'a>>) -> Result<(), FeastError> {
        let keys = self
            .catalog
            .join_keys(self.view)
            .map(|key| (key.name.as_str(), DataType::Scalar(key.key_type.scalar())));
        let features = self
            .view
            .schema
            .iter()
            .map(|feature| (feature.name.as_str(), feature.data_type));
        let named = |(name, data_type)| {
            let given = self.find(name).ok_or_else(|| self.missing(name))?;
            Ok((name, data_type, Some(given)))
        };
        let times = [
            Ok((EVENT_TIMESTAMP, TIME, Some(self.event_times()?))),
            Ok((CREATED_TIMESTAMP, TIME, self.created_times())),
        ];
        for column in keys.map(named).chain(times).chain(features.map(named)) {
            let (name, data_type, given) = column?;
            let known = taken.iter().find(|taken| taken.name == name);
            match known {
                Some(known) if known.data_type == data_type => {}
                Some(known) => {
                    return Err(FeastError::TwoTypes {
                        column: name.to_owned(),
                        first: known.view.name.clone(),
                        first_type: known.data_type,
                        second: self.view.name.clone(),
                        second_type: data_type,
                    });
                }
                None => taken.push(Taken {
                    name,
                    data_type,
                    view: self.view,
                    given,
                }),
            }
        }
        Ok(())
    }

    /// The column of this name, or the one that the source maps to it.
    fn find(&self, name: &'a str) -> Option<(&'a str, &'a [Given<'a>])> {
        let given = |name: &'a str| self.frame.get(name).map(|given| (name, given));
        let mapped = || {
            let mut mapping = self.source?.field_mapping.iter();
            let (from, _) = mapping.find(|(_, to)| *to == name)?;
            given(from)
        };
        given(name).or_else(mapped)
    }

    fn event_times(&self) -> Result<(&'a str, &'a [Given<'a>]), FeastError> {
        let field = self.source.map(|source| source.timestamp_field.as_str());
        let mut names = field.into_iter().chain([EVENT_TIMESTAMP]);
        let found = names.find_map(|name| self.find(name));
        found.ok_or_else(|| self.missing(field.unwrap_or(EVENT_TIMESTAMP)))
    }

    fn created_times(&self) -> Option<(&'a str, &'a [Given<'a>])> {
        let field = self
            .source
            .and_then(|source| source.created_timestamp_column.as_deref());
        let is_value = |name: &str| {
            let mut keys = self.catalog.join_keys(self.view);
            let mut stored = self.view.stored().iter();
            stored.any(|value| value.name.as_str() == name)
                || keys.any(|key| key.name.as_str() == name)
        };
        let others = [CREATED, CREATED_TIMESTAMP];
        let others = others.into_iter().filter(|name| !is_value(name));
        let mut names = field.into_iter().chain(others);
        names.find_map(|name| self.find(name))
    }

    fn missing(&self, name: &str) -> FeastError {
        FeastError::MissingColumn {
            column: name.to_owned(),
            view: self.view.name.clone(),
            nearest: self.frame.nearest(name),
        }
    }
}

#[cfg(test)]
mod tests;
