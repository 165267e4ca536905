//! Pushed events count exactly once.

use fs_core::{EventTime, PointInTime};

use super::fixture::{
    SUMS, Sample, answers, assert_exact, at, built, coverage, last, plan, pushed, rule, shape,
};
use crate::state::{Coverage, Limits, Rebased, State};

fn count(answers: &[Option<String>]) -> Option<i64> {
    let text = answers[0].as_deref()?;
    let number = text.trim_start_matches("One(Int64(").trim_end_matches("))");
    Some(number.parse().unwrap())
}

fn rebased(stored: &[u8], base: &[u8], watermark: Option<i64>) -> Rebased {
    let stored = State::open(stored).unwrap();
    let base = State::open(base).unwrap();
    let watermark = watermark.map(EventTime::from_micros);
    State::rebase(Some(&stored), &base, watermark).unwrap()
}

fn state(rebased: Rebased) -> Vec<u8> {
    match rebased {
        Rebased::State(state) => state,
        Rebased::Straddles { greatest } => panic!("straddles {greatest}"),
    }
}

#[test]
fn a_pushed_event_counts_at_once_and_once() {
    let plan = plan(&SUMS, &[last(10)], rule(0, PointInTime::EventTime));
    let shape = shape(&plan, coverage(5, 5));
    let base = built(&shape, &[at(1, 1).committed(3)], 4);
    let new = [at(2, 2).committed(4)];
    let once = pushed(Some(&base), &shape, &new).unwrap();
    assert_eq!(count(&answers(&plan, Some(&once), 5)), Some(2));
    assert_eq!(pushed(Some(&once), &shape, &new).unwrap(), once);
    // What the table had already is not added again.
    let old = [at(1, 1).committed(3)];
    assert_eq!(pushed(Some(&once), &shape, &old).unwrap(), once);
}

#[test]
fn a_push_before_anything_was_published_makes_a_state() {
    let plan = plan(&SUMS, &[last(10)], rule(0, PointInTime::EventTime));
    let shape = shape(&plan, coverage(5, 5));
    let first = pushed(None, &shape, &[at(2, 2).committed(4), at(3, 1)]).unwrap();
    assert_eq!(count(&answers(&plan, Some(&first), 5)), Some(2));
    assert_eq!(State::open(&first).unwrap().through(), None);
    assert!(!State::open(&first).unwrap().is_empty());
}

#[test]
fn publishing_takes_over_what_the_table_has_and_keeps_what_it_has_not() {
    let plan = plan(&SUMS, &[last(10)], rule(0, PointInTime::EventTime));
    let shape = shape(&plan, coverage(5, 5));
    let events: Vec<Sample> = (0..6).map(|n| at(n, n).committed(n)).collect();
    let stored = pushed(None, &shape, &events).unwrap();
    let base = built(&shape, &events[..4], 4);
    let after = state(rebased(&stored, &base, None));
    assert_eq!(count(&answers(&plan, Some(&after), 5)), Some(6));
    assert_exact(&plan, Some(&after), &events, 5);
    let whole = built(&shape, &events, 6);
    assert_eq!(state(rebased(&after, &whole, None)), whole);
}

#[test]
fn a_provisional_event_counts_until_the_source_has_come_to_it() {
    let plan = plan(&SUMS, &[last(10)], rule(0, PointInTime::EventTime));
    let shape = shape(&plan, coverage(5, 5));
    let stored = pushed(None, &shape, &[at(3, 1)]).unwrap();
    let base = built(&shape, &[], 4);
    for (watermark, counted) in [(None, 1), (Some(3), 1), (Some(4), 0)] {
        let after = state(rebased(&stored, &base, watermark));
        assert_eq!(count(&answers(&plan, Some(&after), 5)), Some(counted));
    }
}

