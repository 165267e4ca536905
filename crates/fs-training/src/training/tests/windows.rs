//! Training sets with features of windows.

mod properties;

use arrow::array::ArrayRef;
use fs_core::Function;
use fs_engine::{Engine, EngineOptions};

use super::*;
use crate::fixture::aggregation;

/// The view with windows.
const WINDOWS: &str = "clicks_lately";

/// A view of events beside the plain one; its events are known 20us after they happen.
fn shop_with(rule: Rule) -> Shop {
    let mut shop = Shop::new(Rule::default());
    shop.add_windowed(
        WINDOWS,
        rule,
        &[
            aggregation(None, Function::Count, None, &["100us", "lifetime"]),
            aggregation(
                Some("clicks"),
                Function::Sum,
                Some("score > 1"),
                &["100us", "1ms"],
            ),
            aggregation(Some("score"), Function::Avg, None, &["1ms"]),
        ],
    );
    shop
}

fn delayed() -> Rule {
    Rule {
        delay: Span::from_micros(20).unwrap(),
        ..Rule::default()
    }
}

async fn committed(rule: Rule, rows: &[Row]) -> Shop {
    let shop = shop_with(rule);
    for view in [VIEW, WINDOWS] {
        shop.replace_in(view, 0..10_000, rows).await;
    }
    shop
}

fn of(features: &[&str]) -> FeatureRequest {
    let features = features.iter().map(|feature| feature.parse().unwrap());
    FeatureRequest::Features(features.collect())
}

async fn set_of(shop: &Shop, features: &[&str], spine: Spine) -> Result<TrainingSet, Error> {
    let query = TrainingQuery::new(of(features), Naming::Short);
    let sets = shop.sets();
    sets.get(&shop.catalog, 1, &query, spine, None).await
}

async fn rows_of(set: TrainingSet) -> RecordBatch {
    let schema = Arc::clone(set.schema());
    concat_batches(&schema, &set.collect().await.unwrap()).unwrap()
}

fn named(batch: &RecordBatch, name: &str) -> ArrayRef {
    Arc::clone(batch.column_by_name(name).unwrap())
}

fn names(batch: &RecordBatch) -> Vec<String> {
    let schema = batch.schema();
    let fields = schema.fields().iter();
    fields.map(|field| field.name().clone()).collect()
}

#[tokio::test]
async fn windows_are_exact_at_both_ends_beside_the_newest_row_of_a_plain_view() {
    let events = [
        row(7, 100, 1),
        row(7, 200, 4),
        row(7, 201, 8),
        row(8, 50, 3),
    ];
    let shop = committed(delayed(), &events).await;
    let features = [
        "clicks_lately:clicks_sum_100us",
        "activity:clicks",
        "clicks_lately:count_lifetime",
        "clicks_lately:count_100us",
        "clicks_lately:score_avg_1ms",
    ];
    let users = [7, 7, 7, 7, 8, 9];
    let at = [219, 220, 320, 321, 2_000, 500];
    let set = set_of(&shop, &features, visits(&users, &at)).await.unwrap();
    let batch = rows_of(set).await;
    let own = ["user", EVENT_TIMESTAMP].map(str::to_owned);
    let asked = features.map(|feature| feature.split_once(':').unwrap().1.to_owned());
    assert_eq!(names(&batch), [&own[..], &asked[..]].concat());
    // An event counts at t if t - 100us < event + 20us <= t; half its clicks are its score.
    let some = |values: &[i64]| ints(&values.iter().copied().map(Some).collect::<Vec<_>>());
    assert_eq!(&named(&batch, "count_100us"), &some(&[1, 1, 1, 0, 0, 0]));
    assert_eq!(&named(&batch, "count_lifetime"), &some(&[1, 2, 3, 3, 1, 0]));
    let sums = ints(&[None, Some(4), Some(8), None, None, None]);
    assert_eq!(&named(&batch, "clicks_sum_100us"), &sums);
    let means = [Some(0.5), Some(1.25), Some(6.5 / 3.0), Some(6.5 / 3.0)];
    let means: Float64Array = means.into_iter().chain([None, None]).collect();
    assert_eq!(*named(&batch, "score_avg_1ms"), means);
    let newest = [Some(8), Some(8), Some(8), Some(8), Some(3), None];
    assert_eq!(clicks(&batch), newest);
}

