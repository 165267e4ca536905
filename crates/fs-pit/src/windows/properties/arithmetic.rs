//! Windows of numbers by plain arithmetic, without any aggregate.

use arrow::array::AsArray;
use arrow::datatypes::{Float64Type, Int64Type};

use super::*;

fn case() -> impl Strategy<Value = Case> {
    let spine = prop::collection::vec((0..=NO_KEY, micros()), 0..24);
    let events = prop::collection::vec(event(), 0..48);
    (windows(), rule(), spine, events).prop_map(|(windows, rule, spine, events)| Case {
        types: [ScalarType::Int32, ScalarType::Bool],
        asked: [
            Function::Count,
            Function::Sum,
            Function::Avg,
            Function::Min,
            Function::Max,
        ]
        .map(|function| (Some(0), function, Some("f0")))
        .to_vec(),
        windows,
        rule,
        spine,
        events,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    #[expect(clippy::cast_precision_loss, reason = "the numbers are small")]
    fn counts_sums_means_and_extremes_are_what_arithmetic_says(case in case()) {
        let found = case.joined(8);
        let windows = case.windows.len();
        for (row, (key, at)) in case.spine.iter().enumerate() {
            for (position, window) in case.windows.iter().enumerate() {
                let counts = |event: &&Event| {
                    *key != NO_KEY
                        && event.key == *key
                        && event.filters[0] == Some(true)
                        && covers::counts(&case.rule, *window, event.time, event.created, *at)
                };
                let counted: Vec<i64> = case
                    .events
                    .iter()
                    .filter(counts)
                    .filter_map(|event| event.values[0])
                    .map(|value| INTS[value])
                    .map(i64::from)
                    .collect();
                let column = |function: usize| &found[function * windows + position];
                let long = |function: usize| {
                    let column = column(function).as_primitive::<Int64Type>();
                    column.is_valid(row).then(|| column.value(row))
                };
                let int = |function: usize| {
                    let column = column(function).as_primitive::<arrow::datatypes::Int32Type>();
                    column.is_valid(row).then(|| i64::from(column.value(row)))
                };
                let mean = column(2).as_primitive::<Float64Type>();
                let mean = mean.is_valid(row).then(|| mean.value(row));
                let sum: i64 = counted.iter().sum();
                let some = !counted.is_empty();
                prop_assert_eq!(long(0), i64::try_from(counted.len()).ok());
                prop_assert_eq!(long(1), some.then_some(sum));
                prop_assert_eq!(mean, some.then(|| sum as f64 / counted.len() as f64));
                prop_assert_eq!(int(3), counted.iter().min().copied());
                prop_assert_eq!(int(4), counted.iter().max().copied());
            }
        }
    }
}
