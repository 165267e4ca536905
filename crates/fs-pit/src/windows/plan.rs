//! [`WindowPlan`]: what has to be kept of the events of a windowed view, and what is made of it.

mod build;

use fs_core::{DataType, FeatureName, FeatureView, Function, SchemaError, Window, Windows};

use crate::aggregate::{Component, Visitor, hash};
use crate::{Error, Rule};

/// What has to be kept of the events of a windowed view, and what is made of it.
///
/// ```text
///   sum(delay) 1h, 1d   avg(delay) 7d   count(*) 1h   max(delay) where NOT diverted 1d
///
///   inputs    delay
///   filters   NOT diverted
///   windows   1h, 1d, 7d
///   lanes     0: count of rows   1: sum of delay   2: max of delay where NOT diverted
///   outputs   sum_1h = sum of lane 1 over 1h … count_1h = count of lane 0 over 1h …
/// ```
///
/// Inputs and filters are in the order of their texts, windows ascend, and lanes are in the order of input,
/// filter and component; so plans of the same aggregations are the same in whatever order
/// they were declared. Outputs are in the order of the declaration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WindowPlan {
    rule: Rule,
    inputs: Vec<PlanInput>,
    filters: Vec<String>,
    windows: Vec<Window>,
    lanes: Vec<Lane>,
    outputs: Vec<Output>,
}

/// A column whose values are aggregated.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PlanInput {
    /// Its name.
    pub name: FeatureName,
    /// Its type.
    pub data_type: DataType,
}

/// One state per key and stretch of time: the values of an input, filtered, in one component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lane {
    /// Which of the inputs; none for rows.
    pub input: Option<usize>,
    /// The type of the input.
    pub data_type: Option<DataType>,
    /// Which of the filters; none for all events.
    pub filter: Option<usize>,
    /// What is kept of the values.
    pub component: Component,
}

/// A feature: a function of a lane over a window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Its name.
    pub feature: FeatureName,
    /// Which of the lanes.
    pub lane: usize,
    /// Which of the windows.
    pub window: usize,
    /// What is made of the values.
    pub function: Function,
    /// The type of the result.
    pub data_type: DataType,
}

impl WindowPlan {
    /// The plan for all features of `windows`, of events that count by `rule`.
    pub fn new(windows: &Windows, rule: Rule) -> Result<Self, SchemaError> {
        build::asked(windows).map(|asked| build::plan(rule, &asked))
    }

    /// The plan of `view`; none if it has no windows.
    pub fn of(view: &FeatureView) -> Result<Option<Self>, SchemaError> {
        let windows = view.windows.as_ref();
        windows
            .map(|windows| Self::new(windows, Rule::of(view)))
            .transpose()
    }

    /// The plan for the outputs at `positions` only, in that order: no lane, window, input or filter more
    /// than they need. The answers are the same.
    ///
    /// Lanes have other numbers than in this plan, and may keep less: states that are stored are those
    /// of the whole plan.
    #[must_use]
    pub fn select(&self, positions: &[usize]) -> Self {
        let outputs = positions.iter().filter_map(|at| self.outputs.get(*at));
        let asked: Vec<_> = outputs.map(|output| self.asked(output)).collect();
        build::plan(self.rule, &asked)
    }

    /// When events count.
    pub const fn rule(&self) -> Rule {
        self.rule
    }

    /// The columns whose values are aggregated, in the order of their names.
    pub fn inputs(&self) -> &[PlanInput] {
        &self.inputs
    }

    /// The conditions on events, in the order of their texts.
    pub fn filters(&self) -> &[String] {
        &self.filters
    }

    /// The windows, shortest first.
    pub fn windows(&self) -> &[Window] {
        &self.windows
    }

    /// What is kept.
    pub fn lanes(&self) -> &[Lane] {
        &self.lanes
    }

    /// The features, in the order of their declaration.
    pub fn outputs(&self) -> &[Output] {
        &self.outputs
    }

    /// The windows of which `lane` is asked, shortest first.
    pub fn windows_of(&self, lane: usize) -> Vec<usize> {
        let of_lane = self.outputs.iter().filter(|output| output.lane == lane);
        let mut windows: Vec<usize> = of_lane.map(|output| output.window).collect();
        windows.sort_unstable();
        windows.dedup();
        windows
    }

    /// The longest window; none if there are no features.
    pub fn longest(&self) -> Option<Window> {
        self.windows.last().copied()
    }

    /// What a state has to hold and to answer, in 64 bits: the rule, the lanes with their inputs and
    /// filters, and the windows. Two functions that share a lane do not change it, nor does any order.
    ///
    /// It is kept beside what is stored, so it never changes.
    pub fn fingerprint(&self) -> u64 {
        let windows: Vec<String> = self.windows.iter().map(Window::to_string).collect();
        let lanes: Vec<String> = self.lanes.iter().map(|lane| self.text_of(lane)).collect();
        let text = format!(
            "{}\n{}\n{}",
            self.rule.visibility(),
            windows.join(" "),
            lanes.join("\n")
        );
        hash::text(text.as_bytes())
    }

    /// What the state of one lane holds, in 64 bits: its component, input and filter. Lanes of two plans with
    /// the same one hold the same of the same events. It never changes.
    pub fn lane_fingerprint(&self, lane: usize) -> Option<u64> {
        let lane = self.lanes.get(lane)?;
        Some(hash::text(self.text_of(lane).as_bytes()))
    }

    /// As in `sum(arr_delay: int32) where NOT diverted`.
    fn text_of(&self, lane: &Lane) -> String {
        let input = lane.input.and_then(|at| self.inputs.get(at));
        let input = input.map_or_else(
            || "*".to_owned(),
            |input| format!("{}: {}", input.name, input.data_type),
        );
        match lane.filter.and_then(|at| self.filters.get(at)) {
            Some(filter) => format!("{}({input}) where {filter}", lane.component),
            None => format!("{}({input})", lane.component),
        }
    }
}

impl Lane {
    /// Calls `visitor` with the aggregate of this lane.
    pub fn visit<V: Visitor>(&self, visitor: V) -> Result<V::Output, Error> {
        self.component.visit(self.data_type, visitor)
    }
}

#[cfg(test)]
mod tests;
