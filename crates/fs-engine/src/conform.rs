//! Raw rows of a source become rows of a view.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions, TimestampMicrosecondArray,
    UInt32Array, new_null_array,
};
use arrow::buffer::NullBuffer;
use arrow::compute::{max, min, take, take_record_batch};
use arrow::datatypes::{SchemaRef, TimestampMicrosecondType};
use arrow::error::ArrowError;
use arrow::util::display::array_value_to_string;
use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use fs_core::data_type::timestamp_type;
use fs_core::{Catalog, EventTime, FeatureView, SourceKind, TimeRange};
use futures::{StreamExt, stream};

use crate::convert::{BadCell, convert, to_micros, type_name};
use crate::expectations::excused;
use crate::view_schema::{loose_schema, view_schema};
use crate::{BadRows, BadValue, Error, ViewRows};

/// The view, its source and the path of that, so that a failure can be traced to a file.
fn origin(catalog: &Catalog, view: &FeatureView) -> String {
    let source = catalog.sources.get(&view.source);
    let path = match source.map(|source| &source.kind) {
        Some(SourceKind::Files { path, .. } | SourceKind::Delta { path }) => format!(" ({path})"),
        _ => String::new(),
    };
    format!("view `{}`, source `{}`{path}", view.name, view.source)
}

/// Converts raw batches one by one and remembers the rows that cannot be.
#[derive(Debug)]
pub(crate) struct Conform {
    origin: String,
    schema: SchemaRef,
    /// How many columns of the schema are join keys.
    keys: usize,
    with_created: bool,
    range: TimeRange,
    /// Rows read so far.
    rows: u64,
    bad: Option<BadRows>,
    view: FeatureView,
    /// Which join keys, and the event time, may be missing.
    excused: Vec<bool>,
}

impl Conform {
    pub(crate) fn new(
        catalog: &Catalog,
        view: &FeatureView,
        with_created: bool,
        range: TimeRange,
    ) -> Self {
        Self {
            origin: origin(catalog, view),
            schema: view_schema(catalog, view),
            keys: catalog.join_keys(view).count(),
            with_created,
            range,
            rows: 0,
            bad: None,
            view: view.clone(),
            excused: Vec::new(),
        }
    }

    /// Lets rows pass whose missing keys and times a validator takes care of.
    pub(crate) fn for_validator(mut self, catalog: &Catalog) -> Self {
        self.excused = excused(catalog, &self.view);
        self.schema = loose_schema(catalog, &self.view);
        self
    }

    /// Runs `raw` through; its columns are [`raw_columns`](crate::view_schema::raw_columns).
    pub(crate) fn rows(self, raw: SendableRecordBatchStream) -> ViewRows {
        let schema = Arc::clone(&self.schema);
        let rows = stream::unfold(Some((self, raw)), |state| async move {
            let (mut conform, mut raw) = state?;
            match raw.next().await {
                Some(batch) => {
                    let batch = batch
                        .map_err(|cause| Error::of_query(conform.origin.clone(), cause))
                        .and_then(|batch| conform.batch(&batch));
                    let next = batch.is_ok().then_some((conform, raw));
                    Some((batch, next))
                }
                None => conform
                    .bad
                    .map(|bad| (Err(Error::BadRows(Box::new(bad))), None)),
            }
        })
        .filter(|batch| {
            let empty = batch.as_ref().is_ok_and(|batch| batch.num_rows() == 0);
            std::future::ready(!empty)
        })
        .map(|batch| batch.map_err(|error| DataFusionError::External(Box::new(error))));
        ViewRows {
            schema: Arc::clone(&schema),
            stream: Box::pin(RecordBatchStreamAdapter::new(schema, rows)),
        }
    }

