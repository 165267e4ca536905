use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, DictionaryArray, Float64Array, Int64Array, ListArray, RecordBatch,
    TimestampNanosecondArray, UInt64Array,
};
use arrow::datatypes::{DataType, Float64Type, Int32Type, Int64Type, Schema};
use deltalake::parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use deltalake::parquet::basic::Compression;
use fs_core::{Code, Coded};
use futures::Stream;
use serde_json::Value;

use super::*;
use crate::fixture::{Shop, at, row, window};
use crate::{OfflineOptions, plans};

const RECORDED: &str = r#"{"format":1}"#;

fn name(name: &str) -> DatasetName {
    name.parse().unwrap()
}

fn new(of: &str, schema: SchemaRef) -> NewDataset {
    NewDataset {
        name: name(of),
        schema,
        record: RECORDED.to_owned(),
        saved_at: at(1_000_000),
    }
}

fn one(column: &str, values: ArrayRef) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable([(column, values, true)]).unwrap()
}

fn numbers(from: i64, to: i64) -> RecordBatch {
    one("n", Arc::new(Int64Array::from_iter_values(from..to)))
}

fn rows(batches: Vec<RecordBatch>) -> impl Stream<Item = Result<RecordBatch, String>> + Send {
    futures::stream::iter(batches.into_iter().map(Ok))
}

async fn save(shop: &Shop, of: &str, batches: Vec<RecordBatch>) -> Result<Dataset, Error> {
    let new = new(of, batches[0].schema());
    shop.store.save_dataset(&new, rows(batches)).await
}

/// The rows of a dataset as any reader finds them, file by file.
async fn read(shop: &Shop, of: &str) -> Vec<RecordBatch> {
    let table = Table::open(&shop.store, &folder(&name(of)), None).await;
    let table = table.unwrap().unwrap();
    let columns = evolution::to_arrow(table.snapshot.schema().as_ref()).unwrap();
    let files = table.files().unwrap();
    let plan = plans::files(&table.log, &columns, &files, None, &[]).unwrap();
    let context = plans::context(&shop.store, &table.log);
    let rows = plans::stream(plan, &context).unwrap();
    rows.try_collect().await.unwrap()
}

#[tokio::test]
async fn a_dataset_keeps_its_rows_their_order_and_its_record() {
    let shop = Shop::with(OfflineOptions {
        target_file_bytes: 1,
        row_group_rows: 100,
        ..OfflineOptions::default()
    });
    let saved = save(
        &shop,
        "late_flights",
        vec![numbers(500, 1000), numbers(0, 500)],
    )
    .await
    .unwrap();
    assert!(saved.files > 1, "{saved:?}");
    assert_eq!((saved.rows, saved.saved_at), (1000, Some(at(1_000_000))));
    assert_eq!(saved.record.as_deref(), Some(RECORDED));
    assert_eq!(shop.store.show_dataset(&saved.name).await.unwrap(), saved);
    assert_eq!(shop.store.list_datasets().await.unwrap(), [saved]);

    let mut found: Vec<(i64, i64)> = Vec::new();
    for batch in read(&shop, "late_flights").await {
        let column = |at| batch.column(at).as_primitive::<Int64Type>().values();
        found.extend(column(1).iter().copied().zip(column(0).iter().copied()));
    }
    found.sort_unstable();
    let expected = (500..1000).chain(0..500);
    assert!(found.into_iter().eq((0..).zip(expected)));
}

