//! Generated spines and histories, and the answer of the naive reference.

pub(crate) mod windowed;

use std::sync::Arc;

use arrow::array::{
    ArrayRef, AsArray, BinaryArray, BooleanArray, Float64Array, Int32Array, Int64Array,
    RecordBatch, StringArray, TimestampMicrosecondArray, UInt32Array, UInt64Array,
};
use arrow::compute::concat_batches;
use arrow::datatypes::{Int64Type, SchemaRef, UInt64Type};
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::error::Result;
use datafusion::execution::TaskContext;
use datafusion::execution::memory_pool::GreedyMemoryPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::physical_plan::{ExecutionPlan, collect};
use datafusion::prelude::SessionConfig;
use fs_core::{KeyType, PointInTime, Span, Ttl};
use fs_pit::{FeatureRows, Rule, naive};
use proptest::prelude::*;

use super::{JoinSpec, PointInTimeJoinExec, PointInTimeSpec, Take};

/// A key part that is null.
const NO_KEY: u8 = 3;

/// A row of either side before it has a key type.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) parts: [u8; 2],
    pub(crate) time: i64,
    pub(crate) created: Option<i64>,
    pub(crate) sequence: i64,
}

/// A spine and a history.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) types: Vec<KeyType>,
    pub(crate) rule: Rule,
    pub(crate) spine: Vec<Row>,
    pub(crate) history: Vec<Row>,
}

/// How a case is run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Conditions {
    pub(crate) batch_rows: usize,
    pub(crate) partitions: usize,
    pub(crate) memory: Option<usize>,
}

fn key_column(key_type: KeyType, parts: &[u8]) -> ArrayRef {
    // Chosen so that parts written one after the other could be confused.
    const INTS: [i32; 3] = [1, 11, -1];
    const TEXTS: [&str; 3] = ["", "a", "aa"];
    let valid = parts
        .iter()
        .map(|part| (*part != NO_KEY).then_some(usize::from(*part)));
    let ints = valid.clone().map(|part| part.map(|part| INTS[part]));
    let longs = ints.clone().map(|int| int.map(i64::from));
    let texts = valid.clone().map(|part| part.map(|part| TEXTS[part]));
    match key_type {
        KeyType::Bool => Arc::new(
            valid
                .map(|part| part.map(|part| part == 1))
                .collect::<BooleanArray>(),
        ),
        KeyType::Int32 => Arc::new(ints.collect::<Int32Array>()),
        KeyType::Int64 => Arc::new(longs.collect::<Int64Array>()),
        KeyType::Timestamp => Arc::new(longs.collect::<TimestampMicrosecondArray>()),
        KeyType::Bytes => Arc::new(texts.collect::<BinaryArray>()),
        KeyType::String => Arc::new(texts.collect::<StringArray>()),
    }
}

fn keys(types: &[KeyType], rows: &[Row]) -> Vec<ArrayRef> {
    let types = types.iter().enumerate();
    types
        .map(|(at, key_type)| {
            let parts: Vec<u8> = rows.iter().map(|row| row.parts[at]).collect();
            key_column(*key_type, &parts)
        })
        .collect()
}

fn times(rows: &[Row]) -> TimestampMicrosecondArray {
    TimestampMicrosecondArray::from_iter_values(rows.iter().map(|row| row.time))
}

fn batch(keys: Vec<ArrayRef>, others: Vec<(&str, ArrayRef)>) -> RecordBatch {
    let names = ["k0", "k1"];
    let keys = names.into_iter().zip(keys);
    let columns = keys.chain(others).map(|(name, column)| {
        let nullable = !["t", "event", "sequence"].contains(&name);
        (name, column, nullable)
    });
    RecordBatch::try_from_iter_with_nullable(columns).unwrap()
}

impl Case {
    pub(crate) fn spine_batch(&self) -> RecordBatch {
        let label = (0..).take(self.spine.len());
        batch(
            keys(&self.types, &self.spine),
            vec![
                ("t", Arc::new(times(&self.spine))),
                ("label", Arc::new(Int64Array::from_iter_values(label))),
            ],
        )
    }

