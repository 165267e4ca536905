//! Events of one key, a plan of many functions, and the answers by looking at every event.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Int64Array, TimestampMicrosecondArray};
use fs_core::{
    Aggregation, DataType, EventTime, Feature, Function, PointInTime, ScalarType, Span, Window,
    Windows,
};

use crate::aggregate::accumulator::Boxed;
use crate::aggregate::{Answer, AnswerBuilder, Scalar};
use crate::state::{Coverage, State, StateBuilder, StateEvents, StateReader, StateShape};
use crate::windows::plan::{PlanInput, WindowPlan};
use crate::windows::{Events, covers};
use crate::{FeatureRows, RowRank, Rule};

/// An event of the key.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sample {
    pub(super) event: i64,
    pub(super) created: Option<i64>,
    pub(super) sequence: Option<i64>,
    pub(super) number: Option<i64>,
    pub(super) share: Option<f64>,
    pub(super) text: Option<String>,
    /// Whether the filter lets it through.
    pub(super) passes: bool,
}

/// An event with a number, and nothing else.
pub(super) fn at(event: i64, number: i64) -> Sample {
    Sample {
        event,
        created: None,
        sequence: None,
        number: Some(number),
        share: None,
        text: None,
        passes: true,
    }
}

impl Sample {
    /// The value of a column: of one of its own, or of one that is made of them.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "any number will do that is always the same"
    )]
    fn value(&self, column: &str) -> Option<Scalar<'_>> {
        match column {
            "number" => self.number.map(Scalar::Int64),
            "share" => self.share.map(Scalar::Float64),
            "text" => self.text.as_deref().map(Scalar::String),
            "small" => self.number.map(|number| Scalar::Int32(number as i32)),
            "half" => self.share.map(|share| Scalar::Float32(share as f32)),
            "yes" => self.number.map(|number| Scalar::Bool(number > 0)),
            "blob" => self
                .text
                .as_ref()
                .map(|text| Scalar::Bytes(text.as_bytes())),
            "seen" => self.created.map(Scalar::Timestamp),
            other => panic!("no column {other}"),
        }
    }

    pub(super) fn committed(mut self, sequence: i64) -> Self {
        self.sequence = Some(sequence);
        self
    }
}

pub(super) fn rule(delay: i64, point_in_time: PointInTime) -> Rule {
    Rule {
        ttl: None,
        delay: Span::from_micros(delay).unwrap(),
        point_in_time,
    }
}

pub(super) fn last(micros: i64) -> Window {
    Window::last(Span::from_micros(micros).unwrap()).unwrap()
}

