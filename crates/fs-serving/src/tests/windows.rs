//! Features of windowed views, computed when they are asked for.

mod airport;

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array};
use fs_core::code::report;
use fs_core::{Aggregation, Code, Coded, EventTime, Function, Span, Window};
use fs_online::{Cell, OnlineStore, Published, RowEncoder, RowLayout, RowOrder, RowWrite};
use fs_pit::state::State;

use self::airport::{ALL, Airport, MINUTE, count, statuses};
use super::fixture::{NOW, column, entry, int64s, string_key, strings, times};
use crate::Status::{NotFound, NullValue, OutsideMaxAge, Present};

#[tokio::test]
async fn windows_slide_while_nothing_is_published() {
    let airport = Airport::published().await;
    let events = [(90 * MINUTE, 9.0), (50 * MINUTE, 10.0), (10 * MINUTE, 20.0)];
    airport.put("EWR", &events).await;
    for (later, counts, mean) in [
        (0, (2, 3), Some(15.0)),
        (10 * MINUTE - 1, (2, 3), Some(15.0)),
        (10 * MINUTE, (1, 3), Some(20.0)),
        (50 * MINUTE, (0, 3), None),
    ] {
        airport.shop.clock.set(EventTime::from_micros(NOW + later));
        let vectors = airport.get(&ALL, ["EWR"]).await;
        let found = (count(&vectors, 0, 0), count(&vectors, 1, 0));
        assert_eq!(found, (Some(counts.0), Some(counts.1)), "{later}");
        let status = if mean.is_some() { Present } else { NullValue };
        assert_eq!(column(&vectors, "delays__delay_avg_1h"), [(status, mean)]);
    }
}

#[tokio::test]
async fn a_key_without_events_has_empty_windows_once_the_view_is_published() {
    let airport = Airport::published().await;
    airport.put("JFK", &[]).await;
    airport.put("EWR", &[(1, 3.0)]).await;
    let vectors = airport.get(&ALL, ["LGA", "JFK", "EWR"]).await;
    for row in [0, 1] {
        assert_eq!(
            statuses(&vectors, row),
            [Present, Present, NullValue, Present]
        );
        assert_eq!(
            (count(&vectors, 0, row), count(&vectors, 1, row)),
            (Some(0), Some(0))
        );
        let Some(Cell::List(list)) = vectors.column(3).unwrap().cell(row) else {
            panic!("a list")
        };
        assert!(list.is_empty());
    }
    assert_eq!(statuses(&vectors, 2), [Present; 4]);
    let newest = Some(EventTime::from_micros(NOW - 1));
    assert_eq!(times(&vectors, 0), [None, None, newest]);
    assert!(!vectors.all_present());
    assert!(airport.get(&ALL, ["EWR"]).await.all_present());
}

#[tokio::test]
async fn a_key_with_a_null_part_has_empty_windows() {
    let airport = Airport::published().await;
    let nothing: ArrayRef = Arc::new(arrow::array::StringArray::from(vec![None::<&str>]));
    let vectors = airport
        .shop
        .get(&ALL, &[("origin", nothing)])
        .await
        .unwrap();
    assert_eq!(
        statuses(&vectors, 0),
        [Present, Present, NullValue, Present]
    );
}

#[tokio::test]
async fn a_view_that_was_never_published_is_not_found() {
    let airport = Airport::new();
    // Somebody pushed before the first publication.
    airport.put("EWR", &[(1, 3.0)]).await;
    let vectors = airport.get(&ALL, ["EWR", "JFK"]).await;
    assert_eq!(statuses(&vectors, 0), [NotFound; 4]);
    assert_eq!(statuses(&vectors, 1), [NotFound; 4]);
    assert_eq!(times(&vectors, 0), [None, None]);

    // It had rows before it had windows.
    airport.publish("event_time ttl 1d").await;
    let vectors = airport.get(&ALL, ["EWR"]).await;
    assert_eq!(statuses(&vectors, 0), [NotFound; 4]);

    airport.publish("event_time windows 00f3a4c19b2d7e55").await;
    let vectors = airport.get(&ALL, ["EWR", "JFK"]).await;
    assert_eq!(statuses(&vectors, 0), [Present; 4]);
    assert_eq!(count(&vectors, 0, 1), Some(0));
}

