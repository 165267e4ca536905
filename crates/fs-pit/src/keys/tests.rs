use std::sync::Arc;

use arrow::array::{
    BinaryArray, BooleanArray, DictionaryArray, Float64Array, Int32Array, Int64Array,
    LargeStringArray, StringArray, StringViewArray, TimestampMicrosecondArray,
};
use arrow::datatypes::Int32Type;

use super::*;

fn interned(columns: &[ArrayRef], rows: usize) -> Vec<Option<u32>> {
    let mut index = KeyIndex::new(columns).unwrap();
    let numbers = intern(&mut index, columns, rows);
    assert_eq!(find(&index, columns, rows).unwrap(), numbers);
    let mut looked_up = Vec::new();
    let lookup = index.complete();
    lookup.find(columns, rows, &mut looked_up).unwrap();
    assert_eq!(known(&looked_up), numbers);
    numbers
}

#[test]
fn integers_that_lie_close_together_are_looked_up_by_their_distance_and_others_by_hash() {
    let ints = |values: &[i64]| Arc::new(Int64Array::from(values.to_vec())) as ArrayRef;
    for (keys, dense) in [
        (vec![-3, 0, 2, 4], true),
        (vec![i64::MIN, i64::MIN + 1], true),
        (vec![i64::MAX - 2, i64::MAX], true),
        (vec![0, 1_000_000], false),
        (vec![i64::MIN, i64::MAX], false),
    ] {
        let column = ints(&keys);
        let mut index = KeyIndex::new(&[Arc::clone(&column)]).unwrap();
        let numbers = intern(&mut index, &[Arc::clone(&column)], keys.len());
        let lookup = index.complete();
        assert_eq!(lookup.dense.is_some(), dense, "{keys:?}");
        let others = ints(&[i64::MIN + 9, -4, 1, 5, i64::MAX - 1, 999_999]);
        let mut found = Vec::new();
        lookup.find(&[column], keys.len(), &mut found).unwrap();
        lookup.find(&[others], 6, &mut found).unwrap();
        let (here, others) = found.split_at(keys.len());
        assert_eq!(known(here), numbers);
        assert_eq!(known(others), [None; 6], "{keys:?}");
    }
}

fn known(numbers: &[u32]) -> Vec<Option<u32>> {
    let numbers = numbers.iter();
    numbers.map(|n| (*n != NO_KEY).then_some(*n)).collect()
}

fn intern(index: &mut KeyIndex, columns: &[ArrayRef], rows: usize) -> Vec<Option<u32>> {
    let mut numbers = Vec::new();
    index.intern(columns, rows, &mut numbers).unwrap();
    known(&numbers)
}

fn find(index: &KeyIndex, columns: &[ArrayRef], rows: usize) -> Result<Vec<Option<u32>>, Error> {
    let mut numbers = Vec::new();
    index.find(columns, rows, &mut numbers)?;
    Ok(known(&numbers))
}

#[test]
fn equal_keys_are_dealt_to_the_same_part_whatever_their_layout() {
    let parts = std::num::NonZeroU32::new(3).unwrap();
    let texts = ["a", "b", "", "a", "c", "d"];
    let plain: ArrayRef = Arc::new(StringArray::from(texts.to_vec()));
    let view: ArrayRef = Arc::new(StringViewArray::from(texts.to_vec()));
    let dealt = partition(&[plain], 6, parts).unwrap();
    assert_eq!(partition(&[view], 6, parts).unwrap(), dealt);
    assert_eq!(dealt[0], dealt[3]);
    assert!(dealt.iter().all(|part| part.is_some_and(|part| part < 3)));
    let nulls: ArrayRef = Arc::new(Int64Array::from(vec![None, Some(1)]));
    let dealt = partition(&[nulls], 2, parts).unwrap();
    assert!(dealt[0].is_none() && dealt[1].is_some());
}

