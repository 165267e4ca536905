//! Every key at one instant.

use std::collections::BTreeSet;

use arrow::array::{Array, AsArray};
use arrow::compute::concat_batches;
use arrow::datatypes::{Int64Type, TimestampMicrosecondType};
use fs_core::{FeatureRequest, Naming, ServiceName, Ttl};
use fs_engine::EngineOptions;
use proptest::prelude::{Strategy, any, prop_assert_eq, proptest};

use super::*;
use crate::fixture::{Row, Shop, VIEW, request};

fn rule(delay: i64, point_in_time: PointInTime) -> Rule {
    Rule {
        ttl: fs_core::Span::from_micros(1).and_then(Ttl::new),
        delay: fs_core::Span::from_micros(delay).unwrap(),
        point_in_time,
    }
}

fn row(user: i64, event: i64, created: Option<i64>) -> Row {
    let clicks = Some(0);
    Row {
        user,
        event,
        created,
        clicks,
    }
}

fn features(names: &[&str]) -> FeatureRequest {
    FeatureRequest::Features(names.iter().map(|name| name.parse().unwrap()).collect())
}

async fn spine(
    shop: &Shop,
    request: &FeatureRequest,
    at: i64,
    memory_limit: Option<usize>,
) -> Result<Spine, Error> {
    let options = EngineOptions {
        memory_limit,
        ..EngineOptions::default()
    };
    let engine = Engine::new(options).unwrap();
    let features = FeatureSet::resolve(&shop.catalog, request, Naming::Full)?;
    let at = EventTime::from_micros(at);
    Spine::as_of(&engine, shop.offline(), &shop.catalog, &features, at, None).await
}

/// The keys of a spine, which all have the time `at`.
async fn keys(shop: &Shop, request: &FeatureRequest, at: i64) -> Vec<i64> {
    let spine = spine(shop, request, at, None).await.unwrap();
    let features = FeatureSet::resolve(&shop.catalog, request, Naming::Full).unwrap();
    let (schema, rows) = spine.into_batches(&features).await.unwrap();
    let names: Vec<&str> = schema.fields().iter().map(|f| f.name().as_str()).collect();
    assert_eq!(names, ["user", EVENT_TIMESTAMP]);
    let rows = concat_batches(&schema, &rows).unwrap();
    let times = rows.column(1).as_primitive::<TimestampMicrosecondType>();
    assert!(times.null_count() == 0 && times.values().iter().all(|time| *time == at));
    rows.column(0).as_primitive::<Int64Type>().values().to_vec()
}

#[tokio::test]
async fn every_key_comes_once_and_sorted_however_old_its_rows_are() {
    let shop = Shop::new(rule(0, PointInTime::EventTime));
    let rows = [
        row(9, 1, None),
        row(2, 2, None),
        row(9, 3, None),
        row(-4, 90, None),
    ];
    shop.replace(0..100, &rows).await;
    assert_eq!(keys(&shop, &request(), 90).await, [-4, 2, 9]);
    assert_eq!(keys(&shop, &request(), 89).await, [2, 9]);
    assert!(keys(&shop, &request(), 0).await.is_empty());
    assert_eq!(keys(&shop, &request(), i64::MAX).await, [-4, 2, 9]);
}

#[tokio::test]
async fn a_delay_and_a_late_created_time_hide_a_key_to_the_microsecond() {
    let shop = Shop::new(rule(7, PointInTime::KnownAt));
    let rows = [row(1, 10, None), row(2, 10, Some(17)), row(3, 10, Some(18))];
    shop.replace(0..100, &rows).await;
    assert!(keys(&shop, &request(), 16).await.is_empty());
    assert_eq!(keys(&shop, &request(), 17).await, [1, 2]);
    assert_eq!(keys(&shop, &request(), 18).await, [1, 2, 3]);
}

#[tokio::test]
async fn the_keys_of_all_views_come_together_each_by_its_own_rule() {
    let mut shop = Shop::new(rule(0, PointInTime::EventTime));
    shop.add_view("orders", rule(50, PointInTime::EventTime));
    shop.replace(0..100, &[row(1, 10, None), row(2, 10, None)])
        .await;
    shop.replace_in("orders", 0..100, &[row(2, 10, None), row(3, 20, None)])
        .await;
    let both = features(&["activity:clicks", "orders:clicks"]);
    assert_eq!(keys(&shop, &both, 69).await, [1, 2]);
    assert_eq!(keys(&shop, &both, 70).await, [1, 2, 3]);
    let spine = spine(&shop, &both, 70, None).await.unwrap();
    let tables: Vec<&str> = spine
        .tables()
        .keys()
        .map(fs_core::ViewName::as_str)
        .collect();
    assert_eq!(tables, [VIEW, "orders"]);
}

