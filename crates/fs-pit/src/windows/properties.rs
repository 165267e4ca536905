//! The kernel against the naive reference, on generated rows.

mod arithmetic;

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BinaryArray, BooleanArray, Float32Array, Float64Array, Int32Array, Int64Array,
    StringArray, TimestampMicrosecondArray, UInt32Array,
};
use arrow::compute::take;
use fs_core::{DataType, Function, ListSize, PointInTime, Quantile, ScalarType, Span, Window};
use proptest::prelude::*;

use super::fixture::{self, Side, columns, last};
use super::{WindowJoin, WindowPlan, covers};
use crate::Rule;

const BATCH_SIZES: [usize; 4] = [1, 3, 8, 8192];
const FILTERS: [&str; 2] = ["f0", "f1"];
/// A key that is null.
const NO_KEY: i64 = 3;

/// The values of integer columns.
const INTS: [i32; 8] = [0, 1, -1, 7, i32::MAX, i32::MIN, 2, 7];

/// What is asked of which column, under which filter.
type Asked = (Option<usize>, Function, Option<&'static str>);

#[derive(Debug, Clone)]
struct Event {
    key: i64,
    time: i64,
    created: Option<i64>,
    sequence: Option<i64>,
    values: [Option<usize>; 2],
    filters: [Option<bool>; 2],
}

#[derive(Debug, Clone)]
struct Case {
    types: [ScalarType; 2],
    asked: Vec<Asked>,
    windows: Vec<Window>,
    rule: Rule,
    spine: Vec<(i64, i64)>,
    events: Vec<Event>,
}

fn keys(keys: impl Iterator<Item = i64>) -> ArrayRef {
    let keys = keys.map(|key| (key != NO_KEY).then_some(key));
    Arc::new(keys.collect::<Int64Array>())
}

/// A column of values that stand in a list of remarkable ones.
fn values(scalar: ScalarType, values: &[Option<usize>]) -> ArrayRef {
    const FLOATS: [f64; 8] = [
        0.1,
        -0.0,
        0.0,
        f64::NAN,
        1e300,
        -1e300,
        f64::INFINITY,
        5e-324,
    ];
    const TEXTS: [&str; 8] = [
        "",
        "a",
        "aa",
        "b",
        "ä",
        "a longer text than fits inline",
        "0",
        "1",
    ];
    let values = values.iter();
    let floats = values.clone().map(|at| at.map(|at| FLOATS[at % 8]));
    let ints = values.clone().map(|at| at.map(|at| INTS[at % 8]));
    let texts = values.clone().map(|at| at.map(|at| TEXTS[at % 8]));
    let longs = ints.clone().map(|int| int.map(|int| i64::from(int) << 20));
    match scalar {
        ScalarType::Bool => {
            let bools = values.map(|at| at.map(|at| at % 2 == 1));
            Arc::new(bools.collect::<BooleanArray>())
        }
        ScalarType::Int32 => Arc::new(ints.collect::<Int32Array>()),
        ScalarType::Int64 => Arc::new(longs.collect::<Int64Array>()),
        #[expect(clippy::cast_possible_truncation, reason = "too great is infinite")]
        ScalarType::Float32 => {
            let floats = floats.map(|float| float.map(|float| float as f32));
            Arc::new(floats.collect::<Float32Array>())
        }
        ScalarType::Float64 => Arc::new(floats.collect::<Float64Array>()),
        ScalarType::String => Arc::new(texts.collect::<StringArray>()),
        ScalarType::Bytes => {
            let bytes = texts.map(|text| text.map(str::as_bytes));
            Arc::new(bytes.collect::<BinaryArray>())
        }
        ScalarType::Timestamp => {
            let times = longs.collect::<TimestampMicrosecondArray>();
            Arc::new(times.with_timezone("UTC"))
        }
    }
}

impl Case {
    fn plan(&self) -> WindowPlan {
        fixture::plan(&self.types, &self.asked, &self.windows, self.rule)
    }

    fn spine(&self) -> Side {
        let mut spine = Side::of(&self.spine);
        spine.keys = vec![keys(self.spine.iter().map(|row| row.0))];
        spine
    }

    /// Events with the columns that the plan asks for.
    fn events(&self, plan: &WindowPlan, events: &[Event]) -> Side {
        let inputs = plan.inputs().iter().map(|input| {
            let at = usize::from(input.name.as_str() == "c1");
            let of_column: Vec<Option<usize>> = events.iter().map(|e| e.values[at]).collect();
            values(self.types[at], &of_column)
        });
        let filters = plan.filters().iter().map(|filter| {
            let at = usize::from(filter == "f1");
            events.iter().map(|event| event.filters[at]).collect()
        });
        Side {
            keys: vec![keys(events.iter().map(|event| event.key))],
            time: events.iter().map(|event| Some(event.time)).collect(),
            created: events.iter().map(|event| event.created).collect(),
            sequence: events.iter().map(|event| event.sequence).collect(),
            inputs: inputs.collect(),
            filters: filters.collect(),
        }
    }

    fn batches(&self, plan: &WindowPlan, size: usize) -> Vec<Side> {
        let chunks = self.events.chunks(size);
        chunks.map(|events| self.events(plan, events)).collect()
    }

    fn naive(&self) -> Vec<ArrayRef> {
        let plan = self.plan();
        self.spine().naive(&plan, &self.batches(&plan, 8192))
    }

    fn joined(&self, size: usize) -> Vec<ArrayRef> {
        let plan = self.plan();
        let batches = self.batches(&plan, size);
        columns(&self.spine().joined(&plan, &batches).unwrap())
    }
}

/// Whether two columns are the same, bit for bit.
fn same(found: &[ArrayRef], expected: &[ArrayRef]) -> Result<(), TestCaseError> {
    prop_assert_eq!(found.len(), expected.len());
    for (at, (found, expected)) in found.iter().zip(expected).enumerate() {
        prop_assert_eq!(found.to_data(), expected.to_data(), "output {}", at);
    }
    Ok(())
}

/// Everything that may be asked of a column of a type.
fn functions(scalar: ScalarType) -> Vec<Function> {
    let few = |size| ListSize::new(size).unwrap();
    let all = [
        Function::Count,
        Function::Sum,
        Function::Avg,
        Function::Min,
        Function::Max,
        Function::StddevSamp,
        Function::StddevPop,
        Function::VarSamp,
        Function::VarPop,
        Function::First,
        Function::Last,
        Function::FirstN { n: few(2) },
        Function::LastN { n: few(3) },
        Function::CountDistinct,
        Function::ApproxCountDistinct,
        Function::ApproxPercentile {
            p: Quantile::new(0.5).unwrap(),
        },
        Function::TopK { k: few(2) },
    ];
    let input = Some(DataType::Scalar(scalar));
    let all = all.into_iter();
    all.filter(|function| function.output(input).is_ok())
        .collect()
}

fn micros() -> impl Strategy<Value = i64> {
    prop_oneof![
        30 => 0_i64..16,
        1 => Just(i64::MIN),
        1 => Just(i64::MIN + 3),
        1 => Just(i64::MAX),
        1 => Just(i64::MAX - 2),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    (
        0..=NO_KEY,
        micros(),
        prop::option::of(micros()),
        prop::option::of(0_i64..3),
        prop::array::uniform2(prop::option::weighted(0.8, 0_usize..8)),
        prop::array::uniform2(prop::option::weighted(0.8, any::<bool>())),
    )
        .prop_map(|(key, time, created, sequence, values, filters)| Event {
            key,
            time,
            created,
            sequence,
            values,
            filters,
        })
}

fn rule() -> impl Strategy<Value = Rule> {
    let point_in_time = prop::sample::select(vec![PointInTime::EventTime, PointInTime::KnownAt]);
    (0_i64..3, point_in_time).prop_map(|(delay, point_in_time)| Rule {
        ttl: None,
        delay: Span::from_micros(delay).unwrap(),
        point_in_time,
    })
}

fn windows() -> impl Strategy<Value = Vec<Window>> {
    let lengths = [1, 2, 3, 5, 8, 13, i64::MAX].map(last);
    let all: Vec<Window> = lengths.into_iter().chain([Window::Lifetime]).collect();
    prop::sample::subsequence(all, 1..=8)
}

fn asked(types: [ScalarType; 2]) -> impl Strategy<Value = Vec<Asked>> {
    let columns = (0..2).flat_map(move |at| {
        let functions = functions(types[at]).into_iter();
        functions.map(move |function| (Some(at), function))
    });
    let all: Vec<_> = columns.chain([(None, Function::Count)]).collect();
    let filter = prop::option::weighted(0.4, prop::sample::select(FILTERS.to_vec()));
    let one = (prop::sample::select(all), filter)
        .prop_map(|((column, function), filter)| (column, function, filter));
    prop::collection::vec(one, 1..6)
}

fn case() -> impl Strategy<Value = Case> {
    let scalar = || prop::sample::select(ScalarType::ALL.to_vec());
    let types = prop::array::uniform2(scalar());
    let asked = types.prop_flat_map(|types| (Just(types), asked(types)));
    let spine = prop::collection::vec((0..=NO_KEY, micros()), 0..24);
    let events = prop::collection::vec(event(), 0..48);
    (asked, windows(), rule(), spine, events).prop_map(
        |((types, asked), windows, rule, spine, events)| Case {
            types,
            asked,
            windows,
            rule,
            spine,
            events,
        },
    )
}

/// The rows of a column at these positions.
fn pick(column: &ArrayRef, at: &[usize]) -> ArrayRef {
    let at = at.iter().map(|at| u32::try_from(*at).unwrap());
    take(column, &UInt32Array::from_iter_values(at), None).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn windows_equal_the_naive_reference_at_every_batch_size(case in case()) {
        let expected = case.naive();
        for size in BATCH_SIZES {
            same(&case.joined(size), &expected)?;
        }
    }

    #[test]
    fn the_order_in_which_events_arrive_does_not_matter(
        case in case(),
        seeds in prop::collection::vec(any::<u64>(), 48),
    ) {
        let mut order: Vec<usize> = (0..case.events.len()).collect();
        order.sort_by_key(|at| seeds[*at]);
        let mut shuffled = case.clone();
        shuffled.events = order.iter().map(|at| case.events[*at].clone()).collect();
        same(&shuffled.joined(4), &case.joined(5))?;
    }

    #[test]
    fn joins_that_each_saw_a_part_of_the_events_finish_together(
        case in case(),
        parts in prop::collection::vec(0_usize..3, 48),
        hold in prop::collection::vec(0_usize..20, 3),
    ) {
        let plan = case.plan();
        let line = case.spine().line(&plan);
        let mut joins = Vec::new();
        for (part, hold) in hold.into_iter().enumerate() {
            let events = case.events.iter().zip(&parts);
            let events: Vec<Event> = events
                .filter(|(_, of)| **of == part)
                .map(|(event, _)| event.clone())
                .collect();
            let mut join = WindowJoin::over(Arc::clone(&line)).unwrap().holding(hold);
            for events in events.chunks(3) {
                join.offer(&case.events(&plan, events).events()).unwrap();
            }
            joins.push(join);
        }
        let answers = WindowJoin::finish_together(joins, &line).unwrap();
        same(&columns(&answers), &case.naive())?;
    }

    #[test]
    fn every_spine_row_gets_its_own_answer_wherever_it_stands(
        case in case(),
        order in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
    ) {
        prop_assume!(!case.spine.is_empty());
        let alone = case.joined(8);
        let order: Vec<usize> = order.iter().map(|at| at.index(case.spine.len())).collect();
        let mut moved = case.clone();
        moved.spine = order.iter().map(|at| case.spine[*at]).collect();
        let expected: Vec<ArrayRef> = alone.iter().map(|column| pick(column, &order)).collect();
        same(&moved.joined(8), &expected)?;
    }

    #[test]
    fn a_plan_of_some_features_gives_the_answers_of_the_whole(
        case in case(),
        some in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let plan = case.plan();
        let some: Vec<usize> = some.iter().map(|at| at.index(plan.outputs().len())).collect();
        let selected = plan.select(&some);
        let answers = case.spine().joined(&selected, &case.batches(&selected, 8)).unwrap();
        let all = case.joined(8);
        let expected: Vec<ArrayRef> = some.iter().map(|at| Arc::clone(&all[*at])).collect();
        same(&columns(&answers), &expected)?;
    }

    #[test]
    fn an_event_of_the_future_changes_no_answer(case in case(), future in event()) {
        let before = case.joined(8);
        let mut later = case.clone();
        later.events.push(future.clone());
        let after = later.joined(8);
        let visible_from = case.rule.visible_from(future.time, future.created);
        let earlier: Vec<usize> = (0..case.spine.len())
            .filter(|row| case.spine[*row].1 < visible_from)
            .collect();
        for (before, after) in before.iter().zip(&after) {
            prop_assert_eq!(pick(before, &earlier).to_data(), pick(after, &earlier).to_data());
        }
    }

    #[test]
    fn rows_are_matched_where_any_event_counts(case in case()) {
        let plan = case.plan();
        let answers = case.spine().joined(&plan, &case.batches(&plan, 8)).unwrap();
        let found: Vec<bool> = answers.matched(0..answers.len()).values().iter().collect();
        let expected = case.spine.iter().map(|(key, at)| {
            *key != NO_KEY && case.events.iter().any(|event| {
                let counts = |window: &Window| {
                    covers::counts(&case.rule, *window, event.time, event.created, *at)
                };
                event.key == *key && case.windows.iter().any(counts)
            })
        });
        prop_assert_eq!(found, expected.collect::<Vec<_>>());
    }
}
