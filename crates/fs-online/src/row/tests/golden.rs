//! `golden/rows.json` and `golden/rows.bin`.

use arrow::array::{
    BinaryBuilder, BooleanBuilder, ListBuilder, PrimitiveBuilder, StringBuilder,
    TimestampMicrosecondBuilder, new_null_array,
};
use arrow::datatypes::{Float32Type, Float64Type, Int32Type, Int64Type};
use fs_core::data_type::timestamp_type;
use fs_core::{CreatedTime, KeyType, KeyValue, ScalarType};
use serde_json::Value;

use super::*;

/// A column of one value, as `rows.json` writes it.
fn column(data_type: DataType, value: &Value) -> ArrayRef {
    match data_type {
        DataType::Scalar(scalar) => scalars(scalar, std::slice::from_ref(value)),
        DataType::Array(scalar) => {
            let items = value.as_array().map(Vec::as_slice);
            list(scalar, items)
        }
    }
}

macro_rules! fill {
    ($builder:expr, $values:expr, $read:expr) => {{
        let mut builder = $builder;
        for value in $values {
            builder.append_option((!value.is_null()).then(|| $read(value)));
        }
        builder
    }};
}

macro_rules! by_type {
    ($scalar:expr, $values:expr, $done:expr) => {
        match $scalar {
            ScalarType::Bool => $done(fill!(BooleanBuilder::new(), $values, |v: &Value| v
                .as_bool()
                .unwrap())),
            ScalarType::Int32 => {
                let read = |v: &Value| i32::try_from(v.as_i64().unwrap()).unwrap();
                $done(fill!(PrimitiveBuilder::<Int32Type>::new(), $values, read))
            }
            ScalarType::Int64 => {
                let read = |v: &Value| v.as_i64().unwrap();
                $done(fill!(PrimitiveBuilder::<Int64Type>::new(), $values, read))
            }
            ScalarType::Float32 => {
                let read = |v: &Value| f32::from_bits(bits(v).try_into().unwrap());
                $done(fill!(PrimitiveBuilder::<Float32Type>::new(), $values, read))
            }
            ScalarType::Float64 => {
                let read = |v: &Value| f64::from_bits(bits(v));
                $done(fill!(PrimitiveBuilder::<Float64Type>::new(), $values, read))
            }
            ScalarType::String => {
                let read = |v: &Value| v.as_str().unwrap().to_owned();
                $done(fill!(StringBuilder::new(), $values, read))
            }
            ScalarType::Bytes => $done(fill!(BinaryBuilder::new(), $values, bytes)),
            ScalarType::Timestamp => {
                let builder = TimestampMicrosecondBuilder::new().with_data_type(timestamp_type());
                $done(fill!(builder, $values, |v: &Value| v.as_i64().unwrap()))
            }
        }
    };
}

fn scalars(scalar: ScalarType, values: &[Value]) -> ArrayRef {
    use arrow::array::ArrayBuilder;

    fn done(mut builder: impl ArrayBuilder) -> ArrayRef {
        builder.finish()
    }
    by_type!(scalar, values, done)
}

fn list(scalar: ScalarType, items: Option<&[Value]>) -> ArrayRef {
    use arrow::array::ArrayBuilder;

    fn done(items: impl ArrayBuilder) -> ArrayRef {
        let mut lists = ListBuilder::new(items);
        lists.append(true);
        Arc::new(lists.finish())
    }
    match items {
        Some(items) => by_type!(scalar, items, done),
        None => new_null_array(&DataType::Array(scalar).to_arrow(), 1),
    }
}

fn bits(value: &Value) -> u64 {
    u64::from_str_radix(value.as_str().unwrap().strip_prefix("0x").unwrap(), 16).unwrap()
}

fn bytes(value: &Value) -> Vec<u8> {
    match KeyValue::parse(KeyType::Bytes, value.as_str().unwrap()).unwrap() {
        KeyValue::Bytes(bytes) => bytes,
        _ => unreachable!(),
    }
}

#[test]
fn the_bytes_of_rows_are_frozen() {
    let golden: Value = serde_json::from_str(include_str!("../../../golden/rows.json")).unwrap();
    let stored = include_bytes!("../../../golden/rows.bin");
    let mut end = 0;
    for case in golden["rows"].as_array().unwrap() {
        let name = &case["name"];
        let features: Vec<(FeatureName, DataType)> = case["features"]
            .as_array()
            .unwrap()
            .iter()
            .map(|f| feature(f["name"].as_str().unwrap(), f["type"].as_str().unwrap()))
            .collect();
        let columns: Vec<ArrayRef> = features
            .iter()
            .zip(case["values"].as_array().unwrap())
            .map(|((_, data_type), value)| column(*data_type, value))
            .collect();
        let order_of_row = RowOrder {
            event: EventTime::from_micros(case["order"]["event"].as_i64().unwrap()),
            created: case["order"]["created"]
                .as_i64()
                .map(CreatedTime::from_micros),
            sequence: case["order"]["sequence"].as_u64().unwrap(),
        };
        let at = usize::try_from(case["at"].as_u64().unwrap()).unwrap();
        let length = usize::try_from(case["length"].as_u64().unwrap()).unwrap();
        let row = &stored[at..at + length];
        end = at + length;

        let layout = RowLayout::new(features.clone());
        let encoded = RowEncoder::new(&layout).encode(&columns, &[order_of_row]);
        assert_eq!(encoded.unwrap(), [row], "{name}");
        let decoder = RowDecoder::new(std::slice::from_ref(&layout), &features);
        let found = decoder.decode(&[Some(row)]).unwrap();
        assert_eq!(found, columns, "{name}");
        // Not left to what Arrow thinks of NaN and -0.0: the bits are the same again.
        let again = RowEncoder::new(&layout).encode(&found, &[order_of_row]);
        assert_eq!(again.unwrap(), [row], "{name}");
        assert_eq!(order(row).unwrap(), order_of_row, "{name}");
    }
    assert_eq!(end, stored.len());
}

#[test]
fn a_layout_and_a_published_state_of_every_release_read_back() {
    let layout = include_str!("../../../golden/layout.json");
    let read = RowLayout::from_json(layout.as_bytes()).unwrap();
    assert_eq!(read.to_json(), layout);
    assert_eq!(read.id(), 0xdb3c_6aa9);
    let state = include_str!("../../../golden/published.json");
    let read = crate::Published::from_json(state.as_bytes()).unwrap();
    assert_eq!(read.to_json(), state);
    assert_eq!(read.table_version, 41);
    assert_eq!(read.visibility, "known_at+1h30m");
}