#[tokio::test]
async fn a_view_that_the_store_has_lost_is_not_found_until_it_is_published_again() {
    let airport = Airport::published().await;
    airport.put("EWR", &[(1, 3.0)]).await;
    let vectors = airport.get(&ALL, ["EWR", "JFK"]).await;
    assert_eq!(statuses(&vectors, 0), [Present; 4]);
    assert_eq!(count(&vectors, 0, 1), Some(0));

    let store = airport.shop.store.as_ref();
    store.drop_view(&airport.id).await.unwrap();
    airport.push("JFK", &[(2, 5.0)]).await;
    let vectors = airport.get(&ALL, ["EWR", "JFK"]).await;
    assert_eq!(statuses(&vectors, 0), [NotFound; 4]);
    // What was pushed is not all that happened.
    assert_eq!(statuses(&vectors, 1), [NotFound; 4]);

    airport.publish("event_time windows 00f3a4c19b2d7e55").await;
    let vectors = airport.get(&ALL, ["EWR", "JFK"]).await;
    assert_eq!(count(&vectors, 0, 0), Some(0));
    assert_eq!(count(&vectors, 0, 1), Some(1));
}

#[tokio::test]
async fn a_row_of_before_the_view_had_windows_is_no_event() {
    let airport = Airport::published().await;
    let order = RowOrder {
        event: EventTime::from_micros(NOW - 5),
        created: None,
        sequence: 3,
    };
    let row = RowEncoder::new(&RowLayout::new(vec![]))
        .encode(&[], &[order])
        .unwrap();
    let write = RowWrite::newest(string_key("EWR"), row[0].clone());
    airport
        .shop
        .store
        .write(&airport.id, vec![write], None)
        .await
        .unwrap();
    let vectors = airport.get(&ALL, ["EWR"]).await;
    assert_eq!(
        statuses(&vectors, 0),
        [Present, Present, NullValue, Present]
    );
}

#[tokio::test]
async fn what_the_state_cannot_give_exactly_is_withheld_and_the_rest_is_not() {
    let airport = Airport::published().await;
    let events: Vec<(i64, f64)> = (0..500).map(|minutes| (minutes * MINUTE, 1.0)).collect();
    airport.put("EWR", &events).await;
    airport.put("JFK", &[(MINUTE, 1.0)]).await;
    // Before it was published, an hour began where events are merged; what began with the first of
    // them is known.
    airport
        .shop
        .clock
        .set(EventTime::from_micros(NOW - 30 * MINUTE));
    let vectors = airport.get(&ALL, ["EWR", "JFK"]).await;
    let withheld = [OutsideMaxAge, Present, OutsideMaxAge, OutsideMaxAge];
    assert_eq!(statuses(&vectors, 0), withheld);
    assert_eq!(count(&vectors, 1, 0), Some(470));
    assert_eq!(
        statuses(&vectors, 1),
        [Present, Present, NullValue, Present]
    );
    airport
        .shop
        .clock
        .set(EventTime::from_micros(NOW + 30 * MINUTE));
    let vectors = airport.get(&ALL, ["EWR", "JFK"]).await;
    assert_eq!(statuses(&vectors, 0), [Present; 4]);
    assert_eq!(count(&vectors, 0, 0), Some(30));
}

#[tokio::test]
async fn windowed_and_plain_views_are_read_in_one_round_trip() {
    let airport = Airport::published().await;
    airport.put("EWR", &[(1, 3.0)]).await;
    airport
        .shop
        .put("weather", &["EWR"], NOW, &[Some(70.0), None])
        .await;
    let features = ["weather:temp", "delays:count_1h"];
    airport.get(&features, ["EWR"]).await;
    airport.shop.store.take_counts();
    let vectors = airport.get(&features, ["EWR", "JFK"]).await;
    assert_eq!(airport.shop.store.take_counts(), (1, 4, 0));
    assert_eq!(statuses(&vectors, 0), [Present, Present]);
    assert_eq!(statuses(&vectors, 1), [NotFound, Present]);
}