#[test]
fn equal_keys_of_every_type_get_the_same_number() {
    let columns: [ArrayRef; 6] = [
        Arc::new(BooleanArray::from(vec![
            Some(true),
            Some(false),
            None,
            Some(true),
        ])),
        Arc::new(Int32Array::from(vec![Some(-1), Some(1), None, Some(-1)])),
        Arc::new(Int64Array::from(vec![
            Some(i64::MIN),
            Some(0),
            None,
            Some(i64::MIN),
        ])),
        Arc::new(StringArray::from(vec![
            Some("a"),
            Some(""),
            None,
            Some("a"),
        ])),
        Arc::new(BinaryArray::from_opt_vec(vec![
            Some(b"a"),
            Some(b""),
            None,
            Some(b"a"),
        ])),
        Arc::new(TimestampMicrosecondArray::from(vec![
            Some(5),
            Some(0),
            None,
            Some(5),
        ])),
    ];
    for column in columns {
        assert_eq!(interned(&[column], 4), [Some(0), Some(1), None, Some(0)]);
    }
}

#[test]
fn parts_do_not_run_into_each_other() {
    let first: ArrayRef = Arc::new(StringArray::from(vec!["a", "ab", "", "abc"]));
    let second: ArrayRef = Arc::new(StringArray::from(vec!["bc", "c", "abc", ""]));
    assert_eq!(
        interned(&[first, second], 4),
        [Some(0), Some(1), Some(2), Some(3)]
    );
}

#[test]
fn one_and_eleven_is_not_eleven_and_one() {
    let first: ArrayRef = Arc::new(Int64Array::from(vec![1, 11]));
    let second: ArrayRef = Arc::new(Int64Array::from(vec![11, 1]));
    assert_eq!(interned(&[first, second], 2), [Some(0), Some(1)]);
}

#[test]
fn a_null_in_any_part_is_no_key() {
    let first: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), None, Some(1)]));
    let second: ArrayRef = Arc::new(StringArray::from(vec![None, Some("a"), Some("a")]));
    assert_eq!(interned(&[first, second], 3), [None, None, Some(0)]);
}

#[test]
fn a_string_is_the_same_key_in_every_layout() {
    let texts = vec![
        Some("north"),
        None,
        Some("a string of more than twelve bytes"),
    ];
    let plain: ArrayRef = Arc::new(StringArray::from(texts.clone()));
    let mut index = KeyIndex::new(&[Arc::clone(&plain)]).unwrap();
    let numbers = intern(&mut index, &[plain], 3);
    let layouts: [ArrayRef; 3] = [
        Arc::new(LargeStringArray::from(texts.clone())),
        Arc::new(StringViewArray::from(texts.clone())),
        Arc::new(texts.into_iter().collect::<DictionaryArray<Int32Type>>()),
    ];
    for layout in layouts {
        assert_eq!(find(&index, &[layout], 3).unwrap(), numbers);
    }
}

#[test]
fn without_key_columns_every_row_has_the_one_key() {
    assert_eq!(interned(&[], 3), [Some(0); 3]);
}

#[test]
fn columns_of_another_type_or_number_are_refused() {
    let ints: ArrayRef = Arc::new(Int64Array::from(vec![1]));
    let texts: ArrayRef = Arc::new(StringArray::from(vec!["1"]));
    let floats: ArrayRef = Arc::new(Float64Array::from(vec![1.0]));
    let index = KeyIndex::new(&[Arc::clone(&ints)]).unwrap();
    let error = find(&index, &[texts], 1).unwrap_err().to_string();
    assert_eq!(error, "key column 0 is string, but int64 is needed");
    assert!(matches!(
        find(&index, &[], 1),
        Err(Error::KeyCount {
            expected: 1,
            found: 0
        })
    ));
    assert!(matches!(
        KeyIndex::new(&[ints, floats]),
        Err(Error::NotAKey { position: 1, .. })
    ));
}
