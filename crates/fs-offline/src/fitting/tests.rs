use std::slice;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, ListArray, StringArray, new_null_array};
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Float64Type};
use deltalake::parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader,
};
use deltalake::parquet::basic::Encoding;
use deltalake::parquet::file::metadata::KeyValue;
use deltalake::parquet::schema::types::ColumnPath;
use tempfile::tempfile;

use super::*;

const ROWS: u32 = 16 * 1024;

/// Doubles that use all their bits, the same ones every time.
fn noise(row: u32) -> f64 {
    (f64::from(row) + 0.5).sqrt().sin()
}

fn noises(rows: u32) -> ArrayRef {
    Arc::new(Float64Array::from_iter_values((0..rows).map(noise)))
}

fn few(rows: u32) -> ArrayRef {
    let values = (0..rows).map(|row| noise(row * row % 97));
    Arc::new(Float64Array::from_iter_values(values))
}

fn texts(rows: u32) -> ArrayRef {
    let values = (0..rows).map(|row| format!("https://example.com/visits/{row}"));
    Arc::new(StringArray::from_iter_values(values))
}

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    let columns = columns.into_iter();
    let columns = columns.map(|(name, column)| (name, column, true));
    RecordBatch::try_from_iter_with_nullable(columns).unwrap()
}

fn base() -> WriterProperties {
    WriterProperties::builder()
        .set_compression(Compression::LZ4_RAW)
        .set_dictionary_page_size_limit(64 << 10)
        .build()
}

/// Whether the column `path` has a dictionary, and its codec.
fn of(properties: &WriterProperties, path: &[&str]) -> (bool, Compression) {
    let path = path.iter().map(|&part| part.to_owned());
    let path = ColumnPath::from(path.collect::<Vec<_>>());
    (
        properties.dictionary_enabled(&path),
        properties.compression(&path),
    )
}

/// How `column` is written where it comes first.
fn chosen(column: ArrayRef) -> (bool, Compression) {
    let sample = batch(vec![("column", column)]);
    of(&fitted(base(), &[sample]).unwrap(), &["column"])
}

#[test]
fn distinct_doubles_are_plain_and_uncompressed() {
    assert_eq!(chosen(noises(ROWS)), (false, Compression::UNCOMPRESSED));
}

#[test]
fn few_values_have_a_dictionary() {
    assert!(chosen(few(ROWS)).0);
}

#[test]
fn distinct_texts_that_are_alike_are_compressed_without_a_dictionary() {
    assert_eq!(chosen(texts(ROWS)), (false, Compression::LZ4_RAW));
}

#[test]
fn as_many_values_as_a_dictionary_has_room_for_have_one() {
    let values = (0..ROWS).map(|row| noise(row.wrapping_mul(2_654_435_761) >> 19));
    let values: ArrayRef = Arc::new(Float64Array::from_iter_values(values));
    assert!(chosen(values).0);
}

#[test]
fn columns_with_few_values_or_none_stay_as_they_were() {
    let given = (true, Compression::LZ4_RAW);
    assert_eq!(chosen(new_null_array(&DataType::Float64, 20_000)), given);
    assert_eq!(chosen(noises(1000)), given);
    assert_eq!(chosen(noises(0)), given);
    let rare = (0..ROWS).map(|row| (row % 8 == 0).then(|| noise(row)));
    assert_eq!(chosen(Arc::new(rare.collect::<Float64Array>())), given);
    assert_eq!(of(&fitted(base(), &[]).unwrap(), &["column"]), given);
}

#[test]
fn the_values_of_lists_are_judged_and_their_columns_found() {
    let list = |value: fn(u32) -> f64| {
        let lists = (0..ROWS / 2).map(|row| {
            (row % 5 > 0).then(|| {
                (0..row % 7)
                    .map(|at| Some(value(7 * row + at)))
                    .collect::<Vec<_>>()
            })
        });
        Arc::new(ListArray::from_iter_primitive::<Float64Type, _, _>(lists)) as ArrayRef
    };
    let sample = batch(vec![
        ("noise", list(noise)),
        ("few", list(|row| f64::from(row % 13))),
    ]);
    let fitted = fitted(base(), &[sample]).unwrap();
    let expected = (false, Compression::UNCOMPRESSED);
    assert_eq!(of(&fitted, &["noise", "list", "item"]), expected);
    assert!(of(&fitted, &["few", "list", "item"]).0);
}

