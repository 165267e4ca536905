//! Aggregations against the columns that they read, as far as their types are known.

use fs_core::model::Function;

use crate::check::Index;
use crate::decode::{AggregationDraft, Drafts, ViewDraft};
use crate::position::At;
use crate::problem::Sink;

pub(super) fn check(drafts: &Drafts, index: &Index<'_>, sink: &mut Sink) {
    for view in &drafts.views {
        for aggregation in view.aggregations() {
            key(view, aggregation, index, sink);
            type_fits(view, aggregation, sink);
        }
    }
}

/// A key is the same in every event of a window.
fn key(view: &ViewDraft, aggregation: &AggregationDraft, index: &Index<'_>, sink: &mut Sink) {
    let Some(column) = aggregation.named_column() else {
        return;
    };
    let keys = index.entities_of(view);
    let mut keys = keys.flat_map(|entity| &entity.join_keys.items);
    if keys.any(|key| key.name.value.as_str() == column.value.as_str()) {
        let message = format!(
            "`{}` is a join key of view `{}`: all events of one window have the same",
            column.value, view.name.value
        );
        let help = "aggregate another column; `column: \"*\"` counts events";
        sink.report_with_help(&column.at, message, help);
    }
}

fn type_fits(view: &ViewDraft, aggregation: &AggregationDraft, sink: &mut Sink) {
    let (Some(column), Some(function)) = (aggregation.named_column(), &aggregation.function) else {
        return;
    };
    let mut inputs = view.stored.items.iter();
    let input = inputs.find(|input| input.name.value == *column.value);
    let Some(found) = input.and_then(|input| input.data_type.as_ref()) else {
        return;
    };
    let At { value, at }: &At<Function> = function;
    if let Err(error) = value.output(Some(found.value)) {
        let help = format!("column `{}` is {}", column.value, found.value);
        sink.report_with_help(at, error.to_string(), help);
    }
}
