//! Joining a spine with the features asked for.

mod split;

use std::pin::pin;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{Schema, SchemaRef};
use fs_core::{Catalog, FeatureSet, ViewName};
use fs_offline::{OfflineStore, TableSchema};
use futures::{Stream, StreamExt};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::record::columns;
use crate::spine::CheckedSpine;
use crate::view_join::{JoinedView, ViewJoin};
use crate::workers::Workers;
use crate::{Error, Record, Spine, TrainingQuery, Versions, versions};

/// How many histories are streamed at once.
const VIEWS_AT_ONCE: usize = 4;
/// The most rows of one batch of a training set.
const BATCH_ROWS: usize = 8192;
/// How many batches may wait for whoever takes them.
const BATCHES_AHEAD: usize = 2;

/// Makes training sets from the offline tables of a project.
///
/// It has threads of its own, so that joining never holds up the runtime that asks for it.
#[derive(Debug, Clone)]
pub struct TrainingSets {
    pub(crate) offline: Arc<OfflineStore>,
    pub(crate) workers: Workers,
}

/// The rows of a spine with their features: columns, a report, and a stream of batches.
#[derive(Debug)]
pub struct TrainingSet {
    schema: SchemaRef,
    record: Option<Record>,
    views: Vec<ViewReport>,
    rows: usize,
    taken: usize,
    batches: mpsc::Receiver<Result<RecordBatch, Error>>,
    /// Stops the work when the set is dropped.
    _tasks: JoinSet<()>,
    /// Keeps the threads running until the set is dropped; none where a server joins.
    _workers: Option<Workers>,
}

/// What one view gave to a training set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewReport {
    /// The view.
    pub view: ViewName,
    /// The name that it goes by in the request.
    pub label: ViewName,
    /// The version of its offline table.
    pub table_version: i64,
    /// Rows of the history that were read.
    pub rows_read: u64,
    /// Rows of the spine that found a row of the history.
    pub rows_matched: u64,
}

/// Everything found, before it is put together.
struct Joined {
    schema: SchemaRef,
    record: Record,
    spine: Arc<CheckedSpine>,
    views: Vec<JoinedView>,
    /// For each feature column: which view, and which of the features gathered from it.
    columns: Vec<(usize, usize)>,
}

impl TrainingSets {
    /// Training sets from the tables of `offline`.
    pub fn new(offline: Arc<OfflineStore>) -> Result<Self, Error> {
        Ok(Self {
            offline,
            workers: Workers::start()?,
        })
    }

    /// Joins `spine` with the features that `query` asks for, as version `registry` of the
    /// definitions, which is `catalog`, has them.
    ///
    /// ```text
    ///   spine                               training set of weather:temp, ttl 3h
    ///   origin  event_timestamp      late   origin  event_timestamp      late   temp
    ///   EWR     2013-01-01 10:15     true   EWR     2013-01-01 10:15     true   39.0
    ///   null    2013-01-01 10:15     true   null    2013-01-01 10:15     true   null
    ///   EWR     2012-12-31 00:00     false  EWR     2012-12-31 00:00     false  null
    /// ```
    ///
    /// Every row of the spine comes back once, in order, its columns as they were; the features
    /// follow in the order asked for. The tables are read at the versions that are `pinned`, or at
    /// their newest; either way [`TrainingSet::record`] tells them. Anything wrong with the
    /// spine or the request is found before a table is read; the tables are read before this
    /// returns, and the batches are put together as they are taken.
    pub async fn get(
        &self,
        catalog: &Catalog,
        registry: u64,
        query: &TrainingQuery,
        spine: Spine,
        pinned: Option<&Versions>,
    ) -> Result<TrainingSet, Error> {
        let features = FeatureSet::resolve(catalog, &query.request, query.naming)?;
        let (mut joins, columns) = plan(catalog, &features);
        let offline = Arc::clone(&self.offline);
        let (project, query) = (catalog.project.clone(), query.clone());
        let pinned = pinned.cloned();
        let mut tasks = JoinSet::new();
        self.workers.spawn(&mut tasks, async move {
            let spine = spine
                .check(&features, query.timestamp_field.as_deref())
                .await?;
            let spine = Arc::new(spine);
            let versions = versions::choose(&offline, &features, registry, pinned.as_ref()).await?;
            for join in &mut joins {
                join.version = versions.of(&join.selection.view.name);
            }
            let record = Record::new(&project, &query, &features, versions, &spine.schema);
            Ok::<_, Error>(Joined {
                schema: record.on(&spine.output_schema(&features)),
                record,
                views: join_all(&offline, &spine, joins).await?,
                spine,
                columns,
            })
        });
        let joined = match tasks.join_next().await {
            Some(Ok(joined)) => joined?,
            _ => return Err(Error::Interrupted),
        };

        let (sender, batches) = mpsc::channel(BATCHES_AHEAD);
        let schema = Arc::clone(&joined.schema);
        let views = joined
            .views
            .iter()
            .map(|view| view.report.clone())
            .collect();
        let rows = joined.spine.rows;
        let record = Some(joined.record.clone());
        let mut tasks = JoinSet::new();
        self.workers.spawn(&mut tasks, joined.send(sender));
        Ok(TrainingSet {
            schema,
            record,
            views,
            rows,
            taken: 0,
            batches,
            _tasks: tasks,
            _workers: Some(self.workers.clone()),
        })
    }
}