#[tokio::test]
async fn a_row_without_a_key_has_empty_windows() {
    let shop = committed(delayed(), &[row(7, 100, 4)]).await;
    let rows = spine(vec![
        ("user", ints(&[None, Some(7)])),
        (EVENT_TIMESTAMP, times(&[120, 120])),
    ]);
    let features = ["clicks_lately:count_100us", "clicks_lately:clicks_sum_1ms"];
    let set = set_of(&shop, &features, rows).await.unwrap();
    let report = set.views()[0].clone();
    let batch = rows_of(set).await;
    assert_eq!(&named(&batch, "count_100us"), &ints(&[Some(0), Some(1)]));
    assert_eq!(&named(&batch, "clicks_sum_1ms"), &ints(&[None, Some(4)]));
    assert_eq!((report.rows_read, report.rows_matched), (1, 1));
}

#[tokio::test]
async fn a_set_of_windows_alone_reads_only_what_they_cover_and_fetches_nothing() {
    let shop = shop_with(delayed());
    shop.replace_in(WINDOWS, 0..1_000, &[row(7, 500, 1)]).await;
    let late = [row(7, 50_500, 2), row(8, 50_600, 4)];
    shop.replace_in(WINDOWS, 50_000..51_000, &late).await;
    let rows = || visits(&[7, 8, 8], &[50_520, 50_620, 50_900]);
    let features = ["clicks_lately:count_100us"];
    let set = set_of(&shop, &features, rows()).await.unwrap();
    let report = set.views()[0].clone();
    let plan = set.plan().unwrap().clone();
    let batch = rows_of(set).await;
    assert_eq!(
        &named(&batch, "count_100us"),
        &ints(&[Some(1), Some(1), Some(0)])
    );
    assert_eq!((report.rows_read, report.rows_matched), (2, 2));
    assert_eq!((report.label.as_str(), report.table_version), (WINDOWS, 1));
    let plan = plan.to_string();
    assert!(plan.contains("take=[count(*) [100us]]"), "{plan}");
    assert!(!plan.contains("FetchRows"), "{plan}");

    let features = ["clicks_lately:count_lifetime"];
    let set = set_of(&shop, &features, rows()).await.unwrap();
    assert_eq!(set.views()[0].rows_read, 3, "a lifetime has no beginning");
    let ever = ints(&[Some(2), Some(1), Some(1)]);
    assert_eq!(&named(&rows_of(set).await, "count_lifetime"), &ever);
}

#[tokio::test]
async fn two_names_of_one_windowed_view_share_its_scan_and_take_what_each_is_asked_for() {
    let mut shop = committed(delayed(), &[row(7, 100, 1), row(8, 100, 4)]).await;
    shop.catalog = shop.with_service(&[("buyer", "user"), ("seller", "other")]);
    let service = shop.catalog.feature_services.get_mut("model").unwrap();
    for entry in &mut service.features {
        entry.view = WINDOWS.parse().unwrap();
    }
    let rows = spine(vec![
        ("user", ints(&[Some(7), Some(8)])),
        ("other", ints(&[Some(8), None])),
        (EVENT_TIMESTAMP, times(&[120, 120])),
    ]);
    let service = FeatureRequest::Service("model".parse().unwrap());
    let query = TrainingQuery::new(service, Naming::Full);
    let sets = shop.sets();
    let set = sets
        .get(&shop.catalog, 1, &query, rows, None)
        .await
        .unwrap();
    let plan = set.plan().unwrap().to_string();
    assert_eq!(plan.matches("DataSourceExec").count(), 1, "{plan}");
    let batch = rows_of(set).await;
    let count = |label: &str| named(&batch, &format!("{label}__count_100us"));
    assert_eq!(&count("buyer"), &ints(&[Some(1), Some(1)]));
    assert_eq!(&count("seller"), &ints(&[Some(1), Some(0)]));
    let sum = |label: &str| named(&batch, &format!("{label}__clicks_sum_100us"));
    assert_eq!(&sum("buyer"), &ints(&[None, Some(4)]));
    assert_eq!(&sum("seller"), &ints(&[Some(4), None]));
}

#[tokio::test]
async fn windows_at_a_pinned_version_stay_what_they_were_whatever_events_come() {
    let shop = committed(delayed(), &[row(7, 100, 4)]).await;
    let query = TrainingQuery::new(of(&["clicks_lately:count_lifetime"]), Naming::Short);
    let (rows, sets) = (visits(&[7], &[900]), shop.sets());
    let first = sets.get(&shop.catalog, 1, &query, rows.clone(), None);
    let first = first.await.unwrap();
    let versions = first.record().unwrap().versions.clone();
    let first = rows_of(first).await;
    shop.replace_in(WINDOWS, 0..10_000, &[row(7, 100, 4), row(7, 101, 5)])
        .await;
    let again = sets.get(&shop.catalog, 1, &query, rows.clone(), Some(&versions));
    assert_eq!(rows_of(again.await.unwrap()).await, first);
    let newest = sets
        .get(&shop.catalog, 1, &query, rows, None)
        .await
        .unwrap();
    assert_eq!(
        &named(&rows_of(newest).await, "count_lifetime"),
        &ints(&[Some(2)])
    );
}

