use arrow::array::RecordBatch;
use deltalake::DeltaTable;

use super::*;
use crate::Scan;
use crate::changes::Changes;
use crate::evolution::{KEY_RETENTION, KEYS_LAST};
use crate::fixture::{Row, Shop, at, batch, collect, row, schema, window};
use crate::sequence::{PUSHED, first_of_ingest, first_pushed_after};

mod beside;
mod keys;

fn push(rows: &[Row]) -> Push {
    Push {
        rows: batch(rows),
        key: None,
    }
}

fn keyed(key: &str, rows: &[Row]) -> Push {
    let key = PushKey {
        key: key.to_owned(),
        used: Some(at(now())),
    };
    Push {
        key: Some(key),
        ..push(rows)
    }
}

/// The wall clock, which is what Delta forgets keys by.
#[expect(
    clippy::disallowed_methods,
    reason = "Delta asks the clock of the system"
)]
fn now() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.unwrap().as_micros().try_into().unwrap()
}

impl Shop {
    async fn append(&self, pushes: &[Push]) -> Vec<Appended> {
        self.store.append(&schema(), pushes).await.unwrap()
    }

    async fn delta_table(&self) -> DeltaTable {
        let location = self.store.root().join("activity");
        let mut table = DeltaTable::new(Table::log_store(&location).unwrap());
        table.load().await.unwrap();
        table
    }
}

#[tokio::test]
async fn pushed_rows_are_numbered_after_the_ingest_before_them_and_before_the_next() {
    let shop = Shop::new();
    shop.replace(window(0, 100), &[row("a", 10, 1)], Some(100))
        .await
        .unwrap();
    let first = shop
        .append(&[push(&[row("b", 20, 2), row("a", 5, 3)])])
        .await;
    let second = shop.append(&[push(&[row("c", 500, 4)])]).await;
    shop.replace(window(200, 300), &[row("d", 250, 5)], None)
        .await
        .unwrap();
    let third = shop.append(&[push(&[row("e", 1, 6)])]).await;

    let pushed = first_of_ingest(1) | PUSHED;
    let expected = vec![
        (first_of_ingest(1), row("a", 10, 1)),
        (pushed, row("b", 20, 2)),
        (pushed + 1, row("a", 5, 3)),
        (pushed + 2, row("c", 500, 4)),
        (first_of_ingest(2), row("d", 250, 5)),
        (first_of_ingest(2) | PUSHED, row("e", 1, 6)),
    ];
    assert_eq!(shop.numbered().await, expected);
    let places =
        [&first, &second, &third].map(|answers| (answers[0].version, answers[0].first_sequence));
    assert_eq!(
        places,
        [
            (1, pushed),
            (2, pushed + 2),
            (4, first_of_ingest(2) | PUSHED)
        ]
    );
    let state = shop.store.state(schema().view()).await.unwrap().unwrap();
    assert_eq!((state.ingest, state.watermark), (2, Some(at(100))));
}

#[tokio::test]
async fn a_table_says_from_where_on_later_rows_are_numbered() {
    let shop = Shop::new();
    let mut before = i64::MIN;
    for step in 0..8 {
        let rows = [row("a", 10 + step, step), row("b", 10, 2)];
        if step % 3 == 0 {
            shop.replace(window(0, 100), &rows, None).await.unwrap();
        } else {
            shop.append(&[push(&rows)]).await;
        }
        let state = shop.store.state(schema().view()).await.unwrap().unwrap();
        let numbers = shop.numbered().await.into_iter().map(|(number, _)| number);
        let new = numbers.filter(|number| *number >= before);
        assert_eq!(new.clone().count(), 2, "step {step}");
        assert!(new.max() < Some(state.next_sequence), "step {step}");
        before = state.next_sequence;
    }
}

#[tokio::test]
async fn a_push_makes_the_table_and_widens_it() {
    let shop = Shop::new();
    shop.append(&[push(&[row("a", 10, 1)])]).await;
    assert_eq!(
        shop.numbered().await,
        [(first_of_ingest(1) | PUSHED, row("a", 10, 1))]
    );
    let wider = crate::fixture::schema_with(
        fs_core::KeyType::String,
        &[("clicks", "int64"), ("score", "float64")],
    );
    shop.store
        .append(&wider, &[push(&[row("b", 20, 2)])])
        .await
        .unwrap();
    assert_eq!(shop.rows().await, [row("a", 10, 1), row("b", 20, 2)]);
    shop.replace(window(0, 5), &[], None).await.unwrap();
    let numbers: Vec<i64> = shop
        .numbered()
        .await
        .into_iter()
        .map(|(number, _)| number)
        .collect();
    let first = first_of_ingest(1) | PUSHED;
    assert_eq!(numbers, [first, first + 1]);
}

