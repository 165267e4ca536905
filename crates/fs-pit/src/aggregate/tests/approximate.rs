//! What is approximate is as near as it is said to be.

#![expect(clippy::cast_precision_loss, reason = "there are not so many values")]

use fs_core::{DataType, Function, Quantile, ScalarType};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::RowRank;
use crate::aggregate::accumulator::Boxed;
use crate::aggregate::{Answer, Component, Scalar, naive};

const RANK: RowRank = RowRank {
    event: 0,
    created: None,
    sequence: None,
};

/// The estimate of the number of different values at several moments.
fn different<'v>(
    scalar: ScalarType,
    values: impl Iterator<Item = Scalar<'v>>,
    at: &[usize],
) -> Vec<f64> {
    let input = Some(DataType::Scalar(scalar));
    let mut state = Component::Registers.visit(input, Boxed).unwrap();
    let mut estimates = Vec::new();
    for (seen, value) in (1..).zip(values) {
        state.update(value, RANK).unwrap();
        if at.contains(&seen) {
            let Ok(Answer::One(Scalar::Int64(count))) =
                state.answer(&Function::ApproxCountDistinct)
            else {
                panic!("no estimate");
            };
            estimates.push(count as f64);
        }
    }
    estimates
}

#[test]
fn different_values_are_counted_within_three_standard_errors_at_every_size() {
    let at = [1, 2, 10, 100, 500, 1000, 3000, 10_000, 20_000, 100_000];
    let whole = different(ScalarType::Int64, (0..100_000).map(Scalar::Int64), &at);
    let apart = (0..100_000_i64).map(|n| Scalar::Timestamp(n * 86_400_000_000));
    let apart = different(ScalarType::Timestamp, apart, &at);
    let halves = (0..100_000).map(|n| Scalar::Float64(f64::from(n) / 2.0));
    let halves = different(ScalarType::Float64, halves, &at);
    let names: Vec<String> = (0..100_000).map(|n| format!("user-{n}")).collect();
    let names = names.iter().map(|name| Scalar::String(name));
    let names = different(ScalarType::String, names, &at);
    for estimates in [whole, apart, halves, names] {
        for (estimate, count) in estimates.iter().zip(at) {
            let off = (estimate - count as f64).abs() / count as f64;
            let bound = if count <= 10 { 0.0 } else { 0.049 };
            assert!(off <= bound, "{estimate} for {count}");
        }
    }
}

#[test]
fn the_standard_error_of_different_values_is_1_6_percent() {
    let mut squares = 0.0;
    for sample in 0..200_i64 {
        let values = (0..20_000).map(|n| Scalar::Int64(sample * 1_000_003 + n * 7_919));
        let estimates = different(ScalarType::Int64, values, &[20_000]);
        squares += (estimates[0] / 20_000.0 - 1.0).powi(2);
    }
    let error = (squares / 200.0_f64).sqrt();
    assert!((0.012..0.020).contains(&error), "{error}");
}

proptest! {
    #[test]
    fn a_percentile_is_at_most_1_percent_off_the_value_there(
        numbers in vec(prop_oneof![-1e3..1e3_f64, any::<f64>()], 1..200),
        p in 0.0001..0.9999_f64,
    ) {
        let p = Quantile::new(p).unwrap();
        let function = Function::ApproxPercentile { p };
        let rows: Vec<_> = numbers.iter().map(|n| (Scalar::Float64(*n), RANK)).collect();
        let input = Some(DataType::Scalar(ScalarType::Float64));
        let mut state = Component::Sketch.visit(input, Boxed).unwrap();
        for (value, rank) in &rows {
            state.update(*value, *rank).unwrap();
        }
        let answers = (state.answer(&function), naive::answer(&function, &rows));
        let (Ok(Answer::One(Scalar::Float64(about))), Ok(Answer::One(Scalar::Float64(exact)))) =
            answers
        else {
            panic!("no answer");
        };
        let near = (about - exact).abs() <= 0.01 * exact.abs() + f64::MIN_POSITIVE;
        prop_assert!(near || about.to_bits() == exact.to_bits() || (about.is_nan() && exact.is_nan()));
    }

    #[test]
    fn a_percentile_of_small_integers_is_exact(
        numbers in vec(-127..=127_i32, 1..200),
        p in 0.0001..0.9999_f64,
    ) {
        let p = Quantile::new(p).unwrap();
        let function = Function::ApproxPercentile { p };
        let rows: Vec<_> = numbers.iter().map(|n| (Scalar::Int32(*n), RANK)).collect();
        let input = Some(DataType::Scalar(ScalarType::Int32));
        let mut state = Component::Sketch.visit(input, Boxed).unwrap();
        for (value, rank) in &rows {
            state.update(*value, *rank).unwrap();
        }
        let exact = naive::answer(&function, &rows);
        prop_assert_eq!(state.answer(&function), exact);
    }
}

#[test]
fn of_one_value_every_percentile_is_that_value() {
    let input = Some(DataType::Scalar(ScalarType::Float64));
    for number in [5.3, -1e-310, f64::INFINITY, f64::MAX, -0.0] {
        let mut state = Component::Sketch.visit(input, Boxed).unwrap();
        state.update(Scalar::Float64(number), RANK).unwrap();
        let p = Quantile::new(0.99).unwrap();
        let answer = state.answer(&Function::ApproxPercentile { p });
        assert_eq!(answer, Ok(Answer::One(Scalar::Float64(number))));
    }
}
