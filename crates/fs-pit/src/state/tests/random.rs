//! Random events, and what happens to a view.

use fs_core::{Function, ListSize, PointInTime, Quantile};
use proptest::prelude::*;

use super::fixture::{Ask, Sample};
use crate::state::Limits;

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
pub(super) fn time() -> impl Strategy<Value = i64> {
    prop_oneof![
        40 => 0..80_i64,
        1 => prop_oneof![Just(i64::MIN), Just(i64::MAX), Just(i64::MIN + 3)],
    ]
}

pub(super) fn sample() -> impl Strategy<Value = Sample> {
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
pub(super) enum Step {
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
pub(super) enum Online {
    Never,
    Now,
    Twice,
    Later,
}

pub(super) fn step() -> impl Strategy<Value = Step> {
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
pub(super) struct Setting {
    pub(super) delay: i64,
    pub(super) point_in_time: PointInTime,
    pub(super) horizon: i64,
    pub(super) limits: Limits,
}

pub(super) fn setting() -> impl Strategy<Value = Setting> {
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
