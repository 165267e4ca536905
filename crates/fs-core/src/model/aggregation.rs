//! [`Windows`]: the aggregations of a windowed view, and the columns that they read.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::function::{DoesNotFit, Function};
use super::{Feature, Window};
use crate::FeatureName;
use crate::name::NameError;

/// What makes a view windowed: which columns of its events it keeps, and what it makes of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Windows {
    /// The columns of the events that aggregations and filters read, beside keys and times, and those that
    /// are declared without being read; by name.
    ///
    /// The offline table of the view stores them, and sources and pushes bring them.
    pub inputs: Vec<Feature>,
    /// The aggregations, in order; at least one.
    pub aggregations: Vec<Aggregation>,
}

/// One function over one column, in windows of one or several lengths.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Aggregation {
    /// The column, one of the inputs; absent for `*`, every row, which only `count` takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<FeatureName>,
    /// What is made of its values.
    pub function: Function,
    /// A condition over the columns of the events: an event counts where it is true, so not where it
    /// is null. All events count if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// The windows, in the order in which they were written, and the feature that each gives; at least one,
    /// no length twice.
    pub windows: Vec<AggregationWindow>,
    /// What it is, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// One window of an aggregation, which is one feature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AggregationWindow {
    /// How far back it looks.
    pub window: Window,
    /// The feature: `<name of the aggregation>_<window as written>`.
    pub feature: FeatureName,
}

/// Why aggregations give no features.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// A column that is none of the inputs.
    #[error("`{column}` is not a column of the events")]
    UnknownColumn {
        /// The column.
        column: FeatureName,
    },
    /// A function over a column that it does not take.
    #[error(transparent)]
    DoesNotFit(#[from] DoesNotFit),
}

impl Windows {
    /// The input called `column`.
    pub fn input(&self, column: &str) -> Option<&Feature> {
        let mut inputs = self.inputs.iter();
        inputs.find(|input| input.name.as_str() == column)
    }

    /// The features in order: those of the first aggregation in the order of its windows, then those of
    /// the second …
    pub fn features(&self) -> impl Iterator<Item = (&Aggregation, &AggregationWindow)> {
        self.aggregations.iter().flat_map(|aggregation| {
            let windows = aggregation.windows.iter();
            windows.map(move |window| (aggregation, window))
        })
    }

    /// The aggregation and the window that give the feature called `feature`.
    pub fn feature(&self, feature: &str) -> Option<(&Aggregation, &AggregationWindow)> {
        let mut features = self.features();
        features.find(|(_, window)| window.feature.as_str() == feature)
    }

    /// The schema of a view with these windows: one feature per aggregation and window, in order, with the
    /// type that the function gives over its input.
    pub fn schema(&self) -> Result<Vec<Feature>, SchemaError> {
        let feature = |(aggregation, window): (&Aggregation, &AggregationWindow)| {
            let column = aggregation.column.as_ref().map(|column| {
                let input = self.input(column.as_str());
                input.ok_or_else(|| SchemaError::UnknownColumn {
                    column: column.clone(),
                })
            });
            let input = column.transpose()?.map(|input| input.data_type);
            Ok(Feature {
                name: window.feature.clone(),
                data_type: aggregation.function.output(input)?,
                description: aggregation.description.clone(),
            })
        };
        self.features().map(feature).collect()
    }
}

impl Aggregation {
    /// `function` over `column` in `windows`, of all events, with the names that features have where none is given.
    pub fn new(
        column: Option<FeatureName>,
        function: Function,
        windows: &[Window],
    ) -> Result<Self, NameError> {
        let name = Self::default_name(column.as_ref(), &function);
        let windows = windows.iter().map(|window| {
            let feature = format!("{name}_{window}").parse()?;
            Ok(AggregationWindow {
                window: *window,
                feature,
            })
        });
        Ok(Self {
            windows: windows.collect::<Result<_, NameError>>()?,
            column,
            function,
            filter: None,
            description: None,
        })
    }

    /// What an aggregation is called if it is given no name: `<column>_<function>`, and `count` of `*`.
    pub fn default_name(column: Option<&FeatureName>, function: &Function) -> String {
        match column {
            Some(column) => format!("{column}_{}", function.name()),
            None => function.name().to_owned(),
        }
    }
}

/// As in `last_n(arr_delay, 3) where NOT diverted`.
impl fmt::Display for Aggregation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let column = self.column.as_ref().map(FeatureName::as_str);
        write!(f, "{}", self.function.over(column))?;
        match &self.filter {
            Some(filter) => write!(f, " where {filter}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DataType, ScalarType};

    fn input(name: &str, scalar: ScalarType) -> Feature {
        Feature {
            name: name.parse().unwrap(),
            data_type: DataType::Scalar(scalar),
            description: None,
        }
    }

    fn windows() -> Windows {
        let hours = ["1h", "90m", "lifetime"].map(|window| window.parse().unwrap());
        let delay: Option<FeatureName> = Some("arr_delay".parse().unwrap());
        Windows {
            inputs: vec![
                input("arr_delay", ScalarType::Int32),
                input("diverted", ScalarType::Bool),
            ],
            aggregations: vec![
                Aggregation::new(delay, Function::Sum, &hours).unwrap(),
                Aggregation {
                    filter: Some("NOT diverted".to_owned()),
                    ..Aggregation::new(None, Function::Count, &hours[..1]).unwrap()
                },
            ],
        }
    }

    #[test]
    fn a_schema_has_a_feature_for_every_aggregation_and_window_in_order() {
        let schema = windows().schema().unwrap();
        let features = schema.iter().map(|f| format!("{} {}", f.name, f.data_type));
        assert_eq!(
            features.collect::<Vec<_>>(),
            [
                "arr_delay_sum_1h int64",
                "arr_delay_sum_1h30m int64",
                "arr_delay_sum_lifetime int64",
                "count_1h int64",
            ]
        );
    }

    #[test]
    fn a_feature_leads_to_its_aggregation_and_window() {
        let windows = windows();
        let (aggregation, window) = windows.feature("count_1h").unwrap();
        assert_eq!(aggregation.to_string(), "count(*) where NOT diverted");
        assert_eq!(window.window.to_string(), "1h");
        assert_eq!(windows.feature("count_2h"), None);
    }

    #[test]
    fn an_aggregation_of_an_unknown_column_gives_no_schema() {
        let mut windows = windows();
        windows.inputs.remove(0);
        let error = windows.schema().unwrap_err().to_string();
        assert_eq!(error, "`arr_delay` is not a column of the events");
    }

    #[test]
    fn windows_read_back_as_they_were_written() {
        let json = serde_json::to_string(&windows()).unwrap();
        assert_eq!(serde_json::from_str::<Windows>(&json).unwrap(), windows());
    }
}
