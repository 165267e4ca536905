//! What a point-in-time join joins, by the names of columns.

mod windowed;

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::{Result, plan_err};
use fs_pit::Rule;
use fs_pit::windows::covers;
use serde::{Deserialize, Serialize};

pub use self::windowed::Windowed;

/// One spine and everything that is joined to it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PointInTimeSpec {
    /// The column of the spine with the time of each row: timestamps in microseconds, none null.
    pub time: String,
    /// The columns of the spine that come back, in order.
    pub spine_columns: Vec<String>,
    /// The joins, in the order of their output.
    pub joins: Vec<JoinSpec>,
}

/// One history joined to the spine.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct JoinSpec {
    /// What the join is called in plans, metrics and errors: the label of the view.
    pub label: String,
    /// Which of the histories, counted from 0. Joins that share one share its scan.
    pub history: usize,
    /// Pairs of a key column of the spine and the one of the history that it must equal.
    pub keys: Vec<(String, String)>,
    /// The column of the history with event times, none null.
    pub event: String,
    /// The column with created times, if there is one.
    pub created: Option<String>,
    /// The column with the order in which rows were committed. Without it rows that tie in event
    /// and created time rank by arrival, and the history is read as one partition; in windows, where
    /// arrival counts for nothing, they rank by what is taken of them.
    pub sequence: Option<String>,
    /// When a row of the history may be used.
    pub rule: Rule,
    /// What the output gets of the history.
    pub take: Take,
}

/// What the output gets of a history: something of the newest row that was visible, or what
/// windows over all of them give.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Take {
    /// Columns of the history, each under a name of its own.
    Columns(Vec<(String, String)>),
    /// Where the row is, `file << 32 | row`, as a column of type `UInt64`.
    Place {
        /// The column of the history with the number of the file.
        file: String,
        /// The column with the number of the row in that file.
        row: String,
        /// The name of the output column.
        name: String,
    },
    /// Aggregations over the rows that lie in windows.
    Windows(Windowed),
}

impl PointInTimeSpec {
    /// The columns of the output: those of the spine, then what each join takes, all nullable.
    pub fn output(&self, spine: &Schema, histories: &[SchemaRef]) -> Result<SchemaRef> {
        let mut fields = Vec::new();
        for name in &self.spine_columns {
            fields.push(Arc::new(spine.field_with_name(name)?.clone()));
        }
        for join in &self.joins {
            let Some(history) = histories.get(join.history) else {
                return plan_err!(
                    "`{}` joins history {} of {}",
                    join.label,
                    join.history,
                    histories.len()
                );
            };
            match &join.take {
                Take::Columns(columns) => {
                    for (column, name) in columns {
                        let field = history.field_with_name(column)?.clone();
                        fields.push(Arc::new(field.with_name(name).with_nullable(true)));
                    }
                }
                Take::Place { name, .. } => {
                    fields.push(Arc::new(Field::new(name, DataType::UInt64, true)));
                }
                Take::Windows(windowed) => {
                    fields.extend(windowed.fields()?.into_iter().map(Arc::new));
                }
            }
        }
        let metadata = spine.metadata().clone();
        Ok(Arc::new(Schema::new_with_metadata(fields, metadata)))
    }

    /// Whether any join aggregates in windows.
    pub(crate) fn has_windows(&self) -> bool {
        let mut joins = self.joins.iter();
        joins.any(|join| matches!(join.take, Take::Windows(_)))
    }

    /// Every column of the spine that the operator reads.
    pub(crate) fn spine_needs(&self) -> impl Iterator<Item = &str> {
        let keys = self.joins.iter().flat_map(|join| &join.keys);
        std::iter::once(&self.time)
            .chain(&self.spine_columns)
            .chain(keys.map(|(spine, _)| spine))
            .map(String::as_str)
    }

    /// Whether rows of this history that tie rank by arrival, so that it must be read in order.
    pub(super) fn needs_order(&self, history: usize) -> bool {
        let joins = self.joins.iter();
        joins
            .filter(|join| join.history == history)
            .any(|join| join.sequence.is_none() && !matches!(join.take, Take::Windows(_)))
    }

    /// Every column of a history that the operator reads.
    pub(crate) fn history_needs(&self, history: usize) -> impl Iterator<Item = &str> {
        let joins = self.joins.iter();
        joins
            .filter(move |join| join.history == history)
            .flat_map(JoinSpec::history_needs)
    }
}

impl JoinSpec {
    fn history_needs(&self) -> impl Iterator<Item = &str> {
        let taken: Vec<&String> = match &self.take {
            Take::Columns(columns) => columns.iter().map(|(column, _)| column).collect(),
            Take::Place { file, row, .. } => vec![file, row],
            Take::Windows(windowed) => windowed.reads().iter().collect(),
        };
        self.keys
            .iter()
            .map(|(_, history)| history)
            .chain([&self.event])
            .chain(&self.created)
            .chain(&self.sequence)
            .chain(taken)
            .map(String::as_str)
    }

    /// The event times, both ends inclusive, outside which no row can matter to a spine whose times
    /// are `first..=last`. No lower end where rows matter however old they are.
    pub(super) fn event_range(&self, first: i64, last: i64) -> (Option<i64>, i64) {
        match &self.take {
            Take::Columns(_) | Take::Place { .. } => self.rule.event_range(first, last),
            Take::Windows(windowed) => match windowed.longest() {
                Some(longest) => covers::event_range(&self.rule, longest, first, last),
                None => (Some(i64::MAX), i64::MIN),
            },
        }
    }

    /// The key columns of the spine.
    pub(crate) fn spine_keys(&self) -> Vec<&str> {
        self.keys.iter().map(|(spine, _)| spine.as_str()).collect()
    }
}

impl fmt::Display for PointInTimeSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "time={}, joins=[", self.time)?;
        for (at, join) in self.joins.iter().enumerate() {
            write!(f, "{}{join}", if at == 0 { "" } else { ", " })?;
        }
        f.write_str("]")
    }
}

impl fmt::Display for JoinSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: on=[", self.label)?;
        for (at, (spine, history)) in self.keys.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            write!(f, "{comma}({spine}, {history})")?;
        }
        write!(f, "], visible={}", self.rule.visibility())?;
        if let Some(ttl) = self.rule.ttl {
            write!(f, ", ttl={ttl}")?;
        }
        match &self.take {
            Take::Columns(columns) => {
                let names: Vec<&str> = columns.iter().map(|(_, name)| name.as_str()).collect();
                write!(f, ", take=[{}]", names.join(", "))
            }
            Take::Place { .. } => f.write_str(", take=place"),
            Take::Windows(windowed) => write!(f, ", take=[{windowed}]"),
        }
    }
}
