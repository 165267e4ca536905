//! What a spine is to the query engine.

use std::path::Path;

use arrow::array::{
    Array, ArrayRef, AsArray, Int8Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray, TimestampSecondArray,
};
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Field, Schema, TimestampMicrosecondType};
use arrow::util::pretty::pretty_format_batches;
use datafusion::prelude::{SessionConfig, SessionContext};
use fs_core::code::report;
use fs_core::data_type::UTC;
use fs_core::{Code, Coded, KeyType, Naming};
use fs_pit::Rule;
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use proptest::prelude::{Strategy, any, prop_assert_eq, proptest};

use super::*;
use crate::fixture::{at, catalog, request};

fn features(key_type: KeyType) -> FeatureSet {
    let catalog = catalog(Rule::default(), key_type);
    FeatureSet::resolve(&catalog, &request(), Naming::Short).unwrap()
}

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    let columns = columns.into_iter();
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, values)| (name, values, true)))
        .unwrap()
}

fn ints(values: &[Option<i64>]) -> ArrayRef {
    Arc::new(Int64Array::from(values.to_vec()))
}

fn seconds(values: Vec<Option<i64>>) -> ArrayRef {
    Arc::new(TimestampSecondArray::from(values))
}

fn parquet_file(path: &Path, rows: &RecordBatch, group: usize) {
    let groups = WriterProperties::builder().set_max_row_group_row_count(Some(group));
    let file = std::fs::File::create(path).unwrap();
    let mut writer = ArrowWriter::try_new(file, rows.schema(), Some(groups.build())).unwrap();
    writer.write(rows).unwrap();
    writer.close().unwrap();
}

/// A session that would read in many partitions, and in batches of so many rows.
fn session(rows: usize) -> SessionContext {
    let config = SessionConfig::new().with_target_partitions(4);
    SessionContext::new_with_config(config.with_batch_size(rows))
}

async fn read(table: SpineTable, batch_rows: usize) -> Result<Vec<RecordBatch>, Error> {
    let frame = session(batch_rows).read_table(Arc::new(table));
    let frame = frame.map_err(Error::of_query)?;
    frame.collect().await.map_err(Error::of_query)
}

async fn rows(spine: Spine, key_type: KeyType) -> Result<RecordBatch, Error> {
    let table = spine.open(&features(key_type), None).await?;
    let schema = table.schema();
    Ok(concat_batches(&schema, &read(table, 8192).await?)?)
}

#[tokio::test]
async fn a_table_has_the_columns_of_the_spine_its_times_and_its_keys() {
    let users: ArrayRef = Arc::new(Int8Array::from(vec![Some(7), None]));
    let texts: ArrayRef = Arc::new(StringArray::from(vec![
        "2013-01-01",
        "2013-01-02T03:00:00Z",
    ]));
    let batch = batch(vec![("user", users), ("event_timestamp", texts)]);
    let rows = rows(Spine::new(batch.schema(), vec![batch]), KeyType::Int64)
        .await
        .unwrap();
    let expected = "\
+------+----------------------+----------------------+-------------+
| user | event_timestamp      | fs:time              | fs:key:user |
+------+----------------------+----------------------+-------------+
| 7    | 2013-01-01           | 2013-01-01T00:00:00Z | 7           |
|      | 2013-01-02T03:00:00Z | 2013-01-02T03:00:00Z |             |
+------+----------------------+----------------------+-------------+";
    assert_eq!(
        pretty_format_batches(std::slice::from_ref(&rows))
            .unwrap()
            .to_string(),
        expected
    );
    assert_eq!(rows.column(3).data_type(), &DataType::Int64);
    assert!(!rows.schema().field(2).is_nullable() && rows.schema().field(3).is_nullable());
}

