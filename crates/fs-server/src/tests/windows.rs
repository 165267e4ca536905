//! Windowed views over the wires.

use bytes::Bytes;
use fs_core::{Catalog, EventTime, Function};
use fs_online::{OnlineStore, Published, ViewId};
use fs_proto::v1::column::Values;
use fs_proto::v1::{
    Column, Doubles, GetOnlineFeaturesRequest, GetOnlineFeaturesResponse, Int64s, NamedColumn,
    PushRequest, PushTo, Timestamps,
};
use fs_testkit::catalog;
use serde_json::json;

use super::feast::fixture::read;
use super::fixture::{HOUR, NOW, Running, Setup, ask, features, strings};

/// `delays` of `airport`: how many flights in an hour, and their mean delay.
fn windowed(delay: &str) -> Catalog {
    catalog::project("flights")
        .entity(catalog::entity("airport").key("origin", "string"))
        .source(catalog::source("flights"))
        .view(
            catalog::view("delays")
                .entity("airport")
                .source("flights")
                .input("minutes", "float64")
                .aggregate("*", Function::Count, &["1h"])
                .aggregate("minutes", Function::Avg, &["1h"])
                .delay(delay),
        )
        .build()
}

const BOTH: [&str; 2] = ["delays:count_1h", "delays:minutes_avg_1h"];

async fn running() -> Running {
    let setup = Setup::new();
    setup.apply(&windowed("0s")).await;
    setup.start().await
}

impl Running {
    async fn push_delays(&self, events: &[(&str, i64, f64)]) {
        let column = |name: &str, values: Column| NamedColumn {
            name: name.to_owned(),
            values: Some(values),
        };
        let values = |values| Column {
            values: Some(values),
            nulls: Bytes::new(),
        };
        let origins: Vec<&str> = events.iter().map(|event| event.0).collect();
        let micros = events.iter().map(|event| event.1).collect();
        let minutes = events.iter().map(|event| event.2).collect();
        let request = PushRequest {
            name: "delays".to_owned(),
            columns: vec![
                column("origin", strings(&origins)),
                column(
                    "event_timestamp",
                    values(Values::Timestamps(Timestamps { micros })),
                ),
                column(
                    "minutes",
                    values(Values::Doubles(Doubles { values: minutes })),
                ),
            ],
            to: PushTo::Both.into(),
            idempotency_key: String::new(),
        };
        self.client().push(request).await.unwrap();
    }

    /// As a publication says when it is done.
    async fn say_published(&self) {
        let id = ViewId::new("flights".parse().unwrap(), "delays".parse().unwrap());
        let published = Published {
            table_version: 1,
            as_of: EventTime::from_micros(NOW),
            visibility: "event_time windows 0".to_owned(),
        };
        let store = &self.setup.store.inner;
        assert!(
            store
                .set_published(&id, None, published, None)
                .await
                .unwrap()
        );
    }

    async fn windows(&self, airports: &[&str]) -> GetOnlineFeaturesResponse {
        let request = GetOnlineFeaturesRequest {
            include_event_times: true,
            ..ask(features(&BOTH), airports)
        };
        let answer = self.client().get_online_features(request).await;
        answer.unwrap().into_inner()
    }
}

fn counts(answer: &GetOnlineFeaturesResponse) -> Vec<i64> {
    match answer.columns[0].values.clone().unwrap().values {
        Some(Values::Int64s(Int64s { values })) => values,
        other => panic!("counts are integers, not {other:?}"),
    }
}

#[tokio::test]
async fn pushed_events_count_at_once_and_no_longer_once_the_window_has_passed() {
    let running = running().await;
    let events = [
        ("EWR", NOW - 5, 4.0),
        ("EWR", NOW, 8.0),
        ("JFK", NOW - HOUR, 1.0),
    ];
    running.push_delays(&events).await;
    running.say_published().await;
    let answer = running.windows(&["EWR", "JFK", "LGA"]).await;
    assert_eq!(counts(&answer), [2, 0, 0]);
    assert!(answer.columns[0].statuses.is_empty());
    assert_eq!(answer.columns[1].statuses, Bytes::from_static(&[1, 2, 2]));
    let times = answer.event_times[0].event_times.clone().unwrap();
    let micros = vec![NOW, NOW - HOUR, 0];
    assert_eq!(
        times.values,
        Some(Values::Timestamps(Timestamps { micros }))
    );
    assert_eq!(times.nulls, Bytes::from_static(&[0, 0, 1]));

    running
        .setup
        .clock
        .set(EventTime::from_micros(NOW + HOUR - 5));
    assert_eq!(counts(&running.windows(&["EWR"]).await), [1]);
}

#[tokio::test]
async fn a_windowed_view_is_not_found_before_it_was_published() {
    let running = running().await;
    running.push_delays(&[("EWR", NOW, 8.0)]).await;
    let answer = running.windows(&["EWR", "LGA"]).await;
    for column in &answer.columns {
        assert_eq!(column.statuses, Bytes::from_static(&[3, 3]));
    }
    running.say_published().await;
    assert_eq!(counts(&running.windows(&["EWR", "LGA"]).await), [1, 0]);
}

#[tokio::test]
async fn what_the_state_cannot_give_is_outside_its_age_on_every_wire() {
    let running = running().await;
    running.push_delays(&[("EWR", NOW, 8.0)]).await;
    running.say_published().await;
    // What is stored was put together by another rule.
    running.setup.apply(&windowed("1m")).await;
    running.reloader.reload().await.unwrap();
    let answer = running.windows(&["EWR", "LGA"]).await;
    assert_eq!(answer.columns[0].statuses, Bytes::from_static(&[4, 1]));
    assert_eq!(answer.columns[1].statuses, Bytes::from_static(&[4, 2]));
    assert_eq!(counts(&answer), [0, 0]);

    let body = json!({"features": BOTH, "entities": {"origin": ["EWR", "LGA"]}});
    let answer = read(&running, &body).await;
    let [_, count, mean] = answer["results"].as_array().unwrap().as_slice() else {
        panic!("{answer}");
    };
    assert_eq!(count["values"], json!([null, 0]));
    assert_eq!(count["statuses"], json!(["OUTSIDE_MAX_AGE", "PRESENT"]));
    assert_eq!(mean["values"], json!([null, null]));
    assert_eq!(mean["statuses"], json!(["OUTSIDE_MAX_AGE", "NULL_VALUE"]));
}
