use arrow::array::{
    Array, AsArray, Float64Array, Int64Array, StringArray, TimestampMicrosecondArray,
};
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Field, Int64Type, Schema};
use fs_core::code::report;
use fs_core::data_type::UTC;
use fs_core::{Code, Coded, EVENT_TIMESTAMP, EventTime, FeatureRequest, Naming, Span, Ttl};
use fs_pit::Rule;

use arrow::array::ArrayRef;

use super::*;
use crate::fixture::{Row, Shop, VIEW, at, request};
use crate::record::RECORD;

mod memory;
mod properties;
mod reproduced;
mod saved;
mod shipped;
mod windows;

fn ints(values: &[Option<i64>]) -> ArrayRef {
    Arc::new(Int64Array::from(values.to_vec()))
}

fn texts(values: &[Option<&str>]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

fn times(values: &[i64]) -> ArrayRef {
    Arc::new(TimestampMicrosecondArray::from(values.to_vec()).with_timezone(UTC))
}

fn spine(columns: Vec<(&str, ArrayRef)>) -> Spine {
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    Spine::new(batch.schema(), vec![batch])
}

fn visits(users: &[i64], at: &[i64]) -> Spine {
    let users: Vec<Option<i64>> = users.iter().copied().map(Some).collect();
    spine(vec![("user", ints(&users)), (EVENT_TIMESTAMP, times(at))])
}

fn row(user: i64, event: i64, clicks: i64) -> Row {
    Row {
        user,
        event,
        created: None,
        clicks: Some(clicks),
    }
}

async fn joined(shop: &Shop, spine: Spine) -> RecordBatch {
    let set = shop.training(spine, None).await.unwrap();
    let schema = Arc::clone(set.schema());
    concat_batches(&schema, &set.collect().await.unwrap()).unwrap()
}

fn clicks(batch: &RecordBatch) -> Vec<Option<i64>> {
    let column = batch.column_by_name("clicks").unwrap();
    column.as_primitive::<Int64Type>().iter().collect()
}

#[tokio::test]
async fn every_spine_row_comes_back_once_in_order_with_the_value_of_its_time() {
    let shop = Shop::new(Rule::default());
    shop.replace(0..1000, &[row(7, 100, 1), row(7, 200, 2), row(8, 50, 3)])
        .await;
    let batch = joined(
        &shop,
        visits(&[7, 8, 7, 7, 9, 7], &[200, 60, 199, 99, 500, 200]),
    )
    .await;
    assert_eq!(
        clicks(&batch),
        [Some(2), Some(3), Some(1), None, None, Some(2)]
    );
}

#[tokio::test]
async fn the_columns_of_the_spine_come_back_untouched_and_features_follow() {
    let shop = Shop::new(Rule::default());
    shop.replace(0..1000, &[row(7, 100, 1)]).await;
    let when = Arc::new(StringArray::from(vec!["1970-01-01T02:00:00.0001+02:00"]));
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("label", texts(&[Some("bought")])),
        ("user", Arc::new(arrow::array::Int32Array::from(vec![7]))),
        (EVENT_TIMESTAMP, when),
    ];
    let before = RecordBatch::try_from_iter(columns).unwrap();
    let batch = joined(&shop, Spine::new(before.schema(), vec![before.clone()])).await;
    assert_eq!(batch.columns()[..3], before.columns()[..]);
    let names: Vec<String> = batch
        .schema()
        .fields()
        .iter()
        .map(|f| f.name().clone())
        .collect();
    assert_eq!(names, ["label", "user", EVENT_TIMESTAMP, "clicks", "score"]);
    assert_eq!(clicks(&batch), [Some(1)]);
    assert_eq!(**batch.column(4), Float64Array::from(vec![0.5]));
}

#[tokio::test]
async fn a_null_in_the_newest_row_stays_null() {
    let shop = Shop::new(Rule::default());
    let newest = Row {
        clicks: None,
        ..row(7, 200, 0)
    };
    shop.replace(0..1000, &[row(7, 100, 1), newest]).await;
    assert_eq!(clicks(&joined(&shop, visits(&[7], &[300])).await), [None]);
}

#[tokio::test]
async fn of_equal_rows_the_one_committed_later_wins() {
    let shop = Shop::new(Rule::default());
    shop.replace(0..1000, &[row(7, 100, 1), row(7, 100, 2)])
        .await;
    assert_eq!(
        clicks(&joined(&shop, visits(&[7], &[100])).await),
        [Some(2)]
    );
}