#[tokio::test]
async fn columns_that_need_no_conversion_are_shared() {
    let times = TimestampMicrosecondArray::from(vec![1, 2]).with_timezone("+02:00");
    let batch = batch(vec![
        ("user", ints(&[Some(7), None])),
        ("t", Arc::new(times)),
    ]);
    let spine = Spine::new(batch.schema(), vec![batch.clone()]);
    let rows = spine.open(&features(KeyType::Int64), None).await.unwrap();
    let rows = read(rows, 8192).await.unwrap().remove(0);
    assert!(Arc::ptr_eq(rows.column(0), batch.column(0)));
    assert!(Arc::ptr_eq(rows.column(3), batch.column(0)));
    let values = |column: &ArrayRef| {
        column
            .as_primitive::<TimestampMicrosecondType>()
            .values()
            .inner()
            .as_ptr()
    };
    assert_eq!(values(rows.column(2)), values(batch.column(1)));
}

#[tokio::test]
async fn names_and_metadata_of_the_spine_are_kept_and_its_columns_come_first() {
    let fields = vec![
        Field::new("fs:time", DataType::Int64, true),
        Field::new("user", DataType::Int64, true),
        Field::new("t", DataType::Date32, true),
    ];
    let metadata = [("made by".to_owned(), "hand".to_owned())];
    let schema = Arc::new(Schema::new_with_metadata(fields, metadata.into()));
    let spine = Spine::new(Arc::clone(&schema), vec![]);
    let table = spine.open(&features(KeyType::Int64), None).await.unwrap();
    assert_eq!(table.spine_schema(), &schema);
    assert_eq!(table.schema().metadata(), schema.metadata());
    assert_eq!(table.schema().fields()[..3], schema.fields()[..]);
    assert_eq!(table.time_column(), "fs:time'");
    assert_eq!(table.key_column("user"), Some("fs:key:user"));
    assert_eq!(table.key_column("t"), None);
    assert_eq!(table.rows(), Some(0));
}

#[tokio::test]
async fn a_wrong_value_is_named_with_its_row_in_the_spine_however_rows_are_cut() {
    // The columns of the spine: key 1 << 40 is no int32, and the last row has no time.
    let users = [Some(1), None, Some(3), Some(4), Some(1 << 40), Some(6)];
    let times: Vec<Option<i64>> = (0..6).map(|row| (row != 5).then_some(row)).collect();
    let batch = batch(vec![("user", ints(&users)), ("t", seconds(times))]);
    for cut in 1..=6 {
        let parts = (0..6)
            .step_by(cut)
            .map(|at| batch.slice(at, cut.min(6 - at)));
        let spine = Spine::new(batch.schema(), parts.collect());
        let table = spine.open(&features(KeyType::Int32), None).await.unwrap();
        for batch_rows in [1, 2, 3, 8192] {
            let error = read(table.clone(), batch_rows).await.unwrap_err();
            assert!(matches!(error, Error::KeyValue { row: 4, .. }), "{error}");
        }
    }
}

#[tokio::test]
async fn only_the_columns_asked_for_are_read_and_converted() {
    let batch = batch(vec![
        ("user", ints(&[Some(1 << 40)])),
        ("t", seconds(vec![Some(5)])),
    ]);
    let spine = Spine::new(batch.schema(), vec![batch]);
    let table = spine.open(&features(KeyType::Int32), None).await.unwrap();
    let session = session(8192);
    session.register_table("spine", Arc::new(table)).unwrap();
    let ask = async |sql: &str| {
        let rows = session.sql(sql).await.unwrap().collect().await.unwrap();
        rows[0]
            .column(0)
            .as_primitive_opt::<arrow::datatypes::Int64Type>()
            .map(|n| n.value(0))
    };
    assert_eq!(ask("SELECT count(*) FROM spine").await, Some(1));
    let rows = ask("SELECT to_unixtime(\"fs:time\") FROM spine WHERE t IS NOT NULL").await;
    assert_eq!(rows, Some(5));
}

