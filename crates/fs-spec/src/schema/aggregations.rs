//! The shape of the aggregations of a view.

#![expect(
    dead_code,
    reason = "only the shape matters: nobody makes or reads these"
)]

use schemars::JsonSchema;

use super::values::{FunctionName, ListLength, Name, PartOfValues, WindowLength};

/// A function over one column of the events in windows of one or several lengths.
///
/// Each window is a feature: `<name>_<window as written>`.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename = "aggregation")]
pub(super) struct Aggregation {
    /// The column, or `*` for every event, which only `count` takes.
    column: String,
    /// What is made of its values.
    function: FunctionName,
    /// How many values; only with `last_n` and `first_n`.
    n: Option<ListLength>,
    /// How many values; only with `top_k`.
    k: Option<ListLength>,
    /// Below which part of the values the answer lies; only with `approx_percentile`.
    p: Option<PartOfValues>,
    /// How far back it looks; `lifetime` has no end.
    #[schemars(length(min = 1))]
    windows: Vec<WindowLength>,
    /// What features are called before `_<window>`; `<column>_<function>` if absent, `count` of `*`.
    name: Option<Name>,
    /// A condition in SQL over the columns of the events: an event counts where it is true.
    filter: Option<String>,
    /// What it is, in a sentence.
    description: Option<String>,
}