    /// The history: `position` and `row` are positions, `amount` and `value` are made of them or
    /// null, `file` is 7.
    pub(crate) fn history_batch(&self) -> RecordBatch {
        let rows = &self.history;
        let created: TimestampMicrosecondArray = rows.iter().map(|row| row.created).collect();
        let sequence = Int64Array::from_iter_values(rows.iter().map(|row| row.sequence));
        let positions: Int64Array = (0..).take(rows.len()).map(Some).collect();
        let values: StringArray = (0..rows.len())
            .map(|at| (at % 5 != 0).then(|| format!("value {at}")))
            .collect();
        let amounts: Float64Array = (0_u32..)
            .take(rows.len())
            .map(|at| (at % 4 != 0).then(|| f64::from(at) / 2.0 - 7.0))
            .collect();
        batch(
            keys(&self.types, rows),
            vec![
                ("event", Arc::new(times(rows))),
                ("created", Arc::new(created)),
                ("sequence", Arc::new(sequence)),
                ("position", Arc::new(positions.clone())),
                ("value", Arc::new(values)),
                ("amount", Arc::new(amounts)),
                ("file", Arc::new(UInt32Array::from(vec![7; rows.len()]))),
                ("row", Arc::new(positions)),
            ],
        )
    }

    /// Which row of the history each row of the spine finds.
    pub(crate) fn naive(&self) -> Vec<Option<i64>> {
        let created: TimestampMicrosecondArray =
            self.history.iter().map(|row| row.created).collect();
        let sequence = Int64Array::from_iter_values(self.history.iter().map(|row| row.sequence));
        let (keys_of_history, event) = (keys(&self.types, &self.history), times(&self.history));
        let rows = [FeatureRows {
            keys: &keys_of_history,
            event: &event,
            created: Some(&created),
            sequence: Some(&sequence),
        }];
        let spine_keys = keys(&self.types, &self.spine);
        let found =
            naive::point_in_time_join(&spine_keys, &times(&self.spine), self.rule, &rows).unwrap();
        found
            .into_iter()
            .map(|id| id.map(|id| i64::from(id.row)))
            .collect()
    }

    pub(crate) fn join(&self, label: &str, history: usize, take: Take) -> JoinSpec {
        let names = ["k0", "k1"].into_iter().take(self.types.len());
        JoinSpec {
            label: label.to_owned(),
            history,
            keys: names
                .map(|name| (name.to_owned(), name.to_owned()))
                .collect(),
            event: "event".to_owned(),
            created: Some("created".to_owned()),
            sequence: Some("sequence".to_owned()),
            rule: self.rule,
            take,
        }
    }

    /// The same history joined twice: once with its columns, once with the places of its rows.
    pub(crate) fn spec(&self) -> PointInTimeSpec {
        let columns = [("position", "at"), ("value", "value")];
        let columns = columns.map(|(column, name)| (column.to_owned(), name.to_owned()));
        let place = Take::Place {
            file: "file".to_owned(),
            row: "row".to_owned(),
            name: "place".to_owned(),
        };
        PointInTimeSpec {
            time: "t".to_owned(),
            spine_columns: vec!["label".to_owned()],
            joins: vec![
                self.join("columns", 0, Take::Columns(columns.to_vec())),
                self.join("place", 0, place),
            ],
        }
    }

    pub(crate) fn plan(&self, conditions: Conditions) -> PointInTimeJoinExec {
        let spine = in_memory(&self.spine_batch(), conditions.batch_rows, 1);
        let history = in_memory(
            &self.history_batch(),
            conditions.batch_rows,
            conditions.partitions,
        );
        PointInTimeJoinExec::try_new(self.spec(), spine, vec![history]).unwrap()
    }

    /// Runs the case; the answer in one piece.
    pub(crate) fn run(&self, conditions: Conditions) -> Result<RecordBatch> {
        run(Arc::new(self.plan(conditions)), conditions)
    }
}

