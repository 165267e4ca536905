//! The names of a [`PointInTimeSpec`] looked up in the columns that are there.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Int64Array, RecordBatch, TimestampMicrosecondArray, new_null_array,
};
use arrow::datatypes::{
    DataType, Field, Int64Type, Schema, SchemaRef, TimeUnit, TimestampMicrosecondType, UInt32Type,
};
use datafusion::common::{Result, exec_datafusion_err, plan_err};
use fs_pit::{FeatureRows, PointInTimeJoin, RowIds};

use super::aggregated::Aggregated;
use super::spec::{JoinSpec, PointInTimeSpec, Take};

/// A spec whose columns have been found.
#[derive(Debug)]
pub(super) struct Resolved {
    /// The column of the spine with the times.
    pub(super) time: usize,
    /// The columns of the spine that come back.
    pub(super) keep: Vec<usize>,
    /// The distinct lists of key columns of the spine: one index is built for each.
    pub(super) key_sets: Vec<Vec<usize>>,
    pub(super) joins: Vec<Arc<Join>>,
    pub(super) output: SchemaRef,
}

/// A join whose columns have been found.
#[derive(Debug)]
pub(super) struct Join {
    pub(super) spec: JoinSpec,
    /// Which of [`Resolved::key_sets`].
    pub(super) key_set: usize,
    pub(super) keys: Vec<usize>,
    event: usize,
    created: Option<usize>,
    sequence: Option<usize>,
    pub(super) taken: Taken,
    /// What the join adds to the output.
    pub(super) fields: SchemaRef,
}

/// What a join takes, its columns found.
#[derive(Debug)]
pub(super) enum Taken {
    OfNewest(Arc<OfNewest>),
    Windows(Arc<Aggregated>),
}

/// What is taken of the newest row.
#[derive(Debug)]
pub(super) enum OfNewest {
    Columns(Vec<usize>),
    Place { file: usize, row: usize },
}

impl Resolved {
    pub(super) fn new(
        spec: &PointInTimeSpec,
        spine: &Schema,
        histories: &[SchemaRef],
    ) -> Result<Self> {
        let output = spec.output(spine, histories)?;
        let time = spine.index_of(&spec.time)?;
        check_time(&spec.time, spine.field(time))?;
        let keep: Result<Vec<usize>, _> = spec
            .spine_columns
            .iter()
            .map(|name| spine.index_of(name))
            .collect();
        let mut key_sets: Vec<Vec<usize>> = Vec::new();
        let mut joins = Vec::new();
        let mut first = spec.spine_columns.len();
        for join in &spec.joins {
            let set = join.spine_keys().into_iter();
            let set: Vec<usize> = set
                .map(|key| spine.index_of(key))
                .collect::<Result<_, _>>()?;
            let known = key_sets.iter().position(|known| *known == set);
            let key_set = known.unwrap_or_else(|| {
                key_sets.push(set);
                key_sets.len() - 1
            });
            let join = Join::new(join, key_set, &histories[join.history], &output, first)?;
            first += join.fields.fields().len();
            joins.push(Arc::new(join));
        }
        Ok(Self {
            time,
            keep: keep?,
            key_sets,
            joins,
            output,
        })
    }
}

impl Join {
    fn new(
        spec: &JoinSpec,
        key_set: usize,
        history: &SchemaRef,
        output: &Schema,
        first: usize,
    ) -> Result<Self> {
        let optional = |name: &Option<String>| name.as_ref().map(|name| history.index_of(name));
        let keys = spec.keys.iter().map(|(_, name)| history.index_of(name));
        let event = history.index_of(&spec.event)?;
        check_time(&spec.event, history.field(event))?;
        let created = optional(&spec.created).transpose()?;
        if let Some(created) = created {
            check_time(history.field(created).name(), history.field(created))?;
        }
        let sequence = optional(&spec.sequence).transpose()?;
        let taken = match &spec.take {
            Take::Columns(columns) => {
                let columns = columns.iter().map(|(name, _)| history.index_of(name));
                let columns = columns.collect::<Result<_, _>>()?;
                Taken::OfNewest(Arc::new(OfNewest::Columns(columns)))
            }
            Take::Place { file, row, .. } => Taken::OfNewest(Arc::new(OfNewest::Place {
                file: history.index_of(file)?,
                row: history.index_of(row)?,
            })),
            Take::Windows(windowed) => {
                let aggregated = Aggregated::new(&spec.label, windowed, spec.rule, history)?;
                Taken::Windows(Arc::new(aggregated))
            }
        };
        let adds = taken.columns();
        let fields: Vec<Arc<Field>> = output.fields()[first..first + adds].to_vec();
        Ok(Self {
            key_set,
            keys: keys.collect::<Result<_, _>>()?,
            event,
            created,
            sequence,
            taken,
            fields: Arc::new(Schema::new(fields)),
            spec: spec.clone(),
        })
    }