#[tokio::test]
async fn a_spine_in_many_batches_is_one_spine() {
    let shop = Shop::new(Rule::default());
    shop.replace(0..1000, &[row(7, 100, 1), row(8, 100, 2)])
        .await;
    let one =
        |user| RecordBatch::try_from_iter([("user", ints(&[Some(user)])), ("t", times(&[100]))]);
    let batches: Vec<RecordBatch> = [7, 8, 7].map(|user| one(user).unwrap()).to_vec();
    let batch = joined(&shop, Spine::new(batches[0].schema(), batches)).await;
    assert_eq!(clicks(&batch), [Some(1), Some(2), Some(1)]);
}

#[tokio::test]
async fn an_empty_spine_gives_an_empty_training_set_with_all_columns() {
    let shop = Shop::new(Rule::default());
    shop.replace(0..1000, &[row(7, 100, 1)]).await;
    let set = shop.training(visits(&[], &[]), None).await.unwrap();
    assert_eq!(set.schema().fields().len(), 4);
    assert_eq!((set.rows(), set.views()[0].rows_read), (0, 0));
    assert!(
        set.collect()
            .await
            .unwrap()
            .iter()
            .all(|b| b.num_rows() == 0)
    );
}

#[tokio::test]
async fn the_report_says_what_was_read_and_from_which_version() {
    let ttl = Rule {
        ttl: Span::from_micros(10).and_then(Ttl::new),
        ..Rule::default()
    };
    let shop = Shop::new(ttl);
    shop.replace(0..100, &[row(7, 50, 1)]).await;
    shop.replace(5_000..6_000, &[row(7, 5_150, 2), row(8, 5_151, 3)])
        .await;
    let set = shop
        .training(visits(&[7, 9], &[5_155, 5_156]), None)
        .await
        .unwrap();
    let report = &set.views()[0];
    // The first file is too old to be seen, and is not read.
    assert_eq!((report.rows_read, report.rows_matched), (2, 1));
    assert_eq!(report.table_version, 1);
    assert_eq!(report.label.as_str(), VIEW);
}

#[tokio::test]
async fn a_view_that_was_never_materialized_is_an_error_with_the_command() {
    let shop = Shop::new(Rule::default());
    let error = shop.training(visits(&[7], &[1]), None).await.unwrap_err();
    assert_eq!(error.code(), Code::FailedPrecondition);
    assert_eq!(
        report(&error),
        "view `activity` has never been materialized: run `fs materialize START END --views \
         activity` first"
    );
}

#[tokio::test]
async fn full_feature_names_avoid_a_clash_with_the_spine() {
    let shop = Shop::new(Rule::default());
    shop.replace(0..1000, &[row(7, 100, 1)]).await;
    let taken = || {
        spine(vec![
            ("user", ints(&[Some(7)])),
            (EVENT_TIMESTAMP, times(&[100])),
            ("clicks", ints(&[Some(0)])),
        ])
    };
    let error = shop.training(taken(), None).await.unwrap_err().to_string();
    assert!(
        error.contains("`activity:clicks`") && error.contains("`clicks`"),
        "{error}"
    );
    let sets = shop.sets();
    let set = sets
        .get(
            &shop.catalog,
            1,
            &TrainingQuery::new(request(), Naming::Full),
            taken(),
            None,
        )
        .await;
    assert_eq!(set.unwrap().schema().field(3).name(), "activity__clicks");
}

#[tokio::test]
async fn a_set_outlives_what_made_it_and_one_that_is_dropped_stops() {
    let shop = Shop::new(Rule::default());
    shop.replace(0..1000, &[row(7, 100, 1)]).await;
    let users = vec![7; 100_000];
    let set = {
        let sets = shop.sets();
        let spine = visits(&users, &vec![100; users.len()]);
        sets.get(
            &shop.catalog,
            1,
            &TrainingQuery::new(request(), Naming::Short),
            spine,
            None,
        )
        .await
        .unwrap()
    };
    let rows: usize = set
        .collect()
        .await
        .unwrap()
        .iter()
        .map(RecordBatch::num_rows)
        .sum();
    assert_eq!(rows, users.len());
    let spine = visits(&users, &vec![100; users.len()]);
    let mut dropped = shop.training(spine, None).await.unwrap();
    assert!(dropped.next().await.is_some());
}

