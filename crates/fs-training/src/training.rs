//! Joining a spine with the features asked for.

mod explain;
mod set;
mod split;

use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::session_state::SessionState;
use fs_core::{Catalog, FeatureSet};
use fs_offline::OfflineStore;
use futures::StreamExt;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::plan::{Histories, Planned};
use crate::record::columns;
use crate::session::session;
use crate::workers::Workers;
use crate::{Error, Record, Spine, TrainingOptions, TrainingQuery, Versions, versions};

pub use explain::Plan;
pub use set::{TrainingSet, ViewReport};

/// How many batches may wait for whoever takes them.
const BATCHES_AHEAD: usize = 2;

/// Makes training sets from the offline tables of a project.
///
/// It has threads of its own, so that joining never holds up the runtime that asks for it.
#[derive(Debug, Clone)]
pub struct TrainingSets {
    pub(crate) offline: Arc<OfflineStore>,
    pub(crate) workers: Workers,
    session: Arc<SessionState>,
}

/// A training set whose first rows are there.
struct Started {
    schema: SchemaRef,
    record: Record,
    planned: Planned,
    first: Option<RecordBatch>,
    rest: SendableRecordBatchStream,
}

impl TrainingSets {
    /// Training sets from the tables of `offline`.
    pub fn new(offline: Arc<OfflineStore>, options: TrainingOptions) -> Result<Self, Error> {
        Ok(Self {
            offline,
            workers: Workers::start()?,
            session: Arc::new(session(options)?),
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
        let (sets, catalog, query) = (self.clone(), catalog.clone(), query.clone());
        let pinned = pinned.cloned();
        let mut tasks = JoinSet::new();
        self.workers.spawn(&mut tasks, async move {
            let timestamp_field = query.timestamp_field.as_deref();
            let spine = spine.open(&features, timestamp_field).await?;
            let (offline, pinned) = (&sets.offline, pinned.as_ref());
            let versions = versions::choose(offline, &features, registry, pinned, spine.tables());
            let versions = versions.await?;
            let histories = Histories::open(&sets.offline, &catalog, &features, &versions).await?;
            let own = Arc::clone(spine.spine_schema());
            let record = Record::new(&catalog.project, &query, &features, versions, &own);
            let schema = record.on(&columns(&own, &features));
            let planned = Planned::new(&sets.session, spine, &features, &histories).await?;
            Started::new(schema, record, planned, &sets.session).await
        });
        match tasks.join_next().await {
            Some(Ok(started)) => Ok(self.send(started?)),
            _ => Err(Error::Interrupted),
        }
    }

    /// The columns of the training set that [`get`](Self::get) would make now of `spine`, and the
    /// record with its versions, which can be pinned. Reads no rows.
    pub async fn describe(
        &self,
        catalog: &Catalog,
        registry: u64,
        query: &TrainingQuery,
        spine: Spine,
        pinned: Option<&Versions>,
    ) -> Result<(SchemaRef, Record), Error> {
        let features = FeatureSet::resolve(catalog, &query.request, query.naming)?;
        let timestamp_field = query.timestamp_field.as_deref();
        let spine = spine.open(&features, timestamp_field).await?;
        let tables = spine.tables();
        let versions = versions::choose(&self.offline, &features, registry, pinned, tables).await?;
        let own = spine.spine_schema();
        let record = Record::new(&catalog.project, query, &features, versions, own);
        Ok((record.on(&columns(own, &features)), record))
    }

    fn send(&self, started: Started) -> TrainingSet {
        let (sender, batches) = mpsc::channel(BATCHES_AHEAD);
        let planned = &started.planned;
        let (rows, views) = (planned.rows(), planned.reports());
        let plan = Some(Plan(Arc::clone(&planned.plan)));
        let (schema, record) = (Arc::clone(&started.schema), started.record.clone());
        let mut tasks = JoinSet::new();
        self.workers.spawn(&mut tasks, started.send(sender));
        TrainingSet {
            schema,
            record: Some(record),
            views,
            plan,
            rows,
            taken: 0,
            batches,
            _tasks: tasks,
            _workers: Some(self.workers.clone()),
        }
    }
}

impl Started {
    /// Runs everything up to the first batch, by when the histories have been read.
    async fn new(
        schema: SchemaRef,
        record: Record,
        planned: Planned,
        session: &SessionState,
    ) -> Result<Self, Error> {
        let rows = planned.plan.execute(0, session.task_ctx());
        let mut rest = rows.map_err(Error::of_query)?;
        let first = rest.next().await.transpose().map_err(Error::of_query)?;
        Ok(Self {
            schema,
            record,
            planned,
            first,
            rest,
        })
    }

    /// Sends the batches until the end, an error, or until nobody takes them any more.
    async fn send(mut self, sender: mpsc::Sender<Result<RecordBatch, Error>>) {
        let mut next = self.first.take().map(Ok);
        while let Some(batch) = next {
            let batch = batch.map_err(Error::of_query);
            let batch = batch.and_then(|batch| named(batch, &self.schema));
            let failed = batch.is_err();
            if sender.send(batch).await.is_err() || failed {
                return;
            }
            next = self.rest.next().await;
        }
    }
}

/// The same columns under the schema that was announced, record included.
fn named(batch: RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, Error> {
    let rows = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    let (_, columns, _) = batch.into_parts();
    Ok(RecordBatch::try_new_with_options(
        Arc::clone(schema),
        columns,
        &rows,
    )?)
}

#[cfg(test)]
mod tests;
