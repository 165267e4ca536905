use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, DictionaryArray, Float64Array, Int64Array, ListArray, StringArray, StringViewArray,
};
use arrow::compute::concat_batches;
use arrow::datatypes::{Int32Type, Int64Type};
use futures::stream;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::*;

/// One row more than two row groups, with columns of many kinds.
fn rows() -> RecordBatch {
    let rows = 0..i64::try_from(2 * GROUP_ROWS + 1).unwrap();
    let noise = |row: i64| (f64::from(i32::try_from(row).unwrap()) + 0.5).sqrt().sin();
    let lists = rows.clone().map(|row| {
        (row % 3 > 0).then(|| (0..row % 4).map(|at| Some(row + at)).collect::<Vec<_>>())
    });
    let texts = |row: i64| (row % 5 > 0).then(|| format!("a rather long text {row}"));
    let labels = |row: i64| (row % 7 > 0).then(|| ["early", "late"][usize::from(row % 2 == 0)]);
    let columns: Vec<(&str, ArrayRef)> = vec![
        (
            "noise",
            Arc::new(rows.clone().map(noise).map(Some).collect::<Float64Array>()),
        ),
        (
            "few",
            Arc::new(
                rows.clone()
                    .map(|row| Some(row * row % 97))
                    .collect::<Int64Array>(),
            ),
        ),
        (
            "list",
            Arc::new(ListArray::from_iter_primitive::<Int64Type, _, _>(lists)),
        ),
        (
            "text",
            Arc::new(rows.clone().map(texts).collect::<StringArray>()),
        ),
        (
            "view",
            Arc::new(rows.clone().map(texts).collect::<StringViewArray>()),
        ),
        (
            "label",
            Arc::new(rows.map(labels).collect::<DictionaryArray<Int32Type>>()),
        ),
    ];
    let columns = columns.into_iter();
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, column)| (name, column, true)))
        .unwrap()
}

/// Writes `rows`, as they come in batches of these lengths over and over.
async fn write(rows: &RecordBatch, lengths: &[usize], path: &Path) -> Vec<u8> {
    let (mut batches, mut start) = (Vec::new(), 0);
    for length in lengths.iter().cycle() {
        let length = (*length).min(rows.num_rows() - start);
        if length == 0 {
            break;
        }
        batches.push(Ok::<_, Error>(rows.slice(start, length)));
        start += length;
    }
    let set = TrainingSet::received(rows.schema(), rows.num_rows(), stream::iter(batches));
    let written = set.write(path).await.unwrap();
    let bytes = std::fs::read(path).unwrap();
    assert_eq!(written.rows, rows.num_rows() as u64);
    assert_eq!(written.bytes, bytes.len() as u64);
    bytes
}

#[tokio::test]
async fn the_same_rows_make_the_same_file_however_they_are_cut() {
    let (folder, rows) = (tempfile::tempdir().unwrap(), rows());
    let path = folder.path().join("set.parquet");
    let expected = write(&rows, &[BATCH_ROWS], &path).await;
    for lengths in [&[1000, 9000, 3][..], &[20_000], &[rows.num_rows()]] {
        let bytes = write(&rows, lengths, &path).await;
        assert!(
            bytes == expected,
            "another file from batches of {lengths:?}"
        );
    }
}

#[tokio::test]
async fn columns_are_encoded_as_it_pays_and_values_come_back() {
    let (folder, rows) = (tempfile::tempdir().unwrap(), rows());
    let path = folder.path().join("set.parquet");
    write(&rows, &[BATCH_ROWS], &path).await;
    let file = std::fs::File::open(&path).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    for group in reader.metadata().row_groups() {
        let of = |name: &str| {
            let mut chunks = group.columns().iter();
            let chunk = chunks.find(|chunk| chunk.column_path().parts()[0] == name);
            let chunk = chunk.unwrap();
            (
                chunk.dictionary_page_offset().is_some(),
                chunk.compression(),
            )
        };
        assert_eq!(of("noise"), (false, Compression::UNCOMPRESSED));
        assert!(of("few").0 && of("label").0);
        assert_eq!(of("text"), (false, Compression::SNAPPY));
    }
    let read: Vec<RecordBatch> = reader.build().unwrap().map(Result::unwrap).collect();
    assert_eq!(concat_batches(&rows.schema(), &read).unwrap(), rows);
}

#[tokio::test]
async fn a_set_without_rows_is_a_file_with_its_columns() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("set.parquet");
    let rows = rows();
    write(&rows.slice(0, 0), &[1], &path).await;
    let file = std::fs::File::open(&path).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    assert_eq!(reader.schema().fields(), rows.schema().fields());
}
