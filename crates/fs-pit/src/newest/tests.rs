use std::sync::Arc;

use fs_core::{PointInTime, Span, Ttl};

use super::*;

fn ints(values: &[Option<i64>]) -> ArrayRef {
    Arc::new(Int64Array::from(values.to_vec()))
}

fn times(values: &[i64]) -> TimestampMicrosecondArray {
    TimestampMicrosecondArray::from(values.to_vec())
}

fn id(batch: u32, row: u32) -> RowId {
    RowId { batch, row }
}

#[test]
fn the_newest_row_of_each_key_wins_and_rows_of_the_future_do_not() {
    let mut newest = NewestPerKey::new(EventTime::from_micros(100), Rule::default());
    let keys = [ints(&[Some(7), Some(8), Some(7), None])];
    let rows = newest.offer(&keys, &times(&[90, 80, 101, 100]), None, None);
    assert_eq!(rows.unwrap(), [0, 1]);
    let rows = newest.offer(&[ints(&[Some(7), Some(8)])], &times(&[100, 79]), None, None);
    assert_eq!(rows.unwrap(), [0]);
    assert_eq!(newest.candidates(), 2);
    assert_eq!(newest.finish(), [id(0, 1), id(1, 0)]);
}

#[test]
fn a_delay_and_a_late_created_time_hide_a_row_but_age_does_not() {
    let rule = Rule {
        ttl: Span::from_micros(1).and_then(Ttl::new),
        delay: Span::from_micros(10).unwrap(),
        point_in_time: PointInTime::KnownAt,
    };
    let mut newest = NewestPerKey::new(EventTime::from_micros(100), rule);
    let keys = [ints(&[Some(7), Some(7), Some(7)])];
    let created = times(&[50, 101, 95]);
    newest
        .offer(&keys, &times(&[40, 60, 91]), Some(&created), None)
        .unwrap();
    assert_eq!(newest.finish(), [id(0, 0)]);
}

#[test]
fn without_key_columns_there_is_one_winner() {
    let mut newest = NewestPerKey::new(EventTime::from_micros(100), Rule::default());
    let rows = newest.offer(&[], &times(&[5, 9, 9]), None, None).unwrap();
    assert_eq!(rows, [2]);
    assert_eq!(newest.live(), [id(0, 2)]);
}

#[test]
fn without_rows_there_are_no_winners() {
    let newest = NewestPerKey::new(EventTime::from_micros(100), Rule::default());
    assert!(newest.finish().is_empty());
}

#[test]
fn a_later_batch_with_keys_of_another_type_is_refused() {
    let mut newest = NewestPerKey::new(EventTime::from_micros(100), Rule::default());
    newest
        .offer(&[ints(&[Some(7)])], &times(&[5]), None, None)
        .unwrap();
    let keys: [ArrayRef; 1] = [Arc::new(times(&[7]))];
    let error = newest.offer(&keys, &times(&[5]), None, None).unwrap_err();
    assert_eq!(
        error.to_string(),
        "key column 0 is timestamp, but int64 is needed"
    );
}
