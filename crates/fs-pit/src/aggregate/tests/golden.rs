//! States that every later release must read, and must write the same.
//!
//! `golden/states.txt` has one line a state: a name and its bytes. Lines are added, and never changed.

use std::fmt::Write;

use fs_core::{DataType, ScalarType};

use super::fixture::{Fold, Row, functions, text};
use crate::RowRank;
use crate::aggregate::accumulator::Boxed;
use crate::aggregate::{Component, Scalar, Unanswered, hash};

const GOLDEN: &str = include_str!("../golden/states.txt");

/// A state: what it keeps, and of which values.
struct Sample {
    name: &'static str,
    component: Component,
    scalar: ScalarType,
    values: Vec<Scalar<'static>>,
}

fn sample(
    name: &'static str,
    component: Component,
    scalar: ScalarType,
    values: Vec<Scalar<'static>>,
) -> Sample {
    Sample {
        name,
        component,
        scalar,
        values,
    }
}

fn samples() -> Vec<Sample> {
    use Component::{
        Count, Distinct, First, Last, Max, Min, Moments, Registers, Sketch, Sum, Tally,
    };
    use ScalarType::{Bool, Bytes, Float32, Float64, Int32, Int64, String, Timestamp};
    let ints = || {
        [3, -1, 300, i64::MAX, i64::MAX, 3]
            .map(Scalar::Int64)
            .to_vec()
    };
    let small = || [3, -1, 300, 3].map(Scalar::Int32).to_vec();
    let floats = || {
        [0.5, -0.0, 1e300, 3e-320, -2.25, 0.5]
            .map(Scalar::Float64)
            .to_vec()
    };
    let few = || [0.5, -2.25, 0.1].map(Scalar::Float64).to_vec();
    let odd = || [f64::NAN, f64::INFINITY, 1.0].map(Scalar::Float64).to_vec();
    let single = || [0.5, -2.25, f32::NAN].map(Scalar::Float32).to_vec();
    let texts = || ["b", "", "\u{e9}t\u{e9}", "b"].map(Scalar::String).to_vec();
    let bytes = || [&b"\xff\0"[..], b""].map(Scalar::Bytes).to_vec();
    let bools = || [true, false, true].map(Scalar::Bool).to_vec();
    let times = || [1_380_000_000_000_000, -1].map(Scalar::Timestamp).to_vec();
    let many = || (0..1000).map(Scalar::Int64).collect();
    vec![
        sample("count", Count, Int64, ints()),
        sample("count_none", Count, Int64, vec![]),
        sample("sum_int64", Sum, Int64, ints()),
        sample("sum_int32", Sum, Int32, small()),
        sample("sum_bool", Sum, Bool, bools()),
        sample("sum_none", Sum, Int64, vec![]),
        sample("sum_float64", Sum, Float64, few()),
        sample("sum_float64_wide", Sum, Float64, floats()),
        sample("sum_float64_odd", Sum, Float64, odd()),
        sample("sum_float64_none", Sum, Float64, vec![]),
        sample("sum_float32", Sum, Float32, single()),
        sample("moments_int64", Moments, Int64, ints()),
        sample("moments_float64", Moments, Float64, few()),
        sample("moments_float64_wide", Moments, Float64, floats()),
        sample("min_int64", Min, Int64, ints()),
        sample("min_int32", Min, Int32, small()),
        sample("min_float64", Min, Float64, floats()),
        sample("max_float32", Max, Float32, single()),
        sample("max_string", Max, String, texts()),
        sample("min_bytes", Min, Bytes, bytes()),
        sample("max_bool", Max, Bool, bools()),
        sample("max_timestamp", Max, Timestamp, times()),
        sample("max_none", Max, Timestamp, vec![]),
        sample("first_string", First { n: 1 }, String, texts()),
        sample("last_float64", Last { n: 1 }, Float64, few()),
        sample("first_n_int64", First { n: 2 }, Int64, ints()),
        sample("last_n_string", Last { n: 3 }, String, texts()),
        sample("distinct_float64", Distinct, Float64, floats()),
        sample("distinct_string", Distinct, String, texts()),
        sample("tally_int64", Tally, Int64, ints()),
        sample("tally_string", Tally, String, texts()),
        sample("registers_int64", Registers, Int64, ints()),
        sample("registers_string", Registers, String, texts()),
        sample("registers_many", Registers, Int64, many()),
        sample("sketch_float64", Sketch, Float64, floats()),
        sample("sketch_odd", Sketch, Float64, odd()),
        sample("sketch_int32", Sketch, Int32, small()),
        sample("sketch_none", Sketch, Int32, vec![]),
    ]
}

/// Ranks of every kind, none twice.
fn rows(values: &[Scalar<'static>]) -> Vec<Row> {
    let rank = |at: i64| RowRank {
        event: 1_380_000_000_000_000 - at / 3,
        created: (at % 2 == 0).then_some(1_380_000_000_500_000 + at),
        sequence: (at % 3 != 0).then_some(at),
    };
    (0..)
        .zip(values)
        .map(|(at, value)| (*value, rank(at)))
        .collect()
}

/// The bytes of a sample, and its answers to all functions.
fn state(sample: &Sample) -> (Vec<u8>, Vec<Result<String, Unanswered>>) {
    let rows = rows(&sample.values);
    let fold = Fold {
        parts: &[&rows],
        stored: false,
        done: |answer: &dyn Fn(&_) -> _, bytes| (bytes, functions().iter().map(answer).collect()),
    };
    let input = Some(DataType::Scalar(sample.scalar));
    sample.component.visit(input, fold).unwrap()
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
fn states_are_written_as_they_always_were() {
    let lines = samples().into_iter().map(|sample| {
        let (bytes, _) = state(&sample);
        format!("{} {}\n", sample.name, hex(&bytes))
    });
    let written: String = lines.collect();
    if written != GOLDEN {
        let path = std::env::temp_dir().join("states.txt");
        std::fs::write(&path, &written).unwrap();
        panic!("states are written otherwise than golden/states.txt has them: see {path:?}");
    }
}

#[test]
fn states_of_every_release_are_read() {
    for (line, sample) in GOLDEN.lines().zip(samples()) {
        let (name, bytes) = line.split_once(' ').unwrap();
        assert_eq!(name, sample.name);
        let bytes = unhex(bytes);
        let mut rest = &bytes[..];
        let input = Some(DataType::Scalar(sample.scalar));
        let mut read = sample.component.visit(input, Boxed).unwrap();
        read.merge_bytes(&mut rest).unwrap();
        assert!(rest.is_empty(), "{name}");
        let (_, expected) = state(&sample);
        for (function, expected) in functions().iter().zip(expected) {
            let answer = read.answer(function).map(|answer| text(&answer));
            assert_eq!(answer, expected, "{name}: {function:?}");
        }
    }
}

#[test]
fn hashes_never_change() {
    assert_eq!(hash::word(0), 0x4ce6_3426_20f2_3272);
    assert_eq!(hash::word(1), 0x038c_a1a5_bd92_622b);
    assert_eq!(hash::text(b""), 0xb6d8_71f2_60b1_ea76);
    assert_eq!(hash::text(b"abcdefgh"), 0x219b_e57a_7e48_07b0);
    assert_eq!(hash::text(b"abcdefghi"), 0x2c78_3d69_8de1_8966);
}
