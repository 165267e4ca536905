use fs_core::{KeyType, KeyValue};
use fs_proto::feast::serving;
use fs_proto::v1;
use prost::Message;

use super::*;

fn keys() -> Vec<KeyColumn> {
    vec![KeyColumn {
        name: "user_id".to_owned(),
        key_type: KeyType::Int64,
        values: vec![KeyValue::Int64(-7), KeyValue::Int64(8)],
    }]
}

fn service() -> Selection {
    Selection::Service("f50".to_owned())
}

fn column(name: &str, values: Vec<f64>, statuses: &'static [u8]) -> v1::FeatureColumn {
    v1::FeatureColumn {
        name: name.to_owned(),
        values: Some(v1::Column {
            values: Some(v1::column::Values::Doubles(v1::Doubles { values })),
            ..v1::Column::default()
        }),
        statuses: Bytes::from_static(statuses),
    }
}

fn answer(columns: Vec<v1::FeatureColumn>) -> Bytes {
    let answer = v1::GetOnlineFeaturesResponse {
        row_count: 2,
        columns,
        ..v1::GetOnlineFeaturesResponse::default()
    };
    answer.encode_to_vec().into()
}

#[test]
fn a_native_question_has_typed_columns() {
    let bytes = Wire::Native.encode(&service(), keys());
    let question = v1::GetOnlineFeaturesRequest::decode(bytes.as_slice()).unwrap();
    let values = question.entities[0].values.clone().unwrap().values;
    let expected = v1::column::Values::Int64s(v1::Int64s {
        values: vec![-7, 8],
    });
    assert_eq!(values, Some(expected));
}

#[test]
fn a_question_to_feast_has_a_map_of_values() {
    let bytes = Wire::Feast.encode(&Selection::Features(vec!["v:f".to_owned()]), keys());
    let question = serving::GetOnlineFeaturesRequest::decode(bytes.as_slice()).unwrap();
    assert_eq!(question.entities["user_id"].val.len(), 2);
}

#[test]
fn a_question_over_http_is_json() {
    let bytes = Wire::Http.encode(&service(), keys());
    let expected = r#"{"entities":{"user_id":[-7,8]},"feature_service":"f50"}"#;
    assert_eq!(String::from_utf8(bytes).unwrap(), expected);
}

#[test]
fn the_values_of_an_answer_are_counted_by_status() {
    let answer = answer(vec![
        column("a", vec![1.0, 2.0], &[]),
        column("b", vec![0.0, 0.0], &[3, 4]),
    ]);
    let values = Wire::Native.check(answer, 2).unwrap();
    assert_eq!(
        values.to_string(),
        "2 present, 1 not found, 1 outside max age values"
    );

    let answer = br#"{"results":[{"values":[1,null],"statuses":["PRESENT","NULL_VALUE"]}],
                      "metadata":{"feature_names":["a"]}}"#;
    let values = Wire::Http.check(Bytes::from_static(answer), 2).unwrap();
    assert_eq!(values.to_string(), "1 present, 1 null values");
}

#[test]
fn an_answer_that_is_short_of_something_is_wrong() {
    for (columns, says) in [
        (
            vec![column("a", vec![1.0], &[])],
            "a has 1 values for 2 entities",
        ),
        (
            vec![column("a", vec![1.0, 2.0], &[1])],
            "a has 1 values for 2 entities",
        ),
        (vec![column("a", vec![1.0, 2.0], &[1, 9])], "9 is no status"),
        (Vec::new(), "no features"),
    ] {
        let message = Wire::Native.check(answer(columns), 2).unwrap_err();
        assert!(message.contains(says), "{message}");
    }
    Wire::Feast
        .check(Bytes::from_static(b"\xff"), 2)
        .unwrap_err();
    Wire::Http.check(Bytes::from_static(b"{"), 2).unwrap_err();
}
