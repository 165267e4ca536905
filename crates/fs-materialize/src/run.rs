//! One run of one view, under its lease: ingest, publish, record.
//!
//! The protocol, and what a crash leaves behind, is drawn in the documentation of the
//! [crate](crate#a-run).

mod lost;
mod outcome;
mod summary;

use std::sync::Arc;
use std::time::Duration;

use fs_core::{Catalog, EventTime, FeatureView, Fence};
use fs_offline::TableSchema;
use fs_registry::{Lease, Stopped};

use crate::ingest::Ingest;
use crate::{Asked, Error, Materializer, Phase, Progress, telemetry};

pub(crate) use outcome::Outcome;
pub use summary::RunSummary;

/// How long a run that is to stop may take to come to a place where it can, before it is dropped.
const GRACE: Duration = Duration::from_secs(5);

/// One run of one view.
pub(crate) struct Run<'a> {
    /// By which it is recorded, also if the lease outgrows what a store has seen.
    pub(crate) id: String,
    pub(crate) stores: &'a Materializer,
    pub(crate) lease: &'a Lease,
    pub(crate) catalog: &'a Catalog,
    pub(crate) view: &'a FeatureView,
    pub(crate) asked: &'a Asked,
    pub(crate) progress: &'a Arc<dyn Progress>,
    pub(crate) started: EventTime,
    /// The fence of the lease when the run began.
    pub(crate) first_fence: Fence,
}

/// The id of a run: when it started, the view, and the fence, which no two runs share.
///
/// `1356998400000000-weather-7`
pub(crate) fn id(started: EventTime, view: &FeatureView, fence: Fence) -> String {
    format!("{}-{}-{fence}", started.as_micros(), view.name)
}

impl Run<'_> {
    /// Does what is asked, and records what came of it.
    pub(crate) async fn run(&self) -> (RunSummary, Option<Error>) {
        let mut outcome = Outcome::default();
        let result = self.unless_fenced(&mut outcome).await;
        let finished = self.stores.clock.now();
        let summary = self.summary(finished, &outcome, result.as_ref().err());
        telemetry::run_ended(&summary.record);
        let recorded = self.record(&summary).await;
        let published = summary.record.published;
        self.progress
            .report(&self.view.name, Phase::Done, published);
        (summary, result.and(recorded).err())
    }

    /// A store that has seen a greater fence means that somebody has taken over; unless the registry
    /// says otherwise, because it was restored or made anew under stores that were not.
    async fn unless_fenced(&self, outcome: &mut Outcome) -> Result<(), Error> {
        let mut result = self.unless_stopped(outcome).await;
        if let Some(seen) = result.as_ref().err().and_then(Error::fenced_by) {
            result = match self.lease.outgrow(seen).await {
                Ok(_) => {
                    *outcome = Outcome::default();
                    self.unless_stopped(outcome).await
                }
                Err(fs_registry::Error::LeaseLost { .. }) => Err(self.stopped(Stopped::Lost)),
                Err(source) => Err(Error::Lease {
                    view: self.view.name.clone(),
                    source: Box::new(source),
                }),
            };
        }
        match self.lease.why_stopped() {
            // Whatever went wrong, the next holder may have been the cause.
            Some(Stopped::Lost) => result.map_err(|_consequence| self.stopped(Stopped::Lost)),
            _ => result,
        }
    }

    /// The work looks at the token of the lease wherever it waits for rows, and cleans up after itself;
    /// what waits for something else for long is dropped, which changes nothing either.
    async fn unless_stopped(&self, outcome: &mut Outcome) -> Result<(), Error> {
        let too_long = async {
            self.lease.stop().cancelled().await;
            tokio::time::sleep(GRACE).await;
        };
        tokio::select! {
            biased;
            done = self.work(outcome) => done,
            () = too_long => {
                Err(self.stopped(self.lease.why_stopped().unwrap_or(Stopped::Cancelled)))
            }
        }
    }

    async fn work(&self, outcome: &mut Outcome) -> Result<(), Error> {
        self.take_over().await?;
        let ingest = Ingest {
            run: self,
            schema: TableSchema::of(self.catalog, self.view),
            now: self.stores.clock.now(),
        };
        ingest.run(outcome).await?;
        self.ensure_not_stopped()?;
        if self.view.online {
            let publisher =
                self.stores
                    .publisher(self.catalog, self.view, self.lease, self.progress);
            outcome.published = publisher.changes().await?;
        }
        Ok(())
    }

    /// What to show with every write.
    pub(crate) fn fence(&self) -> Fence {
        self.lease.fence()
    }

    pub(crate) fn ensure_not_stopped(&self) -> Result<(), Error> {
        match self.lease.why_stopped() {
            None => Ok(()),
            Some(why) => Err(self.stopped(why)),
        }
    }

    pub(crate) fn stopped(&self, why: Stopped) -> Error {
        Error::Stopped {
            view: self.view.name.clone(),
            why,
        }
    }

    pub(crate) fn offline_error(&self, source: fs_offline::Error) -> Error {
        Error::Offline {
            view: self.view.name.clone(),
            source: Box::new(source),
        }
    }

    pub(crate) fn source_error(&self, source: fs_engine::Error) -> Error {
        Error::of_source(&self.view.name, source)
    }
}
