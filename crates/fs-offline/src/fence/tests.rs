use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use fs_core::{Code, Coded, KeyType, TimeRange};
use futures::stream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::*;
use crate::fixture::{Row, Shop, batch, input, row, schema, schema_with, window};
use crate::{Ingested, Push, Replacement};

/// A window that was opened by somebody, and is committed when its rows come.
struct Prepared {
    go: oneshot::Sender<()>,
    task: JoinHandle<Result<Ingested, Error>>,
}

impl Prepared {
    /// Opens the table, and waits to be told to go on.
    async fn open(shop: &Shop, window: TimeRange, row: Row, fence: u64) -> Self {
        let (opened, is_open) = oneshot::channel();
        let (go, went) = oneshot::channel();
        let rows = stream::once(async move {
            opened.send(()).unwrap();
            went.await.unwrap();
            Ok(batch(&[row]))
        });
        let rows: SendableRecordBatchStream =
            Box::pin(RecordBatchStreamAdapter::new(input(), rows));
        let store = shop.store.clone();
        let task = tokio::spawn(async move {
            let replacement = Replacement {
                fence: Some(Fence::new(fence)),
                ..Replacement::of(window, rows)
            };
            store.replace_window(&schema(), replacement).await
        });
        // Where the fence is too small already, the rows are not asked for.
        is_open.await.ok();
        Self { go, task }
    }

    async fn commit(self) -> Result<Ingested, Error> {
        self.go.send(()).ok();
        self.task.await.unwrap()
    }
}

async fn replace_with(shop: &Shop, row: Row, fence: u64) -> Result<Ingested, Error> {
    let prepared = Prepared::open(shop, window(0, 100), row, fence).await;
    prepared.commit().await
}

async fn seen(shop: &Shop) -> Option<u64> {
    let state = shop.store.state(schema().view()).await.unwrap();
    state.and_then(|state| state.fence).map(Fence::number)
}

async fn push_one(shop: &Shop, n: i64) {
    let rows = batch(&[row("p", 50 + n, n)]);
    let push = Push { rows, key: None };
    shop.store.append(&schema(), &[push]).await.unwrap();
}

fn is_fenced(error: &Error, expected: (u64, u64)) -> bool {
    let Error::Fenced { shown, seen, .. } = error else {
        return false;
    };
    error.code() == Code::Conflict && (shown.number(), seen.number()) == expected
}

#[tokio::test]
async fn a_table_keeps_the_greatest_fence_that_was_shown() {
    let shop = Shop::new();
    replace_with(&shop, row("a", 1, 1), 3).await.unwrap();
    assert_eq!(seen(&shop).await, Some(3));
    replace_with(&shop, row("a", 1, 2), 3).await.unwrap();
    shop.store
        .raise_fence(&schema(), Fence::new(7))
        .await
        .unwrap();
    shop.store
        .raise_fence(&schema(), Fence::new(5))
        .await
        .unwrap();
    assert_eq!(seen(&shop).await, Some(7));
    let error = replace_with(&shop, row("a", 1, 3), 6).await.unwrap_err();
    assert!(is_fenced(&error, (6, 7)), "{error}");
    assert_eq!(shop.rows().await, [row("a", 1, 2)]);
    // Who shows nothing is let through, as before there were fences, and lowers nothing.
    shop.replace(window(0, 100), &[row("a", 1, 4)], None)
        .await
        .unwrap();
    assert_eq!(seen(&shop).await, Some(7));
}

#[tokio::test]
async fn raising_a_fence_again_commits_nothing() {
    let shop = Shop::new();
    replace_with(&shop, row("a", 1, 1), 3).await.unwrap();
    for _ in 0..3 {
        shop.store
            .raise_fence(&schema(), Fence::new(4))
            .await
            .unwrap();
    }
    assert_eq!(shop.version().await, Some(1));
}

#[tokio::test]
async fn a_table_that_was_only_fenced_counts_as_never_written() {
    let shop = Shop::new();
    let features = [("clicks", "float64"), ("likes", "int64")];
    let other = schema_with(KeyType::Int64, &features);
    shop.store.raise_fence(&other, Fence::new(4)).await.unwrap();
    assert_eq!(shop.store.state(schema().view()).await.unwrap(), None);
    let scanned = shop.store.scan(&schema(), &crate::Scan::default()).await;
    assert!(matches!(scanned, Err(Error::NotMaterialized { .. })));
    let error = replace_with(&shop, row("a", 1, 1), 3).await.unwrap_err();
    assert!(is_fenced(&error, (3, 4)), "{error}");
    // The definition may change in any way before the first row comes.
    let wider = schema_with(
        KeyType::String,
        &[("clicks", "int64"), ("score", "float64")],
    );
    let rows = crate::fixture::stream(vec![Ok(batch(&[row("a", 1, 1)]))]);
    let replacement = Replacement {
        fence: Some(Fence::new(4)),
        ..Replacement::of(window(0, 100), rows)
    };
    shop.store
        .replace_window(&wider, replacement)
        .await
        .unwrap();
    assert_eq!(shop.rows().await, [row("a", 1, 1)]);
}

#[tokio::test]
async fn changes_tell_nothing_of_a_raised_fence() {
    let shop = Shop::new();
    replace_with(&shop, row("a", 1, 1), 3).await.unwrap();
    shop.store
        .raise_fence(&schema(), Fence::new(4))
        .await
        .unwrap();
    let changes = shop.store.changes(&schema(), 0, 1, None).await.unwrap();
    assert_eq!(changes.first_sequence(), None);
    assert!(changes.rewritten().is_empty());
    assert!(
        crate::fixture::collect(changes.added().unwrap())
            .await
            .is_empty()
    );
    assert!(
        crate::fixture::collect(changes.removed().unwrap())
            .await
            .is_empty()
    );
}

