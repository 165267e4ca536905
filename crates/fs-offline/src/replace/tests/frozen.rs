//! What a commit says in the Delta log: later releases, and other tools, read it there.

use serde_json::{Value, json};

use super::*;

#[tokio::test]
async fn the_words_of_a_commit_and_the_columns_of_a_table_are_frozen() {
    let shop = Shop::new();
    let rows = [row("a", 1_000_000, 1), row("b", 2_000_000, 2)];
    shop.replace(window(0, 3_000_000), &rows, Some(3_000_000))
        .await
        .unwrap();
    let log = shop.folder.path().join("shop/activity/_delta_log");
    let log = std::fs::read_to_string(log.join("00000000000000000000.json")).unwrap();
    let actions: Vec<Value> = log
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    let all = |name: &str| {
        actions
            .iter()
            .filter_map(|a| a.get(name))
            .collect::<Vec<_>>()
    };

    let transactions = all("txn");
    let said = transactions
        .iter()
        .map(|t| (t["appId"].clone(), t["version"].clone()));
    let mut said: Vec<String> = said
        .map(|(id, version)| format!("{id} {version}"))
        .collect();
    said.sort();
    assert_eq!(said, [r#""fs.ingest" 1"#, r#""fs.watermark" 3000000"#]);
    assert_eq!(
        all("commitInfo")[0]["fs.window"],
        json!({ "start": 0, "end": 3_000_000 })
    );

    let schema = all("metaData")[0]["schemaString"].as_str().unwrap();
    let schema: Value = serde_json::from_str(schema).unwrap();
    let columns = schema["fields"].as_array().unwrap().iter();
    let columns: Vec<Value> = columns
        .map(|field| json!([field["name"], field["type"], field["nullable"]]))
        .collect();
    assert_eq!(
        json!(columns),
        json!([
            ["user", "string", false],
            ["event_timestamp", "timestamp", false],
            ["created_timestamp", "timestamp", true],
            ["clicks", "long", true],
            ["_sequence", "long", false],
        ])
    );
    let numbers: Vec<i64> = shop
        .numbered()
        .await
        .iter()
        .map(|(number, _)| *number)
        .collect();
    assert_eq!(numbers, [1 << 32, (1 << 32) + 1]);
}
