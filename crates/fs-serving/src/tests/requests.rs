//! Requests that are wrong, and entities that are null.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray, StringDictionaryBuilder};
use arrow::datatypes::Int32Type;
use fs_core::code::report;
use fs_core::{Code, Coded};

use super::fixture::{NOW, Shop, column, int64s, strings};
use crate::Status::{NotFound, Present};

async fn refusal(features: &[&str], entities: &[(&str, ArrayRef)]) -> (Code, String) {
    let error = Shop::new().get(features, entities).await.unwrap_err();
    (error.code(), report(&error))
}

#[tokio::test]
async fn a_null_in_any_part_of_a_key_finds_nothing() {
    let shop = Shop::new();
    shop.put("routes", &["EWR", "JFK"], NOW, &[Some(21.0)])
        .await;
    let origin: ArrayRef = Arc::new(StringArray::from(vec![
        Some("EWR"),
        None,
        Some("EWR"),
        None,
    ]));
    let dest: ArrayRef = Arc::new(StringArray::from(vec![
        Some("JFK"),
        Some("JFK"),
        None,
        None,
    ]));
    let vectors = shop
        .get(&["routes:distance"], &[("origin", origin), ("dest", dest)])
        .await
        .unwrap();
    let expected = [
        (Present, Some(21.0)),
        (NotFound, None),
        (NotFound, None),
        (NotFound, None),
    ];
    assert_eq!(column(&vectors, "routes__distance"), expected);
}

#[tokio::test]
async fn a_key_of_dictionary_strings_is_as_good_as_one_of_plain_strings() {
    let shop = Shop::new();
    shop.put("weather", &["EWR"], NOW, &[Some(1.0), None]).await;
    let mut builder = StringDictionaryBuilder::<Int32Type>::new();
    builder.append_value("EWR");
    let origin: ArrayRef = Arc::new(builder.finish());
    let vectors = shop
        .get(&["weather:temp"], &[("origin", origin)])
        .await
        .unwrap();
    assert_eq!(column(&vectors, "weather__temp"), [(Present, Some(1.0))]);
}

#[tokio::test]
async fn a_missing_key_column_is_named_with_its_type_and_the_view_that_needs_it() {
    let (code, text) = refusal(&["routes:distance"], &[("origin", strings(["EWR"]))]).await;
    assert_eq!(code, Code::InvalidArgument);
    assert_eq!(
        text,
        "entity column `dest` is missing: view `routes` is looked up by it; give one string per row"
    );
}

#[tokio::test]
async fn a_column_that_nothing_is_looked_up_by_is_named_with_the_nearest() {
    let entities = [("orgin", strings(["EWR"]))];
    let (code, text) = refusal(&["weather:temp"], &entities).await;
    assert_eq!(code, Code::InvalidArgument);
    assert_eq!(
        text,
        "there is no entity column `orgin` in this request; did you mean `origin`?; its features \
         are looked up by `origin`"
    );
}

#[tokio::test]
async fn a_column_of_the_wrong_type_is_named_with_both_types() {
    for (feature, name, values, expected) in [
        (
            "weather:temp",
            "origin",
            int64s([1]),
            "must be of type string, and is Int64",
        ),
        (
            "planes:seats",
            "tailnum",
            strings(["1"]),
            "must be of type int64, and is Utf8",
        ),
    ] {
        let (code, text) = refusal(&[feature], &[(name, values)]).await;
        assert_eq!(code, Code::InvalidArgument);
        assert_eq!(text, format!("entity column `{name}` {expected}"));
    }
}

#[tokio::test]
async fn columns_of_different_lengths_are_both_named() {
    let entities = [
        ("origin", strings(["EWR", "JFK"])),
        ("dest", strings(["LGA"])),
    ];
    let (code, text) = refusal(&["routes:distance"], &entities).await;
    assert_eq!(code, Code::InvalidArgument);
    assert!(
        text.contains("`dest` has 1 rows, but `origin` has 2"),
        "{text}"
    );
}

#[tokio::test]
async fn a_column_given_twice_is_refused() {
    let entities = [("origin", strings(["EWR"])), ("origin", strings(["JFK"]))];
    let (code, text) = refusal(&["weather:temp"], &entities).await;
    assert_eq!(code, Code::InvalidArgument);
    assert_eq!(text, "entity column `origin` is given twice");
}

#[tokio::test]
async fn an_unknown_feature_is_not_found_and_the_nearest_is_named() {
    let (code, text) = refusal(&["weather:tmp"], &[]).await;
    assert_eq!(code, Code::NotFound);
    assert!(text.contains("did you mean `temp`?"), "{text}");
}

#[tokio::test]
async fn a_view_that_is_not_online_is_refused_with_what_to_do() {
    let (code, text) = refusal(&["archive:temp"], &[("origin", strings(["EWR"]))]).await;
    assert_eq!(code, Code::FailedPrecondition);
    assert!(
        text.contains("`archive` is not online: set `online: true`"),
        "{text}"
    );
}
