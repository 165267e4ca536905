//! Plans, spines and events for tests.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Int64Array, RecordBatch, RecordBatchOptions, TimestampMicrosecondArray,
};
use arrow::datatypes::{Field, Schema};
use fs_core::{Aggregation, DataType, Feature, Function, ScalarType, Span, Window, Windows};

use super::{Events, TimeLine, WindowAnswers, WindowJoin, WindowPlan};
use crate::{Error, FeatureRows, Rule, SpineIndex, naive};

/// The last `micros`.
pub(super) fn last(micros: i64) -> Window {
    Window::last(Span::from_micros(micros).unwrap()).unwrap()
}

/// The number of rows in windows.
pub(super) fn count_in(windows: &[Window], rule: Rule) -> WindowPlan {
    plan(&[], &[(None, Function::Count, None)], windows, rule)
}

/// A plan over columns of these types, called `c0`, `c1` …, for functions of them: column,
/// function, filter.
pub(super) fn plan(
    types: &[ScalarType],
    asked: &[(Option<usize>, Function, Option<&str>)],
    windows: &[Window],
    rule: Rule,
) -> WindowPlan {
    let name = |at: usize| format!("c{at}").parse().unwrap();
    let inputs = types.iter().enumerate().map(|(at, scalar)| Feature {
        name: name(at),
        data_type: DataType::Scalar(*scalar),
        description: None,
    });
    let aggregations = asked.iter().map(|(column, function, filter)| Aggregation {
        filter: filter.map(str::to_owned),
        ..Aggregation::new(column.map(name), *function, windows).unwrap()
    });
    let windows = Windows {
        inputs: inputs.collect(),
        aggregations: aggregations.collect(),
    };
    WindowPlan::new(&windows, rule).unwrap()
}

/// Keys and times of one side, and what else events have, in the order of a plan.
#[derive(Debug, Clone)]
pub(super) struct Side {
    pub(super) keys: Vec<ArrayRef>,
    pub(super) time: TimestampMicrosecondArray,
    pub(super) created: TimestampMicrosecondArray,
    pub(super) sequence: Int64Array,
    pub(super) inputs: Vec<ArrayRef>,
    pub(super) filters: Vec<BooleanArray>,
}

impl Side {
    /// Rows of integer keys, without anything else.
    pub(super) fn of(rows: &[(i64, i64)]) -> Self {
        let keys: Int64Array = rows.iter().map(|row| Some(row.0)).collect();
        Self {
            keys: vec![Arc::new(keys)],
            time: rows.iter().map(|row| Some(row.1)).collect(),
            created: rows.iter().map(|_| None::<i64>).collect(),
            sequence: rows.iter().map(|_| None::<i64>).collect(),
            inputs: Vec::new(),
            filters: Vec::new(),
        }
    }

    pub(super) fn events(&self) -> Events<'_> {
        Events {
            rows: FeatureRows {
                keys: &self.keys,
                event: &self.time,
                created: Some(&self.created),
                sequence: Some(&self.sequence),
            },
            inputs: &self.inputs,
            filters: &self.filters,
        }
    }

    /// The time line of this spine.
    pub(super) fn line(&self, plan: &WindowPlan) -> Arc<TimeLine> {
        let index = Arc::new(SpineIndex::new(&self.keys, &self.time).unwrap());
        Arc::new(TimeLine::new(index, Arc::new(plan.clone())).unwrap())
    }

    /// What the kernel answers for this spine, when it is offered `events` in this order.
    pub(super) fn joined(
        &self,
        plan: &WindowPlan,
        events: &[Self],
    ) -> Result<WindowAnswers, Error> {
        let line = self.line(plan);
        let mut join = WindowJoin::over(Arc::clone(&line))?;
        for events in events {
            join.offer(&events.events())?;
        }
        WindowJoin::finish_together(vec![join], &line)
    }

    /// What the naive reference answers.
    pub(super) fn naive(&self, plan: &WindowPlan, events: &[Self]) -> Vec<ArrayRef> {
        let events: Vec<Events<'_>> = events.iter().map(Self::events).collect();
        naive::windows(&self.keys, &self.time, plan, &events).unwrap()
    }
}

/// The answers of all rows.
pub(super) fn columns(answers: &WindowAnswers) -> Vec<ArrayRef> {
    answers.columns(0..answers.len()).unwrap()
}

/// Columns as people read them, one line per row.
pub(super) fn shown(plan: &WindowPlan, columns: Vec<ArrayRef>, rows: usize) -> Vec<String> {
    let fields = plan.outputs().iter().map(|output| {
        let data_type = output.data_type.to_arrow();
        Field::new(output.feature.as_str(), data_type, true)
    });
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    let batch = RecordBatch::try_new_with_options(schema, columns, &options).unwrap();
    let table = arrow::util::pretty::pretty_format_batches(&[batch]).unwrap();
    let table = table.to_string();
    let lines = table.lines().filter(|line| line.starts_with('|')).skip(1);
    let cells = |line: &str| line.split('|').map(str::trim).collect::<Vec<_>>().join(" ");
    lines.map(|line| cells(line).trim().to_owned()).collect()
}
