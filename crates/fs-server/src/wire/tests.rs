use std::sync::Arc;

use arrow::array::{Array, AsArray, Int32Array, ListBuilder, StringArray, StringBuilder};
use arrow::datatypes::Int64Type;
use fs_core::ScalarType;
use fs_proto::v1::column::Values;
use fs_proto::v1::{
    Bools, BytesValues, Doubles, Floats, Int32s, Int64s, Lists, Strings, Timestamps,
};

use super::*;

fn column(values: Values) -> Column {
    Column {
        values: Some(values),
        nulls: Bytes::new(),
    }
}

fn strings(values: &[&str]) -> Column {
    let values = values.iter().map(|&text| text.to_owned()).collect();
    column(Values::Strings(Strings { values }))
}

fn int64s(values: &[i64]) -> Column {
    let values = values.to_vec();
    column(Values::Int64s(Int64s { values }))
}

fn every_scalar() -> Vec<(ScalarType, Column)> {
    let bytes = vec![Bytes::from_static(b"\x00\xff"), Bytes::new()];
    [
        (
            ScalarType::Bool,
            Values::Bools(Bools {
                values: vec![true, false],
            }),
        ),
        (
            ScalarType::Int32,
            Values::Int32s(Int32s {
                values: vec![i32::MIN, 7],
            }),
        ),
        (
            ScalarType::Int64,
            Values::Int64s(Int64s {
                values: vec![i64::MAX, -7],
            }),
        ),
        (
            ScalarType::Float32,
            Values::Floats(Floats {
                values: vec![0.5, -0.0],
            }),
        ),
        (
            ScalarType::Float64,
            Values::Doubles(Doubles {
                values: vec![0.1, f64::MAX],
            }),
        ),
        (
            ScalarType::String,
            Values::Strings(Strings {
                values: vec!["é".into(), String::new()],
            }),
        ),
        (
            ScalarType::Bytes,
            Values::BytesValues(BytesValues { values: bytes }),
        ),
        (
            ScalarType::Timestamp,
            Values::Timestamps(Timestamps {
                micros: vec![i64::MIN, 1],
            }),
        ),
    ]
    .map(|(scalar, values)| (scalar, column(values)))
    .to_vec()
}

#[test]
fn columns_of_every_type_come_back_as_they_went() {
    for (scalar, items) in every_scalar() {
        let lists = column(Values::Lists(Box::new(Lists {
            lengths: vec![0, 2, 0],
            items: Some(Box::new(items.clone())),
        })));
        for (data_type, column) in [
            (DataType::Scalar(scalar), items),
            (DataType::Array(scalar), lists),
        ] {
            let array = to_array("c", column.clone()).unwrap();
            assert_eq!(*array.data_type(), data_type.to_arrow());
            assert_eq!(from_array(data_type, &array), column);
        }
    }
}

#[test]
fn a_masked_value_is_null_and_a_null_is_masked() {
    for values in [strings(&["a", ""]), int64s(&[7, 0])] {
        let nulls = Bytes::from_static(&[0, 1]);
        let column = Column { nulls, ..values };
        let array = to_array("c", column.clone()).unwrap();
        assert!(array.is_valid(0) && array.is_null(1));
        assert_eq!(named_column("c", &array).unwrap().values, Some(column));
    }
}

#[test]
fn a_mask_of_another_length_is_refused_with_both_lengths() {
    let nulls = Bytes::from_static(&[1]);
    let column = Column {
        nulls,
        ..strings(&["a", "b"])
    };
    let error = to_array("origin", column).unwrap_err().to_string();
    assert!(
        error.contains("`origin` has 2 values and a null mask of 1 bytes"),
        "{error}"
    );
}

#[test]
fn lists_whose_lengths_and_items_disagree_are_refused() {
    let lists = |lengths: Vec<u32>, items: Column| {
        let items = Some(Box::new(items));
        to_array(
            "c",
            column(Values::Lists(Box::new(Lists { lengths, items }))),
        )
    };
    assert!(lists(vec![1, 1], strings(&["a", "b"])).is_ok());
    assert!(lists(vec![1, 2], strings(&["a", "b"])).is_err());
    assert!(lists(vec![u32::MAX; 2], strings(&["a"])).is_err());
    assert!(lists(vec![], Column::default()).is_err());
    let nested = Values::Lists(Box::default());
    assert!(lists(vec![], column(nested)).is_err());
}

#[test]
fn a_null_goes_out_as_the_default_of_its_type() {
    let array = Int32Array::from(vec![Some(7), None]);
    let sent = from_array(DataType::Scalar(ScalarType::Int32), &array);
    assert_eq!(sent, column(Values::Int32s(Int32s { values: vec![7, 0] })));
}

#[test]
fn lists_go_out_as_lengths_and_the_items_of_all_rows() {
    let mut builder = ListBuilder::new(StringBuilder::new());
    builder.append_value([Some("a"), None]);
    builder.append_null();
    builder.append_value([Some("b")]);
    let array = builder.finish();
    let sent = from_array(DataType::Array(ScalarType::String), &array);
    let Some(Values::Lists(lists)) = sent.values else {
        panic!("no lists");
    };
    assert_eq!(lists.lengths, [2, 0, 1]);
    let items = lists.items.unwrap();
    assert_eq!(items.nulls, Bytes::from_static(&[0, 1, 0]));
    assert_eq!(items.values, strings(&["a", "", "b"]).values);
}

#[test]
fn an_arrow_type_without_a_wire_type_is_refused_with_its_name() {
    let odd: ArrayRef = Arc::new(arrow::array::UInt8Array::from(vec![1]));
    let error = named_column("origin", &odd).unwrap_err().to_string();
    assert!(
        error.contains("`origin`") && error.contains("UInt8"),
        "{error}"
    );
    let plain: ArrayRef = Arc::new(StringArray::from(vec!["EWR"]));
    assert!(named_column("origin", &plain).is_ok());
}

fn answer(statuses: &'static [u8], rows: u32) -> GetOnlineFeaturesResponse {
    let seats = FeatureColumn {
        name: "seats".to_owned(),
        values: Some(int64s(&[5, 0])),
        statuses: Bytes::from_static(statuses),
    };
    GetOnlineFeaturesResponse {
        registry_version: 1,
        row_count: rows,
        columns: vec![seats],
        event_times: vec![],
    }
}

#[test]
fn an_answer_reads_as_nulls_wherever_a_value_is_not_there() {
    let columns = feature_columns(answer(&[1, 4], 2)).unwrap();
    assert_eq!(
        columns[0].statuses,
        [Status::Present, Status::OutsideMaxAge]
    );
    let values: Vec<_> = columns[0]
        .values
        .as_primitive::<Int64Type>()
        .iter()
        .collect();
    assert_eq!(values, [Some(5), None]);

    let columns = feature_columns(answer(&[], 2)).unwrap();
    assert_eq!(columns[0].statuses, [Status::Present; 2]);
    assert_eq!(columns[0].values.null_count(), 0);
}

#[test]
fn an_answer_that_does_not_add_up_is_refused_with_its_column() {
    for answer in [answer(&[1], 2), answer(&[], 3), answer(&[1, 9], 2)] {
        let error = feature_columns(answer).unwrap_err().to_string();
        assert!(error.contains("`seats`"), "{error}");
    }
}
