//! Bytes that are no state, or no longer one.

use fs_core::{EventTime, PointInTime, Window};
use proptest::prelude::*;

use super::fixture::{
    SUMS, Sample, at, built, coverage, last, plan, pushed, rule, shape, with_batch,
};
use crate::aggregate::Answer;
use crate::state::{Coverage, Limits, State, StateReader};

/// A state with segments of all kinds.
fn whole() -> Vec<u8> {
    let plan = plan(
        &SUMS,
        &[last(10), Window::Lifetime],
        rule(1, PointInTime::KnownAt),
    );
    let limits = Limits {
        few: 2,
        instants: 3,
        pushed: 4,
    };
    let cover = Coverage {
        limits,
        ..coverage(40, 9)
    };
    let shape = shape(&plan, cover);
    let sample = |n: i64| Sample {
        created: Some(n * 7 % 60),
        ..at(n % 50, n).committed(n)
    };
    let base = built(&shape, &(0..90).map(sample).collect::<Vec<_>>(), 90);
    let new: Vec<Sample> = (90..110).map(sample).chain([at(7, 7), at(45, 8)]).collect();
    pushed(Some(&base), &shape, &new).unwrap()
}

/// Everything that can be done with bytes.
fn use_all(bytes: &[u8]) {
    let Ok(state) = State::open(bytes) else {
        return;
    };
    let plan = plan(
        &SUMS,
        &[last(10), Window::Lifetime],
        rule(1, PointInTime::KnownAt),
    );
    let reader = StateReader::new(plan.clone(), &(0..plan.outputs().len()).collect::<Vec<_>>());
    let mut tell = |_: usize, _: Option<&Answer<'_>>| Ok(());
    for now in [i64::MIN, 0, 42, i64::MAX] {
        drop(reader.answer(Some(&state), now, &mut tell));
    }
    let shape = shape(&plan, coverage(40, 9));
    let base = built(&shape, &[at(1, 1).committed(1)], 95);
    let base = State::open(&base).unwrap();
    for watermark in [None, Some(EventTime::from_micros(20))] {
        drop(State::rebase(Some(&state), &base, watermark));
    }
    let (from, to) = (EventTime::from_micros(40), EventTime::from_micros(45));
    drop(state.still_serves(&base, &shape, from, to));
    with_batch(&plan, &[at(41, 1).committed(97), at(42, 1)], |batch| {
        drop(State::push(Some(&state), &shape, batch, &[0, 1]));
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn no_bytes_make_a_state_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        use_all(&bytes);
        let mut bytes = bytes;
        bytes.splice(0..0, [1, 1]);
        use_all(&bytes);
    }

    #[test]
    fn no_damage_makes_a_state_panic(
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut bytes = whole();
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        use_all(&bytes);
    }
}

#[test]
fn a_state_that_is_cut_short_is_refused() {
    let bytes = whole();
    for length in 0..bytes.len() {
        assert!(State::open(&bytes[..length]).is_err(), "{length}");
    }
    assert!(State::open(&bytes).is_ok());
}

#[test]
fn a_state_of_a_later_format_is_refused() {
    let mut bytes = whole();
    bytes[0] = 2;
    let error = State::open(&bytes).unwrap_err().to_string();
    assert!(error.contains("format"), "{error}");
}
