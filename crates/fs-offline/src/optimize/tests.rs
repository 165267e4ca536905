use std::collections::BTreeSet;

use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::{TryStreamExt, stream};

use super::*;
use crate::fixture::{Row, Shop, at, batch, collect, input, row, schema, window};
use crate::{Between, Push, Replacement, Scan};

mod properties;

impl Shop {
    async fn push(&self, rows: &[Row]) {
        let rows = batch(rows);
        let push = Push { rows, key: None };
        self.store.append(&schema(), &[push]).await.unwrap();
    }

    async fn optimize(&self) -> Optimized {
        let optimized = self.store.optimize(schema().view()).await;
        optimized.unwrap().unwrap()
    }

    async fn files(&self) -> BTreeSet<String> {
        let table = self.store.table(&schema(), None).await.unwrap();
        table.files().map(|(path, _)| path.to_owned()).collect()
    }
}

#[tokio::test]
async fn a_table_of_500_small_files_becomes_one_sorted_file_with_the_same_rows() {
    let shop = Shop::new();
    // Some by windows, most by pushes whose times lie all over each other.
    for n in 0..100 {
        let start = n * 10_000;
        let rows = [row("w", start + 5_000, n), row("w", start + 1, n)];
        shop.replace(window(start, start + 10_000), &rows, None)
            .await
            .unwrap();
    }
    for n in 0..400 {
        shop.push(&[row("p", (n * 7_919) % 1_000_000, n), row("p", 500_000, n)])
            .await;
    }
    let before = shop.numbered().await;
    let done = shop.optimize().await;
    assert_eq!((done.files_before, done.files_after), (500, 1));
    assert_eq!((done.removed, done.added, done.version), (500, 1, 500));
    assert!(
        done.bytes_after * 10 < done.bytes_before,
        "{} bytes became {}",
        done.bytes_before,
        done.bytes_after
    );
    assert_eq!(shop.numbered().await, before);

    let scan = shop.store.scan(&schema(), &Scan::default()).await.unwrap();
    let rows = collect(scan.stream().unwrap()).await;
    let order: Vec<(i64, i64)> = rows
        .iter()
        .map(|(number, row)| (row.event, *number))
        .collect();
    assert!(order.is_sorted());

    let again = shop.optimize().await;
    assert_eq!((again.removed, again.version), (0, 500));
}

#[tokio::test]
async fn files_that_lie_over_each_other_are_sorted_into_ones_that_do_not() {
    let shop = Shop::with_small_files();
    let all = |user: &str| -> Vec<Row> { (0..64).map(|n| row(user, n * 1_000_000, n)).collect() };
    shop.replace(window(0, 64_000_000), &all("w"), None)
        .await
        .unwrap();
    shop.push(&all("p")).await;
    let before = shop.numbered().await;
    let done = shop.optimize().await;
    assert!(done.removed > 0, "{done:?}");
    assert_eq!(shop.numbered().await, before);
    let narrow = Scan {
        event: Some(Between {
            low: 10_000_000,
            high: 10_000_000,
        }),
        ..Scan::default()
    };
    let scan = shop.store.scan(&schema(), &narrow).await.unwrap();
    assert_eq!(scan.stats.files, 1, "{:?}", scan.stats);
    assert_eq!(shop.optimize().await.removed, 0);
}

#[tokio::test]
async fn changes_tell_nothing_of_files_that_were_put_together() {
    let shop = Shop::new();
    for n in 0..3 {
        shop.push(&[row("p", 10 + n, n)]).await;
    }
    shop.optimize().await;
    shop.push(&[row("p", 20, 9)]).await;
    let changes = shop.store.changes(&schema(), 1, 4, None).await.unwrap();
    let added = collect(changes.added().unwrap()).await;
    assert_eq!(
        added
            .into_iter()
            .map(|(_, row)| row.event)
            .collect::<BTreeSet<_>>(),
        [12, 20].into()
    );
    assert!(collect(changes.removed().unwrap()).await.is_empty());
    assert!(changes.rewritten().is_empty());
    let only = shop.store.changes(&schema(), 2, 3, None).await.unwrap();
    assert_eq!(only.first_sequence(), None);
}

