//! States that every later release must read, and must write the same.
//!
//! `golden/states.txt` has one line a state: a name and its bytes. Lines are added, and never changed.

use std::fmt::Write;
use std::sync::Arc;

use fs_core::{EventTime, PointInTime, Span, Window};

use super::fixture::{
    SUMS, Sample, assert_exact, at, built, coverage, last, plan, pushed, rule, shape,
};
use super::random::all_functions;
use crate::state::{Coverage, Limits, Rebased, State};
use crate::windows::WindowPlan;

const GOLDEN: &str = include_str!("../golden/states.txt");

/// A state, and what it is made of.
struct Golden {
    name: &'static str,
    plan: Arc<WindowPlan>,
    samples: Vec<Sample>,
    state: Vec<u8>,
}

fn sample(n: i64) -> Sample {
    let share = [0.5, 12.0, -0.0, 1e300, 0.1, f64::NAN];
    let texts = ["a", "", "\u{e9}t\u{e9}"];
    let pick = |count: usize| usize::try_from(n).unwrap() % count;
    Sample {
        event: 1_380_000_000_000_000 + n * 60_000_000,
        created: (n % 3 != 0).then_some(1_380_000_000_000_000 + n * 60_000_000 + n % 5),
        sequence: None,
        number: (n % 4 != 0).then_some(n * n - 50),
        share: (n % 7 != 0).then(|| share[pick(6)]),
        text: (n % 5 != 0).then(|| texts[pick(3)].to_owned()),
        passes: n % 2 == 0,
    }
}

fn cover(minutes: i64, limits: Limits) -> Coverage {
    let minute = 60_000_000;
    Coverage {
        limits,
        ..coverage(1_380_000_000_000_000 + minutes * minute, 10 * minute)
    }
}

fn all() -> Vec<Golden> {
    let minutes = |minutes: i64| last(minutes * 60_000_000);
    let windows = [minutes(5), minutes(60), Window::Lifetime];
    let small = Limits {
        few: 4,
        instants: 8,
        pushed: 16,
    };
    let committed: Vec<Sample> = (0..150).map(|n| sample(n).committed(n)).collect();
    let mut all = Vec::new();
    for (name, point_in_time) in [
        ("event_time", PointInTime::EventTime),
        ("known_at", PointInTime::KnownAt),
    ] {
        let plan = plan(&all_functions(), &windows, rule(1_000_000, point_in_time));
        let mut add = |name, samples: Vec<Sample>, state| {
            all.push(Golden {
                name,
                plan: Arc::clone(&plan),
                samples,
                state,
            });
        };
        let by_name = |event_time, known_at| match name {
            "event_time" => event_time,
            _ => known_at,
        };
        let shape_of = |minutes, limits| shape(&plan, cover(minutes, limits));
        let few = shape_of(9, Limits::default());
        let of_few = committed[..9].to_vec();
        add(
            by_name("few", "few_known_at"),
            of_few.clone(),
            built(&few, &of_few, 9),
        );
        let many = shape_of(100, small);
        let base = built(&many, &committed[..100], 100);
        add(
            by_name("many", "many_known_at"),
            committed[..100].to_vec(),
            base.clone(),
        );
        let more: Vec<Sample> = committed[100..]
            .iter()
            .cloned()
            .chain([sample(99), sample(121)])
            .collect();
        let all_of: Vec<Sample> = committed[..100].iter().chain(&more).cloned().collect();
        let state = pushed(Some(&base), &shape_of(125, small), &more).unwrap();
        add(by_name("pushed", "pushed_known_at"), all_of, state);
    }
    let few_functions = plan(
        &all_functions()[..2],
        &windows,
        rule(0, PointInTime::EventTime),
    );
    let none = shape(&few_functions, cover(0, Limits::default()));
    all.push(Golden {
        name: "empty",
        samples: Vec::new(),
        state: built(&none, &[], 7),
        plan: few_functions,
    });
    // Blocks that are summed up, of a plan that asks for no order and of one that does.
    for (name, asked) in [("unranked", &SUMS[..]), ("ranked", &all_functions())] {
        let plan = plan(asked, &windows, rule(0, PointInTime::EventTime));
        let hour = Coverage {
            horizon: Span::from_micros(60 * 60_000_000).unwrap(),
            ..cover(100, Limits::default())
        };
        all.push(Golden {
            name,
            samples: committed.clone(),
            state: built(&shape(&plan, hour), &committed, 200),
            plan,
        });
    }
    all
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

fn unhex(text: &str) -> Vec<u8> {
    let byte = |at| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(byte).collect()
}

#[test]
fn states_of_keys_are_written_as_they_always_were() {
    let lines = all()
        .into_iter()
        .map(|golden| format!("{} {}\n", golden.name, hex(&golden.state)));
    let written: String = lines.collect();
    if written != GOLDEN {
        let path = std::env::temp_dir().join("states_of_keys.txt");
        std::fs::write(&path, &written).unwrap();
        panic!("states are written otherwise than golden/states.txt has them: see {path:?}");
    }
}

#[test]
fn states_of_keys_of_every_release_are_read() {
    for (line, golden) in GOLDEN.lines().zip(all()) {
        let (name, bytes) = line.split_once(' ').unwrap();
        assert_eq!(name, golden.name);
        let bytes = unhex(bytes);
        let mut withheld = 0;
        for minutes in [5, 9, 101, 105, 126, 160] {
            let now = 1_380_000_000_000_000 + minutes * 60_000_000;
            withheld += assert_exact(&golden.plan, Some(&bytes), &golden.samples, now);
        }
        assert!(
            withheld < 6 * golden.plan.outputs().len() || golden.samples.is_empty(),
            "{name}"
        );
        let empty = built(&shape(&golden.plan, cover(0, Limits::default())), &[], 0);
        let (stored, base) = (State::open(&bytes).unwrap(), State::open(&empty).unwrap());
        let watermark = Some(EventTime::from_micros(0));
        let rebased = State::rebase(Some(&stored), &base, watermark).unwrap();
        assert!(matches!(rebased, Rebased::State(_)), "{name}");
    }
}

#[test]
fn events_of_all_types_come_back_from_a_state() {
    let plan = plan(
        &all_functions(),
        &[Window::Lifetime],
        rule(0, PointInTime::EventTime),
    );
    let samples: Vec<Sample> = (0..64).map(sample).chain([at(3, 4)]).collect();
    let state = pushed(None, &shape(&plan, cover(0, Limits::default())), &samples).unwrap();
    assert_eq!(assert_exact(&plan, Some(&state), &samples, i64::MAX), 0);
}
