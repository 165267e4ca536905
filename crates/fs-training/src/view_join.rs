//! One view of a training set: its history streamed past the spine.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::{cast, max, min};
use arrow::datatypes::{Field, Int64Type, Schema, SchemaRef, TimestampMicrosecondType};
use fs_core::{CREATED_TIMESTAMP, EVENT_TIMESTAMP, SEQUENCE, ViewName, ViewSelection};
use fs_offline::{Between, OfflineStore, Scan, TableScan, TableSchema};
use fs_pit::{KeptRows, Matches, PointInTimeJoin, Rule};
use futures::StreamExt;

use crate::spine::CheckedSpine;
use crate::{Error, ViewReport};

/// What is wanted of one view.
#[derive(Debug)]
pub(crate) struct ViewJoin {
    pub(crate) selection: ViewSelection,
    pub(crate) table: TableSchema,
    /// The version of the table that is read.
    pub(crate) version: Option<i64>,
    /// Positions in the schema of the view, each once.
    pub(crate) features: Vec<usize>,
}

/// The features of every spine row.
#[derive(Debug)]
pub(crate) struct JoinedView {
    pub(crate) report: ViewReport,
    view: ViewName,
    matches: Matches,
    kept: KeptRows,
}

impl ViewJoin {
    /// Streams the history of the view past the spine.
    ///
    /// Only event times that some spine row could see are read. The features of a row are kept only
    /// while it may still win, and the rest of its batch is let go at once.
    pub(crate) async fn run(
        self,
        offline: &OfflineStore,
        spine: &CheckedSpine,
    ) -> Result<JoinedView, Error> {
        let rule = Rule::of(&self.selection.view);
        let keys: Vec<ArrayRef> = self
            .selection
            .keys
            .iter()
            .filter_map(|key| spine.keys.get(&key.column).cloned())
            .collect();
        let mut join =
            PointInTimeJoin::new(&keys, &spine.times, rule).map_err(|e| self.join_error(e))?;
        let event = min(&spine.times)
            .zip(max(&spine.times))
            .map(|(first, last)| {
                let (low, high) = rule.event_range(first, last);
                let low = low.unwrap_or(i64::MIN);
                Between { low, high }
            });
        let scan = self.open(offline, event).await?;
        let mut kept = KeptRows::new(self.feature_schema());
        let mut rows_read = 0;
        // A spine without rows has no times, and reads nothing.
        if event.is_some() {
            let mut stream = scan.stream().map_err(|e| self.history_error(e))?;
            while let Some(batch) = stream.next().await {
                let batch = batch.map_err(|source| {
                    self.history_error(fs_offline::Error::Read {
                        table: self.view().to_string(),
                        source: Box::new(source),
                    })
                })?;
                rows_read += batch.num_rows() as u64;
                self.offer(&mut join, &mut kept, &batch)?;
            }
        }
        let matches = join.finish();
        let report = ViewReport {
            view: self.view().clone(),
            label: self.selection.label.clone(),
            table_version: scan.version,
            rows_read,
            rows_matched: matches.matched() as u64,
        };
        Ok(JoinedView {
            report,
            view: self.view().clone(),
            matches,
            kept,
        })
    }

