use fs_core::Coded;

use super::*;
use crate::fixture::{Shop, at};

pub(crate) fn run(id: &str, started: i64) -> RunRecord {
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

#[tokio::test]
async fn listing_the_newest_runs_opens_only_their_files() {
    let shop = Shop::new();
    // In no order, as runs end.
    for n in (0..60).map(|n| n * 7 % 60) {
        let mut run = run(&format!("{n:02}"), n * 1_000_000);
        if n % 10 == 3 {
            run.view = "orders".parse().unwrap();
        }
        shop.store.append_run(&run).await.unwrap();
    }
    let ids = |runs: Vec<RunRecord>| runs.into_iter().map(|run| run.id).collect::<Vec<_>>();
    let newest: Vec<String> = (0..60).rev().map(|n| format!("{n:02}")).collect();
    assert_eq!(ids(shop.store.list_runs(None, 100).await.unwrap()), newest);
    let orders: ViewName = "orders".parse().unwrap();
    let of_view = shop.store.list_runs(Some(&orders), 4).await.unwrap();
    assert_eq!(ids(of_view), ["53", "43", "33", "23"]);

    // Files of old runs, and of other views, are not looked at: they need not be there.
    let folder = shop.folder.path().join("shop/_runs");
    let log = Table::open(&shop.store, RUNS, None).await.unwrap().unwrap();
    for file in log.files_by(STARTED).unwrap() {
        if file.event.min < 43_000_000 {
            std::fs::remove_file(folder.join(&file.path)).unwrap();
        }
    }
    assert_eq!(
        ids(shop.store.list_runs(None, 5).await.unwrap()),
        newest[..5]
    );
    let of_view = shop.store.list_runs(Some(&orders), 1).await.unwrap_err();
    assert!(
        fs_core::code::report(&of_view).contains("_runs"),
        "{of_view}"
    );
}

#[tokio::test]
async fn a_run_is_shown_from_the_file_that_its_id_tells() {
    let shop = Shop::new();
    for n in 0..4_i64 {
        let run = run(&format!("{}-activity", n * 1_000_000), n * 1_000_000);
        shop.store.append_run(&run).await.unwrap();
    }
    shop.store.append_run(&run("by hand", 9)).await.unwrap();
    for id in ["2000000-activity", "by hand"] {
        assert_eq!(shop.store.show_run(id).await.unwrap().id, id);
    }
    for id in ["2000000-orders", "2000001-activity", "another"] {
        let error = shop.store.show_run(id).await.unwrap_err();
        assert!(matches!(error, Error::NoSuchRun { .. }), "{error}");
    }
    let before = shop.store.list_runs(None, 10).await.unwrap();
    let done = shop.store.optimize_runs().await.unwrap().unwrap();
    assert_eq!((done.files_before, done.files_after), (5, 1));
    assert_eq!(shop.store.list_runs(None, 10).await.unwrap(), before);
    assert_eq!(shop.store.list_runs(None, 2).await.unwrap(), before[..2]);
    let shown = shop.store.show_run("1000000-activity").await.unwrap();
    assert_eq!(shown.started, at(1_000_000));
    // The next one comes into the table that was put together.
    shop.store.append_run(&run("after", 99)).await.unwrap();
    assert_eq!(shop.store.list_runs(None, 10).await.unwrap().len(), 6);
}

/// Copies a folder with all that is in it.
fn copy(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[tokio::test]
async fn runs_that_the_first_release_recorded_are_read_and_followed_by_others() {
    let shop = Shop::new();
    let golden = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/runs_1");
    copy(&golden, &shop.folder.path().join("shop/_runs"));
    let old = RunRecord {
        id: "1795302423289096-last_order".to_owned(),
        view: "last_order".parse().unwrap(),
        kind: RunKind::Incremental,
        range_start: Some("2026-01-01T00:00:00Z".parse().unwrap()),
        range_end: "2026-02-01T00:00:00Z".parse().unwrap(),
        started: "2026-11-21T23:07:03.289096Z".parse().unwrap(),
        finished: "2026-11-21T23:07:03.387431Z".parse().unwrap(),
        rows_read: 5,
        rows_written: 5,
        rejected: 0,
        warned: 0,
        published: 3,
        deleted: 0,
        version_before: None,
        table_version: Some(1),
        chunks: 0,
        fence: None,
        trigger: RunTrigger::Command,
        attempt: 1,
        status: RunStatus::Ok,
        message: None,
    };
    let listed = shop.store.list_runs(None, 10).await.unwrap();
    assert_eq!((listed.len(), &listed[0]), (2, &old));
    assert_eq!(listed[1].id, "1795302423138783-last_order");
    assert_eq!(shop.store.show_run(&old.id).await.unwrap(), old);

    let newer = run("newer", old.started.as_micros() + 1);
    shop.store.append_run(&newer).await.unwrap();
    let listed = shop.store.list_runs(None, 2).await.unwrap();
    assert_eq!(listed, [newer.clone(), old.clone()]);
    shop.store.optimize_runs().await.unwrap();
    assert_eq!(shop.store.list_runs(None, 2).await.unwrap(), [newer, old]);
}
