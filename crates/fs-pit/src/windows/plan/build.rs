//! From features asked for to lanes that serve them all.

use fs_core::{DataType, FeatureName, Function, SchemaError, Window, Windows};

use super::{Lane, Output, PlanInput, WindowPlan};
use crate::Rule;
use crate::aggregate::Component;

/// A feature that is asked for, with all that it needs.
pub(super) struct Asked {
    feature: FeatureName,
    input: Option<PlanInput>,
    filter: Option<String>,
    function: Function,
    window: Window,
    data_type: DataType,
}

/// What a lane is found by.
type Kept<'a> = (Option<&'a PlanInput>, Option<&'a str>, Component);

/// The features of `windows`.
pub(super) fn asked(windows: &Windows) -> Result<Vec<Asked>, SchemaError> {
    let features = windows.features().zip(windows.schema()?);
    let asked = features.map(|((aggregation, window), feature)| {
        let column = aggregation.column.as_ref();
        let input = column.and_then(|column| windows.input(column.as_str()));
        Asked {
            feature: feature.name,
            input: input.map(|input| PlanInput {
                name: input.name.clone(),
                data_type: input.data_type,
            }),
            filter: aggregation.filter.clone(),
            function: aggregation.function,
            window: window.window,
            data_type: feature.data_type,
        }
    });
    Ok(asked.collect())
}

/// The plan for what is asked.
pub(super) fn plan(rule: Rule, asked: &[Asked]) -> WindowPlan {
    let inputs = ordered(asked.iter().filter_map(|asked| asked.input.clone()));
    let filters = ordered(asked.iter().filter_map(|asked| asked.filter.clone()));
    let windows = ordered(asked.iter().map(|asked| asked.window));
    let kept = kept(asked);
    let lanes = kept.iter().map(|(input, filter, component)| Lane {
        input: input.and_then(|input| inputs.binary_search(input).ok()),
        data_type: input.map(|input| input.data_type),
        filter: filter.and_then(|filter| find(&filters, filter)),
        component: *component,
    });
    let lanes: Vec<Lane> = lanes.collect();
    let outputs = asked.iter().map(|asked| Output {
        feature: asked.feature.clone(),
        lane: kept
            .iter()
            .position(|lane| asked.is_kept_in(lane))
            .unwrap_or(lanes.len()),
        window: windows.partition_point(|window| *window < asked.window),
        function: asked.function,
        data_type: asked.data_type,
    });
    let outputs = outputs.collect();
    WindowPlan {
        rule,
        inputs,
        filters,
        windows,
        lanes,
        outputs,
    }
}

/// The lanes that what is asked needs, in order; those that can be one are one.
fn kept(asked: &[Asked]) -> Vec<Kept<'_>> {
    let mut kept: Vec<Kept<'_>> = Vec::new();
    for asked in asked {
        let (input, filter, mut component) = asked.needs();
        // What both are joined to may be joined to a third, so all are looked at.
        kept.retain(|(other_input, other_filter, other)| {
            let same = *other_input == input && *other_filter == filter;
            match other.join(component).filter(|_| same) {
                Some(joined) => {
                    component = joined;
                    false
                }
                None => true,
            }
        });
        kept.push((input, filter, component));
    }
    kept.sort_unstable();
    kept
}

impl Asked {
    fn needs(&self) -> Kept<'_> {
        let component = Component::of(&self.function);
        (self.input.as_ref(), self.filter.as_deref(), component)
    }

    fn is_kept_in(&self, lane: &Kept<'_>) -> bool {
        let (input, filter, component) = self.needs();
        lane.0 == input && lane.1 == filter && lane.2.join(component) == Some(lane.2)
    }
}

impl WindowPlan {
    /// What gives `output`.
    pub(super) fn asked(&self, output: &Output) -> Asked {
        let lane = self.lanes.get(output.lane);
        let input = lane.and_then(|lane| self.inputs.get(lane.input?));
        let filter = lane.and_then(|lane| self.filters.get(lane.filter?));
        Asked {
            feature: output.feature.clone(),
            input: input.cloned(),
            filter: filter.cloned(),
            function: output.function,
            window: self.windows[output.window],
            data_type: output.data_type,
        }
    }
}

fn find(texts: &[String], text: &str) -> Option<usize> {
    let found = texts.binary_search_by(|candidate| candidate.as_str().cmp(text));
    found.ok()
}

/// Each once, ascending.
fn ordered<T: Ord>(all: impl Iterator<Item = T>) -> Vec<T> {
    let mut all: Vec<T> = all.collect();
    all.sort_unstable();
    all.dedup();
    all
}
