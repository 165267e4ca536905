use std::sync::Arc;

use arrow::array::StringArray;
use fs_core::{PointInTime, Span, Ttl};

use super::*;

fn ints(values: &[Option<i64>]) -> ArrayRef {
    Arc::new(Int64Array::from(values.to_vec()))
}

fn texts(values: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

fn times(values: &[i64]) -> TimestampMicrosecondArray {
    TimestampMicrosecondArray::from(values.to_vec())
}

fn ttl(micros: i64) -> Rule {
    Rule {
        ttl: Span::from_micros(micros).and_then(Ttl::new),
        ..Rule::default()
    }
}

/// A feature row of key 7: event, created, sequence.
type Row = (i64, Option<i64>, Option<i64>);

/// Which of `rows`, all of key 7 and in one batch, is found by a spine row of key 7 at each time.
fn found(rule: Rule, spine: &[i64], rows: &[Row]) -> Vec<Option<u32>> {
    let mut join =
        PointInTimeJoin::new(&[ints(&vec![Some(7); spine.len()])], &times(spine), rule).unwrap();
    let event = times(&rows.iter().map(|row| row.0).collect::<Vec<_>>());
    let created: TimestampMicrosecondArray = rows.iter().map(|row| row.1).collect();
    let sequence: Int64Array = rows.iter().map(|row| row.2).collect();
    let keys = [ints(&vec![Some(7); rows.len()])];
    join.offer(&keys, &event, Some(&created), Some(&sequence))
        .unwrap();
    let matches = join.finish();
    matches.rows().map(|id| id.map(|id| id.row)).collect()
}

fn rows(join: PointInTimeJoin) -> Vec<Option<RowId>> {
    join.finish().rows().collect()
}

#[test]
fn a_feature_from_the_future_never_reaches_the_spine() {
    let rows = [(100, None, None), (200, None, None)];
    assert_eq!(
        found(Rule::default(), &[99, 100, 199, 200], &rows),
        [None, Some(0), Some(0), Some(1)]
    );
}

#[test]
fn a_row_as_old_as_its_ttl_still_counts_and_a_microsecond_later_it_does_not() {
    assert_eq!(
        found(ttl(10), &[110, 111], &[(100, None, None)]),
        [Some(0), None]
    );
}

#[test]
fn without_a_ttl_a_row_counts_for_ever() {
    assert_eq!(
        found(ttl(0), &[i64::MAX], &[(i64::MIN, None, None)]),
        [Some(0)]
    );
}

#[test]
fn a_delayed_row_counts_from_its_event_plus_the_delay() {
    let rule = Rule {
        delay: Span::from_micros(5).unwrap(),
        ..ttl(10)
    };
    assert_eq!(
        found(rule, &[104, 105, 110, 111], &[(100, None, None)]),
        [None, Some(0), Some(0), None]
    );
}

#[test]
fn known_at_hides_a_row_until_its_created_time() {
    let rule = Rule {
        point_in_time: PointInTime::KnownAt,
        ..Rule::default()
    };
    let rows = [(100, None, None), (110, Some(130), None)];
    assert_eq!(
        found(rule, &[99, 100, 129, 130], &rows),
        [None, Some(0), Some(0), Some(1)]
    );
    // By event time alone the second row counts at once.
    assert_eq!(found(Rule::default(), &[110], &rows), [Some(1)]);
}

#[test]
fn a_row_known_late_that_happened_early_does_not_replace_a_newer_one() {
    let rule = Rule {
        point_in_time: PointInTime::KnownAt,
        ..Rule::default()
    };
    let rows = [(90, Some(150), None), (100, Some(100), None)];
    assert_eq!(found(rule, &[100, 150], &rows), [Some(1), Some(1)]);
}

#[test]
fn of_equal_events_the_later_created_wins_and_a_null_created_is_lowest() {
    let rows = [
        (100, Some(3), None),
        (100, None, Some(9)),
        (100, Some(i64::MIN), Some(9)),
    ];
    assert_eq!(found(Rule::default(), &[100], &rows), [Some(0)]);
    assert_eq!(found(Rule::default(), &[100], &rows[1..]), [Some(1)]);
}

#[test]
fn of_equal_times_the_later_committed_wins_and_then_the_later_row() {
    let rows = [
        (100, None, Some(2)),
        (100, None, Some(1)),
        (100, None, None),
    ];
    assert_eq!(found(Rule::default(), &[100], &rows), [Some(0)]);
    let equal = [(100, None, Some(2)); 3];
    assert_eq!(found(Rule::default(), &[100], &equal), [Some(2)]);
}

#[test]
fn every_spine_row_comes_back_once_in_order_also_repeated_and_unmatched_ones() {
    let spine = [300, 100, 50, 300, 100];
    let rows = [(100, None, None), (250, None, None)];
    assert_eq!(
        found(Rule::default(), &spine, &rows),
        [Some(1), Some(0), None, Some(1), Some(0)]
    );
}

#[test]
fn one_and_eleven_is_another_key_than_eleven_and_one_and_a_null_part_matches_nothing() {
    let spine = [
        ints(&[Some(1), Some(11), None, Some(5)]),
        ints(&[Some(11), Some(1), Some(1), Some(5)]),
    ];
    let mut join = PointInTimeJoin::new(&spine, &times(&[9; 4]), Rule::default()).unwrap();
    let keys = [
        ints(&[Some(11), None, Some(11)]),
        ints(&[Some(1), Some(1), None]),
    ];
    join.offer(&keys, &times(&[1, 2, 3]), None, None).unwrap();
    let first = RowId { batch: 0, row: 0 };
    assert_eq!(rows(join), [None, Some(first), None, None]);
}

#[test]
fn keys_compare_byte_for_byte() {
    let spine = [texts(&["Newark", "newark", "Newark "])];
    let mut join = PointInTimeJoin::new(&spine, &times(&[9; 3]), Rule::default()).unwrap();
    join.offer(&[texts(&["newark"])], &times(&[1]), None, None)
        .unwrap();
    assert_eq!(rows(join), [None, Some(RowId { batch: 0, row: 0 }), None]);
}

#[test]
fn without_key_columns_every_spine_row_finds_the_one_global_row() {
    let mut join = PointInTimeJoin::new(&[], &times(&[1, 5]), Rule::default()).unwrap();
    join.offer(&[], &times(&[4, 2]), None, None).unwrap();
    let row = |row| Some(RowId { batch: 0, row });
    assert_eq!(rows(join), [None, row(0)]);
}

#[test]
fn only_rows_that_may_win_are_asked_to_be_kept() {
    let mut join = PointInTimeJoin::new(&[ints(&[Some(7)])], &times(&[100]), ttl(50)).unwrap();
    let keys = [ints(&[Some(7), Some(7), Some(8), Some(7), None, Some(7)])];
    let event = times(&[60, 70, 70, 49, 80, 101]);
    assert_eq!(join.offer(&keys, &event, None, None).unwrap(), [1]);
    let older = join.offer(&[ints(&[Some(7)])], &times(&[65]), None, None);
    assert_eq!(older.unwrap(), Vec::<u32>::new());
    assert_eq!(join.live(), [RowId { batch: 0, row: 1 }]);
    assert_eq!(join.candidates(), 1);
}

#[test]
fn a_candidate_that_an_earlier_slot_beats_is_not_live() {
    let spine = [ints(&[Some(7), Some(7)])];
    let rule = Rule {
        point_in_time: PointInTime::KnownAt,
        ..Rule::default()
    };
    let mut join = PointInTimeJoin::new(&spine, &times(&[100, 200]), rule).unwrap();
    let created = times(&[90, 150]);
    join.offer(
        &[ints(&[Some(7), Some(7)])],
        &times(&[90, 80]),
        Some(&created),
        None,
    )
    .unwrap();
    assert_eq!(join.candidates(), 2);
    assert_eq!(join.live(), [RowId { batch: 0, row: 0 }]);
}

#[test]
fn an_empty_spine_has_an_empty_answer_and_no_features_match_nothing() {
    let mut join = PointInTimeJoin::new(&[ints(&[])], &times(&[]), Rule::default()).unwrap();
    join.offer(&[ints(&[Some(1)])], &times(&[1]), None, None)
        .unwrap();
    assert!(join.finish().is_empty());
    let join = PointInTimeJoin::new(&[ints(&[Some(1)])], &times(&[1]), Rule::default()).unwrap();
    assert_eq!(rows(join), [None]);
}

#[test]
fn a_spine_row_without_a_time_is_an_error_that_says_which() {
    let spine = TimestampMicrosecondArray::from(vec![Some(1), None]);
    let error =
        PointInTimeJoin::new(&[ints(&[Some(1), None])], &spine, Rule::default()).unwrap_err();
    assert!(matches!(error, Error::NullSpineTime { row: 1 }), "{error}");
}

#[test]
fn a_feature_row_without_an_event_time_is_an_error_that_says_which() {
    let mut join =
        PointInTimeJoin::new(&[ints(&[Some(1)])], &times(&[1]), Rule::default()).unwrap();
    join.offer(&[ints(&[Some(1)])], &times(&[1]), None, None)
        .unwrap();
    let event = TimestampMicrosecondArray::from(vec![Some(1), None]);
    let error = join
        .offer(&[ints(&[Some(1), Some(1)])], &event, None, None)
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "row 1 of feature batch 1 has no event time: it cannot be placed in time"
    );
}

