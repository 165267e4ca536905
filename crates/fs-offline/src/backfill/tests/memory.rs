//! Tables that are larger than the memory to sort them.

use arrow::array::Int64Array;
use futures::StreamExt;

use super::*;
use crate::{OfflineOptions, Replacement};

const BATCHES: i64 = 8;
const ROWS: i64 = 8_192;
const FEATURES: usize = 8;

/// The view with so many features.
fn schema_of(features: usize) -> TableSchema {
    let names: Vec<String> = (0..features).map(|n| format!("f{n}")).collect();
    let features: Vec<(&str, &str)> = names
        .iter()
        .map(|name| (name.as_str(), "float64"))
        .collect();
    schema_with(KeyType::String, &features)
}

/// The batch `number` of rows with these features, whose times lie all over the window.
fn batch_of(number: i64, features: std::ops::Range<usize>) -> RecordBatch {
    let schema = schema_of(features.end);
    let events =
        Int64Array::from_iter_values((0..ROWS).map(|at| at * BATCHES + number * 7 % BATCHES));
    let times = events.reinterpret_cast::<arrow::datatypes::TimestampMicrosecondType>();
    let users = events
        .values()
        .iter()
        .map(|event| Some(format!("user-{}", event % 999)));
    let value = |n: usize| {
        let n = f64::from(u32::try_from(n).unwrap());
        let values = (0..ROWS).map(|at| f64::from(i32::try_from(at).unwrap()).sin() * n);
        Arc::new(Float64Array::from_iter_values(values)) as ArrayRef
    };
    let mut columns: Vec<ArrayRef> = vec![
        Arc::new(users.collect::<StringArray>()),
        Arc::new(times.with_timezone(UTC)),
    ];
    columns.extend(features.clone().map(value));
    let mut names = vec!["user".to_owned(), EVENT_TIMESTAMP.to_owned()];
    names.extend(features.map(|n| format!("f{n}")));
    let field = |name: &String| schema.columns().field_with_name(name).unwrap().clone();
    let fields: Vec<Field> = names.iter().map(field).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
}

fn batches_of(features: std::ops::Range<usize>) -> SendableRecordBatchStream {
    let columns = batch_of(0, features.clone()).schema();
    let batches = futures::stream::iter(0..BATCHES);
    let batches = batches.map(move |number| Ok(batch_of(number, features.clone())));
    Box::pin(datafusion::physical_plan::stream::RecordBatchStreamAdapter::new(columns, batches))
}

#[tokio::test]
async fn a_table_larger_than_the_memory_is_backfilled_and_put_together() {
    let shop = Shop::with(OfflineOptions {
        target_file_bytes: 1 << 20,
        row_group_bytes: 1 << 20,
        sort_memory_bytes: 6 << 20,
        ..OfflineOptions::default()
    });
    let all = window(0, BATCHES * ROWS);
    let rows = Replacement::of(all, batches_of(0..FEATURES));
    let schema = schema_of(FEATURES);
    shop.store.replace_window(&schema, rows).await.unwrap();

    let backfill = Backfill {
        window: all,
        features: vec![format!("f{FEATURES}")],
        rows: batches_of(FEATURES..FEATURES + 1),
        fence: None,
        progress: None,
    };
    let wider = schema_of(FEATURES + 1);
    let done = shop.store.backfill_window(&wider, backfill).await.unwrap();
    let rows = (BATCHES * ROWS).unsigned_abs();
    assert_eq!((done.rows, done.matched), (rows, rows));

    // As many again, pushed, over those.
    for number in 0..BATCHES {
        let rows = batch_of(number, 0..FEATURES + 1);
        let push = Push { rows, key: None };
        shop.store.append(&wider, &[push]).await.unwrap();
    }
    let moved = shop.store.optimize(schema.view()).await.unwrap().unwrap();
    assert!(moved.removed > 8, "{moved:?}");
    let state = shop.store.state(schema.view()).await.unwrap().unwrap();
    assert_eq!(state.rows, 2 * rows);
}
