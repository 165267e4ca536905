//! Statuses, times and the order of things.

use fs_core::{EventTime, PointInTime, Span};

use super::fixture::{HOUR, NOW, Shop, column, entry, strings, times};
use crate::Status::{NotFound, NullValue, OutsideMaxAge, Present};

#[tokio::test]
async fn each_value_says_whether_it_is_there_and_if_not_why() {
    let shop = Shop::new().with_ttl("weather", HOUR);
    shop.put("weather", &["EWR"], NOW - 1, &[Some(70.0), None])
        .await;
    shop.put(
        "weather",
        &["LGA"],
        NOW - 2 * HOUR,
        &[Some(60.0), Some(1.0)],
    )
    .await;

    let entities = [("origin", strings(["EWR", "JFK", "LGA"]))];
    let vectors = shop
        .get(&["weather:temp", "weather:wind"], &entities)
        .await
        .unwrap();

    let temp = [
        (Present, Some(70.0)),
        (NotFound, None),
        (OutsideMaxAge, None),
    ];
    assert_eq!(column(&vectors, "weather__temp"), temp);
    let wind = [(NullValue, None), (NotFound, None), (OutsideMaxAge, None)];
    assert_eq!(column(&vectors, "weather__wind"), wind);
}

#[tokio::test]
async fn a_row_is_served_to_the_last_microsecond_of_its_ttl() {
    for (event, expected) in [
        (NOW - HOUR + 1, Present),
        (NOW - HOUR, Present),
        (NOW - HOUR - 1, OutsideMaxAge),
    ] {
        let shop = Shop::new().with_ttl("weather", HOUR);
        shop.put("weather", &["EWR"], event, &[Some(1.0), None])
            .await;
        let entities = [("origin", strings(["EWR"]))];
        let vectors = shop.get(&["weather:temp"], &entities).await.unwrap();
        assert_eq!(column(&vectors, "weather__temp")[0].0, expected, "{event}");
    }
}

#[tokio::test]
async fn a_row_of_the_future_is_not_there_yet() {
    for (event, expected) in [(NOW, Present), (NOW + 1, NotFound)] {
        let shop = Shop::new();
        shop.put("weather", &["EWR"], event, &[Some(1.0), None])
            .await;
        let entities = [("origin", strings(["EWR"]))];
        let vectors = shop.get(&["weather:temp"], &entities).await.unwrap();
        assert_eq!(column(&vectors, "weather__temp")[0].0, expected, "{event}");
        let seen = (expected == Present).then(|| EventTime::from_micros(event));
        assert_eq!(times(&vectors, 0), [seen]);
    }
}

#[tokio::test]
async fn a_delayed_row_is_served_once_its_delay_is_over() {
    for (delay, expected) in [(10, Present), (11, NotFound)] {
        let mut shop = Shop::new();
        shop.change_view("weather", |view| {
            view.delay = Span::from_micros(delay).unwrap();
        });
        shop.put("weather", &["EWR"], NOW - 10, &[Some(1.0), None])
            .await;
        let entities = [("origin", strings(["EWR"]))];
        let vectors = shop.get(&["weather:temp"], &entities).await.unwrap();
        assert_eq!(column(&vectors, "weather__temp")[0].0, expected, "{delay}");
    }
}

#[tokio::test]
async fn a_row_that_becomes_known_later_is_served_then() {
    for (created, expected) in [
        (None, Present),
        (Some(NOW), Present),
        (Some(NOW + 1), NotFound),
    ] {
        let mut shop = Shop::new();
        shop.change_view("weather", |view| view.point_in_time = PointInTime::KnownAt);
        shop.put_known("weather", &["EWR"], NOW - 9, created, &[Some(1.0), None])
            .await;
        let entities = [("origin", strings(["EWR"]))];
        let vectors = shop.get(&["weather:temp"], &entities).await.unwrap();
        assert_eq!(
            column(&vectors, "weather__temp")[0].0,
            expected,
            "{created:?}"
        );
    }
}

