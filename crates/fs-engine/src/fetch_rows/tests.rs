use std::path::Path;

use arrow::array::{
    Array, ArrayRef, BooleanArray, Float64Array, Int64Array, ListArray, RecordBatch, StringArray,
    TimestampMicrosecondArray, UInt64Array,
};
use arrow::compute::{concat_batches, interleave};
use arrow::datatypes::Int64Type;
use datafusion::common::ScalarValue;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::datasource::physical_plan::{
    FileGroup, FileScanConfigBuilder, ParquetFileReaderFactory, ParquetSource,
};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::file::properties::WriterProperties;
use datafusion::physical_plan::collect;
use datafusion::prelude::SessionConfig;
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

mod memory;

/// A table of `files` files, and the rows of each as they are.
struct Table {
    folder: TempDir,
    files: Vec<RecordBatch>,
}

/// Row `row` of file `file`: values that tell both, some null.
fn rows_of(file: usize, rows: usize) -> RecordBatch {
    let ids = (0..rows).map(|row| i64::try_from(file * 1_000_000 + row).unwrap());
    let some = |id: i64| (id % 7 != 0).then_some(id);
    let columns: [(&str, ArrayRef); 6] = [
        ("id", Arc::new(ids.clone().collect::<Int64Array>())),
        (
            "score",
            Arc::new(
                ids.clone()
                    .map(|id| some(id).map(|id| f64::from(i32::try_from(id).unwrap()) / 8.0))
                    .collect::<Float64Array>(),
            ),
        ),
        (
            "name",
            Arc::new(
                ids.clone()
                    .map(|id| {
                        some(id).map(|id| {
                            "x".repeat(usize::try_from(id % 40).unwrap()) + &id.to_string()
                        })
                    })
                    .collect::<StringArray>(),
            ),
        ),
        (
            "good",
            Arc::new(
                ids.clone()
                    .map(|id| some(id).map(|id| id % 2 == 0))
                    .collect::<BooleanArray>(),
            ),
        ),
        (
            "list",
            Arc::new(ListArray::from_iter_primitive::<Int64Type, _, _>(
                ids.clone()
                    .map(|id| some(id).map(|id| (0..id % 4).map(Some))),
            )),
        ),
        (
            "at",
            Arc::new(
                ids.map(some)
                    .collect::<TimestampMicrosecondArray>()
                    .with_timezone("UTC"),
            ),
        ),
    ];
    RecordBatch::try_from_iter_with_nullable(
        columns.map(|(name, column)| (name, column, name != "id")),
    )
    .unwrap()
}

impl Table {
    fn new(file_rows: &[usize], row_group_rows: usize) -> Self {
        let folder = TempDir::new().unwrap();
        let files: Vec<RecordBatch> = file_rows
            .iter()
            .enumerate()
            .map(|(file, rows)| rows_of(file, *rows))
            .collect();
        for (number, rows) in files.iter().enumerate() {
            let properties = WriterProperties::builder()
                .set_max_row_group_row_count(Some(row_group_rows))
                .set_data_page_row_count_limit(64)
                .set_write_batch_size(64)
                .set_dictionary_page_size_limit(1_000)
                .build();
            let file = std::fs::File::create(folder.path().join(format!("{number}.parquet")));
            let mut writer =
                ArrowWriter::try_new(file.unwrap(), rows.schema(), Some(properties)).unwrap();
            writer.write(rows).unwrap();
            writer.close().unwrap();
        }
        Self { folder, files }
    }

    fn path(&self, number: usize) -> std::path::PathBuf {
        self.folder.path().join(format!("{number}.parquet"))
    }

    /// The scan of all files, their numbers in another order than their groups.
    fn scan(&self) -> Arc<dyn ExecutionPlan> {
        self.scan_by(None)
    }

    fn scan_by(
        &self,
        readers: Option<Arc<dyn ParquetFileReaderFactory>>,
    ) -> Arc<dyn ExecutionPlan> {
        self.scan_with(readers, |_| {})
    }

