//! The operator against the naive reference, whatever the batches, partitions and memory.

mod windows;

use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use datafusion::error::DataFusionError;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::displayable;
use fs_core::{KeyType, Span, Ttl};
use fs_pit::Rule;
use proptest::prelude::*;

use super::fixture::{Case, Conditions, Row, answers, case, run};
use super::{PointInTimeJoinExec, exec::ROWS_MATCHED, exec::ROWS_READ};

const PLENTY: Conditions = Conditions {
    batch_rows: 8192,
    partitions: 1,
    memory: None,
};

fn labels(answer: &RecordBatch) -> Vec<i64> {
    let labels = answer.column_by_name("label").unwrap();
    labels.as_primitive::<Int64Type>().values().to_vec()
}

/// Hundreds of rows of a few keys, one of which has most of them.
fn skewed() -> Case {
    let row = |at: i64| Row {
        parts: [u8::from(at % 9 == 0), u8::try_from(at % 2).unwrap()],
        time: at * 7 % 1000,
        created: (at % 3 != 0).then_some(at),
        sequence: at,
    };
    Case {
        types: vec![KeyType::String, KeyType::Int64],
        rule: Rule {
            ttl: Span::from_micros(40).and_then(Ttl::new),
            ..Rule::default()
        },
        spine: (0..700).map(row).collect(),
        history: (0..900).map(row).collect(),
    }
}

fn counted(plan: &PointInTimeJoinExec, name: &str) -> usize {
    let metrics = plan.metrics().unwrap();
    let found = metrics.sum_by_name(name);
    found.map_or(0, |value| value.as_usize())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn the_operator_equals_the_naive_reference_at_every_batch_size_and_partition_count(
        case in case(),
        partitions in 1_usize..4,
    ) {
        let expected = case.naive();
        for batch_rows in [1, 2, 4, 8, 8192] {
            let conditions = Conditions { batch_rows, partitions, memory: None };
            let answer = case.run(conditions).unwrap();
            prop_assert_eq!(labels(&answer), (0..).take(case.spine.len()).collect::<Vec<i64>>());
            for answer in answers(&answer) {
                prop_assert_eq!(&answer, &expected);
            }
        }
    }

    #[test]
    fn with_too_little_memory_the_answer_is_the_same_byte_for_byte(
        case in case(),
        partitions in 1_usize..4,
        memory in 6_000_usize..20_000,
    ) {
        let expected = case.run(PLENTY).unwrap();
        for batch_rows in [3, 8192] {
            let conditions = Conditions { batch_rows, partitions, memory: Some(memory) };
            prop_assert_eq!(&case.run(conditions).unwrap(), &expected);
        }
    }

    #[test]
    fn a_row_of_the_future_changes_no_answer(case in case(), partitions in 1_usize..3) {
        let conditions = Conditions { batch_rows: 4, partitions, memory: None };
        let [before, _] = answers(&case.run(conditions).unwrap());
        let last = case.spine.iter().map(|row| row.time).max();
        let Some(after_all) = last.and_then(|last| last.checked_add(1)) else {
            return Ok(());
        };
        let mut later = case.clone();
        for part in 0..3 {
            let sequence = i64::try_from(later.history.len()).unwrap();
            let parts = [part, part];
            later.history.push(Row { parts, time: after_all, created: None, sequence });
        }
        let [after, _] = answers(&later.run(conditions).unwrap());
        prop_assert_eq!(after, before);
    }
}

#[test]
fn what_does_not_fit_is_joined_on_disk_with_the_same_answer() {
    let case = skewed();
    let expected = case.run(PLENTY).unwrap();
    for (memory, batch_rows) in [(60_000, 8192), (20_000, 64), (6_000, 8)] {
        let conditions = Conditions {
            batch_rows,
            partitions: 2,
            memory: Some(memory),
        };
        let plan = Arc::new(case.plan(conditions));
        let answer = run(Arc::clone(&plan) as _, conditions).unwrap();
        assert_eq!(answer, expected);
        assert!(counted(&plan, "joined_on_disk") > 0, "{memory} bytes");
        assert!(counted(&plan, "spilled_bytes") > 0, "{memory} bytes");
    }
}

#[test]
fn without_memory_for_a_single_row_the_error_says_so_and_names_the_join() {
    let conditions = Conditions {
        memory: Some(10),
        ..PLENTY
    };
    let error = skewed().run(conditions).unwrap_err();
    let error = error.find_root();
    assert!(
        matches!(error, DataFusionError::ResourcesExhausted(_)),
        "{error}"
    );
    assert!(error.to_string().contains("`columns`"), "{error}");
}

#[test]
fn rows_read_and_matched_are_counted_for_each_join() {
    let case = skewed();
    let plan = Arc::new(case.plan(PLENTY));
    let answer = run(Arc::clone(&plan) as _, PLENTY).unwrap();
    let matched = answer.num_rows() - answer.column_by_name("place").unwrap().null_count();
    assert_eq!(counted(&plan, ROWS_READ), 2 * case.history.len());
    assert_eq!(counted(&plan, ROWS_MATCHED), 2 * matched);
}

#[test]
fn a_plan_shows_what_is_joined_and_how() {
    let plan = skewed().plan(PLENTY);
    let text = displayable(&plan).one_line().to_string();
    assert_eq!(
        text.trim(),
        "PointInTimeJoinExec: time=t, joins=[columns: on=[(k0, k0), (k1, k1)], \
         visible=event_time, ttl=40us, take=[at, value], place: on=[(k0, k0), (k1, k1)], \
         visible=event_time, ttl=40us, take=place]"
    );
}

#[test]
fn a_column_that_is_not_there_is_named_when_the_plan_is_made() {
    let case = skewed();
    let mut spec = case.spec();
    spec.joins[0].keys[1].1 = "k9".to_owned();
    let plan = case.plan(PLENTY);
    let children = plan.children();
    let (spine, history) = (Arc::clone(children[0]), Arc::clone(children[1]));
    let error = PointInTimeJoinExec::try_new(spec, spine, vec![history]).unwrap_err();
    assert!(error.to_string().contains("k9"), "{error}");
}
