//! What a request costs the store.

use std::sync::Arc;

use fs_core::{FeatureRequest, Naming};

use super::fixture::{NOW, Shop, column, entry, strings};
use crate::Status::{NotFound, Present};

#[tokio::test]
async fn all_views_of_a_request_take_one_round_trip() {
    let shop = Shop::new();
    shop.put("weather", &["EWR"], NOW, &[Some(1.0), None]).await;
    shop.put("world", &[], NOW, &[Some(9.0)]).await;
    let entities = [("origin", strings(["EWR"])), ("dest", strings(["JFK"]))];
    let features = ["weather:temp", "routes:distance", "world:fuel"];
    for _ in 0..2 {
        shop.get(&features, &entities).await.unwrap();
        let (reads, keys, _) = shop.store.take_counts();
        assert_eq!((reads, keys), (1, 3));
    }
}

#[tokio::test]
async fn a_key_that_is_asked_for_twice_is_fetched_once_also_under_two_labels() {
    let shop = Shop::new().with_service(vec![
        entry("weather", None, &[]),
        entry("weather", Some("dest_weather"), &[("origin", "dest")]),
    ]);
    shop.put("weather", &["EWR"], NOW, &[Some(1.0), None]).await;
    let entities = [
        ("origin", strings(["EWR", "EWR", "JFK"])),
        ("dest", strings(["JFK", "EWR", "JFK"])),
    ];
    let vectors = shop.get_service(&entities).await.unwrap();
    let (found, missing) = ((Present, Some(1.0)), (NotFound, None));
    assert_eq!(column(&vectors, "weather__temp"), [found, found, missing]);
    assert_eq!(
        column(&vectors, "dest_weather__temp"),
        [missing, found, missing]
    );
    let (reads, keys, _) = shop.store.take_counts();
    assert_eq!((reads, keys), (1, 2));
}

#[tokio::test]
async fn a_request_without_keys_does_not_trouble_the_store() {
    let shop = Shop::new();
    shop.get(&["weather:temp"], &[("origin", strings([]))])
        .await
        .unwrap();
    assert_eq!(shop.store.take_counts(), (0, 0, 0));
}

#[tokio::test]
async fn an_answer_too_large_for_a_runtime_thread_is_the_same() {
    let shop = Shop::new();
    shop.put("weather", &["EWR"], NOW, &[Some(1.0), None]).await;
    let rows = 40_000;
    let origin = arrow::array::StringArray::from_iter_values((0..rows).map(|_| "EWR"));
    let entities = [("origin", Arc::new(origin) as _)];
    let vectors = shop.get(&["weather:temp"], &entities).await.unwrap();
    assert_eq!(
        column(&vectors, "weather__temp"),
        vec![(Present, Some(1.0)); rows]
    );
    let (reads, keys, _) = shop.store.take_counts();
    assert_eq!((reads, keys), (1, 1));
}

#[test]
fn a_request_is_resolved_once_per_version_and_naming() {
    let shop = Shop::new();
    let request = FeatureRequest::Features(vec!["weather:temp".parse().unwrap()]);
    let plan = |version, naming| {
        let plan = shop.serving.plan(&shop.catalog, version, &request, naming);
        plan.unwrap()
    };
    let first = plan(1, Naming::Short);
    assert!(Arc::ptr_eq(&first, &plan(1, Naming::Short)));
    assert!(!Arc::ptr_eq(&first, &plan(1, Naming::Full)));
    let second = plan(2, Naming::Short);
    assert!(!Arc::ptr_eq(&first, &second));
    assert_eq!((first.version(), second.version()), (1, 2));
}

#[test]
fn plans_of_made_up_requests_are_forgotten_before_they_fill_the_memory() {
    let mut shop = Shop::new().with_service(vec![entry("weather", None, &[])]);
    let (_, service) = shop.catalog.feature_services.pop_first().unwrap();
    for number in 0..2_000 {
        let mut service = service.clone();
        service.name = format!("service_{number}").parse().unwrap();
        let request = FeatureRequest::Service(service.name.clone());
        shop.catalog.feature_services.clear();
        shop.catalog
            .feature_services
            .insert(service.name.clone(), service);
        let plan = shop.serving.plan(&shop.catalog, 1, &request, Naming::Short);
        plan.unwrap();
    }
    assert!(shop.serving.plans_kept() <= 1_024);
}

#[test]
fn a_list_of_features_is_read_once_for_what_a_client_wrote() {
    let shop = Shop::new();
    let mut read = 0;
    let mut plan = |version, written: &[u8]| {
        let plan =
            shop.serving
                .plan_as_written(&shop.catalog, version, written, Naming::Short, || {
                    read += 1;
                    let feature = "weather:temp".parse().unwrap();
                    Ok::<_, crate::Error>(FeatureRequest::Features(vec![feature]))
                });
        (plan.unwrap(), read)
    };
    let (first, _) = plan(1, b"weather:temp");
    let (again, read) = plan(1, b"weather:temp");
    assert!(Arc::ptr_eq(&first, &again));
    assert_eq!(read, 1);
    // Written otherwise, it is read again, and means the same plan.
    let (spelt, read) = plan(1, b"weather : temp");
    assert!(Arc::ptr_eq(&first, &spelt));
    assert_eq!(read, 2);
    let (newer, read) = plan(2, b"weather:temp");
    assert_eq!((newer.version(), read), (2, 3));
}

#[tokio::test]
async fn views_of_one_entity_are_asked_for_the_same_keys() {
    let mut shop = Shop::new();
    let view = super::fixture::view("gates", &["airport"], &[("open", "float64")]);
    shop.catalog.feature_views.insert(view.name.clone(), view);
    shop.put("weather", &["EWR"], NOW, &[Some(1.0), None]).await;
    shop.put("gates", &["JFK"], NOW, &[Some(7.0)]).await;
    let entities = [("origin", strings(["JFK", "EWR", "JFK"]))];
    let features = ["weather:temp", "gates:open"];
    let vectors = shop.get(&features, &entities).await.unwrap();
    let missing = (NotFound, None);
    let weather = [missing, (Present, Some(1.0)), missing];
    assert_eq!(column(&vectors, "weather__temp"), weather);
    let gates = [(Present, Some(7.0)), missing, (Present, Some(7.0))];
    assert_eq!(column(&vectors, "gates__open"), gates);
    let (reads, keys, _) = shop.store.take_counts();
    assert_eq!((reads, keys), (1, 4));
}
