//! [`WindowFilters`]: which events the filtered aggregations of a view count.

use std::sync::{Arc, LazyLock};

use arrow::array::{Array, BooleanArray, RecordBatch};
use arrow::compute::and;
use arrow::datatypes::{FieldRef, Schema, SchemaRef};
use datafusion::common::internal_datafusion_err;
use datafusion::prelude::SessionContext;

use crate::Error;
use crate::predicate::{Predicate, session};

/// What filters are read in: all of them say the same of the same event, wherever it is met.
static SESSION: LazyLock<SessionContext> = LazyLock::new(session);

/// The filters of aggregations, made ready for rows of known columns.
///
/// ```text
///   events               NOT diverted   delay > 10
///   diverted   delay
///   false      12        true           true
///   true       null      false          false
///   null       7         false          false
/// ```
///
/// An event counts where its filter is true: neither where it is false nor where it is null. Training,
/// publishing and pushing all ask here, so that an event counts in all of them or in none.
#[derive(Debug, Clone)]
pub struct WindowFilters {
    of: String,
    filters: Vec<(String, Predicate)>,
    schema: SchemaRef,
}

impl WindowFilters {
    /// Makes `filters`, conditions in SQL, ready for rows of `schema`. `of` is what they belong to, a
    /// view by its name, for errors.
    ///
    /// A filter says of a row whether it counts by looking at that row alone, and says the same whenever
    /// it is asked; anything else is [`Error::BadFilter`].
    pub fn new<'a>(
        of: &str,
        filters: impl IntoIterator<Item = &'a str>,
        schema: &SchemaRef,
    ) -> Result<Self, Error> {
        let ready = filters.into_iter().map(|filter| {
            let predicate = predicate(of, filter, schema)?;
            Ok((filter.to_owned(), predicate))
        });
        Ok(Self {
            of: of.to_owned(),
            filters: ready.collect::<Result<_, Error>>()?,
            schema: Arc::clone(schema),
        })
    }

    /// For each filter, in the order given, which rows of a batch count; no value is null.
    ///
    /// The batch has the columns that the filters were made ready for. A filter that cannot be computed,
    /// because it divides by zero, say, is [`Error::FailedFilter`].
    pub fn columns(&self, batch: &RecordBatch) -> Result<Vec<BooleanArray>, Error> {
        let filters = self.filters.iter();
        filters
            .map(|(filter, predicate)| {
                let held = if same_columns(&self.schema, batch.schema_ref()) {
                    predicate.holds(batch)
                } else {
                    Err(internal_datafusion_err!(
                        "the filter was made ready for other columns"
                    ))
                };
                let counted = held.and_then(|holds| Ok(true_and_known(&holds)?));
                counted.map_err(|cause| Error::FailedFilter {
                    of: self.of.clone(),
                    filter: filter.clone(),
                    cause,
                })
            })
            .collect()
    }
}

/// The columns that `filter` looks at, in the order of `schema`, each once.
pub fn filter_columns<'s>(
    of: &str,
    filter: &str,
    schema: &'s Schema,
) -> Result<Vec<&'s str>, Error> {
    let predicate = predicate(of, filter, schema)?;
    let columns = predicate.columns().iter();
    Ok(columns
        .map(|column| schema.field(*column).name().as_str())
        .collect())
}

fn predicate(of: &str, filter: &str, schema: &Schema) -> Result<Predicate, Error> {
    Predicate::of(filter, schema, &SESSION).map_err(|problem| Error::BadFilter {
        of: of.to_owned(),
        filter: filter.to_owned(),
        problem,
    })
}

/// Whether nulls may occur is nothing that a filter looks at.
fn same_columns(ready: &SchemaRef, found: &SchemaRef) -> bool {
    let same = |(one, other): (&FieldRef, &FieldRef)| {
        one.name() == other.name() && one.data_type() == other.data_type()
    };
    let (ready, found) = (ready.fields(), found.fields());
    ready.len() == found.len() && ready.iter().zip(found).all(same)
}

