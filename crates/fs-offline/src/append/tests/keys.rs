//! Each push counts once, and keys are forgotten.

use super::*;

#[tokio::test]
async fn a_key_that_is_known_adds_nothing_and_says_where_its_rows_are() {
    let shop = Shop::new();
    let rows = [row("a", 10, 1), row("b", 20, 2)];
    let first = shop.append(&[keyed("k/1 é", &rows)]).await;
    shop.append(&[push(&[row("c", 30, 3)])]).await;
    for rows in [rows.to_vec(), vec![row("z", 99, 9)]] {
        let again = shop.append(&[keyed("k/1 é", &rows)]).await;
        assert_eq!(again[0].first_sequence, first[0].first_sequence);
        assert!(again[0].repeated);
    }
    assert_eq!(shop.version().await, Some(1));
    assert_eq!(shop.rows().await.len(), 3);
    // Another key with known ones beside it.
    let mixed = [
        keyed("k/1 é", &[row("z", 1, 1)]),
        keyed("k/2", &[row("d", 40, 4)]),
    ];
    let answers = shop.append(&mixed).await;
    assert_eq!([answers[0].repeated, answers[1].repeated], [true, false]);
    assert_eq!(shop.rows().await.len(), 4);
}

#[tokio::test]
async fn a_key_is_known_also_after_checkpoints_and_replaced_windows() {
    let shop = Shop::new();
    shop.append(&[keyed("first", &[row("a", 10, 1)])]).await;
    for n in 0..45 {
        shop.append(&[keyed(&format!("k{n}"), &[row("b", n, n)])])
            .await;
    }
    shop.replace(window(0, 100), &[], Some(100)).await.unwrap();
    let log = shop.folder.path().join("shop/activity/_delta_log");
    assert!(log.join("_last_checkpoint").exists());
    for key in ["first", "k0", "k44"] {
        let answers = shop.append(&[keyed(key, &[row("z", 1, 1)])]).await;
        assert!(answers[0].repeated, "{key}");
    }
    assert_eq!(shop.rows().await.len(), 46);
}

const DAY: i64 = 86_400_000_000;

fn aged(name: &str, used: Option<i64>) -> Push {
    let key = PushKey {
        key: name.to_owned(),
        used: used.map(at),
    };
    Push {
        key: Some(key),
        ..push(&[row(name, 20, 2)])
    }
}

#[tokio::test]
async fn keys_are_forgotten_after_a_day_and_nothing_else_is() {
    let shop = Shop::new();
    shop.replace(window(0, 100), &[row("a", 10, 1)], Some(100))
        .await
        .unwrap();
    let pushes = [
        aged("young", Some(now() - DAY)),
        aged("old", Some(now() - 2 * DAY)),
        aged("timeless", None),
    ];
    let first = shop.append(&pushes).await;
    assert!(first.iter().all(|answer| !answer.repeated));
    let again = shop.append(&pushes).await;
    let repeated: Vec<bool> = again.iter().map(|answer| answer.repeated).collect();
    assert_eq!(repeated, [true, false, true]);

    let table = shop.delta_table().await;
    deltalake::checkpoints::create_checkpoint(&table, None)
        .await
        .unwrap();
    let kept = [
        "fs.ingest",
        "fs.push.timeless",
        "fs.push.young",
        "fs.pushed",
        "fs.watermark",
    ];
    assert_eq!(checkpointed_transactions(&shop), kept);
    let state = shop.store.state(schema().view()).await.unwrap().unwrap();
    assert_eq!((state.ingest, state.watermark), (1, Some(at(100))));
}

#[tokio::test]
async fn a_table_that_was_made_before_there_were_pushes_learns_to_forget_keys() {
    let shop = Shop::new();
    shop.replace(window(0, 100), &[row("a", 10, 1)], None)
        .await
        .unwrap();
    let log = shop.folder.path().join("shop/activity/_delta_log");
    let log = log.join("00000000000000000000.json");
    let text = std::fs::read_to_string(&log).unwrap();
    let property = format!(r#""{KEY_RETENTION}":"{KEYS_LAST}""#);
    let without = text.replace(&format!(",{property}"), "");
    let without = without.replace(&format!("{property},"), "");
    assert_ne!(without, text);
    std::fs::write(&log, without).unwrap();
    let old = aged("old", Some(now() - 2 * DAY));
    for _ in 0..2 {
        let answers = shop.append(std::slice::from_ref(&old)).await;
        assert!(!answers[0].repeated);
    }
    let table = shop.delta_table().await;
    let metadata = table.snapshot().unwrap().metadata();
    assert_eq!(metadata.configuration()[KEY_RETENTION], KEYS_LAST);
    assert_eq!(metadata.configuration()["delta.checkpointInterval"], "20");
}

/// The application transactions in the checkpoint of the table.
fn checkpointed_transactions(shop: &Shop) -> Vec<String> {
    use arrow::array::AsArray;
    use deltalake::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

    let log = shop.folder.path().join("shop/activity/_delta_log");
    let files = std::fs::read_dir(log).unwrap();
    let files = files.map(|entry| entry.unwrap().path());
    let checkpoint = files
        .filter(|path| path.extension().is_some_and(|e| e == "parquet"))
        .max();
    let file = std::fs::File::open(checkpoint.unwrap()).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    let mut ids = Vec::new();
    for batch in reader.build().unwrap() {
        let batch = batch.unwrap();
        let transactions = batch.column_by_name("txn").unwrap().as_struct();
        let id = transactions.column_by_name("appId").unwrap();
        let id = id.as_string::<i32>().iter().flatten();
        // Below a null struct there is a text all the same.
        ids.extend(id.filter(|id| !id.is_empty()).map(str::to_owned));
    }
    ids.sort();
    ids
}
