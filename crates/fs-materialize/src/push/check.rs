//! Pushed rows, held against what their view says its rows are.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Int64Array, RecordBatch, RecordBatchOptions,
    TimestampMicrosecondArray, new_null_array,
};
use arrow::datatypes::{DataType as ArrowType, Field, Schema, TimestampMicrosecondType};
use fs_core::data_type::UTC;
use fs_core::suggest::did_you_mean;
use fs_core::{CREATED_TIMESTAMP, Catalog, DataType, EVENT_TIMESTAMP, EventTime, FeatureView};
use fs_engine::{Mistyped, typed};
use fs_offline::TableSchema;
use fs_online::ViewId;

use super::{PushProblem, PushProblems, Target};
use crate::Error;
use crate::events::EventReader;
use crate::rows::ViewColumns;

/// Rows of a view that have the right columns, types, keys and times.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) view: FeatureView,
    pub(super) id: ViewId,
    pub(super) schema: TableSchema,
    pub(super) columns: ViewColumns,
    /// What makes events of the rows, if the view is windowed.
    pub(super) events: Option<EventReader>,
    /// The columns of `schema` but `_sequence`, in its order.
    pub(super) rows: RecordBatch,
}

impl Job {
    pub(super) fn state_error(&self, source: fs_pit::Error) -> Error {
        Error::State {
            view: self.view.name.clone(),
            source,
        }
    }

    /// The rows; those without a created time get `receipt`.
    pub(super) fn received(&self, receipt: EventTime) -> RecordBatch {
        let Ok(at) = self.rows.schema().index_of(CREATED_TIMESTAMP) else {
            return self.rows.clone();
        };
        let given = self
            .rows
            .column(at)
            .as_primitive::<TimestampMicrosecondType>();
        if given.null_count() == 0 {
            return self.rows.clone();
        }
        let filled = given
            .iter()
            .map(|given| given.unwrap_or(receipt.as_micros()));
        let filled = TimestampMicrosecondArray::from_iter_values(filled).with_timezone(UTC);
        let mut columns = self.rows.columns().to_vec();
        columns[at] = Arc::new(filled);
        with_columns(self.rows.schema().as_ref(), columns, self.rows.num_rows())
            .unwrap_or_else(|| self.rows.clone())
    }
}

fn with_columns(schema: &Schema, columns: Vec<ArrayRef>, rows: usize) -> Option<RecordBatch> {
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(Arc::new(schema.clone()), columns, &options).ok()
}

/// The rows of `given` as rows of `view`, or all that is wrong with them.
pub(super) fn check(
    catalog: &Catalog,
    target: &Target<'_>,
    view: &FeatureView,
    given: &RecordBatch,
) -> Result<Job, Error> {
    let schema = TableSchema::of(catalog, view);
    let mut look = Look {
        names: names(target, given),
        given,
        used: HashSet::new(),
        problems: Vec::new(),
    };
    let source = catalog.sources.get(&view.source);
    let fields: Vec<Field> = without_sequence(&schema);
    let columns: Vec<ArrayRef> = fields
        .iter()
        .map(|field| {
            let other = match field.name().as_str() {
                EVENT_TIMESTAMP => source.map(|source| source.timestamp_field.as_str()),
                CREATED_TIMESTAMP => {
                    source.and_then(|source| source.created_timestamp_column.as_deref())
                }
                _ => None,
            };
            look.column(field, other)
        })
        .collect();
    if target.source.is_none() {
        look.refuse_others(&fields);
    }
    let refused = |problems| Error::BadPush {
        view: view.name.clone(),
        problems: PushProblems(problems),
    };
    if !look.problems.is_empty() {
        return Err(refused(look.problems));
    }
    let rows = with_columns(&Schema::new(fields), columns, given.num_rows());
    let rows = rows.ok_or_else(|| refused(Vec::new()))?;
    let events = EventReader::of(catalog, view, &schema)?;
    if let Some(events) = &events {
        // A row of which nobody can say whether it counts would be in the way of every publication.
        let unnumbered = Int64Array::new_null(rows.num_rows());
        let batch = events.of_rows(rows.clone(), unnumbered);
        batch.map_err(|source| Error::of_filters(view, source))?;
    }
    Ok(Job {
        view: view.clone(),
        id: ViewId::new(catalog.project.clone(), view.name.clone()),
        columns: ViewColumns::of(catalog, view),
        events,
        rows,
        schema,
    })
}

