//! Features that are added to a view whose table has rows already.

use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use fs_core::{Code, Coded, Feature, FeatureName};
use fs_offline::{RunKind, Scan, TableSchema};
use fs_online::{OnlineStore, RowDecoder, RowLayout, ViewKeys};
use futures::TryStreamExt;

use crate::fixture::{Shop, click, further, killed_after};
use crate::{Error, RunSummary, Silent, Views};

impl Shop {
    /// Adds the feature `twice`, which the source has had all along.
    fn add_twice(&mut self) {
        self.redefine(|view| {
            let query = "SELECT user, event, created, clicks, clicks * 2 AS twice FROM clicks";
            view.query = Some(query.to_owned());
            view.schema.push(Feature {
                name: "twice".parse().unwrap(),
                data_type: "int64".parse().unwrap(),
                description: None,
            });
        });
    }

    async fn backfill(&self, features: &[&str]) -> Result<RunSummary, Error> {
        let features: Vec<FeatureName> =
            features.iter().map(|name| name.parse().unwrap()).collect();
        let run =
            self.materializer
                .backfill(&self.catalog, &Views::All, features, Arc::new(Silent));
        Ok(run.await?.remove(0))
    }

    /// `(sequence, clicks, twice)` of the table, by sequence.
    async fn doubled(&self) -> Vec<(i64, Option<i64>, Option<i64>)> {
        let view = &self.catalog.feature_views["activity"];
        let schema = TableSchema::of(&self.catalog, view);
        let scan = self.offline.scan(&schema, &Scan::default()).await.unwrap();
        let batches: Vec<RecordBatch> = scan.stream().unwrap().try_collect().await.unwrap();
        let mut rows = Vec::new();
        for batch in &batches {
            let value = |name: &str, row: usize| {
                let column = batch.column_by_name(name).unwrap();
                let column = column.as_primitive::<Int64Type>();
                column.is_valid(row).then(|| column.value(row))
            };
            let all = 0..batch.num_rows();
            rows.extend(all.map(|row| {
                (
                    value("_sequence", row).unwrap(),
                    value("clicks", row),
                    value("twice", row),
                )
            }));
        }
        rows.sort_unstable();
        rows
    }

    /// Whether every row that is online has twice the clicks.
    async fn is_doubled_online(&self) -> bool {
        let id = self.id();
        let page = self.online.keys(&id, None, usize::MAX).await.unwrap();
        let keys: Vec<_> = page.keys.iter().map(|(key, _)| key.clone()).collect();
        let request = ViewKeys {
            view: &id,
            keys: &keys,
        };
        let rows = self.online.read(&[request]).await.unwrap().remove(0);
        let layouts = self.online.layouts(&id).await.unwrap();
        let layout = RowLayout::of_view(&self.catalog.feature_views["activity"]);
        let decoded = RowDecoder::new(&layouts, layout.features())
            .decode(&rows)
            .unwrap();
        let [clicks, twice] = [0, 1].map(|at| decoded[at].as_primitive::<Int64Type>());
        (0..keys.len()).all(|row| twice.is_valid(row) && twice.value(row) == 2 * clicks.value(row))
    }
}

#[tokio::test]
async fn a_feature_that_was_added_is_filled_in_both_stores_and_nothing_else_changes() {
    let mut shop = Shop::of_days(20);
    shop.materialize_telling(Arc::new(Silent)).await.unwrap();
    let before = shop.table().await;
    shop.add_twice();
    assert!(
        shop.doubled()
            .await
            .iter()
            .all(|(_, _, twice)| twice.is_none())
    );
    // The source has changed meanwhile: that is none of a backfill's business.
    shop.write_day(1, &[click(1, 110, 11)]);
    let run = shop.backfill(&[]).await.unwrap();
    assert_eq!(run.record.kind, RunKind::Backfill);
    assert_eq!(shop.table().await, before);
    let filled = shop.doubled().await;
    let twenty: Vec<_> = filled
        .iter()
        .filter(|(_, _, twice)| twice.is_none())
        .collect();
    assert_eq!(twenty.len(), 20, "{twenty:?}");
    let right = |(_, clicks, twice): &(i64, Option<i64>, Option<i64>)| {
        twice.is_none() || *twice == clicks.map(|clicks| clicks * 2)
    };
    assert!(filled.iter().all(right));
    assert_eq!(shop.stored().await, shop.expected().await);
    assert!(shop.is_doubled_online().await);
}

#[tokio::test]
async fn a_backfill_that_is_killed_and_run_again_is_a_backfill() {
    let mut undisturbed = Shop::of_days(20);
    undisturbed
        .materialize_telling(Arc::new(Silent))
        .await
        .unwrap();
    undisturbed.add_twice();
    undisturbed.backfill(&[]).await.unwrap();
    let expected = undisturbed.doubled().await;
    let mut shop = Shop::of_days(20);
    shop.materialize_telling(Arc::new(Silent)).await.unwrap();
    shop.add_twice();
    let mut killed = 0;
    for polls in further() {
        let done = killed_after(polls, shop.backfill(&["twice"])).await;
        if let Some(done) = done {
            done.unwrap();
            break;
        }
        killed += 1;
    }
    assert!(killed > 3, "{killed}");
    assert_eq!(shop.doubled().await, expected);
    assert_eq!(shop.stored().await, shop.expected().await);
    assert!(shop.is_doubled_online().await);
}

#[tokio::test]
async fn a_backfill_of_nothing_says_so() {
    let shop = Shop::of_days(20);
    shop.materialize_telling(Arc::new(Silent)).await.unwrap();
    let run = shop.backfill(&[]).await.unwrap();
    assert_eq!((run.record.rows_read, run.record.chunks), (0, 0));
    assert_eq!(
        run.record.message.as_deref(),
        Some("no stored row lacks a feature")
    );
}

#[tokio::test]
async fn a_backfill_of_a_feature_that_does_not_exist_is_refused_with_the_nearest_one() {
    let shop = Shop::of_days(20);
    let error = shop.backfill(&["click"]).await.unwrap_err();
    assert_eq!(error.code(), Code::NotFound);
    assert!(
        error.to_string().contains("did you mean `clicks`?"),
        "{error}"
    );
}
