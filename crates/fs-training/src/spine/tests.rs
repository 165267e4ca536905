use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, DictionaryArray, Float64Array, Int8Array,
    Int64Array, NullArray, StringArray, StringViewArray, TimestampMicrosecondArray,
    TimestampMillisecondArray, TimestampNanosecondArray, TimestampSecondArray, UInt64Array,
};
use arrow::compute::concat_batches;
use arrow::datatypes::{Int32Type, Int64Type, TimestampMicrosecondType};
use datafusion::catalog::TableProvider;
use fs_core::code::report;
use fs_core::{Code, Coded, EVENT_TIMESTAMP, KeyType, Naming};
use fs_pit::Rule;
use std::path::Path;

use super::*;
use crate::fixture::{at, catalog, request};

/// A spine that was read whole.
#[derive(Debug)]
struct Checked {
    schema: SchemaRef,
    rows: usize,
    /// The event time of each row.
    times: TimestampMicrosecondArray,
    /// The key columns by name.
    keys: BTreeMap<String, ArrayRef>,
}

impl Spine {
    async fn check(
        self,
        features: &FeatureSet,
        timestamp_field: Option<&str>,
    ) -> Result<Checked, Error> {
        let table = self.open(features, timestamp_field).await?;
        let (schema, own) = (table.schema(), Arc::clone(table.spine_schema()));
        let rows = table.plan(&(0..schema.fields().len()).collect::<Vec<_>>())?;
        let rows = rows.execute(0, TaskContext::default().into());
        let rows: Vec<_> = rows
            .map_err(Error::of_query)?
            .try_collect()
            .await
            .map_err(Error::of_query)?;
        let rows = concat_batches(&schema, &rows)?;
        let column = |name: &str| Arc::clone(rows.column_by_name(name).unwrap());
        let keys = features.key_columns().into_iter().map(|key| {
            let made = column(table.key_column(&key.column).unwrap());
            (key.column.clone(), made)
        });
        Ok(Checked {
            schema: own,
            rows: rows.num_rows(),
            times: column(table.time_column())
                .as_primitive::<TimestampMicrosecondType>()
                .clone(),
            keys: keys.collect(),
        })
    }
}

fn features(key_type: KeyType) -> FeatureSet {
    FeatureSet::resolve(
        &catalog(Rule::default(), key_type),
        &request(),
        Naming::Short,
    )
    .unwrap()
}

fn spine(columns: Vec<(&str, ArrayRef)>) -> Spine {
    let batch = RecordBatch::try_from_iter_with_nullable(
        columns
            .into_iter()
            .map(|(name, column)| (name, column, true)),
    )
    .unwrap();
    Spine::new(batch.schema(), vec![batch])
}

fn users(values: Vec<i64>) -> (&'static str, ArrayRef) {
    ("user", Arc::new(Int64Array::from(values)))
}

fn noon() -> ArrayRef {
    Arc::new(TimestampSecondArray::from(vec![43_200]))
}

/// The times that are read from one column called `t`.
async fn times_of(column: ArrayRef) -> Result<Vec<i64>, Error> {
    let rows = i64::try_from(column.len()).unwrap();
    let spine = spine(vec![users((0..rows).collect()), ("t", column)]);
    let checked = spine.check(&features(KeyType::Int64), Some("t")).await?;
    Ok(checked.times.values().to_vec())
}

async fn keys_of(key_type: KeyType, column: ArrayRef) -> Result<ArrayRef, Error> {
    let rows = column.len();
    let times = Arc::new(TimestampSecondArray::from(vec![0; rows]));
    let spine = spine(vec![("user", column), ("t", times)]);
    let checked = spine.check(&features(key_type), None).await?;
    Ok(Arc::clone(&checked.keys["user"]))
}

async fn refused(spine: Spine, timestamp_field: Option<&str>) -> String {
    let error = spine
        .check(&features(KeyType::Int64), timestamp_field)
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::InvalidArgument);
    report(&error)
}

#[tokio::test]
async fn naive_offset_and_string_timestamps_of_every_unit_are_read_as_utc() {
    let noon = at("1970-01-01T12:00:00Z");
    let zoned = TimestampMillisecondArray::from(vec![43_200_000]).with_timezone("+02:00");
    let columns: Vec<ArrayRef> = vec![
        Arc::new(TimestampSecondArray::from(vec![43_200])),
        Arc::new(zoned),
        Arc::new(TimestampNanosecondArray::from(vec![43_200_000_000_000])),
        Arc::new(StringArray::from(vec!["1970-01-01 12:00"])),
        Arc::new(StringArray::from(vec!["1970-01-01T14:00:00+02:00"])),
        Arc::new(StringViewArray::from(vec!["1970-01-01T12:00:00Z"])),
        Arc::new(DictionaryArray::<Int32Type>::from_iter([
            "1970-01-01T12:00:00",
        ])),
    ];
    for column in columns {
        assert_eq!(
            times_of(Arc::clone(&column)).await.unwrap(),
            [noon],
            "{column:?}"
        );
    }
    let date: ArrayRef = Arc::new(Date32Array::from(vec![1]));
    assert_eq!(times_of(date).await.unwrap(), [at("1970-01-02")]);
}

