//! Joins with windows against plain arithmetic, whatever the batches, partitions and memory.

use arrow::compute::filter_record_batch;
use fs_core::{Code, PointInTime};

use super::*;
use crate::point_in_time::fixture::{in_memory, windowed};
use crate::point_in_time::{PointInTimeSpec, Take, Windowed};

/// A case joined with its windows.
fn plan(case: &Case, spec: PointInTimeSpec, conditions: Conditions) -> PointInTimeJoinExec {
    let spine = in_memory(&case.spine_batch(), conditions.batch_rows, 1);
    let (rows, partitions) = (conditions.batch_rows, conditions.partitions);
    let history = in_memory(&case.history_batch(), rows, partitions);
    PointInTimeJoinExec::try_new(spec, spine, vec![history]).unwrap()
}

fn joined(case: &Case, conditions: Conditions) -> RecordBatch {
    let plan = plan(case, windowed::spec(case), conditions);
    run(Arc::new(plan), conditions).unwrap()
}

/// Few keys with many rows each, and windows that reach over some of them.
fn busy() -> Case {
    let mut case = skewed();
    for (rows, times) in [(&mut case.spine, 300), (&mut case.history, 200)] {
        for (at, row) in (0_i64..).zip(rows) {
            row.time = at * 7 % times;
            row.created = (at % 3 != 0).then_some(row.time + at % 4);
        }
    }
    case
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn windows_equal_plain_arithmetic_at_every_batch_size_and_partition_count(
        case in case(),
        partitions in 1_usize..4,
    ) {
        let expected = windowed::naive(&case);
        for batch_rows in [1, 2, 4, 8, 8192] {
            let conditions = Conditions { batch_rows, partitions, memory: None };
            let answer = joined(&case, conditions);
            prop_assert_eq!(labels(&answer), (0..).take(case.spine.len()).collect::<Vec<i64>>());
            prop_assert_eq!(&windowed::found(&answer), &expected);
        }
    }

    #[test]
    fn windows_with_too_little_memory_give_the_same_byte_for_byte(
        case in case(),
        partitions in 1_usize..4,
        memory in 20_000_usize..40_000,
    ) {
        let expected = joined(&case, PLENTY);
        for batch_rows in [3, 8192] {
            let conditions = Conditions { batch_rows, partitions, memory: Some(memory) };
            prop_assert_eq!(&joined(&case, conditions), &expected);
        }
    }
}

#[test]
fn windows_that_do_not_fit_are_aggregated_on_disk_with_the_same_answer() {
    for point_in_time in [PointInTime::EventTime, PointInTime::KnownAt] {
        let mut case = busy();
        case.rule.point_in_time = point_in_time;
        let expected = joined(&case, PLENTY);
        assert_eq!(windowed::found(&expected), windowed::naive(&case));
        for (memory, batch_rows) in [(60_000, 8192), (30_000, 64), (20_000, 8)] {
            let conditions = Conditions {
                batch_rows,
                partitions: 2,
                memory: Some(memory),
            };
            let plan = Arc::new(plan(&case, windowed::spec(&case), conditions));
            let answer = run(Arc::clone(&plan) as _, conditions).unwrap();
            assert_eq!(answer, expected);
            assert!(counted(&plan, "joined_on_disk") > 0, "{memory} bytes");
            let matched = counted(&plan, ROWS_MATCHED);
            assert_eq!(
                matched,
                rows_with_events(&case, &expected),
                "{memory} bytes"
            );
        }
    }
}

/// Rows that some event has, twice: also for the place of the newest one.
fn rows_with_events(case: &Case, answer: &RecordBatch) -> usize {
    let ever = answer.column_by_name("count_lifetime").unwrap();
    let ever = ever.as_primitive::<Int64Type>().values().iter();
    let places = answer.column_by_name("place").unwrap();
    assert_eq!(answer.num_rows(), case.spine.len());
    ever.filter(|count| **count > 0).count() + places.len() - places.null_count()
}

#[test]
fn rows_that_no_event_has_are_answered_and_not_counted_as_matched() {
    let mut case = busy();
    case.spine.truncate(4);
    case.spine[1].parts = [2, 2];
    case.spine[2].parts = [3, 3];
    case.spine[3].time = -1;
    let plan = Arc::new(plan(&case, windowed::spec(&case), PLENTY));
    let answer = run(Arc::clone(&plan) as _, PLENTY).unwrap();
    assert_eq!(windowed::found(&answer), windowed::naive(&case));
    let without = RecordBatch::try_from_iter(
        windowed::windows()
            .features()
            .map(|(_, one)| one.feature.to_string())
            .zip(windowed::found(&answer)),
    );
    let unmatched = arrow::array::BooleanArray::from(vec![false, true, true, true]);
    let without = filter_record_batch(&without.unwrap(), &unmatched).unwrap();
    for (count, nulls) in [
        ("count_2us", 0),
        ("count_lifetime", 0),
        ("position_sum_5us", 3),
        ("amount_avg_5us", 3),
        ("value_last_n_lifetime", 0),
    ] {
        let column = without.column_by_name(count).unwrap();
        assert_eq!(column.null_count(), nulls, "{count}");
    }
    assert_eq!(
        counted(&plan, ROWS_MATCHED),
        rows_with_events(&case, &answer)
    );
}

