//! Scalars, one by one; lists and whole answers are tested over the wire.

use fs_online::Cell;
use fs_proto::feast::types::Value;
use fs_proto::feast::types::value::Val;

use super::json::cell;
use super::protobuf::Values;

fn text(value: Option<Cell<'_>>) -> String {
    let mut out = Vec::new();
    cell(&mut out, value);
    String::from_utf8(out).unwrap()
}

#[test]
fn a_float_has_a_point_or_an_exponent_and_reads_back_as_the_same_bits() {
    for (value, json) in [
        (1.0, "1.0"),
        (-0.0, "-0.0"),
        (0.1, "0.1"),
        (1e300, "1e+300"),
        (1e22, "1e+22"),
        (5e-324, "5e-324"),
        (123_456_789.0, "123456789.0"),
    ] {
        assert_eq!(text(Some(Cell::Float64(value))), json);
        let read: f64 = json.parse().unwrap();
        assert_eq!(read.to_bits(), value.to_bits());
    }
}

#[test]
fn a_float_that_is_no_number_is_a_text() {
    assert_eq!(text(Some(Cell::Float64(f64::NAN))), "\"NaN\"");
    assert_eq!(text(Some(Cell::Float32(f32::INFINITY))), "\"Infinity\"");
    assert_eq!(
        text(Some(Cell::Float64(f64::NEG_INFINITY))),
        "\"-Infinity\""
    );
}

#[test]
fn a_single_float_is_written_as_the_double_of_the_same_value() {
    assert_eq!(text(Some(Cell::Float32(0.1))), "0.10000000149011612");
    assert_eq!(text(Some(Cell::Float32(1.5))), "1.5");
}

#[test]
fn other_values_are_what_feast_makes_of_them() {
    for (value, json) in [
        (None, "null"),
        (Some(Cell::Bool(true)), "true"),
        (Some(Cell::Int32(-7)), "-7"),
        (Some(Cell::Int64(i64::MIN)), "-9223372036854775808"),
        (Some(Cell::String("a\"\n\u{1}é")), "\"a\\\"\\n\\u0001é\""),
        (Some(Cell::Bytes(&[0, 255])), "\"AP8=\""),
        (Some(Cell::Timestamp(1_999_999)), "1"),
        (Some(Cell::Timestamp(-1)), "-1"),
    ] {
        assert_eq!(text(value), json);
    }
}

#[test]
fn a_scalar_in_protobuf_is_what_the_generated_code_makes_of_it() {
    let mut values = Values::default();
    for (cell, value) in [
        (None, None),
        (Some(Cell::Bool(false)), Some(Val::BoolVal(false))),
        (Some(Cell::Bool(true)), Some(Val::BoolVal(true))),
        (Some(Cell::Int32(-7)), Some(Val::Int32Val(-7))),
        (Some(Cell::Int64(i64::MAX)), Some(Val::Int64Val(i64::MAX))),
        (Some(Cell::Float32(0.1)), Some(Val::FloatVal(0.1))),
        (Some(Cell::Float64(-0.0)), Some(Val::DoubleVal(-0.0))),
        (
            Some(Cell::String("é")),
            Some(Val::StringVal("é".to_owned())),
        ),
        (
            Some(Cell::Bytes(&[7; 200])),
            Some(Val::BytesVal(vec![7; 200].into())),
        ),
        (Some(Cell::Timestamp(-1)), Some(Val::UnixTimestampVal(-1))),
    ] {
        values.clear();
        values.push(cell);
        let mut expected = Vec::new();
        prost::encoding::message::encode(1, &Value { val: value }, &mut expected);
        assert_eq!(*values.bytes(), expected, "{cell:?}");
    }
}
