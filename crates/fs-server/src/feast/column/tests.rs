use arrow::array::{Array, AsArray};
use arrow::datatypes::{Int64Type, TimestampMicrosecondType};
use fs_core::code::report;

use super::*;

fn given(json: &str) -> Vec<Given<'_>> {
    serde_json::from_str(json).unwrap()
}

fn made(data_type: &str, json: &str) -> ArrayRef {
    column("c", data_type.parse().unwrap(), &given(json)).unwrap()
}

#[test]
fn what_fits_becomes_a_column_of_exactly_the_type() {
    for (data_type, json) in [
        ("bool", r#"[true, "False", null]"#),
        ("int32", r#"[1, "-2", 3.0, null]"#),
        (
            "int64",
            r#"[9223372036854775807, "-9223372036854775808", null]"#,
        ),
        ("float32", r#"[1, 0.1, "NaN", null]"#),
        ("float64", r#"[1, 0.1, "-Infinity", "1e3", null]"#),
        ("string", r#"["", "é", null]"#),
        ("bytes", r#"["AP8=", "", null]"#),
        ("timestamp", r#"[1, 1.5, "1970-01-01T00:00:01", null]"#),
        ("array<int64>", "[[1, null], [], null]"),
        ("array<string>", r#"[["a", ""], null]"#),
        ("array<timestamp>", r#"[["1970-01-01"], [0]]"#),
    ] {
        let data_type: DataType = data_type.parse().unwrap();
        let values = given(json);
        let array = column("c", data_type, &values).unwrap();
        assert_eq!(*array.data_type(), data_type.to_arrow());
        assert_eq!(array.len(), values.len());
        let nulls = values.iter().filter(|value| **value == Given::Null).count();
        assert_eq!(array.null_count(), nulls, "{data_type}");
    }
}

#[test]
fn integers_and_times_are_exact() {
    let integers = made("int64", r#"[9007199254740993, "9007199254740993"]"#);
    let integers = integers.as_primitive::<Int64Type>();
    assert_eq!(integers.values(), &[9_007_199_254_740_993; 2]);
    let times = r#"[1, 1.5, 1700000000.123456, "1970-01-01T01:00:00+01:00", -1]"#;
    let times = made("timestamp", times);
    let times = times.as_primitive::<TimestampMicrosecondType>();
    let micros = [1_000_000, 1_500_000, 1_700_000_000_123_456, 0, -1_000_000];
    assert_eq!(times.values(), &micros);
}

#[test]
fn what_does_not_fit_is_refused_with_its_column_row_and_value() {
    for (data_type, json, says) in [
        (
            "int64",
            "[1, 1.5]",
            "column `c`, row 1: 1.5 is not of type int64",
        ),
        ("int32", "[2147483648]", "row 0: 2147483648 is not"),
        ("int64", "[true]", "row 0: true is not"),
        ("int64", "[1e300]", "row 0: 1e300 is not"),
        (
            "int64",
            "[18446744073709551615]",
            "18446744073709551615 is not",
        ),
        ("int64", r#"["1 "]"#, "the text \"1 \" is not"),
        ("bool", "[1]", "row 0: 1 is not of type bool"),
        ("float64", "[9007199254740993]", "9007199254740993 is not"),
        ("float64", r#"["1e999"]"#, "is not of type float64"),
        ("float32", "[1e300]", "is not of type float32"),
        ("string", "[1]", "row 0: 1 is not of type string"),
        ("string", "[[]]", "row 0: a list is not of type string"),
        ("string", "[{}]", "row 0: an object is not of type string"),
        ("bytes", r#"["?"]"#, "is not of type bytes"),
        ("timestamp", r#"["yesterday"]"#, "is not of type timestamp"),
        (
            "timestamp",
            "[9223372036854775807]",
            "is not of type timestamp",
        ),
        ("array<int64>", "[1]", "1 is not of type array<int64>"),
        (
            "array<int64>",
            r#"[[1], ["x"]]"#,
            "row 1: the text \"x\" is not of type int64",
        ),
        ("array<int64>", "[[[1]]]", "a list is not of type int64"),
    ] {
        let refused = column("c", data_type.parse().unwrap(), &given(json));
        let text = report(&refused.unwrap_err());
        assert!(text.contains(says), "{text}");
    }
}

#[test]
fn a_long_text_is_not_shown_whole() {
    let long = format!("[\"{}\"]", "x".repeat(10_000));
    let refused = column("c", "int64".parse().unwrap(), &given(&long)).unwrap_err();
    assert!(refused.to_string().len() < 120, "{refused}");
}

#[test]
fn values_of_protobuf_go_the_same_way() {
    let values = [Given::Seconds(1), Given::Int(2), Given::Null];
    let times = column("c", "timestamp".parse().unwrap(), &values).unwrap();
    let times = times.as_primitive::<TimestampMicrosecondType>();
    assert_eq!((times.value(0), times.value(1)), (1_000_000, 2_000_000));
    assert!(times.is_null(2));
    let bytes = column("c", "bytes".parse().unwrap(), &[Given::Bytes(&[1, 2])]);
    assert_eq!(bytes.unwrap().as_binary::<i32>().value(0), [1, 2]);
    let map = column("c", "string".parse().unwrap(), &[Given::Other("a map")]);
    assert!(
        map.unwrap_err()
            .to_string()
            .contains("a map is not of type string")
    );
}
