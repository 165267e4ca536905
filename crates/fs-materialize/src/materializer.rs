//! [`Materializer`]: runs, one view after the other, each under the lease of its view and recorded.

use std::sync::Arc;

use fs_core::suggest::did_you_mean;
use fs_core::{Catalog, Clock, EventTime, FeatureName, FeatureView, TimeRange, ViewName};
use fs_engine::Engine;
use fs_offline::{OfflineStore, RunTrigger};
use fs_online::OnlineStore;
use fs_registry::{HolderInfo, Lease, Leases};
use futures::future::BoxFuture;

use crate::publish::{Publication, Publisher};
use crate::run::{self, Run, RunSummary};
use crate::{Asked, Error, Options, Progress};

/// Which views a run is for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Views {
    /// All of the catalog, by name.
    #[default]
    All,
    /// These, in this order.
    Only(Vec<ViewName>),
}

/// Brings rows from sources to the offline store, and from there to the online store.
#[derive(Debug, Clone)]
pub struct Materializer {
    pub(crate) engine: Arc<Engine>,
    pub(crate) offline: Arc<OfflineStore>,
    pub(crate) online: Arc<dyn OnlineStore>,
    pub(crate) leases: Leases,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) options: Options,
    trigger: RunTrigger,
}

impl Materializer {
    /// Between these stores, with this clock; one run of a view at a time, by these leases.
    pub fn new(
        engine: Arc<Engine>,
        offline: Arc<OfflineStore>,
        online: Arc<dyn OnlineStore>,
        leases: Leases,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            engine,
            offline,
            online,
            leases,
            clock,
            options: Options::default(),
            trigger: RunTrigger::Command,
        }
    }

    /// The same, with other options.
    #[must_use]
    pub const fn with_options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }

    /// The same, whose runs are recorded as asked for by somebody else than a command.
    #[must_use]
    pub const fn triggered_by(mut self, trigger: RunTrigger) -> Self {
        self.trigger = trigger;
        self
    }

    /// Replaces the rows of `range` in the offline tables of `views`, and publishes what changed.
    ///
    /// Running it twice, or killing it anywhere and running it again, leaves what running it once
    /// leaves. Waits for whoever else materializes a view. A view that fails does not keep the others
    /// from running; [`Error::Failed`] says then what became of each.
    pub async fn materialize(
        &self,
        catalog: &Catalog,
        views: &Views,
        range: &TimeRange,
        progress: Arc<dyn Progress>,
    ) -> Result<Vec<RunSummary>, Error> {
        let views = chosen(catalog, views)?;
        self.run(catalog, views, Asked::range(*range), progress)
            .await
    }

    /// Brings `views` up to `end`, or up to now: what is new since the watermark, and what came
    /// late. Publishes what is not published, also when nothing is new.
    pub async fn materialize_incremental(
        &self,
        catalog: &Catalog,
        views: &Views,
        end: Option<EventTime>,
        progress: Arc<dyn Progress>,
    ) -> Result<Vec<RunSummary>, Error> {
        let now = self.clock.now();
        let end = end.unwrap_or(now);
        if end > now {
            return Err(Error::EndInFuture { end, now });
        }
        let views = chosen(catalog, views)?;
        self.run(catalog, views, Asked::up_to(end), progress).await
    }

    /// Fills features of `views` that were added after rows were written, from the source, and
    /// publishes them: those named, or all that lack values. Rows and other columns stay as they are.
    /// Of a windowed view these are the columns that its aggregations read.
    pub async fn backfill(
        &self,
        catalog: &Catalog,
        views: &Views,
        features: Vec<FeatureName>,
        progress: Arc<dyn Progress>,
    ) -> Result<Vec<RunSummary>, Error> {
        let views = chosen(catalog, views)?;
        let has = |view: &FeatureView, name: &FeatureName| {
            let mut stored = view.stored().iter();
            stored.any(|feature| feature.name == *name)
        };
        let unknown = |name: &&FeatureName| !views.iter().any(|view| has(view, name));
        if let Some(feature) = features.iter().find(unknown) {
            let names = views.iter().flat_map(|view| view.stored());
            let names = names.map(|feature| feature.name.as_str());
            return Err(Error::UnknownFeature {
                feature: feature.clone(),
                nearest: did_you_mean(feature.as_str(), names).map(str::to_owned),
            });
        }
        let mut concerned = views;
        concerned.retain(|view| features.is_empty() || features.iter().any(|name| has(view, name)));
        let asked = Asked::backfill(features);
        self.run(catalog, concerned, asked, progress).await
    }

    /// Does what is asked for one view, for somebody who holds its lease and releases it afterwards.
    ///
    /// What it did is recorded and told, also where it failed: the error comes beside.
    pub async fn run_leased(
        &self,
        lease: &Lease,
        catalog: &Catalog,
        view: &FeatureView,
        asked: &Asked,
        progress: &Arc<dyn Progress>,
    ) -> (RunSummary, Option<Error>) {
        let started = self.clock.now();
        let run = Run {
            id: run::id(started, view, lease.fence()),
            stores: self,
            lease,
            catalog,
            view,
            asked,
            progress,
            started,
            first_fence: lease.fence(),
        };
        // The future is large, and its bounds are told to the compiler here, once.
        let running: BoxFuture<'_, _> = Box::pin(run.run());
        running.await
    }

    /// Makes the online store equal to what the offline table of `view` has now, whatever was
    /// published before: after its TTL rules, its delay or its store changed. Does nothing for a view
    /// that is not online or was never materialized.
    pub async fn republish(
        &self,
        catalog: &Catalog,
        view: &ViewName,
        progress: Arc<dyn Progress>,
    ) -> Result<Option<Publication>, Error> {
        let view = find(catalog, view)?;
        if !view.online {
            return Ok(None);
        }
        let lease = self.lease(view, "publish everything", &progress).await?;
        let publisher = self.publisher(catalog, view, &lease, &progress);
        let done = publisher.everything().await;
        self.release(view, lease).await;
        done
    }

    async fn run(
        &self,
        catalog: &Catalog,
        views: Vec<&FeatureView>,
        asked: Asked,
        progress: Arc<dyn Progress>,
    ) -> Result<Vec<RunSummary>, Error> {
        let asked = asked.by(self.trigger);
        let mut runs = Vec::new();
        let mut failures = Vec::new();
        for view in views {
            let (run, failure) = self.run_view(catalog, view, &asked, &progress).await;
            failures.extend(failure.map(|error| (view.name.clone(), error)));
            runs.push(run);
        }
        let failed = failures.iter().map(|(view, _)| view.clone()).collect();
        match failures.into_iter().next() {
            None => Ok(runs),
            Some((_, first)) => Err(Error::Failed {
                runs,
                failed,
                source: Box::new(first),
            }),
        }
    }

    /// A run that gets no lease did not begin: it is told, and not recorded.
    async fn run_view(
        &self,
        catalog: &Catalog,
        view: &FeatureView,
        asked: &Asked,
        progress: &Arc<dyn Progress>,
    ) -> (RunSummary, Option<Error>) {
        let started = self.clock.now();
        let lease = match self.lease(view, &asked.to_string(), progress).await {
            Ok(lease) => lease,
            Err(error) => {
                let now = self.clock.now();
                let summary = RunSummary::never_begun(view, asked, started, now, &error);
                return (summary, Some(error));
            }
        };
        let done = self
            .run_leased(&lease, catalog, view, asked, progress)
            .await;
        self.release(view, lease).await;
        done
    }

    async fn lease(
        &self,
        view: &FeatureView,
        what: &str,
        progress: &Arc<dyn Progress>,
    ) -> Result<Lease, Error> {
        let name = &view.name;
        let waiting = |holder: &HolderInfo| {
            let (who, what) = (&holder.name, &holder.what);
            let note = format!("waiting for {who}, which is doing: {what}");
            progress.note(name, &note);
        };
        let wait = self.options.wait;
        let lease: BoxFuture<'_, _> = Box::pin(self.leases.acquire(name, what, wait, waiting));
        lease.await.map_err(|source| Error::Lease {
            view: name.clone(),
            source: Box::new(source),
        })
    }

    /// The work is done, whatever becomes of the lease: one that cannot be given back runs out.
    async fn release(&self, view: &FeatureView, lease: Lease) {
        if let Err(error) = lease.release().await {
            let error = fs_core::code::report(&error);
            tracing::warn!(view = %view.name, error, "the lease could not be given back; it runs out");
        }
    }

    pub(crate) fn publisher<'a>(
        &'a self,
        catalog: &'a Catalog,
        view: &'a FeatureView,
        lease: &Lease,
        progress: &'a Arc<dyn Progress>,
    ) -> Publisher<'a> {
        let now = self.clock.now();
        Publisher::new(&self.offline, self.online.as_ref(), catalog, view, now)
            .forgetting(self.clock.is_real())
            .fenced(Some(lease.fence()))
            .with_options(self.options)
            .with_progress(progress.as_ref())
    }
}

fn chosen<'a>(catalog: &'a Catalog, views: &Views) -> Result<Vec<&'a FeatureView>, Error> {
    match views {
        Views::All => Ok(catalog.feature_views.values().collect()),
        Views::Only(names) => names.iter().map(|name| find(catalog, name)).collect(),
    }
}

pub(crate) fn find<'a>(catalog: &'a Catalog, name: &ViewName) -> Result<&'a FeatureView, Error> {
    catalog.feature_views.get(name).ok_or_else(|| {
        let names = catalog.feature_views.keys().map(ViewName::as_str);
        Error::UnknownView {
            view: name.clone(),
            nearest: did_you_mean(name.as_str(), names).map(str::to_owned),
        }
    })
}
