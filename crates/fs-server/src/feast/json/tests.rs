use serde::Deserialize;
use serde_json::Value;

use super::*;

#[test]
fn what_serde_json_reads_is_read_the_same_but_for_the_last_bits_of_floats() {
    for text in [
        "null",
        " [ ] ",
        r#"{"a": [1, -2, 18446744073709551615, 1.5, true, false, null, "é\n\u00e9\"\\"], "b": {}}"#,
        "[0, -0, -0.0, 1e3, 1E-3, 1.25e+2, 100000000000000000000]",
        "\t\r\n{\"\": \"\"}",
    ] {
        let ours: Value = read(text.as_bytes()).unwrap();
        let theirs: Value = serde_json::from_str(text).unwrap();
        assert_eq!(ours, theirs, "{text}");
    }
}

#[test]
fn what_is_no_json_is_refused_here_as_there() {
    for text in [
        "",
        " ",
        "nul",
        "nulll",
        "[",
        "[1",
        "[1,",
        "[1,]",
        "[,1]",
        "[1 2]",
        "{",
        "{\"a\"",
        "{\"a\":",
        "{\"a\":1,}",
        "{a: 1}",
        "{1: 1}",
        "{\"a\" 1}",
        "\"",
        "\"a",
        "\"\\x\"",
        "\"\n\"",
        "\"\\ud800\"",
        "01",
        "-",
        "1.",
        ".5",
        "1e",
        "1e+",
        "+1",
        "1e999",
        "NaN",
        "[1}",
        "1 2",
        "'a'",
        "\u{feff}1",
        "[\"a\\\"]",
    ] {
        assert!(serde_json::from_str::<Value>(text).is_err(), "{text:?}");
        let refused = read::<Value>(text.as_bytes()).unwrap_err();
        assert!(refused.is_syntax(), "{text:?}: {refused}");
    }
    let refused = read::<Value>(b"\"\xff\"").unwrap_err();
    assert_eq!(refused.to_string(), "the text is not UTF-8 at byte 1");
    let deep = "[".repeat(100_000);
    let refused = read::<Value>(deep.as_bytes()).unwrap_err();
    assert!(refused.to_string().contains("too deep"), "{refused}");
}

#[test]
fn every_float_is_read_to_the_last_bit() {
    let mut bits: u64 = 1;
    for _ in 0..20_000 {
        // Any bits, one after the other, that make a number.
        bits = bits
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let float = f64::from_bits(bits);
        if float.is_finite() {
            let read: f64 = read(format!("{float:?}").as_bytes()).unwrap();
            assert_eq!(read.to_bits(), float.to_bits(), "{float:?}");
        }
    }
    let gust: f64 = read(b"29.920279999999998").unwrap();
    assert_eq!(gust.to_bits(), 29.920_279_999_999_998_f64.to_bits());
}

#[test]
fn what_a_struct_lacks_or_has_otherwise_is_told() {
    #[derive(Debug, Deserialize)]
    struct Asked {
        rows: Vec<i64>,
        name: Option<String>,
    }
    let asked: Asked = read(br#"{"name": null, "more": {"a": [1]}, "rows": [1, 2]}"#).unwrap();
    assert_eq!((asked.rows, asked.name), (vec![1, 2], None));
    for (text, says) in [
        ("{}", "missing field `rows`"),
        (r#"{"rows": 1}"#, "expected a sequence"),
        (r#"{"rows": ["x"]}"#, "expected i64"),
        (r#"{"rows": [], "name": 1}"#, "expected a string"),
        ("[]", "expected an object"),
        ("1", "expected struct Asked"),
    ] {
        let refused = read::<Asked>(text.as_bytes()).unwrap_err();
        assert!(!refused.is_syntax(), "{refused}");
        assert!(refused.to_string().contains(says), "{refused}");
    }
}
