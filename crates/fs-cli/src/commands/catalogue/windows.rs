//! What a windowed view is made of, for people.

use fs_core::{FeatureView, Windows};

use crate::output::table;

/// The columns of the events, and what each feature is computed from.
///
/// ```text
/// feature          type     function        column     window  filter        description
/// arr_delay_avg_1d float64  avg             arr_delay  1d      NOT diverted
/// arrivals_1h      int64    count           *          1h
/// ```
pub(super) fn describe(view: &FeatureView, windows: &Windows) -> String {
    let features = windows.features().zip(&view.schema);
    let rows = features.map(|((aggregation, window), feature)| {
        let column = aggregation.column.as_ref();
        [
            feature.name.to_string(),
            feature.data_type.to_string(),
            match aggregation.function.parameter() {
                Some(parameter) => format!("{} {parameter}", aggregation.function.name()),
                None => aggregation.function.name().to_owned(),
            },
            column.map_or_else(|| "*".to_owned(), ToString::to_string),
            window.window.to_string(),
            aggregation.filter.clone().unwrap_or_default(),
            feature.description.clone().unwrap_or_default(),
        ]
    });
    let header = [
        "feature",
        "type",
        "function",
        "column",
        "window",
        "filter",
        "description",
    ];
    let mut text = table(header, rows);
    if !windows.inputs.is_empty() {
        let inputs = windows.inputs.iter().map(|input| {
            [
                input.name.to_string(),
                input.data_type.to_string(),
                input.description.clone().unwrap_or_default(),
            ]
        });
        text.push('\n');
        text.push_str(&table(["column of events", "type", "description"], inputs));
    }
    text
}
