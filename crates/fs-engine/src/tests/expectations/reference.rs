//! The validator against a reference that looks at one row after the other.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use arrow::datatypes::{Float64Type, Int64Type, TimestampMicrosecondType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use fs_core::{Check, Expectation, Literal, OnFailure};
use futures::stream;
use proptest::prelude::*;

use super::*;
use crate::ViewRows;
use crate::view_schema::loose_schema;

const KEYS: [&str; 3] = ["A", "B", "C"];

/// A row of the view; `id` tells it from all others.
#[derive(Debug, Clone)]
struct Row {
    id: i64,
    key: Option<&'static str>,
    time: Option<i64>,
    number: Option<i64>,
    part: Option<f64>,
    word: Option<&'static str>,
    flag: Option<bool>,
}

fn any_row() -> impl Strategy<Value = Row> {
    let part = prop_oneof![
        Just(f64::NAN),
        Just(-0.0),
        Just(f64::INFINITY),
        -2.0..2.0_f64
    ];
    (
        proptest::option::weighted(0.9, proptest::sample::select(&KEYS[..])),
        proptest::option::weighted(0.9, 0..4_i64),
        proptest::option::weighted(0.8, -3..3_i64),
        proptest::option::weighted(0.8, part),
        proptest::option::weighted(0.8, proptest::sample::select(&["a", "b", ""][..])),
        proptest::option::weighted(0.8, any::<bool>()),
    )
        .prop_map(|(key, time, number, part, word, flag)| Row {
            id: 0,
            key,
            time,
            number,
            part,
            word,
            flag,
        })
}

fn any_check() -> impl Strategy<Value = Check> {
    let int = proptest::option::of((-3..3_i64).prop_map(Literal::Int));
    let part = proptest::option::of((-2.0..2.0_f64).prop_map(float));
    let columns = [
        "origin",
        "event_timestamp",
        "number",
        "part",
        "word",
        "flag",
    ];
    prop_oneof![
        proptest::sample::select(columns.to_vec()).prop_map(not_null),
        (int.clone(), int).prop_map(|(min, max)| between("number", min, max)),
        (part.clone(), part).prop_map(|(min, max)| between("part", min, max)),
        proptest::collection::vec((-3..3_i64).prop_map(Literal::Int), 1..3)
            .prop_map(|values| in_set("number", &values)),
        Just(in_set("part", &[float(0.0)])),
        Just(in_set("word", &[string("a"), string("")])),
        Just(in_set("flag", &[Literal::Bool(true)])),
        Just(predicate("number >= 0 OR word = 'a'")),
        Just(predicate("number >= 0 AND NOT flag")),
        Just(Check::Unique {}),
    ]
}

/// Whether a row fails a check that looks at nothing else.
fn fails(row: &Row, check: &Check) -> bool {
    let number = row.number.map(Literal::Int);
    match check {
        Check::NotNull { column } => match column.as_str() {
            "origin" => row.key.is_none(),
            "event_timestamp" => row.time.is_none(),
            "number" => row.number.is_none(),
            "part" => row.part.is_none(),
            "word" => row.word.is_none(),
            _ => row.flag.is_none(),
        },
        Check::Between { column, min, max } if column == "number" => {
            let low = number < min.clone() && min.is_some();
            let high = number > max.clone() && max.is_some();
            row.number.is_some() && (low || high)
        }
        Check::Between { min, max, .. } => row.part.is_some_and(|part| {
            let limit = |limit: &Option<Literal>, or: f64| match limit {
                Some(Literal::Float(value)) => value.get(),
                _ => or,
            };
            // Nothing compares with a NaN.
            let none = min.is_none() && max.is_none();
            let (low, high) = (limit(min, f64::NEG_INFINITY), limit(max, f64::INFINITY));
            !(none || low <= part && part <= high)
        }),
        Check::InSet { column, values } => match column.as_str() {
            "number" => number.is_some_and(|number| !values.contains(&number)),
            "part" => row.part.is_some_and(|part| part != 0.0),
            "word" => row.word == Some("b"),
            _ => row.flag == Some(false),
        },
        Check::Sql { predicate } if predicate.contains("OR") => {
            row.number.is_some_and(|number| number < 0) && row.word.is_some_and(|word| word != "a")
        }
        Check::Sql { .. } => row.number.is_some_and(|number| number < 0) || row.flag == Some(true),
        _ => false,
    }
}

/// What is to come out.
#[derive(Debug, Default, PartialEq)]
struct Expected {
    failed: Vec<u64>,
    left: Vec<i64>,
    /// With the number of the first expectation that put it aside.
    aside: Vec<(i64, usize)>,
    run_fails: bool,
}

fn reference(rows: &[Row], expectations: &[Expectation]) -> Expected {
    let mut expected = Expected {
        failed: vec![0; expectations.len()],
        ..Expected::default()
    };
    let of_kind = |at: usize, kind| expectations[at].on_failure == kind;
    let mut left = Vec::new();
    for row in rows {
        let failing: Vec<usize> = (0..expectations.len())
            .filter(|at| fails(row, &expectations[*at].check))
            .collect();
        for at in &failing {
            expected.failed[*at] += 1;
            expected.run_fails |= of_kind(*at, OnFailure::Fail);
        }
        match failing
            .iter()
            .find(|at| of_kind(**at, OnFailure::Quarantine))
        {
            Some(at) => expected.aside.push((row.id, *at)),
            None if row.key.is_some() && row.time.is_some() => left.push(row),
            None => {}
        }
    }
    let unique: Vec<usize> = (0..expectations.len())
        .filter(|at| expectations[*at].check == Check::Unique {})
        .collect();
    let aside = unique
        .iter()
        .find(|at| of_kind(**at, OnFailure::Quarantine));
    let mut seen = HashSet::new();
    for row in left {
        let again = !seen.insert((row.key, row.time));
        for at in unique.iter().filter(|_| again) {
            expected.failed[*at] += 1;
            expected.run_fails |= of_kind(*at, OnFailure::Fail);
        }
        match aside.filter(|_| again) {
            Some(at) => expected.aside.push((row.id, *at)),
            None => expected.left.push(row.id),
        }
    }
    expected.left.sort_unstable();
    expected.aside.sort_unstable();
    expected
}