impl TrainingSets {
    /// The columns of the training set that [`get`](Self::get) would make now of rows with the
    /// columns of `spine`, and the record with its versions, which can be pinned.
    pub async fn describe(
        &self,
        catalog: &Catalog,
        registry: u64,
        query: &TrainingQuery,
        spine: &Schema,
        pinned: Option<&Versions>,
    ) -> Result<(SchemaRef, Record), Error> {
        let features = FeatureSet::resolve(catalog, &query.request, query.naming)?;
        let versions = versions::choose(&self.offline, &features, registry, pinned).await?;
        let record = Record::new(&catalog.project, query, &features, versions, spine);
        Ok((record.on(&columns(spine, &features)), record))
    }
}

/// What to join, and where in it each feature column is found.
fn plan(catalog: &Catalog, features: &FeatureSet) -> (Vec<ViewJoin>, Vec<(usize, usize)>) {
    let mut wanted: Vec<Vec<usize>> = vec![Vec::new(); features.views.len()];
    let mut columns = Vec::with_capacity(features.columns.len());
    for column in &features.columns {
        let features = &mut wanted[column.view];
        let known = features.iter().position(|known| *known == column.feature);
        let position = known.unwrap_or_else(|| {
            features.push(column.feature);
            features.len() - 1
        });
        columns.push((column.view, position));
    }
    let joins = features
        .views
        .iter()
        .zip(wanted)
        .map(|(selection, features)| ViewJoin {
            selection: selection.clone(),
            table: TableSchema::of(catalog, &selection.view),
            version: None,
            features,
        });
    (joins.collect(), columns)
}

/// Runs the joins, a few at a time; the results are in the order of `joins`.
async fn join_all(
    offline: &Arc<OfflineStore>,
    spine: &Arc<CheckedSpine>,
    joins: Vec<ViewJoin>,
) -> Result<Vec<JoinedView>, Error> {
    let mut joined: Vec<Option<JoinedView>> = joins.iter().map(|_| None).collect();
    let mut waiting = joins.into_iter().enumerate();
    let mut running = JoinSet::new();
    loop {
        while running.len() < VIEWS_AT_ONCE
            && let Some((at, join)) = waiting.next()
        {
            let (offline, spine) = (Arc::clone(offline), Arc::clone(spine));
            running.spawn(async move { (at, join.run(&offline, &spine).await) });
        }
        match running.join_next().await {
            Some(Ok((at, view))) => joined[at] = Some(view?),
            Some(Err(_stopped)) => return Err(Error::Interrupted),
            None => {
                return joined
                    .into_iter()
                    .collect::<Option<_>>()
                    .ok_or(Error::Interrupted);
            }
        }
    }
}