#[tokio::test]
async fn a_parquet_file_is_read_in_order_and_batch_by_batch() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a spine, 100% of it #1.parquet");
    let users: Vec<Option<i64>> = (0..1000)
        .map(|n| (n % 7 != 0).then_some(n * 37 % 101))
        .collect();
    let times: Vec<Option<i64>> = (0..1000).map(|n| Some(n * 7919 % 1000)).collect();
    let written = batch(vec![("user", ints(&users)), ("t", seconds(times))]);
    parquet_file(&path, &written, 64);
    let spine = Spine::read(&path).await.unwrap();
    assert_eq!(spine.rows(), Some(1000));
    let (schema, batches) = spine
        .clone()
        .into_batches(&features(KeyType::Int64))
        .await
        .unwrap();
    assert_eq!(concat_batches(&schema, &batches).unwrap(), written);
    let table = spine.open(&features(KeyType::Int64), None).await.unwrap();
    let schema = table.schema();
    // Twice, because a plan may need its input again.
    for _ in 0..2 {
        let read = read(table.clone(), 100).await.unwrap();
        assert!(read.len() >= 10 && read.iter().all(|batch| batch.num_rows() <= 100));
        let read = concat_batches(&schema, &read).unwrap();
        assert_eq!(read.project(&[0, 1]).unwrap(), written);
    }
}

#[tokio::test]
async fn a_parquet_file_may_be_named_by_a_way_up_and_down_again() {
    let folder = tempfile::tempdir().unwrap();
    let written = batch(vec![
        ("user", ints(&[Some(1)])),
        ("t", seconds(vec![Some(1)])),
    ]);
    parquet_file(&folder.path().join("spine.parquet"), &written, 64);
    std::fs::create_dir(folder.path().join("below")).unwrap();
    let path = folder.path().join("below/../spine.parquet");
    let spine = Spine::read(&path).await.unwrap();
    assert_eq!(rows(spine, KeyType::Int64).await.unwrap().num_rows(), 1);
}

#[tokio::test]
async fn the_plan_says_what_it_does_and_how_many_rows_there_are() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spine.parquet");
    parquet_file(
        &path,
        &batch(vec![("user", ints(&[None])), ("t", seconds(vec![Some(1)]))]),
        64,
    );
    let spine = Spine::read(&path).await.unwrap();
    let table = spine.open(&features(KeyType::Int64), None).await.unwrap();
    let session = session(8192);
    let frame = session.read_table(Arc::new(table)).unwrap();
    let plan = frame.create_physical_plan().await.unwrap();
    let text = datafusion::physical_plan::displayable(plan.as_ref())
        .indent(false)
        .to_string();
    assert!(
        text.starts_with("SpineExec: fs:time=t, fs:key:user=user\n  DataSourceExec:"),
        "{text}"
    );
    let statistics = datafusion::physical_plan::StatisticsContext::new()
        .compute(
            plan.as_ref(),
            &datafusion::physical_plan::StatisticsArgs::new(),
        )
        .unwrap();
    assert_eq!(statistics.num_rows.get_value(), Some(&1));
}

#[tokio::test]
async fn a_parquet_file_that_is_gone_or_damaged_is_named_when_it_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spine.parquet");
    let many: Vec<Option<i64>> = (0..5000).map(Some).collect();
    parquet_file(
        &path,
        &batch(vec![("user", ints(&many)), ("t", seconds(many))]),
        64,
    );
    let table = Spine::read(&path)
        .await
        .unwrap()
        .open(&features(KeyType::Int64), None)
        .await
        .unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[8..4000].fill(0xff);
    std::fs::write(&path, bytes).unwrap();
    let error = read(table.clone(), 8192).await.unwrap_err();
    assert!(matches!(error, Error::Parquet { .. }), "{}", report(&error));
    std::fs::remove_file(&path).unwrap();
    let error = read(table, 8192).await.unwrap_err();
    assert!(
        report(&error).contains("spine.parquet"),
        "{}",
        report(&error)
    );
    assert_eq!(error.code(), Code::InvalidArgument);
}