#[tokio::test]
async fn columns_are_compressed_where_that_pays_and_no_row_is_lost() {
    let shop = Shop::new();
    let batches = (0..8).map(|at| {
        let rows = (5000 * at..5000 * (at + 1)).map(f64::from);
        let noise = Float64Array::from_iter_values(rows.map(|row| (row + 0.5).sqrt().sin()));
        one("noise", Arc::new(noise))
    });
    let batches: Vec<RecordBatch> = batches.collect();
    let saved = save(&shop, "noise", batches.clone()).await.unwrap();
    assert_eq!((saved.rows, saved.files), (40_000, 1));
    let table = Table::open(&shop.store, &folder(&saved.name), None).await;
    let files = table.unwrap().unwrap().files().unwrap();
    let path = shop.folder.path().join("shop/_datasets/noise");
    let file = std::fs::File::open(path.join(&files[0].path)).unwrap();
    let metadata = ArrowReaderMetadata::load(&file, ArrowReaderOptions::default()).unwrap();
    let chunk = metadata.metadata().row_group(0).column(0);
    assert_eq!(chunk.dictionary_page_offset(), None);
    assert_eq!(chunk.compression(), Compression::UNCOMPRESSED);

    let all = |batches: &[RecordBatch]| {
        let columns = batches.iter().map(|batch| batch.column(0));
        let values = columns.flat_map(|column| column.as_primitive::<Float64Type>().values());
        let mut bits: Vec<u64> = values.map(|value| value.to_bits()).collect();
        bits.sort_unstable();
        bits
    };
    assert!(all(&read(&shop, "noise").await) == all(&batches));
}

#[tokio::test]
async fn the_record_is_in_the_commit_too_and_any_reader_may_open_the_table() {
    let shop = Shop::new();
    save(&shop, "small", vec![numbers(0, 3)]).await.unwrap();
    let log = "shop/_datasets/small/_delta_log/00000000000000000000.json";
    let text = std::fs::read_to_string(shop.folder.path().join(log)).unwrap();
    let actions: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let action = |name: &str| {
        let mut found = actions.iter().filter_map(|action| action.get(name));
        found.next().unwrap()
    };
    assert_eq!(action("commitInfo")[RECORD]["format"], 1);
    assert_eq!(action("commitInfo")[SAVED_AT], "1970-01-01T00:00:01Z");
    assert_eq!(action("metaData")["configuration"][RECORD], RECORDED);
    assert_eq!(action("protocol")["minReaderVersion"], 1);
}

#[tokio::test]
async fn a_name_that_is_taken_is_refused_and_changes_nothing() {
    let shop = Shop::new();
    save(&shop, "mine", vec![numbers(0, 3)]).await.unwrap();
    let error = save(&shop, "mine", vec![numbers(0, 9)]).await.unwrap_err();
    assert!(
        error.to_string().contains("fs datasets drop mine"),
        "{error}"
    );
    assert_eq!(error.code(), Code::FailedPrecondition);
    let kept = shop.store.show_dataset(&name("mine")).await.unwrap();
    assert_eq!(kept.rows, 3);
}

#[tokio::test]
async fn of_two_that_save_under_one_name_at_once_the_first_stays() {
    let shop = Shop::new();
    let both = futures::join!(
        save(&shop, "ours", vec![numbers(0, 3)]),
        save(&shop, "ours", vec![numbers(0, 4)])
    );
    let (won, lost) = match both {
        (Ok(won), Err(lost)) | (Err(lost), Ok(won)) => (won, lost),
        both => panic!("{both:?}"),
    };
    assert!(matches!(lost, Error::DatasetExists { .. }), "{lost}");
    let kept = shop.store.show_dataset(&name("ours")).await.unwrap();
    assert_eq!(kept, won);
    let folder = shop.folder.path().join("shop/_datasets/ours");
    let left = std::fs::read_dir(folder).unwrap().count();
    assert_eq!(left, 2, "its file and its log, and nothing of the other");
}

#[tokio::test]
async fn rows_that_break_off_leave_no_dataset_and_the_name_is_free() {
    let shop = Shop::new();
    let batch = numbers(0, 10);
    let broken = futures::stream::iter([Ok(batch.clone()), Err("the client went away")]);
    let new = new("half", batch.schema());
    let error = shop.store.save_dataset(&new, broken).await.unwrap_err();
    assert!(matches!(error, Error::DatasetRows { .. }), "{error}");
    assert!(shop.store.list_datasets().await.unwrap().is_empty());
    save(&shop, "half", vec![batch]).await.unwrap();
}