#[test]
fn only_what_is_wanted_is_read_and_answered() {
    let case = busy();
    let history = case.history_batch();
    let name = |at| (at == 3).then(|| "total".to_owned());
    let wanted = Windowed::new("v", &windowed::windows(), name, &history.schema()).unwrap();
    let mut join = windowed::join(&case);
    join.take = Take::Windows(wanted);
    let spec = PointInTimeSpec {
        joins: vec![join],
        ..case.spec()
    };
    let needs: Vec<&str> = spec.history_needs(0).collect();
    assert_eq!(
        needs,
        ["k0", "k1", "event", "created", "sequence", "position"]
    );
    let all = joined(&case, PLENTY);
    let answer = run(Arc::new(plan(&case, spec, PLENTY)), PLENTY).unwrap();
    assert_eq!(answer.num_columns(), 2);
    assert_eq!(
        answer.column_by_name("total"),
        all.column_by_name("position_sum_5us")
    );
}

#[test]
fn events_before_the_longest_window_of_the_first_row_are_not_asked_for() {
    let case = busy();
    let mut join = windowed::join(&case);
    assert_eq!(join.event_range(100, 200), (None, 200));
    let history = case.history_batch();
    let name = |at: usize| (at < 2).then(|| at.to_string());
    let wanted = Windowed::new("v", &windowed::windows(), name, &history.schema()).unwrap();
    join.take = Take::Windows(wanted);
    join.rule.delay = Span::from_micros(10).unwrap();
    // The longest is 5us, its start exclusive.
    assert_eq!(join.event_range(100, 200), (Some(86), 190));
}

#[test]
fn what_no_answer_depends_on_need_not_be_read_and_partitions_stay() {
    let mut case = busy();
    case.rule.point_in_time = PointInTime::EventTime;
    let history = case.history_batch();
    let all = windowed::windows();
    // All but the newest few values.
    let ranked = all.features().count() - 1;
    let names: Vec<String> = all
        .features()
        .map(|(_, one)| one.feature.to_string())
        .collect();
    let name = |at: usize| names.get(at).filter(|_| at < ranked).cloned();
    let wanted = Windowed::new("v", &all, name, &history.schema()).unwrap();
    assert!(windowed::windowed(&history.schema()).is_ranked() && !wanted.is_ranked());
    let mut join = windowed::join(&case);
    (join.created, join.sequence) = (None, None);
    join.take = Take::Windows(wanted);
    let spec = PointInTimeSpec {
        joins: vec![join],
        ..case.spec()
    };
    assert!(!spec.needs_order(0));
    for partitions in 1..4 {
        let conditions = Conditions {
            partitions,
            batch_rows: 64,
            ..PLENTY
        };
        let plan = plan(&case, spec.clone(), conditions);
        let answer = run(Arc::new(plan), conditions).unwrap();
        let expected = windowed::naive(&case);
        assert_eq!(answer.columns()[1..], expected[..ranked]);
    }
}

#[test]
fn a_plan_shows_aggregations_with_their_windows_and_filters() {
    let mut case = busy();
    case.rule.point_in_time = PointInTime::KnownAt;
    let plan = plan(&case, windowed::spec(&case), PLENTY);
    let text = displayable(&plan).one_line().to_string();
    let windows = text.split_once("windows: ").unwrap().1;
    assert_eq!(
        windows.trim(),
        "on=[(k0, k0), (k1, k1)], visible=known_at, take=[count(*) [2us, 5us, lifetime], \
         sum(position) [5us], sum(amount) where value IS NOT NULL AND position > 3 [2us, \
         lifetime], avg(amount) [5us], max(value) [5us], last_n(value, 2) [lifetime]]]"
    );
}

#[test]
fn a_sum_beyond_its_type_names_the_view_and_the_feature() {
    let mut case = busy();
    case.spine.truncate(3);
    let history = case.history_batch();
    let mut columns = history.columns().to_vec();
    let at = history.schema().index_of("position").unwrap();
    columns[at] = Arc::new(arrow::array::Int64Array::from(vec![
        i64::MAX;
        history.num_rows()
    ]));
    let history = RecordBatch::try_new(history.schema(), columns).unwrap();
    let spine = in_memory(&case.spine_batch(), 8192, 1);
    let history = in_memory(&history, 8192, 1);
    let spec = windowed::spec(&case);
    let plan = PointInTimeJoinExec::try_new(spec, spine, vec![history]).unwrap();
    let error = run(Arc::new(plan), PLENTY).unwrap_err();
    let error = crate::Error::of_query("rows".to_owned(), error);
    assert_eq!(fs_core::Coded::code(&error), Code::InvalidArgument);
    let text = fs_core::code::report(&error);
    assert!(text.contains("view `windows`"), "{text}");
    assert!(text.contains("`position_sum_5us`"), "{text}");
}

#[test]
fn an_input_of_another_type_is_refused_when_the_plan_is_made() {
    let case = busy();
    let (spec, batch) = (windowed::spec(&case), case.history_batch());
    let mut columns: Vec<(String, arrow::array::ArrayRef)> = Vec::new();
    for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
        let column = match field.name().as_str() {
            "amount" => batch.column_by_name("value").unwrap(),
            _ => column,
        };
        columns.push((field.name().clone(), Arc::clone(column)));
    }
    let other = RecordBatch::try_from_iter(columns).unwrap();
    let spine = in_memory(&case.spine_batch(), 8192, 1);
    let history = in_memory(&other, 8192, 1);
    let error = PointInTimeJoinExec::try_new(spec, spine, vec![history]).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("`windows` aggregates `amount`"), "{text}");
    assert!(text.contains("float64"), "{text}");
}
