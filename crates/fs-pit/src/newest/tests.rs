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

#[test]
fn the_newest_row_of_a_key_is_found_by_its_times_and_sequence() {
    let mut newest = NewestPerKey::new(EventTime::from_micros(100), Rule::default());
    let keys = [ints(&[Some(8)])];
    assert_eq!(newest.find(&keys, 1).unwrap(), [None]);
    let sequence = Int64Array::from(vec![Some(3), Some(4), None, Some(5)]);
    let created = TimestampMicrosecondArray::from(vec![Some(95), None, None, None]);
    let keys = [ints(&[Some(7), Some(7), Some(8), Some(9)])];
    let events = times(&[90, 90, 80, 101]);
    newest
        .offer(&keys, &events, Some(&created), Some(&sequence))
        .unwrap();
    let seven = RowRank {
        event: 90,
        created: Some(95),
        sequence: Some(3),
    };
    let eight = RowRank {
        event: 80,
        created: None,
        sequence: None,
    };
    let asked = [ints(&[Some(9), Some(8), None, Some(7), Some(10)])];
    let found = newest.find(&asked, 5).unwrap();
    assert_eq!(found, [None, Some(eight), None, Some(seven), None]);
    let mut ranks: Vec<RowRank> = newest.ranks().collect();
    ranks.sort_unstable();
    assert_eq!(ranks, [eight, seven]);
    assert!(newest.bytes() > 0);
}

#[test]
fn memory_follows_the_keys_and_not_the_rows() {
    let mut newest = NewestPerKey::new(EventTime::from_micros(i64::MAX), Rule::default());
    let keys: Vec<Option<i64>> = (0..1_000).map(Some).collect();
    let mut after_one = 0;
    for round in 0..50 {
        let events: Vec<i64> = (0..1_000).map(|row| row + round).collect();
        newest
            .offer(&[ints(&keys)], &times(&events), None, None)
            .unwrap();
        if round == 0 {
            after_one = newest.bytes();
        }
    }
    assert_eq!(newest.bytes(), after_one);
    assert!(after_one < 200 * 1_000, "{after_one}");
}
