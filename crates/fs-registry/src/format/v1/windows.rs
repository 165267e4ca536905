//! The windows of a view in format 1. Frozen.
//!
//! ```json
//! "windows": {
//!   "inputs": [{ "name": "arr_delay", "type": "float64" }],
//!   "aggregations": [{
//!     "column": "arr_delay", "function": { "last_n": { "n": 3 } }, "filter": "NOT diverted",
//!     "windows": [{ "window": "7d", "feature": "last_delays_7d" }]
//!   }]
//! }
//! ```
//! No column is `*`. The types of the inputs are those that were declared, or found in the source when
//! the version was applied; the types of the features stand in the schema of the view.

use fs_core::{self as core, FeatureName, ListSize, Quantile, Window};
use serde::{Deserialize, Serialize};

use super::Feature;
use super::convert::same_fields;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Windows {
    inputs: Vec<Feature>,
    aggregations: Vec<Aggregation>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Aggregation {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    column: Option<FeatureName>,
    function: Function,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    filter: Option<String>,
    windows: Vec<AggregationWindow>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    description: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AggregationWindow {
    window: Window,
    feature: FeatureName,
}

/// Both enums and the conversions between them, which have the same variants.
macro_rules! same_functions {
    ($($name:ident $({ $field:ident: $type:ty })?),* $(,)?) => {
        #[derive(Serialize, Deserialize)]
        #[serde(rename_all = "snake_case", deny_unknown_fields)]
        enum Function { $($name $({ $field: $type })?),* }

        impl From<core::Function> for Function {
            fn from(model: core::Function) -> Self {
                match model {
                    $(core::Function::$name $({ $field })? => Self::$name $({ $field })?),*
                }
            }
        }

        impl From<Function> for core::Function {
            fn from(frozen: Function) -> Self {
                match frozen {
                    $(Function::$name $({ $field })? => Self::$name $({ $field })?),*
                }
            }
        }
    };
}

same_functions! {
    Count,
    Sum,
    Avg,
    Min,
    Max,
    StddevSamp,
    StddevPop,
    VarSamp,
    VarPop,
    First,
    Last,
    LastN { n: ListSize },
    FirstN { n: ListSize },
    CountDistinct,
    ApproxCountDistinct,
    ApproxPercentile { p: Quantile },
    TopK { k: ListSize },
}

same_fields! {
    Windows { inputs each, aggregations each }
    Aggregation { column, function into, filter, windows each, description }
    AggregationWindow { window, feature }
}
