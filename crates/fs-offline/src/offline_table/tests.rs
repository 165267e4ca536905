use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{Int64Type, UInt32Type};
use arrow::util::pretty::pretty_format_batches;
use datafusion::prelude::{SessionConfig, SessionContext};

use super::*;
use crate::OfflineOptions;
use crate::fixture::{Row, Shop, row, schema, schema_with, window};

fn session(table: OfflineTable, partitions: usize) -> SessionContext {
    let config = SessionConfig::new()
        .with_target_partitions(partitions)
        .with_repartition_file_min_size(1);
    let session = SessionContext::new_with_config(config);
    session.register_table("t", Arc::new(table)).unwrap();
    session
}

async fn sql(session: &SessionContext, query: &str) -> Vec<RecordBatch> {
    session.sql(query).await.unwrap().collect().await.unwrap()
}

async fn text(session: &SessionContext, query: &str) -> String {
    pretty_format_batches(&sql(session, query).await)
        .unwrap()
        .to_string()
}

/// `(_file, _row, clicks)` of all rows, sorted.
async fn addresses(session: &SessionContext, condition: &str) -> Vec<(u32, i64, i64)> {
    let query = format!("SELECT _file, _row, clicks FROM t WHERE {condition}");
    let mut rows = Vec::new();
    for batch in sql(session, &query).await {
        let file = batch.column(0).as_primitive::<UInt32Type>();
        let row = batch.column(1).as_primitive::<Int64Type>();
        let clicks = batch.column(2).as_primitive::<Int64Type>();
        rows.extend(
            (0..batch.num_rows()).map(|at| (file.value(at), row.value(at), clicks.value(at))),
        );
    }
    rows.sort_unstable();
    rows
}

/// Three days of 1,000 rows each, in files of several row groups.
async fn three_days() -> Shop {
    let shop = Shop::with(OfflineOptions {
        row_group_rows: 64,
        ..OfflineOptions::default()
    });
    for day in 0..3 {
        let start = day * 1_000_000;
        let rows: Vec<Row> = (0..1_000)
            .map(|at| row("a", start + at * 1_000, start + at))
            .collect();
        shop.replace(window(start, start + 1_000_000), &rows, None)
            .await
            .unwrap();
    }
    shop
}

#[tokio::test]
async fn a_row_has_one_address_however_the_files_are_dealt_and_filtered() {
    let shop = three_days().await;
    let table = shop.store.table(&schema(), None).await.unwrap();
    assert_eq!((table.files().len(), table.rows()), (3, 3_000));
    let whole = addresses(&session(table.clone(), 1), "true").await;
    for (file, (_, rows)) in (0..).zip(table.files()) {
        let of_file: Vec<_> = whole
            .iter()
            .filter(|(number, ..)| *number == file)
            .collect();
        let numbers: Vec<i64> = of_file.iter().map(|(_, row, _)| *row).collect();
        assert_eq!(numbers, (0..rows.cast_signed()).collect::<Vec<_>>());
        // Files are sorted by event time, which grows with the clicks.
        assert!(of_file.is_sorted_by_key(|(.., clicks)| *clicks));
    }
    for partitions in [2, 3, 7] {
        let session = session(table.clone(), partitions);
        assert_eq!(addresses(&session, "clicks >= 0").await, whole);
        let mut some = whole.clone();
        some.retain(|(_, _, clicks)| (1_000_500..=2_000_100).contains(clicks));
        let times = "event_timestamp BETWEEN to_timestamp_micros(1500000) \
                     AND to_timestamp_micros(2100000)";
        assert_eq!(addresses(&session, times).await, some, "{partitions}");
    }
}

#[tokio::test]
async fn files_that_cannot_hold_a_wanted_row_are_not_in_the_plan() {
    let shop = three_days().await;
    let table = shop.store.table(&schema(), None).await.unwrap();
    let session = session(table, 1);
    let plan = "EXPLAIN SELECT clicks FROM t WHERE event_timestamp";
    let files = |text: &str| text.matches(".parquet").count();
    let of_one = text(&session, &format!("{plan} < to_timestamp_micros(1000000)")).await;
    assert_eq!(files(&of_one), 1, "{of_one}");
    // The reader gets the filter for its row groups, and the rows are filtered above.
    assert!(of_one.contains("pruning_predicate="), "{of_one}");
    assert!(of_one.contains("FilterExec"), "{of_one}");
    let nothing = text(&session, &format!("{plan} < to_timestamp_micros(-1)")).await;
    assert_eq!(files(&nothing), 0, "{nothing}");
    assert_eq!(
        addresses(&session, "event_timestamp < to_timestamp_micros(-1)").await,
        []
    );
}

#[tokio::test]
async fn files_are_left_out_by_what_a_join_finds_while_it_runs() {
    let shop = three_days().await;
    let table = shop.store.table(&schema(), None).await.unwrap();
    let session = session(table, 1);
    let spine = "SELECT to_timestamp_micros(column1) AS at FROM VALUES (1500000), (1600000)";
    sql(&session, &format!("CREATE TABLE spine AS {spine}")).await;
    let join = "SELECT count(*) FROM spine JOIN t ON event_timestamp = spine.at";
    let ran = text(&session, &format!("EXPLAIN ANALYZE {join}")).await;
    assert!(
        ran.contains("files_ranges_pruned_statistics=3 total → 1 matched"),
        "{ran}"
    );
    assert!(text(&session, join).await.contains("| 2 "));
}

#[tokio::test]
async fn bounds_of_files_are_not_taken_for_least_and_greatest_values() {
    let shop = Shop::new();
    let rows = [row("a", 1_001_001, 1), row("a", 1_002_002, 1)];
    shop.replace(window(0, 2_000_000), &rows, None)
        .await
        .unwrap();
    let table = shop.store.table(&schema(), None).await.unwrap();
    let query = "SELECT arrow_cast(min(event_timestamp), 'Int64') AS low, \
                 arrow_cast(max(event_timestamp), 'Int64') AS high, count(*) FROM t";
    let found = text(&session(table, 2), query).await;
    assert!(found.contains("| 1001001 | 1002002 | 2 "), "{found}");
}

#[tokio::test]
async fn an_older_version_is_read_as_it_was_and_new_features_are_null_there() {
    let shop = three_days().await;
    let wide = schema_with(
        fs_core::KeyType::String,
        &[("clicks", "int64"), ("score", "float64")],
    );
    for (version, rows) in [(0, 1_000), (2, 3_000)] {
        let table = shop.store.table(&wide, Some(version)).await.unwrap();
        assert_eq!((table.version().version, table.rows()), (version, rows));
        let session = session(table, 2);
        let counts = "SELECT count(*) AS n, count(clicks) AS c, count(score) AS s FROM t";
        let found = text(&session, counts).await;
        assert!(
            found.contains(&format!("| {rows} | {rows} | 0 |")),
            "{found}"
        );
    }
    let error = shop.store.table(&wide, Some(3)).await.unwrap_err();
    assert!(matches!(error, Error::NoSuchVersion { newest: 2, .. }));
}
