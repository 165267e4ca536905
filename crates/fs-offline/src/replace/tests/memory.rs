//! Windows that are larger than memory.

use std::sync::{Arc, Mutex, Weak};

use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::StreamExt;

use super::*;
use crate::OfflineOptions;
use crate::fixture::{collect, input};

const BATCHES: i64 = 160;
const ROWS: i64 = 4_096;

/// The columns that have been handed out.
type HandedOut = Arc<Mutex<Vec<Weak<dyn Array>>>>;

/// The batch `number`: its rows lie all over the window.
fn large_batch(number: i64) -> RecordBatch {
    let rows = (0..ROWS).map(|at| row("somebody", at * BATCHES + (number * 7) % BATCHES, number));
    batch(&rows.collect::<Vec<_>>())
}

fn alive(handed_out: &HandedOut) -> usize {
    let handed_out = handed_out.lock().unwrap();
    handed_out.iter().filter(|c| c.strong_count() > 0).count()
}

#[tokio::test]
async fn a_window_larger_than_the_memory_is_sorted_on_disk_and_written_whole() {
    let shop = Shop::with(OfflineOptions {
        sort_memory_bytes: 16 << 20,
        ..OfflineOptions::default()
    });
    // The second time the rows of before are in the window too.
    for _ in 0..2 {
        let handed_out = HandedOut::default();
        let most = Arc::new(Mutex::new(0));
        let (tracked, peak) = (Arc::clone(&handed_out), Arc::clone(&most));
        let batches = futures::stream::iter(0..BATCHES).map(move |number| {
            let batch = large_batch(number);
            let mut peak = peak.lock().unwrap();
            *peak = alive(&tracked).max(*peak);
            let column = Arc::downgrade(batch.column(0));
            tracked.lock().unwrap().push(column);
            Ok(batch)
        });
        let rows = Box::pin(RecordBatchStreamAdapter::new(input(), batches));
        let window = window(0, BATCHES * ROWS);
        let schema = schema();
        let done = shop
            .store
            .replace_window(&schema, Replacement::of(window, rows));
        assert_eq!(done.await.unwrap().rows, (BATCHES * ROWS).unsigned_abs());
        let most = *most.lock().unwrap();
        assert!(
            most < 100,
            "{most} of {BATCHES} batches were in memory at once"
        );
    }
    let scan = shop.store.scan(&schema(), &Scan::default()).await.unwrap();
    let mut events: Vec<i64> = collect(scan.stream().unwrap())
        .await
        .into_iter()
        .map(|(_, row)| row.event)
        .collect();
    events.sort_unstable();
    assert!(events.into_iter().eq(0..BATCHES * ROWS));
}