    /// The key columns of a batch of the history.
    pub(super) fn key_columns(&self, batch: &RecordBatch) -> Vec<ArrayRef> {
        let keys = self.keys.iter();
        keys.map(|key| Arc::clone(batch.column(*key))).collect()
    }

    /// The columns that decide who wins.
    pub(super) fn rows<'a>(
        &self,
        keys: &'a [ArrayRef],
        batch: &'a RecordBatch,
    ) -> Result<FeatureRows<'a>> {
        let sequence = |at: usize| {
            batch
                .column(at)
                .as_primitive_opt::<Int64Type>()
                .ok_or_else(|| {
                    exec_datafusion_err!("the sequence of `{}` is not int64", self.label())
                })
        };
        Ok(FeatureRows {
            keys,
            event: self.times(batch, self.event)?,
            created: self.created.map(|at| self.times(batch, at)).transpose()?,
            sequence: self.sequence.map(sequence).transpose()?,
        })
    }

    fn times<'a>(
        &self,
        batch: &'a RecordBatch,
        at: usize,
    ) -> Result<&'a TimestampMicrosecondArray> {
        let times = batch
            .column(at)
            .as_primitive_opt::<TimestampMicrosecondType>();
        times.ok_or_else(|| {
            exec_datafusion_err!("a time of `{}` is not in microseconds", self.label())
        })
    }

    /// What a row of the spine takes at most beside its index, while it is joined.
    pub(super) fn bytes_per_row(&self) -> Result<usize> {
        match &self.taken {
            Taken::OfNewest(_) => Ok(PointInTimeJoin::BYTES_PER_ROW),
            Taken::Windows(aggregated) => aggregated.bytes_per_row(),
        }
    }

    /// What the output has for rows of the spine that nothing was found for: one row.
    pub(super) fn absent(&self) -> Result<Vec<ArrayRef>> {
        match &self.taken {
            Taken::OfNewest(_) => {
                let fields = self.fields.fields().iter();
                Ok(fields
                    .map(|field| new_null_array(field.data_type(), 1))
                    .collect())
            }
            Taken::Windows(aggregated) => aggregated.absent(),
        }
    }

    /// Whether the rows of the spine that found something are counted when all have, and not when the
    /// answer is put together.
    pub(super) const fn counts_when_found(&self) -> bool {
        matches!(self.taken, Taken::Windows(_))
    }

    pub(super) fn label(&self) -> &str {
        &self.spec.label
    }
}

impl Taken {
    /// How many columns the join adds.
    fn columns(&self) -> usize {
        match self {
            Self::OfNewest(of_newest) => match of_newest.as_ref() {
                OfNewest::Columns(columns) => columns.len(),
                OfNewest::Place { .. } => 1,
            },
            Self::Windows(aggregated) => aggregated.plan.outputs().len(),
        }
    }
}

/// The rows of a batch, one stretch for each file, and what they are called.
pub(super) fn by_file(
    batch: &RecordBatch,
    file: usize,
    row: usize,
    mut each: impl FnMut(&RecordBatch, &RowIds<'_>) -> Result<()>,
) -> Result<()> {
    let files = batch.column(file).as_primitive_opt::<UInt32Type>();
    let files = files.filter(|files| files.null_count() == 0);
    let files = files.ok_or_else(|| exec_datafusion_err!("the numbers of files are not uint32"))?;
    let files = files.values();
    let mut start = 0;
    while start < files.len() {
        let file = files[start];
        // Batches of a scan come from one file each, unless something put them together.
        let rows = match files.last() {
            Some(last) if *last == file && files[start..].iter().all(|f| *f == file) => {
                files.len() - start
            }
            _ => files[start..].iter().take_while(|f| **f == file).count(),
        };
        let part = batch.slice(start, rows);
        let numbers: &Int64Array = part
            .column(row)
            .as_primitive_opt::<Int64Type>()
            .ok_or_else(|| exec_datafusion_err!("the numbers of rows are not int64"))?;
        each(
            &part,
            &RowIds::At {
                file,
                rows: numbers,
            },
        )?;
        start += rows;
    }
    Ok(())
}

fn check_time(name: &str, field: &Field) -> Result<()> {
    match field.data_type() {
        DataType::Timestamp(TimeUnit::Microsecond, _) => Ok(()),
        other => plan_err!("`{name}` is {other}: a time must be a timestamp in microseconds"),
    }
}