#[tokio::test]
async fn time_passing_turns_an_answer_into_one_that_is_too_old() {
    let shop = Shop::new().with_ttl("weather", HOUR);
    shop.put("weather", &["EWR"], NOW, &[Some(1.0), None]).await;
    let entities = [("origin", strings(["EWR"]))];
    shop.clock.set(EventTime::from_micros(NOW + HOUR + 1));
    let vectors = shop.get(&["weather:temp"], &entities).await.unwrap();
    assert_eq!(column(&vectors, "weather__temp"), [(OutsideMaxAge, None)]);
    assert_eq!(times(&vectors, 0), [Some(EventTime::from_micros(NOW))]);
}

#[tokio::test]
async fn the_answer_keeps_the_order_of_features_and_of_entities() {
    let shop = Shop::new();
    shop.put("weather", &["EWR"], 0, &[Some(1.0), Some(2.0)])
        .await;
    shop.put("weather", &["JFK"], 0, &[Some(3.0), Some(4.0)])
        .await;
    shop.put("routes", &["EWR", "JFK"], 0, &[Some(21.0)]).await;
    shop.put("routes", &["JFK", "EWR"], 0, &[Some(12.0)]).await;

    let entities = [
        ("dest", strings(["EWR", "JFK", "EWR"])),
        ("origin", strings(["JFK", "EWR", "JFK"])),
    ];
    let features = ["weather:wind", "routes:distance", "weather:temp"];
    let vectors = shop.get(&features, &entities).await.unwrap();

    let names: Vec<_> = vectors.columns().map(|column| column.name()).collect();
    assert_eq!(
        names,
        ["weather__wind", "routes__distance", "weather__temp"]
    );
    let values = |name| {
        column(&vectors, name)
            .iter()
            .map(|(_, v)| v.unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(values("weather__wind"), [4.0, 2.0, 4.0]);
    assert_eq!(values("routes__distance"), [12.0, 21.0, 12.0]);
    assert_eq!(values("weather__temp"), [3.0, 1.0, 3.0]);
}

#[tokio::test]
async fn one_view_under_two_names_is_looked_up_by_two_columns() {
    let shop = Shop::new().with_service(vec![
        entry("weather", None, &[]),
        entry("weather", Some("dest_weather"), &[("origin", "dest")]),
    ]);
    shop.put("weather", &["EWR"], 0, &[Some(1.0), None]).await;
    shop.put("weather", &["JFK"], 5, &[Some(2.0), None]).await;

    let entities = [("origin", strings(["EWR"])), ("dest", strings(["JFK"]))];
    let vectors = shop.get_service(&entities).await.unwrap();
    assert_eq!(column(&vectors, "weather__temp"), [(Present, Some(1.0))]);
    assert_eq!(
        column(&vectors, "dest_weather__temp"),
        [(Present, Some(2.0))]
    );
    let labels: Vec<_> = vectors.views().map(|view| view.label().as_str()).collect();
    assert_eq!(labels, ["weather", "dest_weather"]);
    assert_eq!(times(&vectors, 1), [Some(EventTime::from_micros(5))]);
}

#[tokio::test]
async fn a_view_without_entities_has_one_row_that_every_entity_gets() {
    let shop = Shop::new();
    shop.put("world", &[], 0, &[Some(9.0)]).await;
    let alone = shop.get(&["world:fuel"], &[]).await.unwrap();
    assert_eq!(column(&alone, "world__fuel"), [(Present, Some(9.0))]);

    let entities = [("origin", strings(["EWR", "JFK"]))];
    let beside = shop
        .get(&["world:fuel", "weather:temp"], &entities)
        .await
        .unwrap();
    assert_eq!(column(&beside, "world__fuel"), [(Present, Some(9.0)); 2]);
}

#[tokio::test]
async fn no_entities_get_an_answer_without_rows() {
    let shop = Shop::new();
    let vectors = shop
        .get(&["weather:temp"], &[("origin", strings([]))])
        .await
        .unwrap();
    assert_eq!(vectors.rows(), 0);
    assert_eq!(column(&vectors, "weather__temp"), []);
}
