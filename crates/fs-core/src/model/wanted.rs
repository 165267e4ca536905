//! [`WantedInputs`]: what only a look at its source tells about a windowed view.

use super::Feature;
use crate::{EntityName, FeatureName, SourceName, ViewName};

/// The columns of a windowed view whose types its definition does not declare.
///
/// ```text
///   definition                             wanted                     found in the source
///   schema: [{ name: tail, type: string }]
///   aggregations:
///   - { column: delay, function: avg, … }  columns: delay             delay float64
///   - { column: tail, function: last,
///       filter: "NOT diverted", … }        filters: NOT diverted      diverted bool
/// ```
/// Whoever can read sources answers with the inputs that were found, each with its type: the columns that
/// are wanted, and those that the filters read beside keys, times and what is declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedInputs {
    /// The view.
    pub view: ViewName,
    /// Its entities, whose join keys filters may read.
    pub entities: Vec<EntityName>,
    /// Where its rows come from.
    pub source: SourceName,
    /// SQL over the source, if it has any.
    pub query: Option<String>,
    /// The inputs whose types are declared.
    pub declared: Vec<Feature>,
    /// The columns that are aggregated and not declared, each once, with a feature that each is for.
    pub columns: Vec<WantedColumn>,
    /// The filters, which may read more columns, each with the first feature that it is for.
    pub filters: Vec<WantedFilter>,
}

/// A column that is aggregated, and not declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedColumn {
    /// The column.
    pub column: FeatureName,
    /// A feature that is made of it.
    pub feature: FeatureName,
}

/// A filter of an aggregation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedFilter {
    /// The condition.
    pub filter: String,
    /// A feature that counts only what it lets pass.
    pub feature: FeatureName,
}