#[tokio::test]
async fn a_sum_beyond_int64_names_the_view_and_the_feature() {
    let most = row(7, 100, i64::MAX);
    let mut shop = committed(delayed(), &[most.clone(), most]).await;
    let view = shop.catalog.feature_views.get_mut(WINDOWS).unwrap();
    for aggregation in &mut view.windows.as_mut().unwrap().aggregations {
        aggregation.filter = None;
    }
    let features = ["clicks_lately:clicks_sum_1ms"];
    let error = set_of(&shop, &features, visits(&[7], &[200])).await;
    let error = error.unwrap_err();
    assert_eq!(error.code(), Code::InvalidArgument);
    let text = report(&error);
    assert!(text.contains("view `clicks_lately`"), "{text}");
    assert!(text.contains("`clicks_sum_1ms`"), "{text}");
}

#[tokio::test]
async fn an_input_that_the_table_does_not_have_yet_is_null_in_every_event() {
    let mut shop = committed(delayed(), &[row(7, 100, 4)]).await;
    let view = shop.catalog.feature_views.get_mut(WINDOWS).unwrap();
    let windows = view.windows.as_mut().unwrap();
    let mut input = windows.inputs[0].clone();
    input.name = "bounces".parse().unwrap();
    windows.inputs.push(input);
    let more = [
        aggregation(Some("bounces"), Function::Sum, None, &["1ms"]),
        aggregation(
            None,
            Function::Count,
            Some("bounces IS NULL"),
            &["lifetime"],
        ),
    ];
    windows.aggregations = more.to_vec();
    view.schema = windows.schema().unwrap();
    let features = [
        "clicks_lately:bounces_sum_1ms",
        "clicks_lately:count_lifetime",
    ];
    let set = set_of(&shop, &features, visits(&[7], &[200]))
        .await
        .unwrap();
    let batch = rows_of(set).await;
    assert_eq!(&named(&batch, "bounces_sum_1ms"), &ints(&[None]));
    assert_eq!(&named(&batch, "count_lifetime"), &ints(&[Some(1)]));
}

#[tokio::test]
async fn every_key_as_of_an_instant_gets_its_windows_at_that_instant() {
    let events = [row(7, 100, 1), row(8, 300, 4), row(9, 985, 5)];
    let shop = committed(delayed(), &events).await;
    let request = of(&["clicks_lately:count_100us", "clicks_lately:count_lifetime"]);
    let features = FeatureSet::resolve(&shop.catalog, &request, Naming::Short).unwrap();
    let engine = Engine::new(EngineOptions::default()).unwrap();
    let at = EventTime::from_micros(400);
    let spine = Spine::as_of(&engine, shop.offline(), &shop.catalog, &features, at, None);
    let query = TrainingQuery::new(request, Naming::Short);
    let (sets, spine) = (shop.sets(), spine.await.unwrap());
    let set = sets
        .get(&shop.catalog, 1, &query, spine, None)
        .await
        .unwrap();
    let batch = rows_of(set).await;
    // The event of 9 arrives at 1005.
    assert_eq!(&named(&batch, "user"), &ints(&[Some(7), Some(8)]));
    assert_eq!(&named(&batch, "count_100us"), &ints(&[Some(0), Some(1)]));
    assert_eq!(&named(&batch, "count_lifetime"), &ints(&[Some(1), Some(1)]));
}

#[tokio::test]
async fn a_set_with_windows_is_saved_and_read_again_as_it_was() {
    let shop = committed(delayed(), &[row(7, 100, 4), row(7, 150, 6)]).await;
    let features = ["clicks_lately:clicks_sum_1ms", "activity:clicks"];
    let set = set_of(&shop, &features, visits(&[7, 8], &[400, 400])).await;
    let record = set.as_ref().unwrap().record().unwrap().to_json();
    let (set, copy) = set.unwrap().split();
    let name: fs_core::DatasetName = "kept".parse().unwrap();
    let (sets, now) = (shop.sets(), EventTime::from_micros(1_000_000));
    let saving = sets.save(copy, name.clone(), now);
    let (batch, saved) = tokio::join!(rows_of(set), saving.done());
    let saved = saved.unwrap();
    assert_eq!((saved.rows, saved.record), (2, Some(record)));
    assert_eq!(&named(&batch, "clicks_sum_1ms"), &ints(&[Some(10), None]));
    assert_eq!(clicks(&batch), [Some(6), None]);
}