fn true_and_known(holds: &BooleanArray) -> Result<BooleanArray, arrow::error::ArrowError> {
    match holds.nulls() {
        Some(known) => {
            let values = BooleanArray::new(holds.values().clone(), None);
            and(&values, &BooleanArray::new(known.inner().clone(), None))
        }
        None => Ok(holds.clone()),
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{ArrayRef, Int64Array, StringArray};
    use fs_core::{Code, Coded};

    use super::*;

    fn batch() -> RecordBatch {
        let diverted = BooleanArray::from(vec![Some(false), Some(true), None]);
        let delays = Int64Array::from(vec![Some(12), None, Some(0)]);
        let tails = StringArray::from(vec!["N1", "n1", "N2"]);
        RecordBatch::try_from_iter([
            ("diverted", Arc::new(diverted) as ArrayRef),
            ("Delay", Arc::new(delays)),
            ("tail", Arc::new(tails)),
        ])
        .unwrap()
    }

    fn counted(filter: &str) -> Vec<bool> {
        let batch = batch();
        let filters = WindowFilters::new("flights", [filter], &batch.schema()).unwrap();
        let mut columns = filters.columns(&batch).unwrap();
        let column = columns.pop().unwrap();
        assert_eq!(column.null_count(), 0);
        column.iter().flatten().collect()
    }

    fn refused(filter: &str) -> String {
        let error = WindowFilters::new("flights", [filter], &batch().schema()).unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument);
        error.to_string()
    }

    #[test]
    fn an_event_counts_where_its_filter_is_true_and_not_where_it_is_null() {
        assert_eq!(counted("NOT diverted"), [true, false, false]);
        assert_eq!(counted("Delay > 10"), [true, false, false]);
        assert_eq!(counted("Delay > 10 OR diverted"), [true, true, false]);
        assert_eq!(counted("Delay IS NULL"), [false, true, false]);
        assert_eq!(counted("upper(tail) = 'N1'"), [true, true, false]);
        assert_eq!(counted("NULL"), [false, false, false]);
        assert_eq!(counted("true"), [true, true, true]);
    }

    #[test]
    fn filters_are_answered_in_the_order_in_which_they_were_given() {
        let batch = batch();
        let filters = ["diverted", "tail = 'N2'"];
        let filters = WindowFilters::new("flights", filters, &batch.schema()).unwrap();
        let columns = filters.columns(&batch).unwrap();
        let counted: Vec<Vec<bool>> = columns
            .iter()
            .map(|column| column.iter().flatten().collect())
            .collect();
        assert_eq!(counted, [[false, true, false], [false, false, true]]);
    }

    #[test]
    fn the_columns_that_a_filter_looks_at_are_told_once() {
        let schema = batch().schema();
        let columns = filter_columns("flights", "tail <> 'x' AND Delay > Delay - 1", &schema);
        assert_eq!(columns.unwrap(), ["Delay", "tail"]);
    }

    #[test]
    fn what_is_no_condition_over_one_row_is_refused_with_the_view_and_the_filter() {
        for (filter, problem) in [
            ("delay > 10", "delay"),
            ("Delay + 1", "true or false"),
            ("sum(Delay) > 3", "many rows"),
            ("random() > 0.5", "another answer"),
            ("Delay >", "SQL"),
        ] {
            let error = refused(filter);
            assert!(error.contains(problem), "{error}");
            assert!(error.contains("`flights`"), "{error}");
            assert!(error.contains(&format!("`{filter}`")), "{error}");
        }
    }

    #[test]
    fn a_filter_that_cannot_be_computed_is_named() {
        let batch = batch();
        let filters = WindowFilters::new("flights", ["1 / Delay > 0"], &batch.schema()).unwrap();
        let error = filters.columns(&batch).unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument);
        let text = fs_core::code::report(&error);
        assert!(text.contains("`1 / Delay > 0`"), "{text}");
        assert!(text.to_lowercase().contains("zero"), "{text}");
    }

    #[test]
    fn a_batch_of_other_columns_is_refused() {
        let filters = WindowFilters::new("flights", ["diverted"], &batch().schema()).unwrap();
        let other = batch().project(&[1, 0]).unwrap();
        let error = filters.columns(&other).unwrap_err();
        assert!(fs_core::code::report(&error).contains("other columns"));
    }
}
