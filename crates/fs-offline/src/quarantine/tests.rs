use arrow::array::{Array, AsArray, Int64Array};
use arrow::datatypes::{Int64Type, TimestampMicrosecondType};
use fs_core::{Code, Coded};

use super::*;
use crate::fixture::{Shop, at, row, schema, window};

/// A row that broke an expectation: user, event, clicks.
type Bad = (Option<&'static str>, Option<i64>, i64);

fn bad(rows: &[Bad]) -> SendableRecordBatchStream {
    let quarantine = schema().quarantine();
    let field = |name: &str| quarantine.columns().field_with_name(name).unwrap().clone();
    let events = rows.iter().map(|row| row.1);
    let events: TimestampMicrosecondArray = events.collect();
    let text = |word: &str| Arc::new(StringArray::from(vec![word; rows.len()])) as ArrayRef;
    let columns: Vec<ArrayRef> = vec![
        text("clicks_not_null"),
        Arc::new(rows.iter().map(|row| row.0).collect::<StringArray>()),
        Arc::new(events.with_timezone(UTC)),
        Arc::new(rows.iter().map(|row| Some(row.2)).collect::<Int64Array>()),
        text("clicks is null"),
    ];
    let names = [EXPECTATION, "user", EVENT_TIMESTAMP, "clicks", REASON];
    let columns_of = Arc::new(Schema::new(names.map(field).to_vec()));
    let batch = RecordBatch::try_new(Arc::clone(&columns_of), columns).unwrap();
    crate::fixture::stream(vec![Ok(batch.slice(0, 0)), Ok(batch)])
}

fn of_window(window: TimeRange, run: &str, rows: &[Bad]) -> Quarantined {
    Quarantined {
        window,
        without_time: true,
        rows: bad(rows),
        run: run.to_owned(),
        at: at(1_000),
        fence: None,
    }
}

async fn replace(shop: &Shop, quarantined: Quarantined) -> u64 {
    let schema = schema();
    let done = shop.store.replace_quarantined(&schema, quarantined);
    done.await.unwrap()
}

/// Event, clicks and run of the quarantined rows, sorted.
async fn kept(shop: &Shop) -> Vec<(Option<i64>, i64, String)> {
    let rows = shop.store.list_quarantined(&schema(), 100).await.unwrap();
    let events = rows.column_by_name(EVENT_TIMESTAMP).unwrap();
    let events = events.as_primitive::<TimestampMicrosecondType>();
    let clicks = rows
        .column_by_name("clicks")
        .unwrap()
        .as_primitive::<Int64Type>();
    let runs = rows.column_by_name(RUN).unwrap().as_string::<i32>();
    let mut kept: Vec<_> = (0..rows.num_rows())
        .map(|at| {
            let event = events.is_valid(at).then(|| events.value(at));
            (event, clicks.value(at), runs.value(at).to_owned())
        })
        .collect();
    kept.sort();
    kept
}

#[tokio::test]
async fn a_window_of_bad_rows_replaces_that_of_the_run_before() {
    let shop = Shop::new();
    let first = [
        (Some("a"), Some(10), 1),
        (None, Some(60), 2),
        (Some("c"), None, 3),
    ];
    assert_eq!(
        replace(&shop, of_window(window(0, 100), "r1", &first)).await,
        3
    );
    let second = [(Some("a"), Some(11), 4)];
    assert_eq!(
        replace(&shop, of_window(window(0, 50), "r2", &second)).await,
        1
    );
    let r = |run: &str| run.to_owned();
    assert_eq!(
        kept(&shop).await,
        [(Some(11), 4, r("r2")), (Some(60), 2, r("r1"))]
    );
    let mut third = of_window(window(0, 50), "r3", &[(None, None, 5)]);
    third.without_time = false;
    replace(&shop, third).await;
    let mut fourth = of_window(window(0, 100), "r4", &[(Some("x"), Some(70), 6)]);
    fourth.without_time = false;
    replace(&shop, fourth).await;
    assert_eq!(
        kept(&shop).await,
        [(None, 5, r("r3")), (Some(70), 6, r("r4"))]
    );
    // The view's own table is another one.
    assert_eq!(shop.version().await, None);
}

#[tokio::test]
async fn the_reason_the_run_and_the_instant_are_kept_beside_the_row() {
    let shop = Shop::new();
    let rows = [(Some("a"), Some(10), 1), (Some("b"), Some(20), 2)];
    replace(&shop, of_window(window(0, 100), "run-1", &rows)).await;
    let listed = shop.store.list_quarantined(&schema(), 1).await.unwrap();
    assert_eq!(&listed.schema(), schema().quarantine().columns());
    let text = |name: &str| {
        let column = listed.column_by_name(name).unwrap().as_string::<i32>();
        column.value(0).to_owned()
    };
    assert_eq!(listed.num_rows(), 1);
    assert_eq!(text("user"), "b");
    assert_eq!(text(EXPECTATION), "clicks_not_null");
    assert_eq!(text(REASON), "clicks is null");
    assert_eq!(text(RUN), "run-1");
    let times = listed.column_by_name(QUARANTINED_AT).unwrap();
    assert_eq!(
        times.as_primitive::<TimestampMicrosecondType>().value(0),
        1_000
    );
}

#[tokio::test]
async fn nothing_is_committed_where_no_row_comes_and_none_goes() {
    let shop = Shop::new();
    let log = || {
        shop.folder
            .path()
            .join("shop/_quarantine/activity/_delta_log")
    };
    assert_eq!(
        replace(&shop, of_window(window(0, 100), "r1", &[])).await,
        0
    );
    assert!(!log().exists());
    assert_eq!(
        shop.store
            .list_quarantined(&schema(), 9)
            .await
            .unwrap()
            .num_rows(),
        0
    );
    let rows = [(Some("a"), Some(10_000), 1)];
    replace(&shop, of_window(window(0, 100_000), "r1", &rows)).await;
    replace(&shop, of_window(window(50_000, 100_000), "r2", &[])).await;
    assert!(!log().join("00000000000000000001.json").exists());
    // What a later run no longer finds bad leaves the quarantine.
    replace(&shop, of_window(window(0, 100_000), "r3", &[])).await;
    assert_eq!(kept(&shop).await, []);
}

#[tokio::test]
async fn a_stream_that_breaks_off_changes_nothing_in_quarantine() {
    let shop = Shop::new();
    replace(
        &shop,
        of_window(window(0, 100), "r1", &[(Some("a"), Some(10), 1)]),
    )
    .await;
    let error = DataFusionError::Execution("the disk is gone".to_owned());
    let columns = bad(&[]).schema();
    let rows = futures::stream::iter([Err(error)]);
    let broken = Quarantined {
        rows: Box::pin(RecordBatchStreamAdapter::new(columns, rows)),
        ..of_window(window(0, 100), "r2", &[])
    };
    let error = shop
        .store
        .replace_quarantined(&schema(), broken)
        .await
        .unwrap_err();
    let report = fs_core::code::report(&error);
    assert!(report.contains("the disk is gone"), "{report}");
    assert_eq!(kept(&shop).await.len(), 1);
}

#[tokio::test]
async fn who_was_taken_over_from_cannot_change_the_quarantine() {
    let shop = Shop::new();
    let of = |fence: u64, clicks: i64| {
        let rows = [(Some("a"), Some(10), clicks)];
        Quarantined {
            fence: Some(Fence::new(fence)),
            ..of_window(window(0, 100), "r", &rows)
        }
    };
    replace(&shop, of(3, 1)).await;
    shop.store
        .raise_fence(&schema(), Fence::new(4))
        .await
        .unwrap();
    let late = shop.store.replace_quarantined(&schema(), of(3, 2)).await;
    let error = late.unwrap_err();
    assert!(matches!(error, Error::Fenced { .. }), "{error}");
    assert_eq!(error.code(), Code::Conflict);
    replace(&shop, of(4, 5)).await;
    let clicks: Vec<i64> = kept(&shop).await.into_iter().map(|row| row.1).collect();
    assert_eq!(clicks, [5]);
}

#[tokio::test]
async fn a_feature_that_was_added_since_has_room_in_quarantine() {
    let shop = Shop::new();
    replace(
        &shop,
        of_window(window(0, 100), "r1", &[(Some("a"), Some(10), 1)]),
    )
    .await;
    let wider = crate::fixture::schema_with(
        fs_core::KeyType::String,
        &[("clicks", "int64"), ("score", "float64")],
    );
    let later = of_window(window(100, 200), "r2", &[(Some("a"), Some(110), 2)]);
    shop.store.replace_quarantined(&wider, later).await.unwrap();
    let rows = shop.store.list_quarantined(&wider, 9).await.unwrap();
    assert_eq!(rows.num_rows(), 2);
    assert_eq!(rows.column_by_name("score").unwrap().null_count(), 2);
    assert_eq!(kept(&shop).await.len(), 2);
}

#[tokio::test]
async fn a_quarantine_is_put_together_and_goes_with_its_view() {
    let shop = Shop::new();
    for n in 0..5 {
        let part = window(n * 10_000, (n + 1) * 10_000);
        let rows = [
            (Some("a"), Some(n * 10_000), n),
            (None, Some(n * 10_000 + 1), n),
        ];
        replace(&shop, of_window(part, "r", &rows)).await;
    }
    let before = kept(&shop).await;
    let done = shop
        .store
        .optimize_quarantine(schema().view())
        .await
        .unwrap();
    let done = done.unwrap();
    assert_eq!((done.files_before, done.files_after), (5, 1));
    assert_eq!(kept(&shop).await, before);
    shop.replace(window(0, 10), &[row("a", 1, 1)], None)
        .await
        .unwrap();
    assert!(shop.store.drop_table(schema().view()).await.unwrap());
    assert_eq!(kept(&shop).await, []);
}
