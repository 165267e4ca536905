//! Values of every type, and states made of them in one way and another.

use fs_core::{DataType, Function, ListSize, Quantile, ScalarType};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::RowRank;
use crate::aggregate::{Aggregate, Answer, Component, Input, Scalar, Unanswered, Visitor};

pub(super) type Row = (Scalar<'static>, RowRank);

pub(super) fn functions() -> Vec<Function> {
    let size = |n| ListSize::new(n).unwrap();
    let mut functions = vec![
        Function::Count,
        Function::Sum,
        Function::Avg,
        Function::Min,
        Function::Max,
        Function::StddevSamp,
        Function::StddevPop,
        Function::VarSamp,
        Function::VarPop,
        Function::First,
        Function::Last,
        Function::LastN { n: size(1) },
        Function::LastN { n: size(4) },
        Function::FirstN { n: size(3) },
        Function::CountDistinct,
        Function::ApproxCountDistinct,
        Function::TopK { k: size(3) },
    ];
    let percentiles = [0.001, 0.5, 0.9].map(|p| Quantile::new(p).unwrap());
    functions.extend(percentiles.map(|p| Function::ApproxPercentile { p }));
    functions
}

/// Every function with every type that it takes.
pub(super) fn cases() -> Vec<(Function, ScalarType)> {
    let types = |function: Function| {
        let fits =
            move |scalar: &ScalarType| function.output(Some(DataType::Scalar(*scalar))).is_ok();
        let types = ScalarType::ALL.into_iter().filter(fits);
        types.map(move |scalar| (function, scalar))
    };
    functions().into_iter().flat_map(types).collect()
}

/// Few different values, so that there are ties, and the ends of the type.
fn value(scalar: ScalarType) -> BoxedStrategy<Scalar<'static>> {
    let floats = || {
        prop_oneof![
            6 => (-40_i32..40).prop_map(|n| f64::from(n) * 0.37),
            2 => any::<f32>().prop_map(f64::from),
            1 => select(vec![0.0, -0.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY]),
        ]
    };
    match scalar {
        ScalarType::Bool => any::<bool>().prop_map(Scalar::Bool).boxed(),
        ScalarType::Int32 => prop_oneof![-9..9_i32, any::<i32>()]
            .prop_map(Scalar::Int32)
            .boxed(),
        ScalarType::Int64 => prop_oneof![4 => -9..9_i64, 1 => any::<i64>()]
            .prop_map(Scalar::Int64)
            .boxed(),
        ScalarType::Float32 => floats().prop_map(narrowed).boxed(),
        ScalarType::Float64 => prop_oneof![3 => floats(), 1 => any::<f64>()]
            .prop_map(Scalar::Float64)
            .boxed(),
        ScalarType::String => select(vec!["", "a", "ab", "b", "\u{e9}t\u{e9}", "abcdefghijk"])
            .prop_map(Scalar::String)
            .boxed(),
        ScalarType::Bytes => select(vec![&b""[..], b"\0", b"\0\0", b"a", b"\xff"])
            .prop_map(Scalar::Bytes)
            .boxed(),
        ScalarType::Timestamp => prop_oneof![0..9_i64, any::<i64>()]
            .prop_map(Scalar::Timestamp)
            .boxed(),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the nearest will do")]
fn narrowed(number: f64) -> Scalar<'static> {
    Scalar::Float32(number as f32)
}

fn rank() -> impl Strategy<Value = RowRank> {
    let created = proptest::option::of(-3..3_i64);
    let sequence = proptest::option::of(0..3_i64);
    let event = prop_oneof![8 => 0..6_i64, 1 => any::<i64>()];
    (event, created, sequence).prop_map(|(event, created, sequence)| RowRank {
        event,
        created,
        sequence,
    })
}

pub(super) fn rows(scalar: ScalarType) -> BoxedStrategy<Vec<Row>> {
    vec((value(scalar), rank()), 0..60).boxed()
}

/// Rows of a type, where to cut them, and a function that takes them.
pub(super) fn case() -> impl Strategy<Value = (Function, ScalarType, Vec<Row>, usize)> {
    select(cases()).prop_flat_map(|(function, scalar)| {
        (Just(function), Just(scalar), rows(scalar), 0..60_usize)
    })
}

/// Folds rows in parts, merges the parts, and gives what becomes of it.
pub(super) struct Fold<'r, F> {
    pub(super) parts: &'r [&'r [Row]],
    /// Whether every part is written and read before it is merged.
    pub(super) stored: bool,
    /// Called with the answer and with the bytes of the state.
    pub(super) done: F,
}

impl<F, T> Visitor for Fold<'_, F>
where
    F: FnOnce(&dyn Fn(&Function) -> Result<String, Unanswered>, Vec<u8>) -> T,
{
    type Output = T;

    fn visit<A: Aggregate>(self, aggregate: A) -> T {
        let mut merged = aggregate.init();
        assert!(aggregate.is_empty(&merged));
        for part in self.parts {
            let mut state = aggregate.init();
            for (value, rank) in *part {
                let value = A::Input::of(*value).unwrap();
                aggregate.update(&mut state, value, *rank);
            }
            if self.stored {
                let mut bytes = Vec::new();
                aggregate.write(&state, &mut bytes);
                let mut rest = &bytes[..];
                state = aggregate.read(&mut rest).unwrap();
                assert!(rest.is_empty());
            }
            assert_eq!(aggregate.is_empty(&state), part.is_empty());
            aggregate.merge(&mut merged, &state);
        }
        let mut bytes = Vec::new();
        aggregate.write(&merged, &mut bytes);
        let answer = |function: &Function| {
            let answer = aggregate.answer(&merged, function)?;
            Ok(text(&answer))
        };
        (self.done)(&answer, bytes)
    }
}

/// The answer of `function` and the bytes of the state that it needs.
pub(super) fn fold(
    function: Function,
    scalar: ScalarType,
    parts: &[&[Row]],
    stored: bool,
) -> (Result<String, Unanswered>, Vec<u8>) {
    let done = |answer: &dyn Fn(&Function) -> Result<String, Unanswered>, bytes: Vec<u8>| {
        (answer(&function), bytes)
    };
    let input = Some(DataType::Scalar(scalar));
    let fold = Fold {
        parts,
        stored,
        done,
    };
    Component::of(&function).visit(input, fold).unwrap()
}

/// An answer to the last bit.
pub(super) fn text(answer: &Answer<'_>) -> String {
    let scalar = |scalar: &Scalar<'_>| match scalar {
        Scalar::Float64(number) if !number.is_nan() => {
            format!("{number:?} {:016x}", number.to_bits())
        }
        other => format!("{other:?}"),
    };
    match answer {
        Answer::Null => "null".to_owned(),
        Answer::One(value) => scalar(value),
        Answer::Many(values) => format!("{:?}", values.iter().map(scalar).collect::<Vec<_>>()),
    }
}
