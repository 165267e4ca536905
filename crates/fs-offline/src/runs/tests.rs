use fs_core::Coded;

use super::*;
use crate::fixture::{Shop, at};

fn run(id: &str, started: i64) -> RunRecord {
    RunRecord {
        id: id.to_owned(),
        view: "activity".parse().unwrap(),
        kind: RunKind::Incremental,
        range_start: None,
        range_end: at(9),
        started: at(started),
        finished: at(started + 1),
        rows_read: 1,
        rows_written: 2,
        rejected: 6,
        warned: 7,
        published: 3,
        deleted: 4,
        version_before: Some(4),
        table_version: Some(5),
        chunks: 8,
        fence: Some(Fence::new(9)),
        trigger: RunTrigger::Schedule,
        attempt: 10,
        status: RunStatus::Failed,
        message: Some("the disk is full".to_owned()),
    }
}

#[tokio::test]
async fn runs_are_listed_newest_first_and_shown_by_id() {
    let shop = Shop::new();
    assert_eq!(shop.store.list_runs(None, 10).await.unwrap(), vec![]);
    let mut other = run("c", 20);
    other.view = "orders".parse().unwrap();
    for run in [run("a", 10), run("b", 30), other.clone()] {
        shop.store.append_run(&run).await.unwrap();
    }
    let listed = shop.store.list_runs(None, 2).await.unwrap();
    assert_eq!(listed, vec![run("b", 30), other.clone()]);
    let of_view = shop.store.list_runs(Some(&other.view), 10).await.unwrap();
    assert_eq!(of_view, vec![other]);
    assert_eq!(shop.store.show_run("a").await.unwrap(), run("a", 10));
    let error = shop.store.show_run("z").await.unwrap_err();
    assert_eq!(error.code(), fs_core::Code::NotFound);
}

#[tokio::test]
async fn runs_that_end_at_once_are_all_recorded() {
    let shop = Shop::new();
    let runs: Vec<RunRecord> = (0..6).map(|n| run(&n.to_string(), n)).collect();
    let appends = runs.iter().map(|run| shop.store.append_run(run));
    futures::future::try_join_all(appends).await.unwrap();
    assert_eq!(shop.store.list_runs(None, 10).await.unwrap().len(), 6);
}
