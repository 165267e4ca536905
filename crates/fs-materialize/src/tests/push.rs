//! Rows that clients push.

mod expiry;
mod keys;
mod parity;
mod refused;
mod together;

use fs_core::CreatedTime;
use fs_testkit::catalog::{self, ViewBuilder};

use crate::fixture::{Served, Shop, at, click, raw_rows};
use crate::{PushReport, PushTo, RowOutcome, Target};

use RowOutcome::{Appended, Later, Outdone, Stored};

/// What a push came to that counts for the first time.
fn counted(outcomes: &[RowOutcome]) -> PushReport {
    PushReport {
        outcomes: outcomes.to_vec(),
        repeated: false,
    }
}

#[tokio::test]
async fn rows_pushed_to_both_are_in_both_with_one_order() {
    let shop = Shop::new();
    let rows = [click(1, 10, 1), click(2, 20, 2)];
    let report = shop.push(&rows, PushTo::Both, None).await.unwrap();
    assert_eq!(report, counted(&[Stored, Stored]));
    assert_eq!(shop.stored().await, shop.expected().await);
    assert_eq!(
        shop.served().await,
        Served::from([(1, (10, Some(1))), (2, (20, Some(2)))])
    );
    assert_eq!(shop.served().await, shop.joined().await);
}

#[tokio::test]
async fn rows_pushed_offline_are_published_by_the_next_run_and_take_nothing_back() {
    let shop = Shop::new();
    shop.source(&[click(1, 5, 5), click(3, 30, 3)]);
    shop.materialize(0, 100).await.unwrap();
    let rows = [click(1, 10, 1), click(3, 20, 2)];
    let report = shop.push(&rows, PushTo::Offline, None).await.unwrap();
    assert_eq!(report, counted(&[Appended, Appended]));
    let before = Served::from([(1, (5, Some(5))), (3, (30, Some(3)))]);
    assert_eq!(shop.served().await, before);
    let run = shop.incremental(1_001).await.unwrap();
    assert_eq!(run.record.published, 1);
    let after = Served::from([(1, (10, Some(1))), (3, (30, Some(3)))]);
    assert_eq!(shop.served().await, after);
    assert_eq!(shop.stored().await, shop.expected().await);
}

#[tokio::test]
async fn a_row_pushed_online_only_is_in_no_table_and_stays_until_a_newer_one_comes() {
    let shop = Shop::new();
    shop.source(&[click(1, 10, 1)]);
    shop.materialize(0, 100).await.unwrap();
    let report = shop.push(&[click(1, 20, 2)], PushTo::Online, None).await;
    assert_eq!(report.unwrap(), counted(&[Stored]));
    assert_eq!(shop.facts().await, [(1, 10, Some(1))]);
    shop.source(&[click(1, 10, 1), click(1, 15, 3)]);
    shop.materialize(0, 100).await.unwrap();
    shop.republish().await;
    assert_eq!(shop.served().await, Served::from([(1, (20, Some(2)))]));
    shop.source(&[click(1, 30, 4)]);
    shop.materialize(0, 100).await.unwrap();
    assert_eq!(shop.served().await, Served::from([(1, (30, Some(4)))]));
}

#[tokio::test]
async fn an_older_row_is_outdone_and_so_are_all_but_the_newest_of_a_key_in_one_push() {
    let shop = Shop::new();
    for to in [PushTo::Both, PushTo::Online] {
        let rows = [
            click(1, 30, 1),
            click(2, 10, 2),
            click(1, 20, 3),
            click(2, 10, 4),
        ];
        let report = shop.push(&rows, to, None).await.unwrap();
        let newest = [Stored, Outdone, Outdone, Stored];
        // Received at the same instant, so that those of the table win.
        let expected = match to {
            PushTo::Both => newest,
            _ => [Outdone; 4],
        };
        assert_eq!(report, counted(&expected), "{to:?}");
        let older = shop.push(&[click(1, 29, 9)], to, None).await.unwrap();
        assert_eq!(older, counted(&[Outdone]));
    }
    assert_eq!(
        shop.served().await,
        Served::from([(1, (30, Some(1))), (2, (10, Some(4)))])
    );
    assert_eq!(shop.facts().await.len(), 5);
}