#[tokio::test]
async fn views_with_different_key_columns_need_a_spine() {
    let mut shop = Shop::new(Rule::default());
    shop.catalog = shop.with_service(&[("buyer", "buyer_id"), ("seller", "seller_id")]);
    let service = FeatureRequest::Service(ServiceName::new("model").unwrap());
    let error = spine(&shop, &service, 0, None).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "view `buyer` is looked up by buyer_id, and view `seller` by seller_id: there is no spine \
         of every key for both, give one"
    );
}

#[tokio::test]
async fn a_training_set_of_every_key_has_the_newest_rows_of_each() {
    let shop = Shop::new(Rule::default());
    let clicks = |user, event, clicks| Row {
        clicks: Some(clicks),
        ..row(user, event, None)
    };
    let rows = [
        clicks(2, 1, 20),
        clicks(1, 2, 10),
        clicks(2, 3, 21),
        clicks(1, 9, 11),
    ];
    shop.replace(0..100, &rows).await;
    let spine = spine(&shop, &request(), 8, None).await.unwrap();
    let set = shop
        .training(spine, None)
        .await
        .unwrap()
        .collect()
        .await
        .unwrap();
    let newest = set[0]
        .column_by_name("clicks")
        .unwrap()
        .as_primitive::<Int64Type>();
    assert_eq!(newest.values()[..], [10, 21]);
}

#[tokio::test]
async fn an_alias_gives_its_column_its_name() {
    let mut shop = Shop::new(Rule::default());
    shop.replace(0..100, &[row(1, 10, None)]).await;
    shop.catalog = shop.with_service(&[("buyer", "buyer_id")]);
    let service = FeatureRequest::Service(ServiceName::new("model").unwrap());
    let spine = spine(&shop, &service, 10, None).await.unwrap();
    let features = FeatureSet::resolve(&shop.catalog, &service, Naming::Short).unwrap();
    let table = spine.open(&features, None).await.unwrap();
    assert_eq!(table.key_column("buyer_id"), Some("fs:key:buyer_id"));
}

#[tokio::test]
async fn views_without_keys_have_one_row() {
    let mut shop = Shop::new(Rule::default());
    shop.catalog
        .feature_views
        .get_mut(VIEW)
        .unwrap()
        .entities
        .clear();
    let spine = spine(&shop, &request(), 5, None).await.unwrap();
    let features = FeatureSet::resolve(&shop.catalog, &request(), Naming::Short).unwrap();
    let (schema, rows) = spine.into_batches(&features).await.unwrap();
    assert_eq!((schema.fields().len(), rows[0].num_rows()), (1, 1));
}

#[tokio::test]
async fn a_view_that_was_never_materialized_has_no_keys_to_tell() {
    let shop = Shop::new(Rule::default());
    let error = spine(&shop, &request(), 5, None).await.unwrap_err();
    assert!(matches!(error, Error::NotMaterialized { .. }), "{error}");
}

#[tokio::test]
async fn more_keys_than_memory_allows_go_to_disk() {
    let shop = Shop::new(Rule::default());
    let rows: Vec<Row> = (0..200_000)
        .map(|user| row(user * 7919 % 200_000, user, None))
        .collect();
    shop.replace(0..200_000, &rows).await;
    let features = FeatureSet::resolve(&shop.catalog, &request(), Naming::Short).unwrap();
    let spine = spine(&shop, &request(), 200_000, Some(2 << 20))
        .await
        .unwrap();
    let (schema, rows) = spine.into_batches(&features).await.unwrap();
    let rows = concat_batches(&schema, &rows).unwrap();
    let keys = rows.column(0).as_primitive::<Int64Type>().values();
    assert!(keys.iter().copied().eq(0..200_000));
}

/// The rows of a small history.
fn history() -> impl Strategy<Value = Vec<(i64, i64, Option<i64>)>> {
    let created = proptest::option::of(0_i64..30);
    proptest::collection::vec((0_i64..9, 0_i64..30, created), 0..40)
}

proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(24))]

    #[test]
    fn the_keys_are_those_that_the_rule_makes_visible(
        rows in history(),
        at in 0_i64..40,
        delay in 0_i64..5,
        known_at in any::<bool>(),
    ) {
        let point_in_time = if known_at { PointInTime::KnownAt } else { PointInTime::EventTime };
        let rule = rule(delay, point_in_time);
        let seen = rows.iter().filter(|(_, event, created)| rule.visible_from(*event, *created) <= at);
        let expected: BTreeSet<i64> = seen.map(|(user, _, _)| *user).collect();
        let found = tokio::runtime::Runtime::new().unwrap().block_on(async {
            let shop = Shop::new(rule);
            let rows: Vec<Row> = rows.iter().map(|(u, e, c)| row(*u, *e, *c)).collect();
            shop.replace(0..100, &rows).await;
            keys(&shop, &request(), at).await
        });
        prop_assert_eq!(found, expected.into_iter().collect::<Vec<_>>());
    }
}