#[tokio::test]
async fn pushes_that_are_committed_together_keep_their_places() {
    let shop = Shop::new();
    let pushes = [
        push(&[row("a", 10, 1), row("b", 9, 2)]),
        keyed("k", &[row("c", 8, 3)]),
        keyed("k", &[row("d", 7, 4)]),
        push(&[row("e", 6, 5)]),
    ];
    let answers = shop.append(&pushes).await;
    let first = first_of_ingest(1) | PUSHED;
    let places: Vec<_> = answers
        .iter()
        .map(|a| (a.first_sequence - first, a.repeated))
        .collect();
    assert_eq!(places, [(0, false), (2, false), (2, true), (3, false)]);
    assert_eq!(shop.version().await, Some(0));
    let users: Vec<String> = shop
        .numbered()
        .await
        .into_iter()
        .map(|(_, row)| row.user)
        .collect();
    assert_eq!(users, ["a", "b", "c", "e"]);
}

#[tokio::test]
async fn pushed_rows_are_told_as_added_and_found_by_their_numbers() {
    let shop = Shop::new();
    shop.replace(window(0, 100), &[row("a", 10, 1)], None)
        .await
        .unwrap();
    let answers = shop
        .append(&[push(&[row("b", 20, 2), row("c", 30, 3)])])
        .await;
    shop.append(&[push(&[row("d", 40, 4)])]).await;
    let changes = shop.store.changes(&schema(), 0, 2, None).await.unwrap();
    assert_eq!(changes.first_sequence(), Some(answers[0].first_sequence));
    let came = |changes: &Changes| collect(changes.added().unwrap());
    let mut added = came(&changes).await;
    added.sort();
    let users: Vec<&str> = added.iter().map(|(_, row)| row.user.as_str()).collect();
    assert_eq!(users, ["b", "c", "d"]);
    assert_eq!(collect(changes.removed().unwrap()).await, []);

    let first = answers[0].first_sequence;
    let scan = Scan {
        since: Some(first),
        before: Some(first + 2),
        ..Scan::default()
    };
    let found = shop.scan(&scan).await;
    assert_eq!(
        found,
        [(first, row("b", 20, 2)), (first + 1, row("c", 30, 3))]
    );
    let scanned = shop.store.scan(&schema(), &scan).await.unwrap();
    assert_eq!((scanned.stats.files, scanned.stats.pruned), (1, 2));
}

#[tokio::test]
async fn a_push_that_does_not_fit_adds_nothing() {
    let shop = Shop::new();
    shop.append(&[push(&[row("a", 10, 1)])]).await;
    let keyless: RecordBatch = batch(&[row("b", 10, 1)]).project(&[1, 3]).unwrap();
    let keyless = Push {
        rows: keyless,
        key: None,
    };
    let error = shop.store.append(&schema(), &[keyless]).await.unwrap_err();
    assert!(
        error.to_string().contains("column `user` is missing"),
        "{error}"
    );
    assert_eq!(shop.version().await, Some(0));
}

#[tokio::test]
async fn the_words_of_a_commit_that_pushes_are_frozen() {
    let shop = Shop::new();
    let key = PushKey {
        key: "k 1".to_owned(),
        used: Some(at(5_000_999)),
    };
    let pushed = Push {
        key: Some(key),
        ..push(&[row("a", 10, 1), row("b", 20, 2)])
    };
    shop.append(&[pushed]).await;
    let log = shop.folder.path().join("shop/activity/_delta_log");
    let log = std::fs::read_to_string(log.join("00000000000000000000.json")).unwrap();
    let actions: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let mut transactions: Vec<Value> = actions
        .iter()
        .filter_map(|action| action.get("txn").cloned())
        .collect();
    transactions.sort_by_key(|transaction| transaction["appId"].to_string());
    let first = 6_442_450_944_i64;
    assert_eq!(first, first_of_ingest(1) | PUSHED);
    assert_eq!(
        json!(transactions),
        json!([
            { "appId": "fs.ingest", "version": 1 },
            { "appId": "fs.push.k 1", "version": first, "lastUpdated": 5_000 },
            { "appId": "fs.pushed", "version": first + 1 },
        ])
    );
    let info = actions.iter().find_map(|action| action.get("commitInfo"));
    assert_eq!(
        info.unwrap()["fs.push"],
        json!({ "first": first, "rows": 2 })
    );
    let metadata = actions.iter().find_map(|action| action.get("metaData"));
    let configuration = &metadata.unwrap()["configuration"];
    assert_eq!(configuration[KEY_RETENTION], "interval 25 hours");
}