#[tokio::test]
async fn a_correction_that_is_pushed_later_wins_over_an_equal_event_time() {
    for to in [PushTo::Both, PushTo::Online] {
        let shop = Shop::new();
        shop.push(&[click(1, 10, 1)], to, None).await.unwrap();
        shop.clock.set(at(1_001));
        let report = shop.push(&[click(1, 10, 2)], to, None).await.unwrap();
        assert_eq!(report, counted(&[Stored]));
        let (order, clicks) = shop.stored().await[&1];
        assert_eq!(order.created, Some(CreatedTime::from_micros(1_001_000_000)));
        assert_eq!(clicks, Some(2));
        // A created time that is given stays as it is.
        let known = click(1, 10, 3).known(900);
        let report = shop.push(&[known], to, None).await.unwrap();
        assert_eq!(report, counted(&[Outdone]));
    }
}

#[tokio::test]
async fn a_row_that_may_not_be_seen_yet_is_published_when_it_may() {
    let shop = Shop::with(|view| view.delay("30s"), |source| source);
    shop.push(&[click(1, 900, 1)], PushTo::Both, None)
        .await
        .unwrap();
    let rows = [click(1, 980, 2), click(2, 960, 3)];
    let report = shop.push(&rows, PushTo::Both, None).await.unwrap();
    assert_eq!(report, counted(&[Later, Stored]));
    assert_eq!(
        shop.served().await,
        Served::from([(1, (900, Some(1))), (2, (960, Some(3)))])
    );
    shop.source(&[]);
    shop.incremental(1_009).await.unwrap();
    assert_eq!(shop.served().await[&1], (900, Some(1)));
    shop.incremental(1_010).await.unwrap();
    assert_eq!(shop.served().await[&1], (980, Some(2)));
}

#[tokio::test]
async fn a_view_that_is_not_online_takes_rows_offline_and_refuses_them_online() {
    let shop = Shop::with(ViewBuilder::offline_only, |source| source);
    let report = shop.push(&[click(1, 10, 1)], PushTo::Both, None).await;
    assert_eq!(report.unwrap(), counted(&[Appended]));
    let error = shop.push(&[click(1, 10, 1)], PushTo::Online, None).await;
    let error = error.unwrap_err();
    assert!(error.to_string().contains("is not online"), "{error}");
    assert_eq!(shop.facts().await.len(), 1);
}

#[tokio::test]
async fn no_rows_do_nothing() {
    let shop = Shop::new();
    for to in [PushTo::Both, PushTo::Online, PushTo::Offline] {
        let report = shop.push(&[], to, Some("k")).await.unwrap();
        assert_eq!(report, counted(&[]));
    }
    assert_eq!(shop.watermark().await, None);
    let report = shop.push(&[click(1, 1, 1)], PushTo::Both, Some("k")).await;
    assert!(!report.unwrap().repeated);
}

#[tokio::test]
async fn rows_for_a_source_go_to_all_views_that_select_its_columns() {
    let source = catalog::source("raw").parquet("raw.parquet");
    let source = source.timestamp("event").created("created");
    let source = source.mapped("user_id", "user").mapped("n", "clicks");
    let view = |name: &str| catalog::view(name).entity("user").source("raw");
    let catalog = catalog::project("shop")
        .entity(catalog::entity("user").key("user", "int64"))
        .source(source)
        .view(view("a").feature("clicks", "int32"))
        .view(view("b").feature("clicks", "float64"))
        .view(
            view("c")
                .feature("clicks", "int64")
                .query("SELECT * FROM raw"),
        )
        .build();
    let shop = Shop::of(catalog);
    let rows = raw_rows(&[click(1, 10, 7)]);
    let names = ["user_id", "event", "created", "n"];
    let renamed = names.into_iter().zip(rows.columns().iter().cloned());
    let spare = ("spare", rows.column(0).clone());
    let rows = arrow::array::RecordBatch::try_from_iter_with_nullable(
        renamed
            .chain([spare])
            .map(|(name, column)| (name, column, true)),
    );
    let target = Target::named(&shop.catalog, "raw").unwrap();
    let pushed = shop
        .pusher
        .push_to(
            &shop.catalog,
            &target,
            &rows.unwrap(),
            PushTo::Both,
            Some("k"),
        )
        .await
        .unwrap();
    let views: Vec<_> = pushed
        .views
        .iter()
        .map(|(v, report)| (v.as_str(), report))
        .collect();
    let stored = counted(&[Stored]);
    assert_eq!(views, [("a", &stored), ("b", &stored)]);
    let (left_out, why) = &pushed.left_out[0];
    assert_eq!(left_out.as_str(), "c");
    assert!(why.contains("query"), "{why}");
}