#[tokio::test]
async fn one_windowed_view_under_two_names_is_computed_for_both() {
    let mut airport = Airport::published().await;
    airport.put("EWR", &[(1, 3.0)]).await;
    airport.put("JFK", &[(1, 5.0), (2, 6.0)]).await;
    airport.shop = airport.shop.with_service(vec![
        entry("delays", None, &[]),
        entry("delays", Some("dest_delays"), &[("origin", "dest")]),
    ]);
    let entities = [("origin", strings(["EWR"])), ("dest", strings(["JFK"]))];
    let vectors = airport.shop.get_service(&entities).await.unwrap();
    assert_eq!(
        column(&vectors, "delays__delay_avg_1h"),
        [(Present, Some(3.0))]
    );
    assert_eq!(
        column(&vectors, "dest_delays__delay_avg_1h"),
        [(Present, Some(5.5))]
    );
}

#[tokio::test]
async fn many_entities_are_computed_off_the_runtime_and_answer_the_same() {
    let airport = Airport::published().await;
    airport.put("EWR", &[(1, 3.0)]).await;
    let many = Arc::new(arrow::array::StringArray::from(vec!["EWR"; 500])) as ArrayRef;
    let vectors = airport.shop.get(&ALL, &[("origin", many)]).await.unwrap();
    assert!((0..500).all(|row| statuses(&vectors, row) == [Present; 4]));
    let counts = vectors.column(0).unwrap().to_arrow();
    assert_eq!(
        *counts,
        *(Arc::new(Int64Array::from(vec![1; 500])) as ArrayRef)
    );
}

#[tokio::test]
async fn a_damaged_state_is_an_error_that_names_the_view() {
    let airport = Airport::published().await;
    airport.put_bytes(string_key("EWR"), &[1, 7]).await;
    let entities = [("origin", strings(["EWR"]))];
    let error = airport.shop.get(&ALL, &entities).await.unwrap_err();
    assert_eq!(error.code(), Code::Internal);
    assert!(
        report(&error).contains("flights/delays"),
        "{}",
        report(&error)
    );
    // Other views are not hurt.
    let seats = [("tailnum", int64s([1]))];
    airport.shop.get(&["planes:seats"], &seats).await.unwrap();
}

#[tokio::test]
async fn a_state_of_before_the_view_was_changed_answers_what_it_can() {
    let mut airport = Airport::published().await;
    airport.put("EWR", &[(1, 3.0), (2 * MINUTE, 4.0)]).await;
    airport.shop.change_view("delays", |view| {
        let windows = view.windows.as_mut().unwrap();
        let delay = Some("delay".parse().unwrap());
        let minute = Window::last(Span::from_micros(MINUTE).unwrap()).unwrap();
        let sum = Aggregation::new(delay, Function::Sum, &[minute]).unwrap();
        windows.aggregations.push(sum);
        view.schema = windows.schema().unwrap();
    });
    let features = ["delays:count_1h", "delays:delay_sum_1m"];
    let vectors = airport.get(&features, ["EWR"]).await;
    assert_eq!(count(&vectors, 0, 0), Some(2));
    assert_eq!(
        column(&vectors, "delays__delay_sum_1m"),
        [(Present, Some(3.0))]
    );
}

#[test]
fn what_is_published_is_told_by_a_word() {
    let published = |visibility: &str| Published {
        table_version: 1,
        as_of: EventTime::from_micros(0),
        visibility: visibility.to_owned(),
    };
    let is_published = |text: &str| fs_online::state_row::is_published(&published(text));
    assert!(is_published(
        "known_at+15m windows 0000000000f3a4c1 until 2013-04-05T12:00:00Z"
    ));
    assert!(!is_published("known_at+15m") && !is_published("event_time ttl 1d"));
    assert!(State::open(&[1, 0]).unwrap().is_empty());
}