/// Rows of keys and times, with what is wrong with them.
fn any_rows() -> impl Strategy<Value = Vec<(Option<i64>, Option<String>)>> {
    let time = (0_i64..4_000_000_000_000).prop_map(|micros| Some(format!("@{micros}")));
    let wrong = proptest::strategy::Union::new_weighted(vec![
        (60, time.boxed()),
        (1, proptest::strategy::Just(None).boxed()),
        (1, proptest::strategy::Just(Some("noon".to_owned())).boxed()),
    ]);
    let key = proptest::option::weighted(
        0.9,
        proptest::prop_oneof![60 => -9_i64..9, 1 => any::<i64>()],
    );
    proptest::collection::vec((key, wrong), 0..60)
}

proptest! {
    #[test]
    fn batches_of_any_size_give_what_the_whole_spine_gives(
        rows in any_rows(),
        cut in 1_usize..20,
        batch_rows in 1_usize..20,
    ) {
        let users: Vec<Option<i64>> = rows.iter().map(|row| row.0).collect();
        let times = rows.iter().map(|row| row.1.as_ref().map(|text| match text.strip_prefix('@') {
            Some(micros) => instant(micros.parse().unwrap()),
            None => text.clone(),
        }));
        let times: ArrayRef = Arc::new(times.collect::<StringArray>());
        let whole = batch(vec![("user", ints(&users)), ("event_timestamp", times)]);
        let set = features(KeyType::Int32);
        let expected = converted(&whole, &set);
        let parts = (0..rows.len()).step_by(cut).map(|at| whole.slice(at, cut.min(rows.len() - at)));
        let spine = Spine::new(whole.schema(), parts.collect());
        let found = tokio::runtime::Runtime::new().unwrap().block_on(async {
            let table = spine.open(&set, None).await.unwrap();
            let schema = table.schema();
            let read = read(table, batch_rows).await?;
            Ok::<_, Error>(concat_batches(&schema, &read)?)
        });
        let told = |result: Result<RecordBatch, Error>| result.map_err(|error| report(&error));
        prop_assert_eq!(told(found), told(expected));
    }
}

fn instant(micros: i64) -> String {
    let seconds = micros / 1_000_000;
    let (hour, minute) = (seconds / 3600 % 24, seconds / 60 % 60);
    let text = format!("2013-01-01T{hour:02}:{minute:02}:{:02}Z", seconds % 60);
    assert!(at(&text) > 0);
    text
}

/// The whole spine at once, by the rule and not by the code: the first row that is wrong fails.
fn converted(whole: &RecordBatch, features: &FeatureSet) -> Result<RecordBatch, Error> {
    let users = whole
        .column(0)
        .as_primitive::<arrow::datatypes::Int64Type>();
    let texts = whole.column(1).as_string::<i32>();
    let mut times = Vec::new();
    for row in 0..whole.num_rows() {
        // Of one row the time comes first, as it does among the columns.
        let column = "event_timestamp".to_owned();
        if texts.is_null(row) {
            return Err(Error::NullTime { column, row });
        }
        match fs_core::time::parse_micros(texts.value(row)) {
            Ok(micros) => times.push(micros),
            Err(source) => {
                return Err(Error::BadTime {
                    column,
                    row,
                    source,
                });
            }
        }
        if users.is_valid(row) && i32::try_from(users.value(row)).is_err() {
            let key = features.key_columns()[0];
            return Err(Error::KeyValue {
                column: key.column.clone(),
                row,
                value: users.value(row).to_string(),
                expected: key.key_type,
            });
        }
    }
    let narrow = |user: Option<i64>| user.and_then(|user| i32::try_from(user).ok());
    let keys: arrow::array::Int32Array = users.iter().map(narrow).collect();
    let times = TimestampMicrosecondArray::from(times).with_timezone(UTC);
    let made = RecordBatch::try_from_iter_with_nullable([
        ("user", Arc::clone(whole.column(0)), true),
        ("event_timestamp", Arc::clone(whole.column(1)), true),
        ("fs:time", Arc::new(times) as ArrayRef, false),
        ("fs:key:user", Arc::new(keys) as ArrayRef, true),
    ]);
    Ok(made?)
}