#[tokio::test]
async fn whoever_reads_an_older_version_reads_on() {
    let shop = Shop::new();
    for n in 0..4 {
        shop.push(&[row("p", 10 + n, n)]).await;
    }
    let scan = shop.store.scan(&schema(), &Scan::default()).await.unwrap();
    let pinned = shop.store.newest(schema().view()).await.unwrap().unwrap();
    let before = shop.numbered().await;
    shop.optimize().await;
    let mut rows = collect(scan.stream().unwrap()).await;
    rows.sort();
    assert_eq!(rows, before);
    shop.store
        .ensure_kept(schema().view(), &pinned)
        .await
        .unwrap();
    let older = Scan {
        version: Some(pinned.version),
        ..Scan::default()
    };
    assert_eq!(shop.scan(&older).await, before);
}

/// A stream that gives one row, after `first` is done.
fn after(first: impl Future<Output = ()> + Send + 'static, row: Row) -> SendableRecordBatchStream {
    let rows = stream::once(async move {
        first.await;
        Ok(batch(&[row]))
    });
    Box::pin(RecordBatchStreamAdapter::new(input(), rows))
}

#[tokio::test]
async fn a_window_is_committed_after_other_files_were_put_together() {
    let shop = Shop::new();
    for n in 0..3 {
        let part = window(n * 10_000, (n + 1) * 10_000);
        shop.replace(part, &[row("a", n * 10_000, n)], None)
            .await
            .unwrap();
    }
    let store = shop.store.clone();
    let optimize = async move {
        let done = store.optimize(schema().view()).await.unwrap().unwrap();
        assert_eq!(done.removed, 3);
    };
    let rows = after(optimize, row("b", 50_000, 1));
    let replacement = Replacement::of(window(40_000, 60_000), rows);
    let done = shop
        .store
        .replace_window(&schema(), replacement)
        .await
        .unwrap();
    assert_eq!(done.version, 4);
    assert_eq!(shop.rows().await.len(), 4);
}

