//! Random events, publications, pushes and reads.

use fs_core::{EventTime, Function, ListSize, PointInTime, Quantile, Window};
use proptest::prelude::*;

use super::fixture::{
    Ask, Sample, answers, assert_exact, built, coverage, last, naive, plan, pushed, rule, shape,
};
use crate::state::{Coverage, Limits, Rebased, State};

pub(super) fn all_functions() -> Vec<Ask> {
    let n = ListSize::new(2).unwrap();
    let p = Quantile::new(0.9).unwrap();
    let mut asked = Vec::new();
    for filtered in [false, true] {
        asked.push((None, Function::Count, filtered));
        for function in [
            Function::Sum,
            Function::Avg,
            Function::VarPop,
            Function::Min,
            Function::Max,
        ] {
            asked.push((Some("share"), function, filtered));
        }
        for function in [
            Function::Sum,
            Function::Last,
            Function::ApproxPercentile { p },
        ] {
            asked.push((Some("number"), function, filtered));
        }
        for function in [
            Function::Count,
            Function::LastN { n },
            Function::FirstN { n },
            Function::CountDistinct,
            Function::TopK { k: n },
            Function::ApproxCountDistinct,
        ] {
            asked.push((Some("text"), function, filtered));
        }
        asked.extend([
            (Some("small"), Function::Sum, filtered),
            (Some("half"), Function::Sum, filtered),
            (Some("yes"), Function::Avg, filtered),
            (Some("blob"), Function::Last, filtered),
            (Some("seen"), Function::Max, filtered),
        ]);
    }
    asked
}

/// Times that are close together, so that they meet the ends of windows, and the ends of time.
fn time() -> impl Strategy<Value = i64> {
    prop_oneof![
        40 => 0..80_i64,
        1 => prop_oneof![Just(i64::MIN), Just(i64::MAX), Just(i64::MIN + 3)],
    ]
}

fn sample() -> impl Strategy<Value = Sample> {
    let text = prop_oneof![Just("a"), Just("b"), Just("longer")];
    let number = prop_oneof![-5..5_i64, Just(1 << 40)];
    let share = prop_oneof![
        Just(0.1),
        Just(1e100),
        Just(-1e100),
        Just(-0.0),
        Just(f64::NAN),
        -3.0..3.0_f64,
        (-4..4_i32).prop_map(f64::from),
    ];
    (
        time(),
        proptest::option::weighted(0.7, 0..30_i64),
        proptest::option::weighted(0.8, number),
        proptest::option::weighted(0.8, share),
        proptest::option::weighted(0.8, text),
        any::<bool>(),
    )
        .prop_map(|(event, lag, number, share, text, passes)| Sample {
            event,
            created: lag.map(|lag| event.saturating_add(lag - 5)),
            sequence: None,
            number,
            share,
            text: text.map(str::to_owned),
            passes,
        })
}

/// What happens to a view.
#[derive(Debug, Clone)]
enum Step {
    /// Events get into the table, and perhaps online, now, late or twice.
    Commit(Vec<(Sample, Online)>),
    /// Events get online only.
    Provisional(Vec<Sample>),
    /// The table is published: at an instant, of a version, with what was seen of the source until then.
    Publish {
        as_of: i64,
        also_from: Option<i64>,
        behind: usize,
        watermark: Option<i64>,
    },
    /// Somebody asks.
    Read(i64),
}

#[derive(Debug, Clone, Copy)]
enum Online {
    Never,
    Now,
    Twice,
    Later,
}

fn step() -> impl Strategy<Value = Step> {
    let online = prop_oneof![
        Just(Online::Never),
        Just(Online::Now),
        Just(Online::Twice),
        Just(Online::Later)
    ];
    prop_oneof![
        4 => proptest::collection::vec((sample(), online), 1..9).prop_map(Step::Commit),
        1 => proptest::collection::vec(sample(), 1..6).prop_map(Step::Provisional),
        2 => (
            0..80_i64,
            proptest::option::of(0..120_i64),
            0..4_usize,
            proptest::option::of(0..80_i64),
        )
            .prop_map(|(as_of, also_from, behind, watermark)| Step::Publish {
                as_of,
                also_from,
                behind,
                watermark,
            }),
        4 => prop_oneof![9 => 0..130_i64, 1 => time()].prop_map(Step::Read),
    ]
}

#[derive(Debug, Clone, Copy)]
struct Setting {
    delay: i64,
    point_in_time: PointInTime,
    horizon: i64,
    limits: Limits,
}

fn setting() -> impl Strategy<Value = Setting> {
    let point_in_time = prop_oneof![Just(PointInTime::EventTime), Just(PointInTime::KnownAt)];
    let limits = (0..6_usize, 1..5_usize, 2..12_usize).prop_map(|(few, instants, pushed)| Limits {
        few,
        instants,
        pushed,
    });
    (0..4_i64, point_in_time, 0..12_i64, limits).prop_map(
        |(delay, point_in_time, horizon, limits)| Setting {
            delay,
            point_in_time,
            horizon,
            limits,
        },
    )
}

/// The table, the online side, and what it should know.
#[derive(Default)]
struct World {
    table: Vec<Sample>,
    /// Sent, and not there yet.
    late: Vec<Sample>,
    state: Option<Vec<u8>>,
    /// What was published, of how many sequences.
    published: Vec<Sample>,
    through: i64,
    committed: Vec<Sample>,
    provisional: Vec<Sample>,
}

impl World {
    fn known(&self) -> Vec<Sample> {
        [&self.published, &self.committed, &self.provisional]
            .into_iter()
            .flatten()
            .cloned()
            .collect()
    }

    fn push(&mut self, shape: &crate::state::StateShape, samples: &[Sample]) {
        self.state = pushed(self.state.as_deref(), shape, samples);
        for sample in samples {
            let is_new = sample.sequence.is_none_or(|sequence| {
                let known = self
                    .committed
                    .iter()
                    .any(|it| it.sequence == Some(sequence));
                sequence >= self.through && !known
            });
            if !is_new {
                continue;
            }
            match sample.sequence {
                Some(_) => self.committed.push(sample.clone()),
                None => self.provisional.push(sample.clone()),
            }
        }
    }

    fn publish(
        &mut self,
        shape: &std::sync::Arc<crate::state::StateShape>,
        through: i64,
        watermark: Option<i64>,
    ) {
        let is_in = |sample: &&Sample| sample.sequence.unwrap() < through;
        let rows: Vec<Sample> = self.table.iter().filter(is_in).cloned().collect();
        let base = built(shape, &rows, through);
        let mut turned = rows.clone();
        turned.reverse();
        assert_eq!(
            base,
            built(shape, &turned, through),
            "order does not matter"
        );
        let base_state = State::open(&base).unwrap();
        let stored = self.state.clone();
        let stored = stored.as_deref().map(|bytes| State::open(bytes).unwrap());
        let watermark_time = watermark.map(EventTime::from_micros);
        match State::rebase(stored.as_ref(), &base_state, watermark_time).unwrap() {
            Rebased::State(state) => {
                self.state = Some(state);
                self.published = rows;
                self.through = through;
                self.committed.retain(|it| it.sequence.unwrap() >= through);
                let from = watermark.unwrap_or(i64::MIN);
                self.provisional.retain(|it| it.event >= from);
            }
            Rebased::Straddles { greatest } => {
                assert!(greatest >= through);
                self.publish(shape, greatest + 1, watermark);
            }
        }
    }
}

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
