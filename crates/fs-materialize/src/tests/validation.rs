//! Expectations: what fails a run, what goes to quarantine, what is only told.

use std::sync::Arc;

use fs_core::{Check, Code, Coded, OnFailure};
use fs_offline::RunStatus;

use crate::fixture::{Shop, Told, click, day};
use crate::{Error, Phase, Silent};

fn row_count(min: u64, max: u64) -> Check {
    Check::RowCount {
        min: Some(min),
        max: Some(max),
    }
}

fn small() -> Check {
    Check::Sql {
        predicate: "clicks < 5019".to_owned(),
    }
}

#[tokio::test]
async fn a_failing_expectation_commits_nothing_and_names_itself_the_rows_and_five_of_them() {
    let mut shop = Shop::of_days(1_000);
    shop.expect(
        "few_clicks",
        Check::Sql {
            predicate: "clicks < 5010".to_owned(),
        },
        OnFailure::Fail,
    );
    let error = shop
        .materialize_telling(Arc::new(Silent))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Unexpected { .. }), "{error}");
    assert_eq!(error.code(), Code::InvalidArgument);
    let report = error.to_string();
    assert!(report.contains("few_clicks"), "{report}");
    assert!(report.contains("10 of 120 rows"), "{report}");
    assert_eq!(report.matches("user=").count(), 5, "{report}");
    assert_eq!((shop.windows().await, shop.facts().await.len()), (0, 0));
    let recorded = shop.offline.list_runs(None, 1).await.unwrap().remove(0);
    assert_eq!(recorded.status, RunStatus::Failed);
    assert!(recorded.message.unwrap().contains("few_clicks"));
}

#[tokio::test]
async fn a_bad_row_in_the_last_chunk_keeps_the_first_from_being_committed() {
    let mut shop = Shop::of_days(20);
    shop.expect("small", small(), OnFailure::Fail);
    let told = Told::new();
    let error = shop.materialize_telling(told.clone()).await.unwrap_err();
    assert!(error.to_string().contains("1 of 120 rows"), "{error}");
    assert_eq!(shop.windows().await, 0);
    let phases = told.phases.lock().unwrap().clone();
    assert!(phases.contains(&(Phase::Check, 120)), "{phases:?}");
    assert!(phases.iter().all(|(phase, _)| *phase != Phase::Ingest));
}

#[tokio::test]
async fn a_window_in_chunks_is_judged_as_a_whole() {
    let mut shop = Shop::of_days(20);
    shop.expect("all_of_them", row_count(120, 120), OnFailure::Fail);
    let run = shop.materialize_telling(Arc::new(Silent)).await.unwrap();
    assert_eq!((run.record.chunks, run.record.rows_written), (6, 120));
}

#[tokio::test]
async fn rows_that_break_a_quarantining_expectation_go_there_and_come_back_once_they_are_right() {
    for rows_per_chunk in [20, 1_000] {
        let mut shop = Shop::of_days(rows_per_chunk);
        shop.quarantine_negative();
        shop.write_day(0, &[click(1, 10, -1), click(2, 20, 2)]);
        shop.write_day(5, &[click(3, 510, 3), click(4, 520, -4)]);
        let run = shop.materialize_telling(Arc::new(Silent)).await.unwrap();
        assert_eq!((run.record.rows_read, run.record.rows_written), (84, 82));
        assert_eq!(run.record.rejected, 2);
        let found = shop.quarantined().await;
        let of_run = |clicks| {
            (
                Some(clicks),
                "no_less_than_none".to_owned(),
                run.record.id.clone(),
            )
        };
        assert_eq!(found, [of_run(-1), of_run(-4)]);
        assert_eq!(shop.facts().await.len(), 82);

        shop.write_day(0, &[click(1, 10, 1), click(2, 20, 2)]);
        let again = shop.materialize_telling(Arc::new(Silent)).await.unwrap();
        assert_eq!((again.record.rows_written, again.record.rejected), (83, 1));
        assert_eq!(shop.quarantined().await.len(), 1);
        // Nobody expects anything any more: all rows are wanted.
        shop.redefine(|view| view.expectations.clear());
        let free = shop.materialize_telling(Arc::new(Silent)).await.unwrap();
        assert_eq!((free.record.rows_written, free.record.rejected), (84, 0));
        assert_eq!(shop.quarantined().await, []);
    }
}

#[tokio::test]
async fn what_is_only_warned_of_is_committed_and_told() {
    for rows_per_chunk in [20, 1_000] {
        let mut shop = Shop::of_days(rows_per_chunk);
        shop.expect("small", small(), OnFailure::Warn);
        shop.expect("many", row_count(1_000, 2_000), OnFailure::Warn);
        let run = shop.materialize_telling(Arc::new(Silent)).await.unwrap();
        assert_eq!((run.record.rows_written, run.record.warned), (120, 1));
        assert_eq!(run.warnings.len(), 2);
        assert!(run.warnings[0].contains("small"), "{:?}", run.warnings);
        assert!(run.warnings[1].contains("120 rows"), "{:?}", run.warnings);
        assert!(run.record.message.unwrap().contains("warning: small"));
        assert_eq!(day(0).len() * 6, 120);
    }
}