/// What is asked for: a column, a function, and whether it is filtered.
pub(super) type Ask = (Option<&'static str>, Function, bool);

pub(super) const SUMS: [Ask; 3] = [
    (None, Function::Count, false),
    (Some("number"), Function::Sum, false),
    (Some("number"), Function::Max, true),
];

pub(super) fn plan(asked: &[Ask], windows: &[Window], rule: Rule) -> Arc<WindowPlan> {
    let input = |name: &str, scalar| Feature {
        name: name.parse().unwrap(),
        data_type: DataType::Scalar(scalar),
        description: None,
    };
    let aggregations = asked
        .iter()
        .map(|(column, function, filtered)| Aggregation {
            filter: filtered.then(|| "flag".to_owned()),
            ..Aggregation::new(column.map(|it| it.parse().unwrap()), *function, windows).unwrap()
        });
    let windows = Windows {
        inputs: vec![
            input("number", ScalarType::Int64),
            input("share", ScalarType::Float64),
            input("text", ScalarType::String),
            input("small", ScalarType::Int32),
            input("half", ScalarType::Float32),
            input("yes", ScalarType::Bool),
            input("blob", ScalarType::Bytes),
            input("seen", ScalarType::Timestamp),
        ],
        aggregations: aggregations.collect(),
    };
    Arc::new(WindowPlan::new(&windows, rule).unwrap())
}

/// Calls `then` with the events as a batch for `plan`.
pub(super) fn with_batch<T>(
    plan: &WindowPlan,
    samples: &[Sample],
    then: impl FnOnce(&StateEvents<'_>) -> T,
) -> T {
    let times = |time: fn(&Sample) -> Option<i64>| {
        samples
            .iter()
            .map(time)
            .collect::<TimestampMicrosecondArray>()
    };
    let event = times(|sample| Some(sample.event));
    let created = times(|sample| sample.created);
    let sequence: Int64Array = samples.iter().map(|sample| sample.sequence).collect();
    let inputs: Vec<ArrayRef> = plan
        .inputs()
        .iter()
        .map(|input| column(input, samples))
        .collect();
    let passes: Vec<bool> = samples.iter().map(|sample| sample.passes).collect();
    let filters = vec![BooleanArray::from(passes); plan.filters().len()];
    let events = Events {
        rows: FeatureRows {
            keys: &[],
            event: &event,
            created: Some(&created),
            sequence: Some(&sequence),
        },
        inputs: &inputs,
        filters: &filters,
    };
    then(&StateEvents::new(plan, events).unwrap())
}

fn column(input: &PlanInput, samples: &[Sample]) -> ArrayRef {
    let mut column = AnswerBuilder::new(input.data_type, samples.len());
    for sample in samples {
        let value = sample.value(input.name.as_str());
        column.append(&Answer::of(value)).unwrap();
    }
    column.finish().unwrap()
}

/// A coverage whose instants are micros.
pub(super) fn coverage(as_of: i64, horizon: i64) -> Coverage {
    Coverage::new(
        EventTime::from_micros(as_of),
        Span::from_micros(horizon).unwrap(),
    )
}

pub(super) fn shape(plan: &Arc<WindowPlan>, coverage: Coverage) -> Arc<StateShape> {
    Arc::new(StateShape::new(Arc::clone(plan), coverage))
}

/// The state of these events, which the table had before the sequence `through`.
pub(super) fn built(shape: &Arc<StateShape>, samples: &[Sample], through: i64) -> Vec<u8> {
    let mut builder = StateBuilder::new(Arc::clone(shape));
    with_batch(shape.plan(), samples, |batch| {
        (0..samples.len()).for_each(|row| builder.add(batch, row).unwrap());
    });
    builder.finish(through).unwrap()
}

/// The state after a push; what it was if nothing was new.
pub(super) fn pushed(
    stored: Option<&[u8]>,
    shape: &StateShape,
    samples: &[Sample],
) -> Option<Vec<u8>> {
    let state = stored.map(|bytes| State::open(bytes).unwrap());
    let rows: Vec<usize> = (0..samples.len()).collect();
    let new = with_batch(shape.plan(), samples, |batch| {
        State::push(state.as_ref(), shape, batch, &rows).unwrap()
    });
    new.or_else(|| stored.map(<[u8]>::to_vec))
}

/// What the state of a key answers, feature by feature: `None` where it is withheld.
pub(super) fn answers(
    plan: &Arc<WindowPlan>,
    state: Option<&[u8]>,
    now: i64,
) -> Vec<Option<String>> {
    let wanted: Vec<usize> = (0..plan.outputs().len()).collect();
    let reader = StateReader::new(Arc::clone(plan), &wanted);
    let state = state.map(|bytes| State::open(bytes).unwrap());
    let mut told = vec![None; wanted.len()];
    let mut seen = vec![0; wanted.len()];
    let mut tell = |position: usize, answer: Option<&Answer<'_>>| {
        told[position] = answer.map(|answer| format!("{answer:?}"));
        seen[position] += 1;
        Ok(())
    };
    reader.answer(state.as_ref(), now, &mut tell).unwrap();
    assert!(seen.iter().all(|times| *times == 1), "each is told once");
    told
}

/// What all events answer, by looking at every one of them for every feature.
pub(super) fn naive(plan: &WindowPlan, samples: &[Sample], now: i64) -> Vec<String> {
    let outputs = plan.outputs().iter().map(|output| {
        let lane = &plan.lanes()[output.lane];
        let window = plan.windows()[output.window];
        let mut kept = lane.visit(Boxed).unwrap();
        for sample in samples {
            let counts = covers::counts(&plan.rule(), window, sample.event, sample.created, now);
            if !counts || (lane.filter.is_some() && !sample.passes) {
                continue;
            }
            let rank = RowRank {
                event: sample.event,
                created: sample.created,
                sequence: sample.sequence,
            };
            let value = match lane.input {
                None => Some(Scalar::Row),
                Some(input) => sample.value(plan.inputs()[input].name.as_str()),
            };
            if let Some(value) = value {
                kept.update(value, rank).unwrap();
            }
        }
        format!("{:?}", kept.answer(&output.function).unwrap())
    });
    outputs.collect()
}

/// Every answer is that of the events, or withheld. How many are withheld.
pub(super) fn assert_exact(
    plan: &Arc<WindowPlan>,
    state: Option<&[u8]>,
    samples: &[Sample],
    now: i64,
) -> usize {
    let expected = naive(plan, samples, now);
    let found = answers(plan, state, now);
    for (output, (found, expected)) in plan.outputs().iter().zip(found.iter().zip(&expected)) {
        if let Some(found) = found {
            assert_eq!(found, expected, "{} at {now}", output.feature);
        }
    }
    found.iter().filter(|answer| answer.is_none()).count()
}
