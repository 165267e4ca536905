//! Strings and bytes that are read without structs, against the same by way of structs.

use fs_core::{Code, Coded};
use fs_proto::v1::{BytesValues, NamedColumn, Strings};
use proptest::collection::vec;
use proptest::prelude::*;
use prost::Message;

use super::*;
use crate::grpc::message::{OnlineRequest, read_features};

fn column(values: column::Values, nulls: &[u8]) -> NamedColumn {
    NamedColumn {
        name: "origin".to_owned(),
        values: Some(Column {
            values: Some(values),
            nulls: Bytes::copy_from_slice(nulls),
        }),
    }
}

/// A column as it is read here, and as prost and Arrow read it.
fn both(column: &NamedColumn) -> [Result<ArrayRef, Error>; 2] {
    let read = EntityColumn::decode(column.encode_to_vec().as_slice()).unwrap();
    assert_eq!(read.name, column.name);
    let expected = column.values.clone().unwrap();
    [
        array(&read.name, read.values.unwrap()),
        wire::to_array(&column.name, expected),
    ]
}

proptest! {
    #[test]
    fn strings_and_bytes_read_as_they_do_by_way_of_structs(
        texts in vec(".{0,40}", 0..6),
        nulls in vec(0..2_u8, 0..6),
    ) {
        let blobs = texts.iter().map(|text| Bytes::from(text.clone().into_bytes()));
        let blobs = BytesValues { values: blobs.collect() };
        for values in [
            column::Values::BytesValues(blobs),
            column::Values::Strings(Strings { values: texts }),
        ] {
            let [found, expected] = both(&column(values, &nulls));
            match (found, expected) {
                (Ok(found), Ok(expected)) => prop_assert_eq!(&found, &expected),
                (found, expected) => {
                    let texts = [found, expected].map(|it| it.unwrap_err().to_string());
                    prop_assert_eq!(&texts[0], &texts[1]);
                }
            }
        }
    }

    #[test]
    fn no_bytes_make_the_reader_panic(message in vec(any::<u8>(), 0..60)) {
        let message = Bytes::from(message);
        for values in [Values::Strings(message.clone()), Values::Blobs(message.clone())] {
            let values = Some(values);
            array("origin", EntityValues { values, nulls: Bytes::new() }).ok();
        }
        OnlineRequest::decode(message.clone()).ok();
        read_features(&message).ok();
    }
}

#[test]
fn a_field_of_a_later_release_is_passed_over() {
    // Field 2, a varint; then field 1, `EWR`.
    let message = Bytes::from_static(b"\x10\x07\x0a\x03EWR");
    let values = Some(Values::Strings(message));
    let nulls = Bytes::new();
    let found = array("origin", EntityValues { values, nulls }).unwrap();
    let expected: ArrayRef = Arc::new(arrow::array::StringArray::from(vec!["EWR"]));
    assert_eq!(&found, &expected);
}

#[test]
fn a_string_that_is_not_utf8_is_named_by_its_column_and_row() {
    let message = Bytes::from_static(b"\x0a\x03EWR\x0a\x01\xff");
    let values = Some(Values::Strings(message));
    let nulls = Bytes::new();
    let error = array("origin", EntityValues { values, nulls }).unwrap_err();
    assert_eq!(error.code(), Code::InvalidArgument);
    assert_eq!(
        error.to_string(),
        "row 1 of column `origin` is a string that is not UTF-8"
    );
}

#[test]
fn a_value_that_is_cut_off_is_an_invalid_argument() {
    let values = Some(Values::Strings(Bytes::from_static(b"\x0a\x09EWR")));
    let nulls = Bytes::new();
    let error = array("origin", EntityValues { values, nulls }).unwrap_err();
    assert_eq!(error.code(), Code::InvalidArgument);
}