fn the_view(expectations: Vec<Expectation>) -> FeatureView {
    let features = [
        ("id", "int64"),
        ("number", "int64"),
        ("part", "float64"),
        ("word", "string"),
        ("flag", "bool"),
    ];
    FeatureView {
        expectations,
        ..view("weather", &features)
    }
}

fn batch_of(rows: &[Row], repo: &Repo, view: &FeatureView) -> RecordBatch {
    let times: TimestampMicrosecondArray = rows.iter().map(|row| row.time).collect();
    let columns: Vec<ArrayRef> = vec![
        Arc::new(rows.iter().map(|row| row.key).collect::<StringArray>()),
        Arc::new(times.with_timezone("UTC")),
        Arc::new(TimestampMicrosecondArray::new_null(rows.len()).with_timezone("UTC")),
        Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.id))),
        Arc::new(rows.iter().map(|row| row.number).collect::<Int64Array>()),
        Arc::new(rows.iter().map(|row| row.part).collect::<Float64Array>()),
        Arc::new(rows.iter().map(|row| row.word).collect::<StringArray>()),
        Arc::new(rows.iter().map(|row| row.flag).collect::<BooleanArray>()),
    ];
    RecordBatch::try_new(loose_schema(&repo.catalog, view), columns).unwrap()
}

fn ids(batches: &[RecordBatch]) -> Vec<i64> {
    let of = |batch: &RecordBatch| {
        let ids = batch
            .column_by_name("id")
            .unwrap()
            .as_primitive::<Int64Type>();
        ids.values().to_vec()
    };
    batches.iter().flat_map(of).collect()
}

/// Every row as it went in: nothing is bent on the way.
fn assert_same_rows(batches: &[RecordBatch], rows: &[Row]) {
    for batch in batches {
        let times = batch.column(1).as_primitive::<TimestampMicrosecondType>();
        let parts = batch
            .column_by_name("part")
            .unwrap()
            .as_primitive::<Float64Type>();
        for (at, id) in ids(std::slice::from_ref(batch)).into_iter().enumerate() {
            let row = rows.iter().find(|row| row.id == id).unwrap();
            let time = times.is_valid(at).then(|| times.value(at));
            assert_eq!(time, row.time);
            let part = parts.is_valid(at).then(|| parts.value(at).to_bits());
            assert_eq!(part, row.part.map(f64::to_bits));
        }
    }
}

async fn compare(mut rows: Vec<Row>, expectations: Vec<Expectation>, batch_rows: usize) {
    for (id, row) in (0..).zip(&mut rows) {
        row.id = id;
    }
    let repo = Repo::new();
    let view = the_view(expectations);
    // Rows whose missing key or time nobody speaks of do not get this far.
    let excused = crate::expectations::excused(&repo.catalog, &view);
    rows.retain(|row| {
        let missing = [row.key.is_none(), row.time.is_none()];
        let is_let_pass = missing
            .iter()
            .zip(&excused)
            .any(|(missing, excused)| *missing && *excused);
        missing == [false, false] || is_let_pass
    });
    let expected = reference(&rows, &view.expectations);
    let batches: Vec<_> = rows
        .chunks(batch_rows)
        .map(|rows| Ok(batch_of(rows, &repo, &view)))
        .collect();
    let schema = loose_schema(&repo.catalog, &view);
    let source = ViewRows {
        schema: Arc::clone(&schema),
        stream: Box::pin(RecordBatchStreamAdapter::new(schema, stream::iter(batches))),
    };
    let validator = validator(&repo, &view);
    let outcome = drain(&validator, validator.rows(source, None)).await;
    let mut found = Expected {
        failed: outcome
            .report
            .verdicts
            .iter()
            .map(|verdict| verdict.failed)
            .collect(),
        run_fails: outcome.left.is_err(),
        ..Expected::default()
    };
    for (id, reason) in ids(&outcome.quarantined).into_iter().zip(outcome.reasons()) {
        let name = reason.split(':').next().unwrap();
        let at = view
            .expectations
            .iter()
            .position(|expectation| expectation.name == name);
        found.aside.push((id, at.unwrap()));
    }
    found.aside.sort_unstable();
    match &outcome.left {
        Ok(left) => {
            assert_same_rows(left, &rows);
            found.left = ids(left);
            found.left.sort_unstable();
        }
        Err(_) => found.left.clone_from(&expected.left),
    }
    assert_same_rows(&outcome.quarantined, &rows);
    assert_eq!(found, expected);
    assert_eq!(outcome.report.quarantined, expected.aside.len() as u64);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn the_validator_finds_what_looking_at_row_after_row_finds(
        rows in proptest::collection::vec(any_row(), 0..30),
        checks in proptest::collection::vec((any_check(), 0..5_u8), 1..5),
        batch_rows in 1..9_usize,
    ) {
        let expectations = checks.into_iter().enumerate().map(|(at, (check, kind))| Expectation {
            name: format!("e{at}"),
            check,
            on_failure: match kind {
                0 => OnFailure::Fail,
                1 | 2 => OnFailure::Warn,
                _ => OnFailure::Quarantine,
            },
        });
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(compare(rows, expectations.collect(), batch_rows));
    }
}