#[test]
fn columns_of_different_lengths_are_refused() {
    let mut join =
        PointInTimeJoin::new(&[ints(&[Some(1)])], &times(&[1]), Rule::default()).unwrap();
    let keys = [ints(&[Some(1)])];
    let error = join.offer(&keys, &times(&[1, 2]), None, None).unwrap_err();
    assert!(
        matches!(error, Error::Ragged { column: "key", .. }),
        "{error}"
    );
    let short = times(&[1]);
    let error = join
        .offer(
            &[ints(&[Some(1), None])],
            &times(&[1, 2]),
            Some(&short),
            None,
        )
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the created time column has 1 rows, but the event times have 2"
    );
}

#[test]
fn every_row_of_a_large_spine_finds_the_row_that_was_made_for_it() {
    const ROWS: i64 = 200_000;
    // One feature row for each spine row, a microsecond earlier; no two rows of a key at one time.
    let key = |row: i64| Some(row * 7919 % 3001);
    let keys: Vec<Option<i64>> = (0..ROWS).map(key).collect();
    let at: Vec<i64> = (0..ROWS).map(|row| row * 10).collect();
    let before: Vec<i64> = at.iter().map(|time| time - 1).collect();
    let index = Arc::new(SpineIndex::new(&[ints(&keys)], &times(&at)).unwrap());
    let rows: Int64Array = (0..ROWS).map(Some).collect();
    let halves = [0..ROWS / 2, ROWS / 2..ROWS].map(|half| {
        let (start, length) = (usize::try_from(half.start).unwrap(), half.count());
        let (event, rows) = (
            times(&before).slice(start, length),
            rows.slice(start, length),
        );
        let keys = [ints(&keys).slice(start, length)];
        let mut join = PointInTimeJoin::over(Arc::clone(&index), ttl(5));
        let features = FeatureRows {
            keys: &keys,
            event: &event,
            created: None,
            sequence: None,
        };
        join.offer_at(
            &features,
            &RowIds::At {
                file: 3,
                rows: &rows,
            },
        )
        .unwrap();
        join
    });
    let matches = PointInTimeJoin::finish_together(halves.into(), index);
    for (row, id) in (0..).zip(matches.rows()) {
        assert_eq!(id, Some(RowId { batch: 3, row }));
    }
}
