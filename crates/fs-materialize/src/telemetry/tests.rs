//! What is shown of runs and views.

use std::sync::Arc;

use fs_core::EventTime;
use metrics_exporter_prometheus::PrometheusBuilder;

use super::*;
use crate::fixture::{Shop, at, click};

/// The lines of all metrics, sorted, once `record` has recorded them.
fn lines(record: impl FnOnce()) -> Vec<String> {
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    metrics::with_local_recorder(&recorder, record);
    let text = handle.render();
    let lines = text.lines().filter(|line| line.starts_with("fs_"));
    let mut lines: Vec<String> = lines.map(str::to_owned).collect();
    lines.sort();
    lines
}

/// What the stores of `shop` say, as of `now` in seconds.
async fn views(shop: &Shop, metrics: &ViewMetrics, now: i64) -> Vec<String> {
    let online = Arc::clone(&shop.online);
    metrics
        .ask(&shop.offline, online.as_ref(), &shop.catalog)
        .await;
    lines(|| metrics.show(at(now)))
}

#[tokio::test]
async fn a_run_is_counted_with_its_rows_and_how_it_ended() {
    let shop = Shop::new();
    shop.source(&[click(1, 10, 1), click(1, 20, 2), click(2, 15, 3)]);
    let mut run = shop.materialize(0, 100).await.unwrap().record;
    run.finished = EventTime::from_micros(run.started.as_micros() + 2_500_000);
    let mut failed = run.clone();
    failed.status = RunStatus::Failed;
    (failed.rows_written, failed.published) = (0, 0);
    let seen = lines(|| {
        run_ended(&run);
        run_ended(&failed);
    });
    for line in [
        r#"fs_run_rows_total{view="activity",what="published"} 2"#,
        r#"fs_run_rows_total{view="activity",what="read"} 6"#,
        r#"fs_run_rows_total{view="activity",what="rejected"} 0"#,
        r#"fs_run_rows_total{view="activity",what="written"} 3"#,
        r#"fs_run_seconds_sum{view="activity"} 5"#,
        r#"fs_runs_total{view="activity",status="failed"} 1"#,
        r#"fs_runs_total{view="activity",status="ok"} 1"#,
        r#"fs_view_last_success_timestamp_seconds{view="activity"} 1002.5"#,
    ] {
        assert!(seen.iter().any(|seen| seen == line), "{line} in {seen:#?}");
    }
}

#[tokio::test]
async fn a_view_is_behind_by_the_age_of_what_is_complete() {
    let mut shop = Shop::new();
    let metrics = ViewMetrics::default();
    assert!(views(&shop, &metrics, 1_000).await.is_empty());
    shop.redefine(|view| view.freshness = Some("15m".parse().unwrap()));
    shop.source(&[click(1, 10, 1)]);
    shop.materialize(0, 100).await.unwrap();
    let expected = |lag: &str, fresh: &str| {
        [
            r#"fs_view_freshness_objective_seconds{view="activity"} 900"#.to_owned(),
            format!(r#"fs_view_fresh{{view="activity"}} {fresh}"#),
            format!(r#"fs_view_lag_seconds{{view="activity"}} {lag}"#),
            r#"fs_view_last_success_timestamp_seconds{view="activity"} 1000"#.to_owned(),
        ]
    };
    assert_eq!(views(&shop, &metrics, 1_000).await, expected("900", "1"));
    assert_eq!(views(&shop, &metrics, 1_001).await, expected("901", "0"));
}

#[tokio::test]
async fn what_is_known_stays_and_grows_old_while_the_store_is_away() {
    let shop = Shop::new();
    shop.source(&[click(1, 10, 1)]);
    shop.materialize(0, 100).await.unwrap();
    let metrics = ViewMetrics::default();
    views(&shop, &metrics, 1_000).await;
    let log = shop.base_dir().join("offline/shop/activity/_delta_log");
    for entry in std::fs::read_dir(log).unwrap() {
        std::fs::write(entry.unwrap().path(), "no log").unwrap();
    }
    let seen = views(&shop, &metrics, 1_010).await;
    let lag = r#"fs_view_lag_seconds{view="activity"} 910"#.to_owned();
    assert!(seen.contains(&lag), "{seen:#?}");
}

#[tokio::test]
async fn a_view_that_is_gone_is_no_number_any_more() {
    let mut shop = Shop::new();
    shop.source(&[click(1, 10, 1)]);
    shop.materialize(0, 100).await.unwrap();
    let metrics = ViewMetrics::default();
    views(&shop, &metrics, 1_000).await;
    shop.catalog.feature_views.clear();
    let seen = views(&shop, &metrics, 1_000).await;
    let lag = r#"fs_view_lag_seconds{view="activity"} NaN"#.to_owned();
    assert!(seen.contains(&lag), "{seen:#?}");
}
