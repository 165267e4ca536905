//! [`Windowed`]: the aggregations that a join makes of a history.

use std::fmt;
use std::hash::{Hash, Hasher};

use arrow::datatypes::{Field, Schema};
use datafusion::common::{DataFusionError, Result};
use fs_core::{Aggregation, FeatureName, Function, Window, Windows};
use fs_pit::Rule;
use fs_pit::windows::WindowPlan;
use serde::{Deserialize, Serialize};

use crate::window_filters::filter_columns;

/// Aggregations over the rows of a history in windows that end at the time of each row of the spine.
///
/// ```text
///   history (user, event, spend)   spine           sum(spend) over 1h
///   7  09:30  3.0                  7  10:00        5.0
///   7  09:50  2.0                  7  10:40        2.0     09:30 is 70 minutes old
///                                  8  10:00        null    no event, no sum; a count is 0
/// ```
///
/// Every row of the spine gets an answer, also those whose key is null or that no event has. Which events
/// are in a window is told by [`covers`](fs_pit::windows::covers).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Windowed {
    /// What is wanted, and nothing else.
    windows: Windows,
    /// What the output calls each feature of `windows`, in their order.
    names: Vec<String>,
    /// The columns of the history that aggregations and filters look at.
    reads: Vec<String>,
}

// The names tell two of them apart for all that hashing is for.
impl Hash for Windowed {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.names.hash(state);
    }
}

impl Windowed {
    /// Those features of `windows` that `name` gives a name for the output, by their position among
    /// the features; of a history with these columns. `label` is what the view is called, for errors.
    pub fn new(
        label: &str,
        windows: &Windows,
        name: impl Fn(usize) -> Option<String>,
        history: &Schema,
    ) -> Result<Self> {
        let (mut aggregations, mut names) = (Vec::new(), Vec::new());
        let mut position = 0;
        for aggregation in &windows.aggregations {
            let mut wanted = Vec::new();
            for window in &aggregation.windows {
                if let Some(name) = name(position) {
                    wanted.push(window.clone());
                    names.push(name);
                }
                position += 1;
            }
            if !wanted.is_empty() {
                aggregations.push(Aggregation {
                    windows: wanted,
                    ..aggregation.clone()
                });
            }
        }
        let columns = aggregations.iter().filter_map(|one| one.column.as_ref());
        let mut reads: Vec<String> = columns.map(FeatureName::to_string).collect();
        for filter in aggregations.iter().filter_map(|one| one.filter.as_deref()) {
            let columns = filter_columns(label, filter, history);
            let columns = columns.map_err(|error| DataFusionError::External(Box::new(error)))?;
            reads.extend(columns.into_iter().map(str::to_owned));
        }
        reads.sort_unstable();
        reads.dedup();
        let inputs = windows.inputs.iter();
        let inputs = inputs.filter(|input| reads.iter().any(|name| *name == input.name.as_str()));
        Ok(Self {
            windows: Windows {
                inputs: inputs.cloned().collect(),
                aggregations,
            },
            names,
            reads,
        })
    }

    /// Whether anything depends on which event came first, so that created times and the order of commits
    /// have to be read.
    pub fn is_ranked(&self) -> bool {
        let mut functions = self.windows.aggregations.iter().map(|one| one.function);
        functions.any(|function| {
            matches!(
                function,
                Function::First | Function::Last | Function::FirstN { .. } | Function::LastN { .. }
            )
        })
    }

    /// The columns of the output, in their order.
    pub(super) fn fields(&self) -> Result<Vec<Field>> {
        let schema = self.windows.schema().map_err(|error| undefined(&error))?;
        let fields = schema.iter().zip(&self.names);
        Ok(fields
            .map(|(feature, name)| Field::new(name, feature.data_type.to_arrow(), true))
            .collect())
    }

    /// The columns of the history that it looks at, apart from keys and times.
    pub(super) fn reads(&self) -> &[String] {
        &self.reads
    }

    /// What has to be kept of the events, and what is made of it.
    pub(in crate::point_in_time) fn plan(&self, rule: Rule) -> Result<WindowPlan> {
        WindowPlan::new(&self.windows, rule).map_err(|error| undefined(&error))
    }

    /// The longest window; none if nothing is wanted.
    pub(super) fn longest(&self) -> Option<Window> {
        self.windows.features().map(|(_, one)| one.window).max()
    }
}

fn undefined(error: &fs_core::SchemaError) -> DataFusionError {
    DataFusionError::Plan(format!("aggregations that give no features: {error}"))
}

/// As in `sum(spend) 1h 1d, count(*) where spend > 0 1h`.
impl fmt::Display for Windowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, aggregation) in self.windows.aggregations.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            write!(f, "{comma}{aggregation} [")?;
            for (at, window) in aggregation.windows.iter().enumerate() {
                let comma = if at == 0 { "" } else { ", " };
                write!(f, "{comma}{}", window.window)?;
            }
            f.write_str("]")?;
        }
        Ok(())
    }
}