#[test]
fn merged_pushes_of_which_the_table_has_some_need_a_later_version() {
    let plan = plan(&SUMS, &[last(10)], rule(0, PointInTime::EventTime));
    let limits = Limits {
        pushed: 4,
        ..Limits::default()
    };
    let cover = Coverage {
        limits,
        ..coverage(1_000, 5)
    };
    let shape = shape(&plan, cover);
    // They lie between the zones.
    let events: Vec<Sample> = (0..6).map(|n| at(997 + n % 3, n).committed(n)).collect();
    let stored = pushed(None, &shape, &events).unwrap();
    assert_exact(&plan, Some(&stored), &events, 1_000);
    let base = |through: usize| {
        let through_sequence = i64::try_from(through).unwrap();
        built(&shape, &events[..through], through_sequence)
    };
    // The older half and one more than fits were merged: 0 to 3.
    assert!(matches!(
        rebased(&stored, &base(0), None),
        Rebased::State(_)
    ));
    let straddles = rebased(&stored, &base(2), None);
    assert_eq!(straddles, Rebased::Straddles { greatest: 3 });
    let after = state(rebased(&stored, &base(4), None));
    assert_eq!(assert_exact(&plan, Some(&after), &events, 1_000), 0);
}

#[test]
fn an_event_that_may_have_been_merged_is_counted_neither_twice_nor_never() {
    let plan = plan(&SUMS, &[last(10)], rule(0, PointInTime::EventTime));
    let limits = Limits {
        pushed: 4,
        ..Limits::default()
    };
    let cover = Coverage {
        limits,
        ..coverage(1_000, 5)
    };
    let shape = shape(&plan, cover);
    let events: Vec<Sample> = (0..6).map(|n| at(998, n).committed(2 * n)).collect();
    let stored = pushed(None, &shape, &events).unwrap();
    let late = [at(998, 9).committed(3)];
    let doubtful = pushed(Some(&stored), &shape, &late).unwrap();
    assert_eq!(answers(&plan, Some(&doubtful), 1_000), [None, None, None]);
    assert_eq!(pushed(Some(&doubtful), &shape, &late).unwrap(), doubtful);
    // It is known again once the table was published with it.
    let all: Vec<Sample> = events.iter().chain(&late).cloned().collect();
    let base = built(&shape, &all, 100);
    let after = state(rebased(&doubtful, &base, None));
    assert_eq!(assert_exact(&plan, Some(&after), &all, 1_000), 0);
}

#[test]
fn pushes_to_a_hot_key_do_not_make_its_state_grow_for_ever() {
    let plan = plan(&SUMS, &[last(10_000)], rule(0, PointInTime::EventTime));
    let limits = Limits {
        pushed: 64,
        ..Limits::default()
    };
    let mut state: Option<Vec<u8>> = None;
    let mut samples = Vec::new();
    let mut sizes = Vec::new();
    for batch in 0..60 {
        let new: Vec<Sample> = (0..50)
            .map(|n| batch * 50 + n)
            .map(|n| at(100_000 + n, n % 5).committed(n))
            .collect();
        let now = 100_000 + batch * 50 + 49;
        let cover = Coverage {
            limits,
            ..coverage(now, 100)
        };
        state = pushed(state.as_deref(), &shape(&plan, cover), &new);
        samples.extend(new);
        let state = state.as_deref().unwrap();
        assert_eq!(assert_exact(&plan, Some(state), &samples, now), 0);
        sizes.push(state.len());
    }
    assert!(sizes[59] < 2 * sizes[10], "{sizes:?}");
}

#[test]
fn a_provisional_event_with_a_number_counts_once_and_until_the_source_has_come_to_it() {
    let plan = plan(&SUMS, &[last(10)], rule(0, PointInTime::EventTime));
    let shape = shape(&plan, coverage(5, 5));
    let base = built(&shape, &[at(1, 1).committed(3)], 4);
    let new = [at(2, 2).committed(-7), at(4, 2).committed(-9)];
    let once = pushed(Some(&base), &shape, &new).unwrap();
    assert_eq!(count(&answers(&plan, Some(&once), 5)), Some(3));
    assert_eq!(pushed(Some(&once), &shape, &new).unwrap(), once);
    let next = built(&shape, &[at(1, 1).committed(3)], 9);
    let kept = state(rebased(&once, &next, Some(4)));
    assert_eq!(count(&answers(&plan, Some(&kept), 5)), Some(2));
    assert_eq!(state(rebased(&kept, &next, Some(5))), next);
}
