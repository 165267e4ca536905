use std::sync::Arc;

use arrow::array::{
    BinaryArray, BooleanArray, DictionaryArray, Float64Array, Int32Array, Int64Array,
    LargeStringArray, StringArray, StringViewArray, TimestampMicrosecondArray,
};
use arrow::datatypes::Int32Type;

use super::*;

fn interned(columns: &[ArrayRef], rows: usize) -> Vec<Option<u32>> {
    let mut index = KeyIndex::new(columns).unwrap();
    let numbers = index.intern(columns, rows).unwrap();
    assert_eq!(index.find(columns, rows).unwrap(), numbers);
    numbers
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
    let numbers = index.intern(&[plain], 3).unwrap();
    let layouts: [ArrayRef; 3] = [
        Arc::new(LargeStringArray::from(texts.clone())),
        Arc::new(StringViewArray::from(texts.clone())),
        Arc::new(texts.into_iter().collect::<DictionaryArray<Int32Type>>()),
    ];
    for layout in layouts {
        assert_eq!(index.find(&[layout], 3).unwrap(), numbers);
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
    let error = index.find(&[texts], 1).unwrap_err().to_string();
    assert_eq!(error, "key column 0 is string, but int64 is needed");
    assert!(matches!(
        index.find(&[], 1),
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
