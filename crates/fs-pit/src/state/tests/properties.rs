//! Random events, publications, pushes and reads.

use fs_core::{EventTime, Function, PointInTime, Window};
use proptest::prelude::*;

use super::fixture::{
    Sample, answers, assert_exact, built, coverage, last, naive, plan, pushed, rule, shape,
};
use super::random::{Online, Step, all_functions, sample, setting, step, time};
use super::world::World;
use crate::state::{Coverage, Limits, State};

fn windows() -> [Window; 3] {
    [last(5), last(20), Window::Lifetime]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_state_answers_what_all_events_answer_or_nothing(
        setting in setting(),
        steps in proptest::collection::vec(step(), 1..14),
        lifetime in any::<bool>(),
    ) {
        let windows = windows();
        let windows = if lifetime { &windows[..] } else { &windows[..2] };
        let plan = plan(&all_functions(), windows, rule(setting.delay, setting.point_in_time));
        let cover = |as_of: i64| Coverage {
            limits: setting.limits,
            ..coverage(as_of, setting.horizon)
        };
        let mut shape_now = shape(&plan, cover(0));
        let mut world = World::default();
        for step in steps {
            match step {
                Step::Commit(samples) => {
                    let mut now = std::mem::take(&mut world.late);
                    for (sample, online) in samples {
                        let sequence = i64::try_from(world.table.len()).unwrap();
                        let sample = sample.committed(sequence);
                        world.table.push(sample.clone());
                        match online {
                            Online::Never => {}
                            Online::Now => now.push(sample),
                            Online::Twice => now.extend([sample.clone(), sample]),
                            Online::Later => world.late.push(sample),
                        }
                    }
                    world.push(&shape_now, &now);
                }
                Step::Provisional(samples) => world.push(&shape_now, &samples),
                Step::Publish { as_of, also_from, behind, watermark } => {
                    shape_now = shape(&plan, Coverage {
                        also_from: also_from.map(EventTime::from_micros),
                        ..cover(as_of)
                    });
                    let through = i64::try_from(world.table.len().saturating_sub(behind)).unwrap();
                    world.publish(&shape_now, through.max(world.through), watermark);
                }
                Step::Read(now) => {
                    assert_exact(&plan, world.state.as_deref(), &world.known(), now);
                }
            }
        }
        for now in [0, 30, 60, 90] {
            assert_exact(&plan, world.state.as_deref(), &world.known(), now);
        }
    }

    #[test]
    fn what_is_covered_is_answered_unless_there_are_too_many_instants(
        samples in proptest::collection::vec(sample(), 0..40),
        (delay, known_at, horizon) in (0..4_i64, any::<bool>(), 0..12_i64),
        (as_of, also_from) in (0..80_i64, proptest::option::of(0..120_i64)),
        after in 0..12_i64,
    ) {
        let point_in_time = if known_at { PointInTime::KnownAt } else { PointInTime::EventTime };
        let plan = plan(&all_functions(), &windows(), rule(delay, point_in_time));
        let limits = Limits { few: 0, ..Limits::default() };
        let also_from_time = also_from.map(EventTime::from_micros);
        let cover = Coverage { limits, also_from: also_from_time, ..coverage(as_of, horizon) };
        let state = built(&shape(&plan, cover), &samples, 0);
        for base in [Some(as_of), also_from].into_iter().flatten() {
            for now in [base, base + after.min(horizon), base + horizon] {
                prop_assert_eq!(assert_exact(&plan, Some(&state), &samples, now), 0, "at {}", now);
            }
        }
    }

    #[test]
    fn a_key_with_few_events_always_answers(
        samples in proptest::collection::vec(sample(), 0..20),
        as_of in 0..80_i64,
        now in time(),
    ) {
        let plan = plan(&all_functions(), &windows(), rule(1, PointInTime::KnownAt));
        let state = built(&shape(&plan, coverage(as_of, 3)), &samples, 0);
        prop_assert_eq!(assert_exact(&plan, Some(&state), &samples, now), 0);
    }

    #[test]
    fn what_was_kept_for_another_definition_still_answers_or_nothing(
        samples in proptest::collection::vec(sample(), 0..30),
        new in proptest::collection::vec(sample(), 0..5),
        few in prop_oneof![Just(0_usize), Just(64)],
        (as_of, now) in (0..80_i64, 0..120_i64),
    ) {
        let of_before = plan(
            &[
                (None, Function::Count, false),
                (Some("number"), Function::Sum, true),
                (Some("text"), Function::Last, false),
            ],
            &windows()[..2],
            rule(1, PointInTime::EventTime),
        );
        let of_now = plan(
            &[
                (Some("number"), Function::Sum, true),
                (Some("number"), Function::Max, false),
                (Some("share"), Function::Sum, false),
                (None, Function::Count, false),
            ],
            &[last(5), last(9), last(30)],
            rule(1, PointInTime::EventTime),
        );
        let limits = Limits { few, ..Limits::default() };
        let cover = Coverage { limits, ..coverage(as_of, 4) };
        let before = built(&shape(&of_before, cover), &samples, 0);
        let after = pushed(Some(&before), &shape(&of_now, cover), &new).unwrap();
        let all: Vec<Sample> = samples.iter().chain(&new).cloned().collect();
        assert_exact(&of_now, Some(&after), &all, now);
        assert_exact(&of_before, Some(&after), &all, now);
        if few > samples.len() {
            // All are there, so only what was never kept is withheld.
            let found = answers(&of_now, Some(&before), now);
            let expected = naive(&of_now, &samples, now);
            for (at, output) in of_now.outputs().iter().enumerate() {
                let name = output.feature.as_str();
                if name.starts_with("count") || name.starts_with("number") {
                    prop_assert_eq!(found[at].as_ref(), Some(&expected[at]), "{}", name);
                }
            }
        }
    }

    #[test]
    fn a_state_that_still_serves_answers_as_a_new_one_would(
        samples in proptest::collection::vec(sample(), 0..30),
        new in proptest::collection::vec(sample(), 0..3),
        (as_of, later, until) in (0..60_i64, 0..10_i64, 0..20_i64),
    ) {
        let plan = plan(&all_functions(), &windows(), rule(0, PointInTime::KnownAt));
        let limits = Limits { few: 3, ..Limits::default() };
        let cover = |as_of| Coverage { limits, ..coverage(as_of, 12) };
        let old = built(&shape(&plan, cover(as_of)), &samples, 7);
        let shape_now = shape(&plan, cover(as_of + later));
        let all: Vec<Sample> = samples.iter().chain(&new).cloned().collect();
        let base = built(&shape_now, &all, 7);
        let (from, to) = (as_of + later, as_of + later + until);
        let serves = State::open(&old).unwrap().still_serves(
            &State::open(&base).unwrap(),
            &shape_now,
            EventTime::from_micros(from),
            EventTime::from_micros(to),
        );
        if serves.unwrap() {
            prop_assert!(new.is_empty());
            for now in from..=to {
                prop_assert_eq!(assert_exact(&plan, Some(&old), &samples, now), 0, "{}", now);
            }
        } else {
            prop_assert!(!new.is_empty() || to > as_of + 12 || samples.len() > 3);
        }
    }
}