#[tokio::test]
async fn a_window_whose_files_were_put_together_gives_way_and_can_be_read_again() {
    let shop = Shop::new();
    for n in 0..3 {
        let part = window(n * 10_000, (n + 1) * 10_000);
        shop.replace(part, &[row("a", n * 10_000, n)], None)
            .await
            .unwrap();
    }
    let store = shop.store.clone();
    let optimize = async move {
        store.optimize(schema().view()).await.unwrap();
    };
    let part = window(0, 10_000);
    let rows = after(optimize, row("b", 5, 1));
    let replacement = Replacement::of(part, rows);
    let error = shop
        .store
        .replace_window(&schema(), replacement)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Conflict { .. }), "{error}");
    assert_eq!(shop.rows().await.len(), 3);
    shop.replace(part, &[row("b", 5, 1)], None).await.unwrap();
    let users: Vec<String> = shop.rows().await.into_iter().map(|row| row.user).collect();
    assert_eq!(users, ["a", "a", "b"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn windows_and_pushes_beside_it_lose_nothing() {
    let shop = Shop::new();
    for n in 0..8 {
        shop.push(&[row("p", n * 1_000, n)]).await;
    }
    let store = shop.store.clone();
    let optimize = tokio::spawn(async move {
        for _ in 0..10 {
            store.optimize(schema().view()).await.unwrap();
        }
    });
    for n in 0..10 {
        shop.push(&[row("q", n * 1_000, n)]).await;
        // A compaction of the window's own files is the one thing that a window gives way to.
        loop {
            let part = window(n * 1_000, (n + 1) * 1_000);
            match shop.replace(part, &[row("w", n * 1_000, n)], None).await {
                Ok(_) => break,
                Err(Error::Conflict { .. }) => {}
                Err(error) => panic!("{error}"),
            }
        }
    }
    optimize.await.unwrap();
    shop.optimize().await;
    let rows = shop.rows().await;
    let count = |user: &str| rows.iter().filter(|row| row.user == user).count();
    assert_eq!((count("p"), count("q"), count("w")), (8, 10, 10));
}

#[tokio::test]
async fn files_that_somebody_else_replaced_meanwhile_are_given_up() {
    let shop = Shop::new();
    for n in 0..3 {
        shop.push(&[row("p", 10 + n, n)]).await;
    }
    let table = Table::open(&shop.store, "activity", None)
        .await
        .unwrap()
        .unwrap();
    let moved = Moved {
        removed: table.files().unwrap(),
        added: Vec::new(),
    };
    shop.optimize().await;
    let before = shop.numbered().await;
    let kind = Kind {
        folder: "activity",
        name: &"activity",
        time: EVENT_TIMESTAMP,
        by: &rewrite::BY_TIME,
        statistics: &rewrite::STATISTICS,
    };
    let mut done = Optimized::default();
    let newest = shop
        .store
        .commit_moved(&kind, table, moved, &mut done)
        .await;
    assert_eq!((newest.unwrap().version(), done.removed), (3, 0));
    assert_eq!(shop.numbered().await, before);
}

#[tokio::test]
async fn columns_that_were_added_and_removed_since_stay() {
    let shop = Shop::new();
    shop.replace(window(0, 10_000), &[row("a", 5, 1)], None)
        .await
        .unwrap();
    let wider = crate::fixture::schema_with(fs_core::KeyType::String, &[("score", "float64")]);
    let narrow = batch(&[row("b", 20_000, 2)]).project(&[0, 1, 2]).unwrap();
    let rows = crate::fixture::stream(vec![Ok(narrow)]);
    let part = window(20_000, 30_000);
    shop.store
        .replace_window(&wider, Replacement::of(part, rows))
        .await
        .unwrap();
    let before = shop.numbered().await;
    assert_eq!(shop.optimize().await.removed, 2);
    assert_eq!(shop.numbered().await, before);
    let both = crate::fixture::schema_with(
        fs_core::KeyType::String,
        &[("score", "float64"), ("clicks", "int64")],
    );
    let scan = shop.store.scan(&both, &Scan::default()).await.unwrap();
    let batches: Vec<_> = scan.stream().unwrap().try_collect().await.unwrap();
    let rows: usize = batches
        .iter()
        .map(|batch: &arrow::array::RecordBatch| batch.num_rows())
        .sum();
    assert_eq!(rows, 2);
}

#[tokio::test]
async fn a_table_that_is_not_there_or_empty_is_left_alone() {
    let shop = Shop::new();
    assert_eq!(shop.store.optimize(schema().view()).await.unwrap(), None);
    assert_eq!(shop.store.optimize_runs().await.unwrap(), None);
    shop.replace(window(0, 10), &[], Some(10)).await.unwrap();
    let done = shop.optimize().await;
    assert_eq!(
        (done.files_before, done.files_after, done.version),
        (0, 0, 0)
    );
}

#[tokio::test]
async fn what_a_commit_says_of_files_that_were_put_together_is_frozen() {
    let shop = Shop::new();
    for n in 0..2 {
        shop.push(&[row("p", 10 + n, n)]).await;
    }
    shop.optimize().await;
    let log = shop.folder.path().join("shop/activity/_delta_log");
    let log = std::fs::read_to_string(log.join("00000000000000000002.json")).unwrap();
    let actions: Vec<serde_json::Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let of = |name: &str| {
        actions
            .iter()
            .filter_map(|a| a.get(name))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        of("commitInfo")[0]["fs.optimize"],
        json!({ "removed": 2, "added": 1 })
    );
    assert_eq!(of("commitInfo")[0]["operation"], "OPTIMIZE");
    assert!(of("txn").is_empty());
    let moved = [of("add"), of("remove")].concat();
    assert_eq!(moved.len(), 3);
    assert!(moved.iter().all(|file| file["dataChange"] == false));
}

#[tokio::test]
async fn times_that_the_log_does_not_tell_exactly_are_put_together_too() {
    let shop = Shop::new();
    for n in 0..5 {
        shop.push(&[row("p", n, n)]).await;
    }
    assert_eq!(shop.optimize().await.added, 1);
    assert_eq!(shop.rows().await.len(), 5);
    let watermark = shop
        .store
        .state(schema().view())
        .await
        .unwrap()
        .unwrap()
        .watermark;
    assert_eq!(watermark, None);
    shop.replace(window(0, 3), &[row("w", 1, 1)], Some(3))
        .await
        .unwrap();
    shop.optimize().await;
    let state = shop.store.state(schema().view()).await.unwrap().unwrap();
    assert_eq!((state.watermark, state.rows), (Some(at(3)), 6));
}