/// Runs a plan; the answer in one piece.
pub(crate) fn run(plan: Arc<dyn ExecutionPlan>, conditions: Conditions) -> Result<RecordBatch> {
    let mut runtime = RuntimeEnvBuilder::new();
    if let Some(limit) = conditions.memory {
        runtime = runtime.with_memory_pool(Arc::new(GreedyMemoryPool::new(limit)));
    }
    let config = SessionConfig::new().with_batch_size(conditions.batch_rows);
    let context = TaskContext::default()
        .with_runtime(runtime.build_arc()?)
        .with_session_config(config);
    let schema = plan.schema();
    let tokio = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .build()?;
    let batches = tokio.block_on(collect(plan, Arc::new(context)))?;
    assert!(
        batches
            .iter()
            .all(|b| b.num_rows() <= conditions.batch_rows)
    );
    Ok(concat_batches(&schema, &batches)?)
}

/// `batch` in pieces, dealt to partitions.
pub(crate) fn in_memory(
    batch: &RecordBatch,
    rows: usize,
    partitions: usize,
) -> Arc<dyn ExecutionPlan> {
    let mut dealt: Vec<Vec<RecordBatch>> = vec![Vec::new(); partitions];
    for (number, start) in (0..batch.num_rows()).step_by(rows).enumerate() {
        let rows = rows.min(batch.num_rows() - start);
        dealt[number % partitions].push(batch.slice(start, rows));
    }
    let schema: SchemaRef = batch.schema();
    MemorySourceConfig::try_new_exec(&dealt, schema, None).unwrap()
}

/// The rows of the history in an answer: by the columns that were taken, and by their places.
pub(crate) fn answers(answer: &RecordBatch) -> [Vec<Option<i64>>; 2] {
    let at = answer.column_by_name("at").unwrap();
    let places = answer.column_by_name("place").unwrap();
    let places: &UInt64Array = places.as_primitive::<UInt64Type>();
    let row = |place: u64| {
        assert_eq!(place >> 32, 7);
        i64::try_from(place & u64::from(u32::MAX)).unwrap()
    };
    [
        at.as_primitive::<Int64Type>().iter().collect(),
        places.iter().map(|place| place.map(row)).collect(),
    ]
}

fn micros() -> impl Strategy<Value = i64> {
    prop_oneof![20 => 0_i64..8, 1 => Just(i64::MIN), 1 => Just(i64::MAX)]
}

fn row() -> impl Strategy<Value = Row> {
    let parts = prop::array::uniform2(0..=NO_KEY);
    (parts, micros(), prop::option::of(micros())).prop_map(|(parts, time, created)| Row {
        parts,
        time,
        created,
        sequence: 0,
    })
}

fn rule() -> impl Strategy<Value = Rule> {
    let point_in_time = prop::sample::select(vec![PointInTime::EventTime, PointInTime::KnownAt]);
    (0_i64..4, 0_i64..3, point_in_time).prop_map(|(ttl, delay, point_in_time)| Rule {
        ttl: Span::from_micros(ttl).and_then(Ttl::new),
        delay: Span::from_micros(delay).unwrap(),
        point_in_time,
    })
}

pub(crate) fn case() -> impl Strategy<Value = Case> {
    let key_type = prop::sample::select(KeyType::ALL.to_vec());
    let history = prop::collection::vec(row(), 0..60).prop_flat_map(|rows| {
        // Every row has a sequence of its own, in no particular order.
        let sequence: Vec<i64> = (0..).take(rows.len()).collect();
        (Just(rows), Just(sequence).prop_shuffle())
    });
    (
        prop::collection::vec(key_type, 0..=2),
        rule(),
        prop::collection::vec(row(), 0..40),
        history,
    )
        .prop_map(|(types, rule, spine, (mut history, sequence))| {
            for (row, sequence) in history.iter_mut().zip(sequence) {
                row.sequence = sequence;
            }
            Case {
                types,
                rule,
                spine,
                history,
            }
        })
}