    fn scan_with(
        &self,
        readers: Option<Arc<dyn ParquetFileReaderFactory>>,
        change: impl Fn(&mut PartitionedFile),
    ) -> Arc<dyn ExecutionPlan> {
        let file = Arc::new(Field::new("_file", DataType::UInt32, false));
        let schema = TableSchema::builder(self.files[0].schema())
            .with_table_partition_cols(vec![file])
            .build();
        let columns = self.files[0].num_columns();
        let groups = (0..self.files.len()).rev().map(|number| {
            let path = self.path(number);
            let bytes = std::fs::metadata(&path).unwrap().len();
            let path = object_store_path(&path);
            let number = ScalarValue::UInt32(Some(u32::try_from(number).unwrap()));
            let mut file = PartitionedFile::new(path, bytes).with_partition_values(vec![number]);
            change(&mut file);
            FileGroup::new(vec![file])
        });
        let mut source = ParquetSource::new(schema);
        if let Some(readers) = readers {
            source = source.with_parquet_file_reader_factory(readers);
        }
        let source = Arc::new(source);
        let config = FileScanConfigBuilder::new(ObjectStoreUrl::local_filesystem(), source)
            .with_file_groups(groups.collect())
            .with_projection_indices(Some((0..columns).collect()))
            .unwrap()
            .build();
        DataSourceExec::from_data_source(config)
    }

    /// All columns of the rows at `addresses`, one at a time.
    fn naive(&self, addresses: &UInt64Array) -> Vec<ArrayRef> {
        let pairs: Vec<(usize, usize)> = addresses
            .iter()
            .map(|at| at.map_or((self.files.len(), 0), marks::parts))
            .collect();
        (0..self.files[0].num_columns())
            .map(|column| {
                let arrays: Vec<ArrayRef> = self
                    .files
                    .iter()
                    .map(|f| Arc::clone(f.column(column)))
                    .collect();
                let nothing = arrow::array::new_null_array(arrays[0].data_type(), 1);
                let arrays: Vec<&dyn Array> =
                    arrays.iter().chain([&nothing]).map(AsRef::as_ref).collect();
                interleave(&arrays, &pairs).unwrap()
            })
            .collect()
    }
}

fn object_store_path(path: &Path) -> String {
    path.to_str().unwrap().trim_start_matches('/').to_owned()
}

/// `n`, and two columns of addresses.
fn input(first: &[Option<u64>], second: &[Option<u64>]) -> RecordBatch {
    let n = 0..i64::try_from(first.len()).unwrap();
    let columns: [(&str, ArrayRef); 3] = [
        ("n", Arc::new(n.collect::<Int64Array>())),
        (
            "a",
            Arc::new(first.iter().copied().collect::<UInt64Array>()),
        ),
        (
            "b",
            Arc::new(second.iter().copied().collect::<UInt64Array>()),
        ),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, column)| (name, column, true)))
        .unwrap()
}

fn fetched(table: usize, address: usize, columns: usize, of: &str) -> Vec<OutputColumn> {
    (0..columns)
        .map(|column| OutputColumn::Fetched {
            table,
            address,
            column,
            name: format!("{of}{column}"),
        })
        .collect()
}

/// `n`, all columns of `table` by `a`, then by `b`.
fn plan(table: &Table, rows: &RecordBatch, batch: usize) -> FetchRowsExec {
    let batches: Vec<RecordBatch> = (0..rows.num_rows())
        .step_by(batch)
        .map(|at| rows.slice(at, batch.min(rows.num_rows() - at)))
        .collect();
    let input = MemorySourceConfig::try_new_exec(&[batches], rows.schema(), None).unwrap();
    let mut columns = vec![OutputColumn::Input { column: 0 }];
    columns.extend(fetched(0, 1, 6, "a"));
    columns.extend(fetched(0, 2, 6, "b"));
    FetchRowsExec::try_new(input, vec![table.scan()], columns).unwrap()
}

fn context(partitions: usize, batch: usize, memory: Option<usize>) -> Arc<TaskContext> {
    let mut runtime = RuntimeEnvBuilder::new();
    if let Some(bytes) = memory {
        runtime = runtime.with_memory_limit(bytes, 1.0);
    }
    let config = SessionConfig::new()
        .with_target_partitions(partitions)
        .with_batch_size(batch);
    let context = TaskContext::default().with_session_config(config);
    Arc::new(context.with_runtime(runtime.build_arc().unwrap()))
}

async fn run(plan: FetchRowsExec, context: &Arc<TaskContext>) -> RecordBatch {
    let schema = plan.schema();
    let batches = collect(Arc::new(plan), Arc::clone(context)).await.unwrap();
    concat_batches(&schema, &batches).unwrap()
}

fn expected(table: &Table, rows: &RecordBatch, schema: &SchemaRef) -> RecordBatch {
    let addresses = |at: usize| {
        rows.column(at)
            .as_any()
            .downcast_ref::<UInt64Array>()
            .unwrap()
    };
    let mut columns = vec![Arc::clone(rows.column(0))];
    columns.extend(table.naive(addresses(1)));
    columns.extend(table.naive(addresses(2)));
    RecordBatch::try_new(Arc::clone(schema), columns).unwrap()
}

