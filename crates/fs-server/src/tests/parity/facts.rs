//! The rows of the source, with a feature of every type.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BinaryArray, BooleanArray, Float32Array, Float64Array, Int32Array, Int64Array,
    ListArray, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{Field, Float64Type, Int64Type, Schema};
use fs_core::data_type::UTC;

/// The features of every view and their types; their values follow from [`Fact::value`].
pub(in crate::tests) const FEATURES: [(&str, &str); 10] = [
    ("flag", "bool"),
    ("small", "int32"),
    ("large", "int64"),
    ("single", "float32"),
    ("double", "float64"),
    ("text", "string"),
    ("raw", "bytes"),
    ("moment", "timestamp"),
    ("doubles", "array<float64>"),
    ("longs", "array<int64>"),
];

/// Where the times of the tests count from: just before a second, a day and a month are over, so
/// that the digits that one format or another leaves out are the ones that matter.
pub(in crate::tests) const ORIGIN: i64 = 1_359_676_799_999_970;

const DOUBLES: [f64; 8] = [
    0.0,
    -0.0,
    f64::NAN,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::MIN_POSITIVE / 4.0,
    0.1,
    -1e300,
];
const TEXTS: [&str; 5] = [
    "",
    "a",
    "ä",
    "日本\0",
    "a longer text that no view keeps inline",
];

/// A row of the source; times are microseconds after [`ORIGIN`].
#[derive(Debug, Clone, Copy)]
pub(in crate::tests) struct Fact {
    pub(in crate::tests) user: i64,
    pub(in crate::tests) place: u8,
    pub(in crate::tests) event: i64,
    pub(in crate::tests) created: Option<i64>,
    /// What the features are made from.
    pub(in crate::tests) value: u8,
    /// Bit `n` is set where feature `n` is null.
    pub(in crate::tests) nulls: u16,
}

/// The name of a place; a name that is the end of another, and one that is not ASCII.
pub(in crate::tests) fn place(number: u8) -> &'static str {
    ["1", "11", "é"][usize::from(number) % 3]
}

fn optional_list<T: Clone>(value: u8, items: &[T]) -> Vec<Option<T>> {
    let items = items.iter().cycle().skip(usize::from(value)).cloned();
    let items = items.enumerate().take(usize::from(value % 4));
    items.map(|(at, item)| (at != 1).then_some(item)).collect()
}

fn feature(number: usize, facts: &[Fact]) -> ArrayRef {
    let values = facts
        .iter()
        .map(|fact| (fact.nulls & (1 << number) == 0).then_some(fact.value));
    let float = |value: u8| DOUBLES[usize::from(value) % DOUBLES.len()];
    let text = |value: u8| TEXTS[usize::from(value) % TEXTS.len()];
    let large = |value: u8| i64::MAX - i64::from(value);
    match number {
        0 => Arc::new(
            values
                .map(|value| value.map(|value| value % 2 == 1))
                .collect::<BooleanArray>(),
        ),
        1 => Arc::new(
            values
                .map(|value| value.map(|value| i32::MIN + i32::from(value)))
                .collect::<Int32Array>(),
        ),
        2 => Arc::new(values.map(|value| value.map(large)).collect::<Int64Array>()),
        #[expect(clippy::cast_possible_truncation, reason = "any bits will do")]
        3 => Arc::new(
            values
                .map(|value| value.map(|value| float(value) as f32))
                .collect::<Float32Array>(),
        ),
        4 => Arc::new(
            values
                .map(|value| value.map(float))
                .collect::<Float64Array>(),
        ),
        5 => Arc::new(values.map(|value| value.map(text)).collect::<StringArray>()),
        6 => Arc::new(values.map(|value| value.map(text)).collect::<BinaryArray>()),
        7 => Arc::new(
            values
                .map(|value| value.map(|value| -i64::from(value)))
                .collect::<TimestampMicrosecondArray>()
                .with_timezone(UTC),
        ),
        8 => Arc::new(ListArray::from_iter_primitive::<Float64Type, _, _>(
            values.map(|value| value.map(|value| optional_list(value, &DOUBLES))),
        )),
        _ => Arc::new(ListArray::from_iter_primitive::<Int64Type, _, _>(
            values.map(|value| value.map(|value| optional_list(value, &[large(value), 0, -1]))),
        )),
    }
}

/// The rows as the source has them.
pub(in crate::tests) fn batch(facts: &[Fact]) -> RecordBatch {
    let times = |times: &mut dyn Iterator<Item = Option<i64>>| -> ArrayRef {
        let times = times.map(|time| time.map(|time| ORIGIN + time));
        Arc::new(
            times
                .collect::<TimestampMicrosecondArray>()
                .with_timezone(UTC),
        )
    };
    let mut columns: Vec<(&str, ArrayRef)> = vec![
        (
            "user",
            Arc::new(Int64Array::from_iter_values(
                facts.iter().map(|fact| fact.user),
            )),
        ),
        (
            "place",
            Arc::new(StringArray::from_iter_values(
                facts.iter().map(|fact| place(fact.place)),
            )),
        ),
        (
            "event",
            times(&mut facts.iter().map(|fact| Some(fact.event))),
        ),
        ("created", times(&mut facts.iter().map(|fact| fact.created))),
    ];
    for (number, (name, _)) in FEATURES.iter().enumerate() {
        columns.push((name, feature(number, facts)));
    }
    let fields = columns
        .iter()
        .map(|(name, values)| Field::new(*name, values.data_type().clone(), true));
    let schema = Schema::new(fields.collect::<Vec<_>>());
    let columns = columns.into_iter().map(|(_, values)| values).collect();
    RecordBatch::try_new(Arc::new(schema), columns).unwrap()
}