    fn offer(
        &self,
        join: &mut PointInTimeJoin,
        kept: &mut KeptRows,
        batch: &RecordBatch,
    ) -> Result<(), Error> {
        let keys = self.selection.keys.iter();
        let keys: Vec<ArrayRef> = keys
            .map(|key| self.column(batch, key.key.as_str()).cloned())
            .collect::<Result<_, _>>()?;
        let event = self.times(batch, EVENT_TIMESTAMP)?;
        let created = self.times(batch, CREATED_TIMESTAMP)?;
        let sequence = self
            .column(batch, SEQUENCE)?
            .as_primitive_opt::<Int64Type>();
        let sequence = sequence.ok_or_else(|| self.bad_column(SEQUENCE))?;
        let rows = join
            .offer(&keys, event, Some(created), Some(sequence))
            .map_err(|e| self.join_error(e))?;
        let features = self.features.iter();
        let features: Vec<ArrayRef> = features
            .map(|feature| {
                let name = self.selection.view.schema[*feature].name.as_str();
                self.column(batch, name).cloned()
            })
            .collect::<Result<_, _>>()?;
        let fields = self.feature_schema();
        let found = features
            .iter()
            .zip(fields.fields())
            .map(|(column, field)| Field::clone(field).with_data_type(column.data_type().clone()));
        let found = Arc::new(Schema::new(found.collect::<Vec<_>>()));
        let features = fs_pit::kept::batch(found, features, batch.num_rows());
        let features = features.map_err(|e| self.join_error(e))?;
        kept.keep(&features, &rows, |kept| declared(&kept, &fields))
            .and_then(|()| {
                if kept.wants_compaction(join.candidates()) {
                    kept.compact(&join.live())?;
                }
                Ok(())
            })
            .map_err(|e| self.join_error(e))
    }

    async fn open(
        &self,
        offline: &OfflineStore,
        event: Option<Between>,
    ) -> Result<TableScan, Error> {
        let keys = self.selection.keys.iter().map(|key| key.key.to_string());
        let order = [EVENT_TIMESTAMP, CREATED_TIMESTAMP, SEQUENCE].map(str::to_owned);
        let features = self.features.iter();
        let features = features.map(|at| self.selection.view.schema[*at].name.to_string());
        let scan = Scan {
            columns: Some(keys.chain(order).chain(features).collect()),
            event,
            version: self.version,
            ..Scan::default()
        };
        offline
            .scan(&self.table, &scan)
            .await
            .map_err(|e| self.history_error(e))
    }

    fn feature_schema(&self) -> SchemaRef {
        let fields = self.features.iter().map(|at| {
            let feature = &self.selection.view.schema[*at];
            Field::new(feature.name.as_str(), feature.data_type.to_arrow(), true)
        });
        Arc::new(Schema::new(fields.collect::<Vec<_>>()))
    }

    fn column<'a>(&self, batch: &'a RecordBatch, name: &str) -> Result<&'a ArrayRef, Error> {
        batch
            .column_by_name(name)
            .ok_or_else(|| self.bad_column(name))
    }

    fn times<'a>(
        &self,
        batch: &'a RecordBatch,
        name: &str,
    ) -> Result<&'a arrow::array::TimestampMicrosecondArray, Error> {
        self.column(batch, name)?
            .as_primitive_opt::<TimestampMicrosecondType>()
            .ok_or_else(|| self.bad_column(name))
    }

    fn bad_column(&self, column: &str) -> Error {
        Error::BadHistory {
            view: self.view().clone(),
            column: column.to_owned(),
        }
    }

    fn view(&self) -> &ViewName {
        &self.selection.view.name
    }

    fn join_error(&self, source: fs_pit::Error) -> Error {
        Error::Join {
            view: self.view().clone(),
            source,
        }
    }

    fn history_error(&self, source: fs_offline::Error) -> Error {
        Error::history(self.view(), source)
    }
}

impl JoinedView {
    /// The features of these spine rows, null where nothing matched.
    pub(crate) fn gather(&self, rows: Range<usize>) -> Result<RecordBatch, Error> {
        let rows: Vec<_> = rows.map(|row| self.matches.row(row)).collect();
        self.kept.gather(&rows).map_err(|source| Error::Join {
            view: self.view.clone(),
            source,
        })
    }
}

/// The same columns with the types of `fields`, where the scan chose another layout for them.
fn declared(columns: &RecordBatch, fields: &SchemaRef) -> Result<RecordBatch, fs_pit::Error> {
    let converted = columns
        .columns()
        .iter()
        .zip(fields.fields())
        .map(|(column, field)| cast(column, field.data_type()))
        .collect::<Result<_, _>>()?;
    fs_pit::kept::batch(Arc::clone(fields), converted, columns.num_rows())
}