fn address_in(file_rows: Vec<usize>) -> impl Strategy<Value = Option<u64>> {
    let files = file_rows.len();
    let row = (0..files, 0..usize::MAX)
        .prop_map(move |(file, row)| marks::address(file, row % file_rows[file]));
    prop_oneof![9 => row.prop_map(Some), 1 => Just(None)]
}

type Case = (Vec<usize>, usize, Vec<(Option<u64>, Option<u64>)>);

fn cases() -> impl Strategy<Value = Case> {
    let files = prop::collection::vec(1..700_usize, 1..5);
    (files, 1..300_usize, 0..400_usize).prop_flat_map(|(files, row_group, rows)| {
        let address = address_in(files.clone());
        let pairs = prop::collection::vec((address, address_in(files.clone())), rows);
        (Just(files), Just(row_group), pairs)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn fetched_rows_are_those_that_were_asked_for_whatever_the_batches_partitions_and_memory(
        (files, row_group, pairs) in cases(),
        batch in prop::sample::select(vec![1, 2, 4, 8, 8192]),
        partitions in 1..5_usize,
        memory in prop::sample::select(vec![None, Some(1), Some(20_000), Some(200_000)]),
    ) {
        let table = Table::new(&files, row_group);
        let (first, second): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
        let rows = input(&first, &second);
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
        let plan = plan(&table, &rows, batch);
        let expected = expected(&table, &rows, &plan.schema());
        let found = runtime.block_on(run(plan, &context(partitions, batch, memory)));
        prop_assert_eq!(found, expected);
    }
}

#[tokio::test]
async fn chunks_and_pieces_of_large_files_are_put_together_again() {
    let table = Table::new(&[200_000, 70_000], 30_016);
    // Nearly all rows of the first file, a few of the second, some twice.
    let first = (0..190_000).rev().map(|row| Some(marks::address(0, row)));
    let second = (0..190_000).map(|n| (n % 3 == 0).then(|| marks::address(1, n / 300 * 100)));
    let rows = input(&first.collect::<Vec<_>>(), &second.collect::<Vec<_>>());
    for partitions in [1, 3] {
        let plan = plan(&table, &rows, 8192);
        let expected = expected(&table, &rows, &plan.schema());
        assert!(run(plan, &context(partitions, 8192, None)).await == expected);
    }
}

#[tokio::test]
async fn an_address_that_no_row_has_is_an_error() {
    let table = Table::new(&[100, 100], 50);
    for (file, row, says) in [
        (2, 0, "the table has 2 files"),
        (1, 100, "rows"),
        (0, 5_000, "rows"),
    ] {
        let rows = input(&[Some(marks::address(file, row))], &[None]);
        let plan = Arc::new(plan(&table, &rows, 8));
        let error = collect(plan, context(1, 8, None)).await.unwrap_err();
        assert!(error.to_string().contains(says), "{error}");
    }
}

#[test]
fn a_plan_that_rows_cannot_be_fetched_from_is_refused() {
    let table = Table::new(&[10], 10);
    let rows = input(&[], &[]);
    let memory = || MemorySourceConfig::try_new_exec(&[vec![]], rows.schema(), None).unwrap();
    let refused = |tables: Vec<Arc<dyn ExecutionPlan>>, column: OutputColumn| {
        let plan = FetchRowsExec::try_new(memory(), tables, vec![column]);
        plan.unwrap_err().to_string()
    };
    let of = |table, address, column| OutputColumn::Fetched {
        table,
        address,
        column,
        name: "x".to_owned(),
    };
    assert!(refused(vec![memory()], of(0, 1, 0)).contains("is no scan of files"));
    let unnumbered = table.scan_with(None, |file| file.partition_values.clear());
    assert!(refused(vec![unnumbered], of(0, 1, 0)).contains("is not its number"));
    assert!(
        refused(vec![table.scan()], of(0, 0, 0)).contains("`n` has Int64, which are no addresses")
    );
    assert!(refused(vec![table.scan()], of(0, 9, 0)).contains("no column 9 of the input"));
    assert!(refused(vec![table.scan()], of(1, 1, 0)).contains("no table 1"));
    assert!(refused(vec![table.scan()], of(0, 1, 9)).contains("no column 9 of table 0"));
    assert!(refused(vec![], OutputColumn::Input { column: 3 }).contains("no column 3"));
}
