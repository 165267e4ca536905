//! What a run charges, spills and shows.

use datafusion::datasource::physical_plan::parquet::CachedParquetFileReaderFactory;
use datafusion::physical_plan::display::DisplayableExecutionPlan;

use super::*;

fn many(table_rows: usize, rows: usize) -> (Table, RecordBatch) {
    let table = Table::new(&[table_rows, table_rows], 1_000);
    let at = |n: usize| Some(marks::address(n % 2, n * 7_919 % table_rows));
    let first: Vec<_> = (0..rows).map(at).collect();
    let second: Vec<_> = (0..rows).map(|n| at(n / 10)).collect();
    (table, input(&first, &second))
}

async fn ran(
    table: &Table,
    rows: &RecordBatch,
    memory: Option<usize>,
) -> (RecordBatch, MetricsSet, String, usize) {
    let context = context(2, 1_024, memory);
    let plan = Arc::new(plan(table, rows, 1_024));
    let batches = collect(Arc::clone(&plan) as _, Arc::clone(&context)).await;
    let found = concat_batches(&plan.schema(), &batches.unwrap()).unwrap();
    let metrics = plan.metrics().unwrap();
    let shown = DisplayableExecutionPlan::with_metrics(plan.as_ref())
        .indent(true)
        .to_string();
    (found, metrics, shown, context.memory_pool().reserved())
}

fn count(metrics: &MetricsSet, name: &str) -> usize {
    metrics
        .sum_by_name(name)
        .map_or(0, |value| value.as_usize())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_answer_is_the_same_when_everything_goes_through_the_disk() {
    let (table, rows) = many(20_000, 30_000);
    let (in_memory, metrics, shown, reserved) = ran(&table, &rows, None).await;
    assert_eq!(in_memory, expected(&table, &rows, &in_memory.schema()));
    assert_eq!(count(&metrics, "windows"), 0, "{shown}");
    assert_eq!(metrics.spilled_bytes(), Some(0), "{shown}");
    assert_eq!(reserved, 0);
    for memory in [1_000, 100_000, 1_000_000] {
        let (found, metrics, shown, reserved) = ran(&table, &rows, Some(memory)).await;
        assert!(found == in_memory, "{memory}");
        assert!(count(&metrics, "windows") > 1, "{memory}: {shown}");
        assert!(metrics.spilled_bytes() > Some(0), "{memory}: {shown}");
        assert_eq!(reserved, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_read_and_fetched_is_counted_and_shown() {
    let (table, rows) = many(20_000, 10);
    let (_, metrics, shown, _) = ran(&table, &rows, None).await;
    assert_eq!(count(&metrics, "rows_fetched"), 10);
    assert_eq!(metrics.output_rows(), Some(10));
    assert!(
        shown.contains("FetchRowsExec: table 0 by [a@1, b@2]"),
        "{shown}"
    );
    let scan = shown.lines().last().unwrap();
    assert!(
        scan.contains("output_rows=10") && scan.contains("bytes_scanned="),
        "{shown}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn few_rows_cost_the_pages_that_hold_them() {
    let (table, rows) = many(20_000, 2);
    let context = context(1, 1_024, None);
    let runtime = context.runtime_env();
    let store = runtime.object_store(ObjectStoreUrl::local_filesystem());
    // As the scan of an offline table has it.
    let cache = runtime.cache_manager.get_file_metadata_cache();
    let readers = CachedParquetFileReaderFactory::new(store.unwrap(), cache);
    let scan = table.scan_by(Some(Arc::new(readers)));
    let input = plan(&table, &rows, 1_024);
    let columns = input.columns().to_vec();
    let input = Arc::clone(input.input());
    let plan = FetchRowsExec::try_new(input, vec![Arc::clone(&scan)], columns).unwrap();
    collect(Arc::new(plan), context).await.unwrap();
    let bytes = count(&scan.metrics().unwrap(), "bytes_scanned");
    let file = std::fs::metadata(table.path(0)).unwrap().len();
    let row_group = usize::try_from(file).unwrap() / 20;
    assert!(bytes < row_group, "{bytes} of {row_group}");
}