#[tokio::test]
async fn a_training_set_is_written_whole_or_not_at_all() {
    let shop = Shop::new(Rule::default());
    shop.replace(0..1000, &[row(7, 100, 1)]).await;
    let folder = tempfile::tempdir().unwrap();
    for name in ["set.parquet", "set.csv"] {
        let path = folder.path().join(name);
        let set = shop
            .training(visits(&[7, 9], &[100, 100]), None)
            .await
            .unwrap();
        let written = set.write(&path).await.unwrap();
        assert_eq!((written.rows, written.bytes > 0), (2, true));
        // What was written can be a spine again.
        let again = Spine::read(&path).await.unwrap();
        assert_eq!(again.rows(), Some(2));
    }
    let text = std::fs::read_to_string(folder.path().join("set.csv")).unwrap();
    assert_eq!(
        text,
        "user,event_timestamp,clicks,score\n7,1970-01-01T00:00:00.000100Z,1,0.5\n\
         9,1970-01-01T00:00:00.000100Z,,\n"
    );
    let set = shop.training(visits(&[7], &[100]), None).await.unwrap();
    let error = set
        .write(&folder.path().join("set.xlsx"))
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::InvalidArgument);
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(left.len(), 2, "{left:?}");
}

#[tokio::test]
async fn two_names_of_one_view_are_looked_up_by_their_own_columns() {
    let shop = Shop::new(Rule::default());
    shop.replace(0..1000, &[row(7, 100, 1), row(8, 100, 2)])
        .await;
    let catalog = shop.with_service(&[("buyer", "user"), ("seller", "other")]);
    let spine = spine(vec![
        ("user", ints(&[Some(7), Some(8)])),
        ("other", ints(&[Some(8), None])),
        ("t", times(&[100, 100])),
    ]);
    let service = FeatureRequest::Service("model".parse().unwrap());
    let set = shop
        .sets()
        .get(
            &catalog,
            1,
            &TrainingQuery::new(service, Naming::Full).with_timestamp_field(Some("t")),
            spine,
            None,
        )
        .await
        .unwrap();
    let labels: Vec<&str> = set.views().iter().map(|view| view.label.as_str()).collect();
    assert_eq!(labels, ["buyer", "seller"]);
    let batch = set.collect().await.unwrap().remove(0);
    let column = |name: &str| -> Vec<Option<i64>> {
        batch
            .column_by_name(name)
            .unwrap()
            .as_primitive::<Int64Type>()
            .iter()
            .collect()
    };
    assert_eq!(column("buyer__clicks"), [Some(1), Some(2)]);
    assert_eq!(column("seller__clicks"), [Some(2), None]);
}

#[tokio::test]
async fn a_feature_that_the_table_does_not_have_yet_is_null() {
    let shop = Shop::new(Rule::default());
    shop.replace(0..1000, &[row(7, 100, 1)]).await;
    let catalog = shop.with_feature("bounced", "bool");
    let features = ["activity:bounced", "activity:clicks"].map(|f| f.parse().unwrap());
    let request = FeatureRequest::Features(features.to_vec());
    let spine = visits(&[7], &[100]);
    let set = shop
        .sets()
        .get(
            &catalog,
            1,
            &TrainingQuery::new(request, Naming::Short),
            spine,
            None,
        )
        .await
        .unwrap();
    let batch = set.collect().await.unwrap().remove(0);
    assert_eq!(
        *batch.schema().field(2),
        Field::new("bounced", DataType::Boolean, true)
    );
    assert!(batch.column(2).is_null(0));
    assert_eq!(clicks(&batch), [Some(1)]);
}

#[tokio::test]
async fn the_metadata_of_the_spine_survives() {
    let shop = Shop::new(Rule::default());
    shop.replace(0..1000, &[row(7, at("1970-01-01"), 1)]).await;
    let batch = RecordBatch::try_from_iter([("user", ints(&[Some(7)])), ("t", times(&[5]))]);
    let batch = batch.unwrap();
    let metadata = [("made".to_owned(), "by hand".to_owned())].into();
    let schema = Schema::clone(&batch.schema()).with_metadata(metadata);
    let batch = batch.with_schema(Arc::new(schema)).unwrap();
    let set = shop
        .training(Spine::new(batch.schema(), vec![batch.clone()]), None)
        .await
        .unwrap();
    assert_eq!(set.schema().metadata()["made"], "by hand");
    assert_eq!(set.schema().metadata().len(), 2, "the record is beside it");
    assert_eq!(set.collect().await.unwrap()[0].num_rows(), 1);
}