#[test]
fn an_encoding_that_was_asked_for_stays_and_its_bytes_are_judged() {
    let column = ColumnPath::from("column");
    let base = base()
        .into_builder()
        .set_column_dictionary_enabled(column.clone(), false)
        .set_column_encoding(column.clone(), Encoding::DELTA_BINARY_PACKED)
        .build();
    let fit = |numbers: Int64Array| {
        let sample = batch(vec![("column", Arc::new(numbers))]);
        let fitted = fitted(base.clone(), &[sample]).unwrap();
        assert_eq!(
            fitted.encoding(&column),
            Some(Encoding::DELTA_BINARY_PACKED)
        );
        of(&fitted, &["column"])
    };
    let even = (0..i64::from(ROWS)).map(|row| row * 1_000_000);
    assert_eq!(fit(even.collect()), (false, Compression::LZ4_RAW));
    let odd = (0..ROWS).map(|row| i64::from_ne_bytes(noise(row).to_ne_bytes()) >> 12);
    assert_eq!(fit(odd.collect()), (false, Compression::UNCOMPRESSED));
}

#[test]
fn the_rest_of_the_properties_stays() {
    let record = vec![KeyValue::new("record".to_owned(), "{}".to_owned())];
    let base = base()
        .into_builder()
        .set_key_value_metadata(Some(record.clone()))
        .set_max_row_group_row_count(Some(100))
        .set_data_page_row_count_limit(10)
        .build();
    let fitted = fitted(base, &[batch(vec![("column", noises(ROWS))])]).unwrap();
    assert_eq!(fitted.key_value_metadata(), Some(&record));
    assert_eq!(fitted.max_row_group_row_count(), Some(100));
    assert_eq!(fitted.data_page_row_count_limit(), 10);
    assert_eq!(fitted.dictionary_page_size_limit(), 64 << 10);
    assert_eq!(of(&fitted, &["other"]), (true, Compression::LZ4_RAW));
}

#[test]
fn only_the_first_rows_count_however_they_are_cut() {
    let whole = batch(vec![("noise", noises(ROWS)), ("few", few(ROWS))]);
    let cut = [
        whole.slice(0, 0),
        whole.slice(0, 5),
        whole.slice(5, whole.num_rows() - 5),
    ];
    let more = batch(vec![("noise", few(ROWS)), ("few", noises(ROWS))]);
    let fit = |sample: &[RecordBatch]| {
        let fitted = fitted(base(), sample).unwrap();
        (of(&fitted, &["noise"]), of(&fitted, &["few"]))
    };
    let expected = fit(slice::from_ref(&whole));
    assert_eq!(fit(&cut), expected);
    assert_eq!(fit(&[whole, more]), expected);
}

#[test]
fn values_come_back_from_a_fitted_file() {
    let rows = batch(vec![
        ("noise", noises(ROWS)),
        ("few", few(ROWS)),
        ("text", texts(ROWS)),
    ]);
    let fitted = fitted(base(), slice::from_ref(&rows)).unwrap();
    let mut file = tempfile().unwrap();
    let mut writer = ArrowWriter::try_new(&mut file, rows.schema(), Some(fitted)).unwrap();
    writer.write(&rows).unwrap();
    writer.close().unwrap();
    let metadata = ArrowReaderMetadata::load(&file, ArrowReaderOptions::default()).unwrap();
    let chunks = metadata.metadata().row_group(0).columns();
    let dictionaries = chunks
        .iter()
        .map(|chunk| chunk.dictionary_page_offset().is_some());
    assert_eq!(dictionaries.collect::<Vec<_>>(), [false, true, false]);
    let read = ParquetRecordBatchReader::try_new(file, 1000).unwrap();
    let read: Vec<RecordBatch> = read.map(Result::unwrap).collect();
    assert_eq!(concat_batches(&rows.schema(), &read).unwrap(), rows);
}

#[tokio::test]
async fn a_sample_is_taken_off_a_stream_and_no_more_than_that() {
    let came = |batches: u32| {
        let batches = (0..batches).map(|_| Ok::<_, String>(batch(vec![("noise", noises(10_000))])));
        futures::stream::iter(batches.collect::<Vec<_>>())
    };
    let mut rows = came(5);
    assert_eq!(sample_rows(&base()), 16_384);
    assert_eq!(sample(&mut rows, &base()).await.unwrap().len(), 2);
    assert_eq!(rows.count().await, 3);
    assert_eq!(sample(&mut came(1), &base()).await.unwrap().len(), 1);
    let mut failing = futures::stream::iter([Err::<RecordBatch, _>("gone")]);
    assert_eq!(sample(&mut failing, &base()).await, Err("gone"));
}