impl Joined {
    /// Puts batches together until the end, an error, or until nobody takes them any more.
    async fn send(self, sender: mpsc::Sender<Result<RecordBatch, Error>>) {
        let mut start = 0;
        for batch in &self.spine.batches {
            let mut offset = 0;
            while offset < batch.num_rows() {
                let rows = BATCH_ROWS.min(batch.num_rows() - offset);
                let assembled = self.assemble(&batch.slice(offset, rows), start);
                let failed = assembled.is_err();
                if sender.send(assembled).await.is_err() || failed {
                    return;
                }
                offset += rows;
                start += rows;
            }
        }
    }

    /// The spine rows of `spine`, which start at `start`, and their features.
    fn assemble(&self, spine: &RecordBatch, start: usize) -> Result<RecordBatch, Error> {
        let gathered: Vec<RecordBatch> = self
            .views
            .iter()
            .map(|view| view.gather(start..start + spine.num_rows()))
            .collect::<Result<_, _>>()?;
        let columns = self.columns.iter();
        let features = columns.map(|(view, feature)| Arc::clone(gathered[*view].column(*feature)));
        let columns: Vec<ArrayRef> = spine.columns().iter().cloned().chain(features).collect();
        Ok(RecordBatch::try_new(Arc::clone(&self.schema), columns)?)
    }
}

impl TrainingSet {
    /// A training set that a server made of a spine of `rows` rows, and that comes as a stream.
    ///
    /// Fewer rows than that are [`Error::Interrupted`]. The views are for the server to tell.
    pub fn received<S, E>(schema: SchemaRef, rows: usize, stream: S) -> Self
    where
        S: Stream<Item = Result<RecordBatch, E>> + Send + 'static,
        E: Into<Box<dyn std::error::Error + Send + Sync>> + Send + 'static,
    {
        let (sender, batches) = mpsc::channel(BATCHES_AHEAD);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut stream = pin!(stream);
            while let Some(batch) = stream.next().await {
                let batch = batch.map_err(|error| Error::Received(error.into()));
                let failed = batch.is_err();
                if sender.send(batch).await.is_err() || failed {
                    return;
                }
            }
        });
        Self {
            record: Record::of_schema(&schema).ok().flatten(),
            schema,
            views: Vec::new(),
            rows,
            taken: 0,
            batches,
            _tasks: tasks,
            _workers: None,
        }
    }

    /// The columns: those of the spine as they were, then the features.
    pub const fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// What it was made of; none where a server made it that tells nothing of it.
    pub const fn record(&self) -> Option<&Record> {
        self.record.as_ref()
    }

    /// What each view gave.
    pub fn views(&self) -> &[ViewReport] {
        &self.views
    }

    /// The number of rows: those of the spine.
    pub const fn rows(&self) -> usize {
        self.rows
    }

    /// The next batch; `None` after the last.
    pub async fn next(&mut self) -> Option<Result<RecordBatch, Error>> {
        let batch = self.batches.recv().await;
        self.counted(batch)
    }

    /// The next batch, for threads that may block.
    pub(crate) fn next_blocking(&mut self) -> Option<Result<RecordBatch, Error>> {
        let batch = self.batches.blocking_recv();
        self.counted(batch)
    }

    /// The batches as a stream, which ends with its first error.
    pub fn into_stream(self) -> impl Stream<Item = Result<RecordBatch, Error>> + Send + 'static {
        futures::stream::unfold(self, |mut set| async move {
            let batch = set.next().await?;
            Some((batch, set))
        })
    }

    /// All batches at once.
    pub async fn collect(mut self) -> Result<Vec<RecordBatch>, Error> {
        let mut batches = Vec::new();
        while let Some(batch) = self.next().await {
            batches.push(batch?);
        }
        Ok(batches)
    }

    /// An end that comes too early is an error, never a shorter training set.
    fn counted(
        &mut self,
        batch: Option<Result<RecordBatch, Error>>,
    ) -> Option<Result<RecordBatch, Error>> {
        match &batch {
            Some(Ok(rows)) => self.taken += rows.num_rows(),
            // The error itself is what is missing.
            Some(Err(_)) => self.taken = self.rows,
            None if self.taken < self.rows => {
                self.taken = self.rows;
                return Some(Err(Error::Interrupted));
            }
            None => {}
        }
        batch
    }
}

#[cfg(test)]
mod tests;
