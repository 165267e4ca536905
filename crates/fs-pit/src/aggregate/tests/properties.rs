//! Whatever the order and the merges, an answer is that of all values at once.

use fs_core::{DataType, Function, ScalarType};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::fixture::{Row, case, cases, fold, rows, text};
use crate::aggregate::accumulator::Boxed;
use crate::aggregate::{Answer, Component, Scalar, Unanswered, naive};

/// Whether the naive answer is the same to the last bit.
fn is_exact(function: Function) -> bool {
    !matches!(
        function,
        Function::VarPop
            | Function::VarSamp
            | Function::StddevPop
            | Function::StddevSamp
            | Function::ApproxCountDistinct
            | Function::ApproxPercentile { .. }
    )
}

fn number(answer: &Answer<'_>) -> f64 {
    match answer {
        Answer::One(Scalar::Float64(number)) => *number,
        _ => f64::NAN,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn an_answer_is_that_of_all_values_at_once((function, scalar, rows, _) in case()) {
        let (answered, _) = fold(function, scalar, &[&rows], false);
        let naive = naive::answer(&function, &rows).map(|answer| text(&answer));
        if is_exact(function) {
            prop_assert_eq!(answered, naive);
        } else {
            prop_assert_eq!(answered == Ok("null".to_owned()), naive == Ok("null".to_owned()));
        }
    }

    #[test]
    fn order_parts_and_bytes_never_show(
        (function, scalar, rows, cut) in case(),
        again in 0..60_usize,
        stored: bool,
    ) {
        let expected = fold(function, scalar, &[&rows], false);
        let mut turned = rows.clone();
        turned.reverse();
        turned.rotate_left(again.min(rows.len()));
        let (one, other) = turned.split_at(cut.min(rows.len()));
        let (other, last) = other.split_at(other.len() / 2);
        prop_assert_eq!(&fold(function, scalar, &[one, other, last], stored), &expected);
        prop_assert_eq!(&fold(function, scalar, &[last, &[], one, other], !stored), &expected);
    }

    #[test]
    fn any_bytes_are_a_state_or_an_error(
        (function, scalar, rows, _) in case(),
        bytes in vec(prop_oneof![0..4_u8, any::<u8>()], 0..60),
    ) {
        let input = Some(DataType::Scalar(scalar));
        let mut state = Component::of(&function).visit(input, Boxed).unwrap();
        if state.merge_bytes(&mut &bytes[..]).is_ok() {
            prop_assert!(!matches!(state.answer(&function), Err(Unanswered::NotKept)));
            prop_assert!(state.heap_bytes() < 64 * bytes.len() + 2 * 4096);
            for (value, rank) in rows {
                state.update(value, rank).unwrap();
            }
            prop_assert!(!matches!(state.answer(&function), Err(Unanswered::NotKept)));
        }
    }

    #[test]
    fn a_state_that_is_cut_short_is_an_error(
        (function, scalar, rows, cut) in case(),
    ) {
        let (_, bytes) = fold(function, scalar, &[&rows], false);
        let cut = cut.min(bytes.len().saturating_sub(1));
        let input = Some(DataType::Scalar(scalar));
        let mut state = Component::of(&function).visit(input, Boxed).unwrap();
        prop_assert!(state.merge_bytes(&mut &bytes[..cut]).is_err());
        prop_assert!(state.is_empty());
    }

    #[test]
    fn variances_are_those_of_two_passes(numbers in vec(-1e6..1e6_f64, 2..60), far: bool) {
        let offset = if far { 1e9 } else { 0.0 };
        let none = crate::RowRank { event: 0, created: None, sequence: None };
        let rows: Vec<Row> = numbers
            .iter()
            .map(|number| (Scalar::Float64(number + offset), none))
            .collect();
        for function in [
            Function::VarPop,
            Function::VarSamp,
            Function::StddevPop,
            Function::StddevSamp,
        ] {
            let input = Some(DataType::Scalar(ScalarType::Float64));
            let mut state = Component::of(&function).visit(input, Boxed).unwrap();
            for (value, rank) in &rows {
                state.update(*value, *rank).unwrap();
            }
            let answered = number(&state.answer(&function).unwrap());
            let naive = number(&naive::answer(&function, &rows).unwrap());
            prop_assert!((answered - naive).abs() <= 1e-9 * naive.abs().max(1e-6), "{answered} {naive}");
            prop_assert!(answered >= 0.0);
        }
    }

    #[test]
    fn a_component_answers_all_functions_that_it_was_joined_of(
        scalar in select(ScalarType::ALL.to_vec()),
        seed in any::<proptest::sample::Index>(),
    ) {
        let of_type: Vec<Function> = cases()
            .into_iter()
            .filter(|(_, other)| *other == scalar)
            .map(|(function, _)| function)
            .collect();
        let one = of_type[seed.index(of_type.len())];
        let mut runner = proptest::test_runner::TestRunner::deterministic();
        let rows = rows(scalar).new_tree(&mut runner).unwrap().current();
        for other in of_type {
            let Some(joined) = Component::of(&one).join(Component::of(&other)) else {
                continue;
            };
            let input = Some(DataType::Scalar(scalar));
            let mut state = joined.visit(input, Boxed).unwrap();
            for (value, rank) in &rows {
                state.update(*value, *rank).unwrap();
            }
            for function in [one, other] {
                let (expected, _) = fold(function, scalar, &[&rows], false);
                let answered = state.answer(&function).map(|answer| text(&answer));
                prop_assert_eq!(answered, expected, "{:?} of {:?}", function, joined);
            }
        }
    }
}

#[test]
fn a_state_does_not_answer_what_it_does_not_keep() {
    let state = Component::Min
        .visit(Some(DataType::Scalar(ScalarType::Int64)), Boxed)
        .unwrap();
    assert_eq!(state.answer(&Function::Max), Err(Unanswered::NotKept));
}

#[test]
fn a_value_of_another_type_is_an_error_and_changes_nothing() {
    let mut state = Component::Sum
        .visit(Some(DataType::Scalar(ScalarType::Int64)), Boxed)
        .unwrap();
    let rank = crate::RowRank {
        event: 0,
        created: None,
        sequence: None,
    };
    let error = state.update(Scalar::String("3"), rank).unwrap_err();
    assert_eq!(
        error.to_string(),
        "a value of type string is for another column"
    );
    assert!(state.is_empty());
}

#[test]
fn a_component_that_does_not_fit_its_input_is_refused() {
    for (component, input) in [
        (Component::Sum, Some(DataType::Scalar(ScalarType::String))),
        (Component::Min, Some(DataType::Array(ScalarType::Int64))),
        (Component::Max, None),
    ] {
        assert!(component.visit(input, Boxed).is_err(), "{component}");
    }
    let lists = Some(DataType::Array(ScalarType::Int64));
    assert!(Component::Count.visit(lists, Boxed).is_ok());
}