/// What happens, one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Event {
    /// The holder of fence 1 opens the table.
    Opens,
    /// Its rows come, and it commits.
    Commits,
    /// Somebody takes over with fence 2.
    Raises,
    /// That one replaces another window.
    Replaces,
    /// Somebody pushes.
    Pushes,
    /// Somebody puts files together.
    Optimizes,
}

/// All orders of `events` in which the first comes before the second, and the third before the fourth.
fn orders(events: &[Event]) -> Vec<Vec<Event>> {
    if events.is_empty() {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for (at, first) in events.iter().enumerate() {
        let before = match first {
            Event::Commits => Some(Event::Opens),
            Event::Replaces => Some(Event::Raises),
            _ => None,
        };
        if before.is_some_and(|before| events.contains(&before)) {
            continue;
        }
        let mut rest = events.to_vec();
        rest.remove(at);
        for mut order in orders(&rest) {
            order.insert(0, *first);
            all.push(order);
        }
    }
    all
}

/// Runs the events on a table, or on none; what came of the commit of fence 1.
async fn run(shop: &Shop, order: &[Event]) -> Result<Ingested, Error> {
    let mut prepared = None;
    let mut outcome = None;
    for event in order {
        match event {
            Event::Opens => {
                let row = row("old", 10, 1);
                prepared = Some(Prepared::open(shop, window(0, 40), row, 1).await);
            }
            Event::Commits => outcome = Some(prepared.take().unwrap().commit().await),
            Event::Raises => shop
                .store
                .raise_fence(&schema(), Fence::new(2))
                .await
                .unwrap(),
            Event::Replaces => {
                let row = row("new", 60, 2);
                let other = Prepared::open(shop, window(40, 100), row, 2).await;
                other.commit().await.unwrap();
            }
            Event::Pushes => push_one(shop, 0).await,
            Event::Optimizes => {
                shop.store.optimize(schema().view()).await.unwrap();
            }
        }
    }
    outcome.unwrap()
}

/// Runs the events in this order, and looks whether all is as it should be.
async fn check(order: &[Event], exists: bool) {
    let shop = Shop::new();
    if exists {
        for (start, user) in [(0, "a"), (20, "b")] {
            let rows = [row(user, start + 5, 0)];
            let part = window(start, start + 20);
            shop.replace(part, &rows, None).await.unwrap();
        }
    }
    let outcome = run(&shop, order).await;
    let at = |event| order.iter().position(|other| *other == event);
    let (opens, commits, raises) = (at(Event::Opens), at(Event::Commits), at(Event::Raises));
    let between = |event| opens < at(event) && at(event) < commits;
    let rows = shop.rows().await;
    if at(Event::Pushes).is_some() {
        assert!(rows.contains(&row("p", 50, 0)), "{order:?}: {rows:?}");
    }
    assert!(rows.contains(&row("new", 60, 2)), "{order:?}: {rows:?}");
    let committed = rows.contains(&row("old", 10, 1));
    assert_eq!(committed, outcome.is_ok(), "{order:?} {exists}: {rows:?}");
    assert_eq!(seen(&shop).await, Some(2));
    match outcome {
        Ok(_) => assert!(commits < raises, "{order:?}"),
        Err(error) if raises < commits => {
            assert!(is_fenced(&error, (1, 2)), "{order:?} {exists}: {error}");
        }
        // A push made the table, or the files of the window were put together.
        Err(error) => {
            assert!(
                matches!(error, Error::Conflict { .. }),
                "{order:?}: {error}"
            );
            let made = !exists && between(Event::Pushes);
            assert!(made || between(Event::Optimizes), "{order:?} {exists}");
        }
    }
}

#[tokio::test]
async fn in_every_order_of_events_nothing_is_committed_behind_a_raised_fence() {
    use Event::{Commits, Opens, Optimizes, Pushes, Raises, Replaces};
    for (other, exists) in [(Pushes, true), (Pushes, false), (Optimizes, true)] {
        let orders = orders(&[Opens, Commits, Raises, Replaces, other]);
        assert_eq!(orders.len(), 30);
        for order in orders {
            check(&order, exists).await;
        }
    }
}

#[tokio::test]
async fn pushes_are_not_kept_back_by_fences_and_do_not_lower_them() {
    let shop = Shop::new();
    shop.store
        .raise_fence(&schema(), Fence::new(9))
        .await
        .unwrap();
    for n in 0..3 {
        push_one(&shop, n).await;
    }
    assert_eq!(seen(&shop).await, Some(9));
    assert_eq!(shop.rows().await.len(), 3);
    let error = replace_with(&shop, row("a", 1, 1), 8).await.unwrap_err();
    assert!(is_fenced(&error, (8, 9)), "{error}");
    let ours = replace_with(&shop, row("a", 1, 1), 9).await.unwrap();
    assert_eq!((ours.ingest, shop.rows().await.len()), (2, 4));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fences_that_are_raised_at_once_leave_the_greatest() {
    let shop = Shop::new();
    let raises = (1..=6).map(|fence| {
        let store = shop.store.clone();
        async move { store.raise_fence(&schema(), Fence::new(fence)).await }
    });
    futures::future::try_join_all(raises).await.unwrap();
    push_one(&shop, 0).await;
    assert_eq!(seen(&shop).await, Some(6));
}
