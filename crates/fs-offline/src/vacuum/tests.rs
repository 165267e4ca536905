use std::path::PathBuf;

use fs_core::{Fence, ViewName};

use super::*;
use crate::fixture::{Shop, at, batch, row, schema, window};
use crate::{Push, PushKey, Replacement, RunProgress, Scan};

const HOUR: Duration = Duration::from_hours(1);

fn view() -> ViewName {
    schema().view().clone()
}

/// So many hours from now.
fn in_hours(hours: u32, keep: Duration) -> Retention {
    let now = std::time::UNIX_EPOCH.elapsed().unwrap() + HOUR * hours;
    Retention {
        now: at(i64::try_from(now.as_micros()).unwrap()),
        keep,
    }
}

impl Shop {
    async fn vacuum(&self, retention: Retention) -> Vacuumed {
        self.store.vacuum(&view(), retention, false).await.unwrap()
    }

    fn table_folder(&self) -> PathBuf {
        self.folder.path().join("shop/activity")
    }

    /// How many files of the table's folder, or of its log, end like this.
    fn count(&self, folder: &str, end: &str) -> usize {
        let entries = std::fs::read_dir(self.table_folder().join(folder)).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.ends_with(end)).count()
    }
}

#[tokio::test]
async fn files_of_versions_that_nobody_may_read_any_more_are_removed() {
    let shop = Shop::new();
    for n in 0..3 {
        shop.replace(window(0, 100), &[row("a", 10, n)], None)
            .await
            .unwrap();
    }
    assert_eq!(shop.vacuum(in_hours(1, HOUR * 2)).await.files, 0);
    let retention = in_hours(3, HOUR * 2);
    let dry = shop.store.vacuum(&view(), retention, true).await.unwrap();
    assert_eq!(dry.files, 2);
    assert_eq!(shop.count("", ".parquet"), 3);
    let done = shop.vacuum(retention).await;
    assert_eq!((done.files, done.bytes), (2, dry.bytes));
    assert!(done.bytes > 0);
    assert_eq!(shop.count("", ".parquet"), 1);
    assert_eq!(shop.rows().await, [row("a", 10, 2)]);
    // It is no commit.
    assert_eq!(shop.version().await, Some(2));
    assert_eq!(shop.vacuum(retention).await.files, 0);
}

#[tokio::test]
async fn an_older_version_can_be_read_until_then_and_says_clearly_that_it_is_gone() {
    let shop = Shop::new();
    for n in 0..3 {
        shop.replace(
            window(n * 10_000, (n + 1) * 10_000),
            &[row("a", n * 10_000, n)],
            None,
        )
        .await
        .unwrap();
    }
    let pinned = shop.store.newest(&view()).await.unwrap().unwrap();
    let older = Scan {
        version: Some(pinned.version),
        ..Scan::default()
    };
    let before = shop.numbered().await;
    shop.store.optimize(&view()).await.unwrap();
    shop.vacuum(in_hours(1, Retention::DEFAULT)).await;
    shop.store.ensure_kept(&view(), &pinned).await.unwrap();
    assert_eq!(shop.scan(&older).await, before);
    shop.vacuum(in_hours(3, HOUR)).await;
    let error = shop.store.ensure_kept(&view(), &pinned).await.unwrap_err();
    assert!(matches!(error, Error::VersionGone { .. }), "{error}");
    assert_eq!(shop.numbered().await, before);
    let changes = shop.store.changes(&schema(), 0, 3, None).await;
    assert!(matches!(changes, Err(Error::LogGone { .. })));
}

#[tokio::test]
async fn a_file_that_no_commit_knows_may_belong_to_a_writer_at_work() {
    let shop = Shop::new();
    shop.replace(window(0, 100), &[row("a", 10, 1)], None)
        .await
        .unwrap();
    let folder = shop.table_folder();
    for name in ["part-lost.parquet", "part-staged.parquet#7"] {
        std::fs::write(folder.join(name), "half a file").unwrap();
    }
    assert_eq!(shop.vacuum(in_hours(0, Duration::ZERO)).await.files, 0);
    let dry = shop
        .store
        .vacuum(&view(), in_hours(2, Duration::ZERO), true)
        .await;
    assert_eq!(dry.unwrap().files, 2);
    assert_eq!(shop.count("", "#7"), 1);
    let done = shop.vacuum(in_hours(2, Duration::ZERO)).await;
    assert_eq!((done.files, done.bytes), (2, 22));
    assert_eq!((shop.count("", ".parquet"), shop.count("", "#7")), (1, 0));
    assert_eq!(shop.rows().await, [row("a", 10, 1)]);
}

#[tokio::test]
async fn the_log_is_cleaned_up_behind_a_checkpoint_that_keeps_what_it_says() {
    let shop = Shop::new();
    shop.store
        .raise_fence(&schema(), Fence::new(3))
        .await
        .unwrap();
    let key = |key: &str| PushKey {
        key: key.to_owned(),
        used: None,
    };
    let push = || Push {
        rows: batch(&[row("p", 5, 1)]),
        key: Some(key("k")),
    };
    shop.store.append(&schema(), &[push()]).await.unwrap();
    let progress = RunProgress {
        key: "run".to_owned(),
        done: at(77),
        at: None,
    };
    let replacement = Replacement {
        watermark: Some(at(100)),
        progress: Some(progress),
        fence: Some(Fence::new(4)),
        source_version: Some(6),
        ..Replacement::of(window(0, 100), crate::fixture::stream(vec![]))
    };
    shop.store
        .replace_window(&schema(), replacement)
        .await
        .unwrap();
    let state = shop.store.state(&view()).await.unwrap();
    let (entries, rows) = (shop.count("_delta_log", ".json"), shop.numbered().await);
    let done = shop.vacuum(in_hours(3, HOUR)).await;
    assert!(done.log_files >= 2, "{done:?} of {entries}");
    assert!(shop.count("_delta_log", ".json") < entries);
    assert_eq!(shop.store.state(&view()).await.unwrap(), state);
    assert_eq!(shop.numbered().await, rows);
    let come = shop.store.run_progress(&view(), "run").await.unwrap();
    assert_eq!(come, Some(at(77)));
    let again = shop.store.append(&schema(), &[push()]).await.unwrap();
    assert!(again[0].repeated);
    shop.replace(window(0, 100), &[row("a", 10, 1)], None)
        .await
        .unwrap();
    assert_eq!(shop.rows().await.len(), 2);
}

#[tokio::test]
async fn what_belongs_to_no_view_is_vacuumed_as_well() {
    let shop = Shop::new();
    let none = shop.store.vacuum_shared(in_hours(2, HOUR), false).await;
    assert_eq!(none.unwrap(), Vacuumed::default());
    let none = shop.store.vacuum(&view(), in_hours(2, HOUR), false).await;
    assert_eq!(none.unwrap(), Vacuumed::default());
    for n in 0..5 {
        let run = runs::tests::run(&n.to_string(), n);
        shop.store.append_run(&run).await.unwrap();
    }
    let runs = shop.store.list_runs(None, 10).await.unwrap();
    let done = shop.store.optimize_runs().await.unwrap().unwrap();
    assert_eq!((done.files_before, done.files_after), (5, 1));
    let done = shop
        .store
        .vacuum_shared(in_hours(2, HOUR), false)
        .await
        .unwrap();
    assert_eq!(done.files, 5);
    assert_eq!(shop.store.list_runs(None, 10).await.unwrap(), runs);
}