#[tokio::test]
async fn a_dataset_that_is_dropped_is_gone_and_so_are_all_with_the_project() {
    let shop = Shop::new();
    assert!(shop.store.list_datasets().await.unwrap().is_empty());
    for of in ["first", "second"] {
        save(&shop, of, vec![numbers(0, 3)]).await.unwrap();
    }
    shop.store.drop_dataset(&name("first")).await.unwrap();
    let error = shop.store.drop_dataset(&name("secnd")).await.unwrap_err();
    assert!(
        error.to_string().contains("did you mean `second`?"),
        "{error}"
    );
    assert_eq!(shop.store.list_datasets().await.unwrap().len(), 1);
    shop.replace(window(0, 100), &[row("ann", 10, 1)], None)
        .await
        .unwrap();
    shop.store.drop_project().await.unwrap();
    assert!(shop.store.list_datasets().await.unwrap().is_empty());
}

#[tokio::test]
async fn columns_of_every_layout_are_stored_as_types_that_delta_has() {
    let shop = Shop::new();
    let labels: DictionaryArray<Int32Type> = [Some("late"), None].into_iter().collect();
    let gusts = ListArray::from_iter_primitive::<Float64Type, _, _>([Some([Some(9.0)]), None]);
    let columns: Vec<(&str, ArrayRef, bool)> = vec![
        ("label", Arc::new(labels), true),
        ("big", Arc::new(UInt64Array::from(vec![u64::MAX, 0])), true),
        (
            "naive",
            Arc::new(TimestampNanosecondArray::from(vec![-1_000, 5_000])),
            true,
        ),
        (
            "temp",
            Arc::new(Float64Array::from(vec![f64::NAN, -0.0])),
            false,
        ),
        ("gusts", Arc::new(gusts), true),
    ];
    let batch = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
    save(&shop, "odd", vec![batch]).await.unwrap();
    let stored = read(&shop, "odd").await.remove(0);
    let text = |column: usize, row: usize| {
        arrow::util::display::array_value_to_string(stored.column(column), row).unwrap()
    };
    assert_eq!(text(0, 0), "late");
    assert!(stored.column(0).is_null(1));
    assert_eq!(text(1, 0), u64::MAX.to_string());
    assert_eq!(text(2, 0), "1969-12-31T23:59:59.999999Z");
    assert_eq!(text(3, 1), "-0.0");
    assert_eq!(text(4, 0), "[9.0]");
}

#[tokio::test]
async fn what_delta_cannot_hold_is_refused_by_column_and_never_cut_off() {
    let shop = Shop::new();
    let times = arrow::array::Time64MicrosecondArray::from(vec![1]);
    let error = save(&shop, "t", vec![one("of_day", Arc::new(times))])
        .await
        .unwrap_err();
    assert!(error.to_string().contains("`of_day`"), "{error}");
    let fine = TimestampNanosecondArray::from(vec![1_001]);
    let error = save(&shop, "t", vec![one("fine", Arc::new(fine))])
        .await
        .unwrap_err();
    assert!(error.to_string().contains("`fine`"), "{error}");
    let error = save(
        &shop,
        "t",
        vec![one(ROW, Arc::new(Int64Array::from(vec![1])))],
    )
    .await
    .unwrap_err();
    assert!(error.to_string().contains("rename"), "{error}");
    assert!(shop.store.list_datasets().await.unwrap().is_empty());
    assert_eq!(stored_type(DataType::Utf8View), DataType::Utf8);
}

fn stored_type(of: DataType) -> DataType {
    let schema = Schema::new(vec![arrow::datatypes::Field::new("c", of, true)]);
    let stored = columns::stored(&schema).unwrap();
    stored.field(0).data_type().clone()
}
