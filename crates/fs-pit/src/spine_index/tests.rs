use std::sync::Arc;

use arrow::array::Int64Array;

use super::*;

fn ints(values: &[Option<i64>]) -> Vec<ArrayRef> {
    vec![Arc::new(Int64Array::from(values.to_vec()))]
}

fn times(values: &[i64]) -> TimestampMicrosecondArray {
    TimestampMicrosecondArray::from(values.to_vec())
}

#[test]
fn each_key_has_its_distinct_times_in_order_and_each_row_its_slot() {
    let keys = ints(&[Some(5), Some(6), Some(5), None, Some(5)]);
    let index = SpineIndex::new(&keys, &times(&[13, 9, 10, 11, 13])).unwrap();
    assert_eq!((index.rows(), index.slots()), (5, 3));
    assert_eq!(index.times(), [10, 13, 9]);
    let slots: Vec<_> = (0..5).map(|row| index.slot_of_row(row)).collect();
    assert_eq!(slots, [Some(1), Some(2), Some(0), None, Some(1)]);
    assert_eq!((index.slots_of_key(0), index.slots_of_key(1)), (0..2, 2..3));
}

#[test]
fn a_spine_taken_in_pieces_is_the_spine_in_one_piece() {
    let mut builder = SpineIndexBuilder::with_capacity(0);
    builder
        .push(&ints(&[Some(5), None]), &times(&[3, 4]))
        .unwrap();
    builder.push(&ints(&[]), &times(&[])).unwrap();
    builder
        .push(&ints(&[Some(6), Some(5)]), &times(&[2, 1]))
        .unwrap();
    let pieces = builder.finish();
    let whole = ints(&[Some(5), None, Some(6), Some(5)]);
    let whole = SpineIndex::new(&whole, &times(&[3, 4, 2, 1])).unwrap();
    assert_eq!(pieces.times(), whole.times());
    for row in 0..4 {
        assert_eq!(pieces.slot_of_row(row), whole.slot_of_row(row));
    }
}

#[test]
fn a_null_time_is_named_by_its_row_in_the_whole_spine() {
    let mut builder = SpineIndexBuilder::with_capacity(0);
    builder.push(&ints(&[Some(5)]), &times(&[3])).unwrap();
    let null = TimestampMicrosecondArray::from(vec![Some(1), None]);
    let error = builder.push(&ints(&[Some(1), Some(2)]), &null).unwrap_err();
    assert!(matches!(error, Error::NullSpineTime { row: 2 }), "{error}");
}

#[test]
fn few_keys_are_told_by_a_row_each_and_many_are_not() {
    let index = SpineIndex::new(&ints(&[None, Some(8), Some(9), Some(8)]), &times(&[0; 4]));
    let index = index.unwrap();
    let examples = index.examples().unwrap();
    assert_eq!(examples.len(), 2);
    assert!([1, 3].contains(&examples[0]) && examples[1] == 2);
    let many: Vec<Option<i64>> = (0..2000).map(Some).collect();
    let many = SpineIndex::new(&ints(&many), &times(&vec![0; 2000])).unwrap();
    assert!(many.examples().is_none());
}

#[test]
fn an_index_takes_less_than_was_estimated() {
    let keys: Vec<Option<i64>> = (0..5_000).map(|key| Some(key % 3_000)).collect();
    let index = SpineIndex::new(&ints(&keys), &times(&vec![0; 5_000])).unwrap();
    assert!(index.bytes() <= SpineIndex::estimated_bytes(5_000, 40_000));
}

#[test]
fn a_large_spine_is_indexed_in_parts_that_fit_together() {
    const ROWS: usize = 200_000;
    // In no order, with keys of very different sizes.
    let mixed = |row: usize| row.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
    let key = |row: usize| i64::try_from(mixed(row) % 1000 * (mixed(row + 1) % 50) / 7).unwrap();
    let keys: Vec<Option<i64>> = (0..ROWS)
        .map(|row| (row % 97 != 0).then(|| key(row)))
        .collect();
    let row_times: Vec<i64> = (0..ROWS)
        .map(|row| i64::try_from(mixed(row + 7) % 500).unwrap())
        .collect();
    let index = SpineIndex::new(&ints(&keys), &times(&row_times)).unwrap();
    for row in 0..ROWS {
        let slot = index.slot_of_row(row);
        assert_eq!(
            slot.map(|slot| index.times()[slot]),
            keys[row].map(|_| row_times[row])
        );
    }
    let mut key_of_slot = vec![None; index.slots()];
    for (row, key) in keys.iter().enumerate() {
        if let Some(slot) = index.slot_of_row(row) {
            assert!(
                key_of_slot[slot].is_none_or(|known| known == *key),
                "{key:?}"
            );
            key_of_slot[slot] = Some(*key);
        }
    }
    assert!(key_of_slot.iter().all(Option::is_some));
    for slots in index.slots_of_keys() {
        assert!(
            index.times()[slots]
                .windows(2)
                .all(|pair| pair[0] < pair[1])
        );
    }
}