#[tokio::test]
async fn what_is_finer_than_a_microsecond_is_rounded_into_the_past() {
    let column: ArrayRef = Arc::new(TimestampNanosecondArray::from(vec![-1, 1_999]));
    assert_eq!(times_of(column).await.unwrap(), [-1, 1]);
}

#[tokio::test]
async fn a_spine_row_without_a_time_is_an_error_that_says_which() {
    let column: ArrayRef = Arc::new(TimestampSecondArray::from(vec![Some(1), None]));
    let error = times_of(column).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "row 2 of the spine has no time in `t`: every row needs one"
    );
    let texts: ArrayRef = Arc::new(StringArray::from(vec!["2013-01-01", "noon"]));
    let error = report(&times_of(texts).await.unwrap_err());
    assert!(
        error.starts_with("row 2 of the spine has no timestamp in `t`: `noon` is not"),
        "{error}"
    );
    let beyond: ArrayRef = Arc::new(TimestampSecondArray::from(vec![i64::MAX]));
    assert!(matches!(
        times_of(beyond).await,
        Err(Error::TimeOutOfRange { row: 0, .. })
    ));
}

#[tokio::test]
async fn the_event_time_is_the_column_named_else_event_timestamp_else_the_only_timestamp() {
    let late: ArrayRef = Arc::new(TimestampSecondArray::from(vec![99]));
    let set = features(KeyType::Int64);
    let both = || {
        spine(vec![
            users(vec![7]),
            (EVENT_TIMESTAMP, noon()),
            ("late", Arc::clone(&late)),
        ])
    };
    assert_eq!(
        both().check(&set, None).await.unwrap().times.value(0),
        43_200_000_000
    );
    assert_eq!(
        both()
            .check(&set, Some("late"))
            .await
            .unwrap()
            .times
            .value(0),
        99_000_000
    );
    let date: ArrayRef = Arc::new(Date32Array::from(vec![5]));
    let only = spine(vec![users(vec![7]), ("birthday", date), ("t", noon())]);
    assert_eq!(
        only.check(&set, None).await.unwrap().times.value(0),
        43_200_000_000
    );
}

#[tokio::test]
async fn without_a_clear_event_time_the_error_lists_the_columns() {
    let two = spine(vec![users(vec![7]), ("a", noon()), ("b", noon())]);
    let error = refused(two, None).await;
    assert!(
        error.contains("2 timestamp columns") && error.contains("user (Int64), a ("),
        "{error}"
    );
    let error = refused(spine(vec![users(vec![7])]), None).await;
    assert!(
        error.contains("0 timestamp columns among user (Int64)"),
        "{error}"
    );
    let error = refused(spine(vec![users(vec![7]), ("when", noon())]), Some("wen")).await;
    assert!(
        error.contains("no timestamp column `wen`") && error.ends_with("did you mean `when`?"),
        "{error}"
    );
    let error = refused(spine(vec![users(vec![7]), ("t", noon())]), Some("user")).await;
    assert!(
        error.contains("`user` of the spine is Int64, which holds no timestamps"),
        "{error}"
    );
}

#[tokio::test]
async fn a_missing_key_column_is_named_with_what_the_spine_has() {
    let column: ArrayRef = Arc::new(Int64Array::from(vec![7]));
    let error = refused(spine(vec![("usr", column), ("t", noon())]), None).await;
    assert!(
        error.contains("no column `user`, a key of view `activity`; its columns are usr (Int64)")
            && error.ends_with("did you mean `usr`?"),
        "{error}"
    );
}

#[tokio::test]
async fn a_key_of_the_wrong_type_is_named_with_both_types() {
    let text: ArrayRef = Arc::new(StringArray::from(vec!["7"]));
    let error = keys_of(KeyType::Int64, text).await.unwrap_err().to_string();
    assert_eq!(
        error,
        "the key column `user` of the spine is Utf8, but view `activity` needs int64"
    );
    let floats: ArrayRef = Arc::new(Float64Array::from(vec![7.0]));
    assert!(keys_of(KeyType::Int64, Arc::clone(&floats)).await.is_err());
    assert!(keys_of(KeyType::String, floats).await.is_err());
    let flags: ArrayRef = Arc::new(BooleanArray::from(vec![true]));
    assert!(keys_of(KeyType::Int32, flags).await.is_err());
}

