use arrow::array::{ArrayRef, Int64Array, StringArray, StringViewArray};
use datafusion::execution::memory_pool::{GreedyMemoryPool, MemoryConsumer, MemoryPool};
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use futures::TryStreamExt;

use super::*;

fn batch(rows: std::ops::Range<i64>) -> RecordBatch {
    let text = |row: i64| (row % 3 != 0).then(|| format!("a text that is no short one: {row}"));
    let columns: [(&str, ArrayRef); 3] = [
        ("n", Arc::new(Int64Array::from_iter_values(rows.clone()))),
        (
            "s",
            Arc::new(rows.clone().map(text).collect::<StringArray>()),
        ),
        ("v", Arc::new(rows.map(text).collect::<StringViewArray>())),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, column)| (name, column, true)))
        .unwrap()
}

fn spool(limit: usize) -> (Spool, Arc<dyn MemoryPool>) {
    let pool: Arc<dyn MemoryPool> = Arc::new(GreedyMemoryPool::new(limit));
    let runtime = RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::clone(&pool))
        .build_arc()
        .unwrap();
    let reservation = MemoryConsumer::new("rows").register(&pool);
    let spool = Spool::new(batch(0..1).schema(), reservation, &runtime, "rows");
    (spool, pool)
}

async fn fill(limit: usize, batches: &[RecordBatch]) -> (Spooled, Arc<dyn MemoryPool>) {
    let (mut spool, pool) = spool(limit);
    for batch in batches {
        spool.push(batch.clone()).await.unwrap();
    }
    (spool.finish().await.unwrap(), pool)
}

async fn read(spooled: &Spooled) -> Vec<RecordBatch> {
    spooled.read().unwrap().try_collect().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_pushed_is_read_back_in_order_any_number_of_times_wherever_it_lies() {
    let batches: Vec<RecordBatch> = (0..40).map(|at| batch(at * 100..at * 100 + 99)).collect();
    for limit in [0, 1_000, 200_000, 100_000_000] {
        let (spooled, pool) = fill(limit, &batches).await;
        assert_eq!(spooled.rows(), 40 * 99);
        assert_eq!(spooled.in_memory().is_some(), limit == 100_000_000);
        assert_eq!(spooled.spilled_bytes() > 0, spooled.in_memory().is_none());
        assert_eq!(pool.reserved() > 0, spooled.in_memory().is_some());
        for _ in 0..2 {
            assert_eq!(read(&spooled).await, batches, "limit {limit}");
        }
        drop(spooled);
        assert_eq!(pool.reserved(), 0);
    }
}

#[tokio::test]
async fn slices_of_one_batch_are_charged_once_and_written_without_the_rest() {
    let whole = batch(0..10_000);
    let bytes = RecordBatchMemoryCounter::new().count_batch(&whole);
    let slices: Vec<RecordBatch> = (0..100).map(|at| whole.slice(at * 100, 100)).collect();
    let (in_memory, pool) = fill(usize::MAX, &slices).await;
    assert_eq!(pool.reserved(), bytes);
    assert_eq!(read(&in_memory).await, slices);
    let (on_disk, _) = fill(0, &slices).await;
    assert!(on_disk.spilled_bytes() < 2 * bytes, "{on_disk:?}, {bytes}");
    assert_eq!(read(&on_disk).await, slices);
}

#[tokio::test]
async fn no_rows_are_read_back_as_none() {
    for limit in [0, 1_000] {
        let (mut spool, _) = spool(limit);
        spool.push(batch(0..0)).await.unwrap();
        if limit == 0 {
            spool.spill().await.unwrap();
        }
        let spooled = spool.finish().await.unwrap();
        assert_eq!((spooled.rows(), read(&spooled).await.len()), (0, 0));
    }
}

#[tokio::test]
async fn rows_without_columns_keep_their_number() {
    let options = RecordBatchOptions::new().with_row_count(Some(7));
    let empty = Arc::new(arrow::datatypes::Schema::empty());
    let batch = RecordBatch::try_new_with_options(empty, vec![], &options).unwrap();
    let (mut spool, _) = spool(0);
    spool.schema = batch.schema();
    spool.spill().await.unwrap();
    spool.push(batch.clone()).await.unwrap();
    assert_eq!(read(&spool.finish().await.unwrap()).await, [batch]);
}
