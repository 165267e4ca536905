//! When answers are withheld, and when not.

use fs_core::{EventTime, Function, PointInTime, Window};

use super::fixture::{
    SUMS, Sample, answers, assert_exact, at, built, coverage, last, plan, rule, shape,
};
use crate::aggregate::Answer;
use crate::state::{Coverage, Limits, State, StateReader};

fn every_second(count: i64) -> Vec<Sample> {
    (0..count).map(|second| at(second, second % 7)).collect()
}

#[test]
fn between_the_zones_a_state_does_not_grow_with_the_number_of_events() {
    let plan = plan(
        &SUMS,
        &[last(10), Window::Lifetime],
        rule(0, PointInTime::EventTime),
    );
    let size = |count: i64| {
        let shape = shape(&plan, coverage(count, 5));
        built(&shape, &every_second(count), 0).len()
    };
    assert!(
        size(100_000) < size(1_000) + 16,
        "{} {}",
        size(100_000),
        size(1_000)
    );
}

#[test]
fn a_hot_zone_is_bounded_and_its_coverage_ends_earlier() {
    let plan = plan(&SUMS, &[last(1_000)], rule(0, PointInTime::EventTime));
    let limits = Limits {
        few: 0,
        instants: 10,
        ..Limits::default()
    };
    let cover = Coverage {
        limits,
        ..coverage(2_000, 500)
    };
    let samples = every_second(2_000);
    let state = built(&shape(&plan, cover), &samples, 0);
    // The zone is (1000, 1500]: of it, 1001 to 1010 are apart.
    for (now, withheld) in [(2_000, 0), (2_010, 0), (2_011, 3), (2_400, 3), (2_500, 0)] {
        let found = assert_exact(&plan, Some(&state), &samples, now);
        assert_eq!(found, withheld, "at {now}");
    }
}

#[test]
fn an_instant_with_many_events_is_one_of_many() {
    let plan = plan(&SUMS, &[last(1_000)], rule(0, PointInTime::EventTime));
    let limits = Limits {
        few: 0,
        instants: 20,
        ..Limits::default()
    };
    let cover = Coverage {
        limits,
        ..coverage(2_000, 20)
    };
    let samples: Vec<Sample> = (0..3_000)
        .map(|event| at(1_001 + event % 20, event))
        .collect();
    let state = built(&shape(&plan, cover), &samples, 0);
    for now in 2_000..=2_020 {
        assert_eq!(
            assert_exact(&plan, Some(&state), &samples, now),
            0,
            "at {now}"
        );
    }
}

#[test]
fn events_before_every_window_are_not_kept_and_what_needs_them_is_withheld() {
    let plan = plan(&SUMS, &[last(10)], rule(0, PointInTime::EventTime));
    let samples = every_second(1_000);
    let state = built(&shape(&plan, coverage(1_000, 5)), &samples, 0);
    assert_eq!(assert_exact(&plan, Some(&state), &samples, 1_000), 0);
    assert_eq!(answers(&plan, Some(&state), 500), [None, None, None]);
}

#[test]
fn a_key_without_events_has_empty_windows() {
    let plan = plan(&SUMS, &[last(10)], rule(0, PointInTime::EventTime));
    let empty = built(&shape(&plan, coverage(0, 5)), &[], 9);
    let expected = answers(&plan, None, 0);
    assert_eq!(expected[0].as_deref(), Some("One(Int64(0))"));
    assert_eq!(expected[1].as_deref(), Some("Null"));
    assert_eq!(answers(&plan, Some(&empty), 0), expected);
    let state = State::open(&empty).unwrap();
    assert!(state.is_empty());
    assert_eq!(state.through(), Some(9));
}

#[test]
fn counts_decay_as_time_passes_without_new_events() {
    let plan = plan(&SUMS[..1], &[last(10)], rule(0, PointInTime::EventTime));
    let samples = every_second(100);
    let state = built(&shape(&plan, coverage(100, 20)), &samples, 0);
    let counts = [100, 105, 109, 110].map(|now| answers(&plan, Some(&state), now)[0].clone());
    let expected = [9, 4, 0, 0].map(|count| Some(format!("One(Int64({count}))")));
    assert_eq!(counts, expected);
}

#[test]
fn the_newest_event_is_the_newest_that_is_visible() {
    let plan = plan(&SUMS, &[last(10)], rule(3, PointInTime::EventTime));
    let state = built(&shape(&plan, coverage(100, 50)), &every_second(200), 0);
    let state = State::open(&state).unwrap();
    let reader = StateReader::new(plan, &[0]);
    let mut tell = |_: usize, _: Option<&Answer<'_>>| Ok(());
    for (now, newest) in [(100, Some(97)), (120, Some(117)), (1_000, Some(199))] {
        assert_eq!(reader.answer(Some(&state), now, &mut tell).unwrap(), newest);
    }
    assert_eq!(reader.answer(None, 100, &mut tell).unwrap(), None);
}

#[test]
fn a_sum_beyond_int64_names_its_feature() {
    let plan = plan(&SUMS, &[last(10)], rule(0, PointInTime::EventTime));
    let samples = [at(1, i64::MAX), at(2, 1)];
    let state = built(&shape(&plan, coverage(3, 5)), &samples, 0);
    let state = State::open(&state).unwrap();
    let reader = StateReader::new(plan, &[1]);
    let mut tell = |_: usize, _: Option<&Answer<'_>>| Ok(());
    let error = reader.answer(Some(&state), 3, &mut tell).unwrap_err();
    assert!(error.to_string().contains("number_sum_10us"), "{error}");
}

#[test]
fn under_another_rule_nothing_that_is_stored_answers() {
    let before = plan(&SUMS, &[last(10)], rule(0, PointInTime::EventTime));
    let now = plan(&SUMS, &[last(10)], rule(2, PointInTime::EventTime));
    let state = built(&shape(&before, coverage(3, 5)), &[at(1, 1)], 0);
    assert_eq!(answers(&now, Some(&state), 3), [None, None, None]);
}

#[test]
fn a_state_need_not_be_written_again_while_it_covers_the_next_runs() {
    let asked = [(None, Function::Count, false)];
    let plan = plan(&asked, &[last(100)], rule(0, PointInTime::EventTime));
    let samples = every_second(300);
    let old = built(&shape(&plan, coverage(300, 30)), &samples, 5);
    let shape_now = shape(&plan, coverage(310, 30));
    let base = built(&shape_now, &samples, 6);
    let serves = |from: i64, to: i64| {
        let (old, base) = (State::open(&old).unwrap(), State::open(&base).unwrap());
        let (from, to) = (EventTime::from_micros(from), EventTime::from_micros(to));
        old.still_serves(&base, &shape_now, from, to).unwrap()
    };
    assert!(serves(310, 330));
    assert!(!serves(310, 331));
    let other = built(&shape_now, &samples[1..], 6);
    let other = State::open(&other).unwrap();
    let (from, to) = (EventTime::from_micros(310), EventTime::from_micros(320));
    let old = State::open(&old).unwrap();
    assert!(!old.still_serves(&other, &shape_now, from, to).unwrap());
}