fn without_sequence(schema: &TableSchema) -> Vec<Field> {
    let fields = schema.columns().fields();
    let fields = fields.iter().take(fields.len().saturating_sub(1));
    fields.map(|field| field.as_ref().clone()).collect()
}

/// The names of the columns that were given, as the view knows them.
fn names(target: &Target<'_>, given: &RecordBatch) -> Vec<String> {
    let schema = given.schema();
    let names = schema.fields().iter().map(|field| field.name());
    let Some(source) = target.source else {
        return names.cloned().collect();
    };
    names
        .map(|name| source.field_mapping.get(name).unwrap_or(name).clone())
        .collect()
}

/// Looks for columns, and collects what is wrong.
struct Look<'a> {
    names: Vec<String>,
    given: &'a RecordBatch,
    /// The positions of the columns that were found.
    used: HashSet<usize>,
    problems: Vec<PushProblem>,
}

impl Look<'_> {
    /// The column for `field`, under its name or `other`.
    fn column(&mut self, field: &Field, other: Option<&str>) -> ArrayRef {
        let empty = || new_null_array(field.data_type(), self.given.num_rows());
        let mut found = [Some(field.name().as_str()), other].into_iter().flatten();
        let Some(at) = found.find_map(|name| self.position(name)) else {
            let empty = empty();
            if field.name() != CREATED_TIMESTAMP {
                self.problems.push(PushProblem::Missing {
                    column: field.name().clone(),
                    or: other
                        .filter(|other| other != field.name())
                        .map(str::to_owned),
                });
            }
            return empty;
        };
        let column = self.given.column(at);
        let name = self.names[at].clone();
        if self.names.iter().filter(|other| **other == name).count() > 1 {
            self.problems.push(PushProblem::Twice { column: name });
            self.used.insert(at);
            return empty();
        }
        self.used.insert(at);
        match typed(column, field.data_type()) {
            Ok(column) => {
                self.check_nulls(field, &name, &column);
                column
            }
            Err(mistyped) => {
                let empty = empty();
                let expected = word(field.data_type());
                self.problems.push(match mistyped {
                    Mistyped::Column { found } => PushProblem::Type {
                        column: name,
                        found,
                        expected,
                    },
                    Mistyped::Value { row, value } => PushProblem::Value {
                        column: name,
                        row,
                        value,
                        expected,
                    },
                });
                empty
            }
        }
    }

    fn check_nulls(&mut self, field: &Field, name: &str, column: &ArrayRef) {
        if field.is_nullable() || column.null_count() == 0 {
            return;
        }
        let first = (0..column.len()).find(|row| column.is_null(*row));
        self.problems.push(PushProblem::Null {
            column: name.to_owned(),
            row: first.unwrap_or_default(),
            count: column.null_count(),
        });
    }

    fn position(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|given| given == name)
    }

    fn refuse_others(&mut self, fields: &[Field]) {
        let known = || fields.iter().map(|field| field.name().as_str());
        for (at, name) in self.names.iter().enumerate() {
            let is_twice = self.names[..at].contains(name);
            if !self.used.contains(&at) && !is_twice {
                self.problems.push(PushProblem::Unknown {
                    column: name.clone(),
                    nearest: did_you_mean(name, known()).map(str::to_owned),
                });
            }
        }
    }
}

/// The type as definitions write it.
fn word(data_type: &ArrowType) -> String {
    DataType::from_arrow(data_type).map_or_else(|| data_type.to_string(), |known| known.to_string())
}