    fn batch(&mut self, raw: &RecordBatch) -> Result<RecordBatch, Error> {
        let rows_before = self.rows;
        self.rows += raw.num_rows() as u64;
        let event_column = self.column(raw, self.keys)?;
        let event = to_micros(event_column)
            .map_err(|bad| self.bad_value(self.keys, bad, rows_before, None))?;
        let kept = self.kept(raw, &event, rows_before);
        let (raw, event) = match &kept {
            None => (raw.clone(), Arc::new(event) as ArrayRef),
            Some(kept) => {
                let event = take(&event, kept, None).map_err(|cause| self.arrow(cause))?;
                let raw = take_record_batch(raw, kept).map_err(|cause| self.arrow(cause))?;
                (raw, event)
            }
        };
        let mut columns = Vec::with_capacity(self.schema.fields().len());
        for at in 0..self.schema.fields().len() {
            let column = if at == self.keys {
                Arc::clone(&event)
            } else {
                self.converted(&raw, at)
                    .map_err(|bad| self.bad_value(at, bad, rows_before, kept.as_ref()))?
            };
            columns.push(column);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(raw.num_rows()));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)
            .map_err(|cause| self.arrow(cause))
    }

    /// The rows inside the range that have what they must have; `None` if all do.
    fn kept(
        &mut self,
        raw: &RecordBatch,
        event: &TimestampMicrosecondArray,
        rows_before: u64,
    ) -> Option<UInt32Array> {
        let nulls = raw.columns().iter().take(self.keys);
        let nulls: Vec<Option<NullBuffer>> = nulls.map(Array::logical_nulls).collect();
        let has_keys = nulls.iter().flatten().all(|nulls| nulls.null_count() == 0);
        if has_keys && event.null_count() == 0 && self.holds(event) {
            return None;
        }
        let mut kept = Vec::with_capacity(raw.num_rows());
        for row in 0..raw.num_rows() {
            let at = event
                .is_valid(row)
                .then(|| EventTime::from_micros(event.value(row)));
            if at.is_some_and(|at| !self.range.contains(at)) {
                continue;
            }
            let mut missing = nulls
                .iter()
                .enumerate()
                .filter(|(_, nulls)| nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)))
                .map(|(column, _)| column)
                .chain(at.is_none().then_some(self.keys));
            let excused = |column| self.excused.get(column).copied().unwrap_or_default();
            match missing.next() {
                Some(column) if !excused(column) && !missing.any(excused) => {
                    self.reject(raw, row, rows_before, column);
                }
                // A batch has far fewer rows than 32 bits count.
                _ => kept.push(u32::try_from(row).unwrap_or(u32::MAX)),
            }
        }
        (kept.len() < raw.num_rows()).then(|| UInt32Array::from(kept))
    }

    /// Whether all these times lie in the range.
    fn holds(&self, event: &TimestampMicrosecondArray) -> bool {
        let inside = |micros| self.range.contains(EventTime::from_micros(micros));
        min(event).is_none_or(inside) && max(event).is_none_or(inside)
    }

    /// Column `at` of the schema, converted.
    fn converted(&self, raw: &RecordBatch, at: usize) -> Result<ArrayRef, BadCell> {
        let created = self.keys + 1;
        let wanted = self.schema.field(at).data_type();
        if at == created && !self.with_created {
            return Ok(new_null_array(wanted, raw.num_rows()));
        }
        let at_raw = if at > created && !self.with_created {
            at - 1
        } else {
            at
        };
        let Some(found) = raw.columns().get(at_raw) else {
            return Ok(new_null_array(wanted, raw.num_rows()));
        };
        if at == created {
            return Ok(Arc::new(to_micros(found)?));
        }
        convert(found, wanted)
    }

    fn column<'a>(&self, raw: &'a RecordBatch, at: usize) -> Result<&'a ArrayRef, Error> {
        raw.columns()
            .get(at)
            .ok_or_else(|| self.arrow(ArrowError::SchemaError(format!("column {at} is missing"))))
    }

    fn reject(&mut self, raw: &RecordBatch, row: usize, rows_before: u64, column: usize) {
        if let Some(bad) = &mut self.bad {
            bad.count += 1;
            return;
        }
        let names = raw.schema();
        let name = |at: usize| names.field(at).name().clone();
        let shown = (0..=self.keys).map(|at| {
            let value = raw
                .columns()
                .get(at)
                .and_then(|column| array_value_to_string(column, row).ok())
                .filter(|value| !value.is_empty());
            format!("{}={}", name(at), value.as_deref().unwrap_or("null"))
        });
        self.bad = Some(BadRows {
            view: self.view.name.clone(),
            source_name: self.view.source.clone(),
            column: name(column),
            count: 1,
            row: rows_before + row as u64 + 1,
            first: shown.collect::<Vec<_>>().join(", "),
        });
    }

    fn bad_value(&self, at: usize, bad: BadCell, before: u64, kept: Option<&UInt32Array>) -> Error {
        let row = match kept {
            Some(kept) if bad.row < kept.len() => kept.value(bad.row) as usize,
            _ => bad.row,
        };
        let field = self.schema.field(at);
        Error::BadValue(Box::new(BadValue {
            origin: self.origin.clone(),
            column: field.name().clone(),
            value: bad.value,
            row: before + row as u64 + 1,
            expected: type_name(field.data_type()),
        }))
    }

    fn arrow(&self, cause: ArrowError) -> Error {
        Error::of_query(self.origin.clone(), cause.into())
    }
}

/// The least event time in a stream of raw `(event, created)` columns, among the rows that were
/// created at or after `watermark` and happened before it.
pub(crate) async fn least_late(
    mut raw: SendableRecordBatchStream,
    origin: &str,
    watermark: EventTime,
) -> Result<Option<EventTime>, Error> {
    let mut least: Option<i64> = None;
    while let Some(batch) = raw.next().await {
        let batch = batch.map_err(|cause| Error::of_query(origin.to_owned(), cause))?;
        let micros = |at: usize| {
            let column = batch.column(at);
            convert(column, &timestamp_type()).map_err(|bad| {
                Error::BadValue(Box::new(BadValue {
                    origin: origin.to_owned(),
                    column: batch.schema_ref().field(at).name().clone(),
                    value: bad.value,
                    row: bad.row as u64 + 1,
                    expected: "timestamp".to_owned(),
                }))
            })
        };
        let (event, created) = (micros(0)?, micros(1)?);
        let pairs = event
            .as_primitive::<TimestampMicrosecondType>()
            .iter()
            .zip(created.as_primitive::<TimestampMicrosecondType>());
        for (event, created) in pairs {
            if let (Some(event), Some(created)) = (event, created)
                && created >= watermark.as_micros()
                && event < watermark.as_micros()
            {
                least = Some(least.map_or(event, |least| least.min(event)));
            }
        }
    }
    Ok(least.map(EventTime::from_micros))
}
