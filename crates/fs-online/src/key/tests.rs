use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, DictionaryArray, Int32Array, Int64Array, LargeStringArray,
    StringArray, StringViewArray, TimestampMicrosecondArray,
};
use arrow::datatypes::Int8Type;
use fs_core::Coded;
use proptest::prelude::*;
use serde_json::Value;

use super::*;

fn value(key_type: &str, value: &Value) -> KeyValue {
    let number = value.as_i64();
    match key_type {
        "bool" => KeyValue::Bool(value.as_bool().unwrap()),
        "int32" => KeyValue::Int32(number.unwrap().try_into().unwrap()),
        "int64" => KeyValue::Int64(number.unwrap()),
        "timestamp" => KeyValue::Timestamp(number.unwrap()),
        "string" => KeyValue::String(value.as_str().unwrap().to_owned()),
        _ => KeyValue::parse(KeyType::Bytes, value.as_str().unwrap()).unwrap(),
    }
}

#[test]
fn the_bytes_of_keys_are_frozen() {
    let golden: Value = serde_json::from_str(include_str!("../../golden/keys.json")).unwrap();
    for case in golden["keys"].as_array().unwrap() {
        let parts = case["parts"].as_array().unwrap().iter();
        let parts: Vec<KeyValue> = parts
            .map(|part| value(part["type"].as_str().unwrap(), &part["value"]))
            .collect();
        let types: Vec<KeyType> = parts.iter().map(KeyValue::key_type).collect();
        let KeyValue::Bytes(bytes) = value("bytes", &case["bytes"]) else {
            unreachable!()
        };
        assert_eq!(encode_key(&parts).as_bytes(), bytes, "{case}");
        assert_eq!(decode_key(&types, &bytes).unwrap(), parts, "{case}");
    }
}

#[test]
fn a_key_of_columns_is_the_key_of_its_values_and_a_null_part_has_none() {
    let columns: Vec<ArrayRef> = vec![
        Arc::new(BooleanArray::from(vec![Some(true), Some(false), None])),
        Arc::new(Int32Array::from(vec![Some(1), Some(-1), Some(1)])),
        Arc::new(Int64Array::from(vec![Some(2), Some(-2), Some(2)])),
        Arc::new(StringArray::from(vec![Some("a"), Some(""), Some("a")])),
        Arc::new(BinaryArray::from(vec![
            Some(&b"\xff"[..]),
            Some(b""),
            Some(b""),
        ])),
        Arc::new(
            TimestampMicrosecondArray::from(vec![Some(3), Some(-3), Some(3)]).with_timezone("UTC"),
        ),
    ];
    let key = |sign: i64, text: &str, bytes: &[u8]| {
        encode_key(&[
            KeyValue::Bool(sign > 0),
            KeyValue::Int32(sign.try_into().unwrap()),
            KeyValue::Int64(2 * sign),
            KeyValue::String(text.to_owned()),
            KeyValue::Bytes(bytes.to_vec()),
            KeyValue::Timestamp(3 * sign),
        ])
    };
    let keys = encode_columns(&KeyType::ALL, &columns, 3).unwrap();
    assert_eq!(
        keys,
        [Some(key(1, "a", b"\xff")), Some(key(-1, "", b"")), None]
    );
}

#[test]
fn a_string_key_may_come_in_any_shape_of_string() {
    let text = vec![Some("EWR"), None, Some("")];
    let dictionary: DictionaryArray<Int8Type> = text.iter().copied().collect();
    let shapes: [ArrayRef; 4] = [
        Arc::new(StringArray::from(text.clone())),
        Arc::new(LargeStringArray::from(text.clone())),
        Arc::new(StringViewArray::from(text.clone())),
        Arc::new(dictionary),
    ];
    let expected: Vec<_> = text
        .iter()
        .map(|text| text.map(|text| encode_key(&[KeyValue::String(text.to_owned())])))
        .collect();
    for shape in shapes {
        assert_eq!(
            encode_columns(&[KeyType::String], &[shape], 3).unwrap(),
            expected
        );
    }
}

#[test]
fn a_key_column_of_another_type_or_length_is_refused() {
    let column: ArrayRef = Arc::new(Int32Array::from(vec![1]));
    let wrong = encode_columns(&[KeyType::Int64], &[Arc::clone(&column)], 1).unwrap_err();
    assert_eq!(wrong.code(), fs_core::Code::InvalidArgument);
    assert_eq!(
        wrong.to_string(),
        "column `join key 0` must be of type int64, and is Int32"
    );
    assert!(encode_columns(&[KeyType::Int32], &[Arc::clone(&column)], 2).is_err());
    assert!(encode_columns(&[], &[column], 1).is_err());
}

#[test]
fn the_global_row_has_one_key() {
    let keys = encode_columns(&[], &[], 2).unwrap();
    assert_eq!(keys, [Some(encode_key(&[])), Some(encode_key(&[]))]);
    assert!(!encode_key(&[]).as_bytes().is_empty());
}

fn any_value() -> impl Strategy<Value = KeyValue> {
    prop_oneof![
        any::<bool>().prop_map(KeyValue::Bool),
        any::<i32>().prop_map(KeyValue::Int32),
        any::<i64>().prop_map(KeyValue::Int64),
        // Short strings over few letters, so that concatenations coincide.
        "[ab\u{0}]{0,3}|.{0,200}".prop_map(KeyValue::String),
        proptest::collection::vec(any::<u8>(), 0..4).prop_map(KeyValue::Bytes),
        any::<i64>().prop_map(KeyValue::Timestamp),
    ]
}

fn any_key() -> impl Strategy<Value = Vec<KeyValue>> {
    proptest::collection::vec(any_value(), 0..4)
}

proptest! {
    #[test]
    fn a_key_reads_back_from_its_bytes(parts in any_key()) {
        let types: Vec<KeyType> = parts.iter().map(KeyValue::key_type).collect();
        let key = encode_key(&parts);
        prop_assert_eq!(decode_key(&types, key.as_bytes()).unwrap(), parts);
    }

    #[test]
    fn different_keys_have_different_bytes(a in any_key(), b in any_key()) {
        prop_assert_eq!(encode_key(&a) == encode_key(&b), a == b);
    }

    #[test]
    fn no_bytes_make_the_decoder_panic_and_what_it_takes_is_canonical(
        types in proptest::collection::vec(proptest::sample::select(&KeyType::ALL[..]), 0..3),
        tail in proptest::collection::vec(any::<u8>(), 0..30),
    ) {
        let bytes = [&[FORMAT], tail.as_slice()].concat();
        if let Ok(parts) = decode_key(&types, &bytes) {
            let again = encode_key(&parts);
            prop_assert_eq!(again.as_bytes(), bytes);
        }
    }

    #[test]
    fn a_key_that_is_cut_off_is_an_error(parts in any_key(), cut in any::<proptest::sample::Index>()) {
        let types: Vec<KeyType> = parts.iter().map(KeyValue::key_type).collect();
        let key = encode_key(&parts);
        let cut = cut.index(key.as_bytes().len());
        prop_assert!(decode_key(&types, &key.as_bytes()[..cut]).is_err());
    }
}