#[tokio::test]
async fn integers_of_every_width_are_keys_while_their_values_fit() {
    let small: ArrayRef = Arc::new(Int8Array::from(vec![Some(7), None]));
    let keys = keys_of(KeyType::Int64, small).await.unwrap();
    let keys: Vec<_> = keys.as_primitive::<Int64Type>().iter().collect();
    assert_eq!(keys, [Some(7), None]);
    let wide: ArrayRef = Arc::new(Int64Array::from(vec![7, 3_000_000_000]));
    let error = keys_of(KeyType::Int32, wide).await.unwrap_err();
    assert_eq!(error.code(), Code::InvalidArgument);
    assert_eq!(
        error.to_string(),
        "row 2 of the spine has `3000000000` in the key column `user`, which is not a value of \
         type int32"
    );
    let unsigned: ArrayRef = Arc::new(UInt64Array::from(vec![u64::MAX]));
    assert!(matches!(
        keys_of(KeyType::Int64, unsigned).await,
        Err(Error::KeyValue { row: 0, .. })
    ));
}

#[tokio::test]
async fn strings_of_every_layout_are_keys_and_so_are_columns_of_nulls() {
    let layouts: [ArrayRef; 2] = [
        Arc::new(StringViewArray::from(vec![Some("a"), None])),
        Arc::new(
            [Some("a"), None]
                .into_iter()
                .collect::<DictionaryArray<Int32Type>>(),
        ),
    ];
    for layout in layouts {
        let keys = keys_of(KeyType::String, layout).await.unwrap();
        assert_eq!(*keys, StringArray::from(vec![Some("a"), None]));
    }
    let nulls = keys_of(KeyType::Int64, Arc::new(NullArray::new(2)))
        .await
        .unwrap();
    assert_eq!(
        (nulls.null_count(), nulls.data_type()),
        (2, &DataType::Int64)
    );
}

#[tokio::test]
async fn a_spine_with_two_columns_of_one_name_is_refused() {
    let column: ArrayRef = Arc::new(Int64Array::from(vec![7]));
    let twice = spine(vec![
        ("user", Arc::clone(&column)),
        ("user", column),
        ("t", noon()),
    ]);
    assert!(
        refused(twice, None)
            .await
            .contains("two columns called `user`")
    );
}

fn file(folder: &Path, name: &str, text: &str) -> std::path::PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

async fn read(name: &str, text: &str) -> Result<Spine, Error> {
    let folder = tempfile::tempdir().unwrap();
    Spine::read(&file(folder.path(), name, text)).await
}

#[tokio::test]
async fn csv_columns_get_the_narrowest_type_that_loses_nothing() {
    let text = "user,t,n,x,ok,zip,big\n007,2013-01-01T00:00:00+01:00,1,0.5,true,00501,9223372036854775808\n\
                8,2013-01-01,,2,false,10001,1\n";
    let spine = read("spine.csv", text).await.unwrap();
    assert_eq!(spine.rows(), Some(2));
    let checked = spine.check(&features(KeyType::String), None).await.unwrap();
    let types: Vec<DataType> = checked
        .schema
        .fields()
        .iter()
        .map(|field| field.data_type().clone())
        .collect();
    let expected = [
        DataType::Utf8,
        fs_core::data_type::timestamp_type(),
        DataType::Int64,
        DataType::Float64,
        DataType::Boolean,
        DataType::Utf8,
        DataType::Utf8,
    ];
    assert_eq!(types, expected);
    assert_eq!(*checked.keys["user"], StringArray::from(vec!["007", "8"]));
    assert_eq!(
        checked.times.values()[..],
        [at("2012-12-31T23:00:00Z"), at("2013-01-01")]
    );
}

#[tokio::test]
async fn a_csv_key_that_is_no_number_is_named_with_its_row() {
    let spine = read("spine.csv", "user,t\n7,2013-01-01\nseven,2013-01-01\n")
        .await
        .unwrap();
    assert!(
        refused(spine, None)
            .await
            .starts_with("row 2 of the spine has `seven` in the key column")
    );
}

#[tokio::test]
async fn files_that_are_not_what_their_name_says_are_refused() {
    let error = read("spine.parquet", "user,t\n").await.unwrap_err();
    assert!(matches!(error, Error::Parquet { .. }), "{error}");
    assert_eq!(error.code(), Code::InvalidArgument);
    let error = read("spine.csv", "user,t\n7\n").await.unwrap_err();
    assert!(matches!(error, Error::Csv { .. }), "{error}");
    let error = read("spine.txt", "").await.unwrap_err().to_string();
    assert!(error.contains("name it *.parquet or *.csv"), "{error}");
    let error = Spine::read(Path::new("/nowhere/spine.csv"))
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::NotFound);
}

#[tokio::test]
async fn a_csv_file_without_rows_is_a_spine_without_rows() {
    let spine = read("spine.csv", "user,event_timestamp,label\n")
        .await
        .unwrap();
    let checked = spine.check(&features(KeyType::Int64), None).await.unwrap();
    assert_eq!((checked.rows, checked.schema.fields().len()), (0, 3));
}

#[tokio::test]
async fn a_batch_with_other_columns_than_announced_is_refused() {
    let batch = RecordBatch::try_from_iter([users(vec![7]), ("t", noon())]).unwrap();
    let narrow = batch.project(&[0]).unwrap();
    let error = refused(Spine::new(batch.schema(), vec![batch, narrow]), None).await;
    assert!(error.starts_with("batch 1 of the spine has the columns user (Int64) instead of"));
}
