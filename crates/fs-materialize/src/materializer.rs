//! [`Materializer`]: runs, one view after the other, each recorded.

use std::sync::Arc;

use fs_core::code::report;
use fs_core::suggest::did_you_mean;
use fs_core::{Catalog, Clock, EventTime, FeatureView, TimeRange, ViewName};
use fs_engine::Engine;
use fs_offline::{OfflineStore, RunKind, RunRecord, RunStatus, RunTrigger};
use fs_online::OnlineStore;

use crate::ingest::{Asked, Done, Ingest};
use crate::publish::{Publication, Publisher};
use crate::run::{RunSummary, free_id};
use crate::{Error, Options, Phase, Progress};

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
    engine: Arc<Engine>,
    offline: Arc<OfflineStore>,
    online: Arc<dyn OnlineStore>,
    clock: Arc<dyn Clock>,
    options: Options,
}

/// What a run did to one view before it ended, well or not.
#[derive(Debug, Default)]
struct Outcome {
    done: Option<Done>,
    published: Option<Publication>,
}

impl Materializer {
    /// Between these stores, with this clock.
    pub fn new(
        engine: Arc<Engine>,
        offline: Arc<OfflineStore>,
        online: Arc<dyn OnlineStore>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            engine,
            offline,
            online,
            clock,
            options: Options::default(),
        }
    }

    /// The same, with other options.
    #[must_use]
    pub const fn with_options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }

    /// Replaces the rows of `range` in the offline tables of `views`, and publishes what changed.
    ///
    /// Running it twice, or killing it anywhere and running it again, leaves what running it once
    /// leaves. A view that fails does not keep the others from running; [`Error::Failed`] says then
    /// what became of each.
    pub async fn materialize(
        &self,
        catalog: &Catalog,
        views: &Views,
        range: &TimeRange,
        progress: Arc<dyn Progress>,
    ) -> Result<Vec<RunSummary>, Error> {
        self.run(catalog, views, Asked::Range(*range), progress)
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
        self.run(catalog, views, Asked::UpTo(end), progress).await
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
        self.publisher(catalog, view, &progress).everything().await
    }

    async fn run(
        &self,
        catalog: &Catalog,
        views: &Views,
        asked: Asked,
        progress: Arc<dyn Progress>,
    ) -> Result<Vec<RunSummary>, Error> {
        let views: Vec<&FeatureView> = match views {
            Views::All => catalog.feature_views.values().collect(),
            Views::Only(names) => names
                .iter()
                .map(|name| find(catalog, name))
                .collect::<Result<_, _>>()?,
        };
        let mut runs = Vec::new();
        let mut failures = Vec::new();
        for view in views {
            let (run, failure) = self.run_view(catalog, view, asked, &progress).await;
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

    async fn run_view(
        &self,
        catalog: &Catalog,
        view: &FeatureView,
        asked: Asked,
        progress: &Arc<dyn Progress>,
    ) -> (RunSummary, Option<Error>) {
        let started = self.clock.now();
        let mut outcome = Outcome::default();
        let result = self
            .bring_up_to_date(catalog, view, asked, progress, &mut outcome)
            .await;
        let mut summary = self.summary(view, asked, started, &outcome, result.as_ref().err());
        let recorded = self.record(view, &mut summary.record).await;
        progress.report(&view.name, Phase::Done, summary.record.published);
        (summary, result.and(recorded).err())
    }

    async fn bring_up_to_date(
        &self,
        catalog: &Catalog,
        view: &FeatureView,
        asked: Asked,
        progress: &Arc<dyn Progress>,
        outcome: &mut Outcome,
    ) -> Result<(), Error> {
        let ingest = Ingest {
            engine: &self.engine,
            offline: &self.offline,
            catalog,
            view,
            now: self.clock.now(),
            progress,
        };
        outcome.done = ingest.run(asked).await?;
        if view.online {
            outcome.published = self.publisher(catalog, view, progress).changes().await?;
        }
        Ok(())
    }

    fn publisher<'a>(
        &'a self,
        catalog: &'a Catalog,
        view: &'a FeatureView,
        progress: &'a Arc<dyn Progress>,
    ) -> Publisher<'a> {
        let now = self.clock.now();
        Publisher::new(&self.offline, self.online.as_ref(), catalog, view, now)
            .forgetting(self.clock.is_real())
            .with_options(self.options)
            .with_progress(progress.as_ref())
    }

    fn summary(
        &self,
        view: &FeatureView,
        asked: Asked,
        started: EventTime,
        outcome: &Outcome,
        failure: Option<&Error>,
    ) -> RunSummary {
        let (kind, range) = match asked {
            Asked::Range(range) => (RunKind::Materialize, range),
            Asked::UpTo(end) => (RunKind::Incremental, TimeRange::until(end)),
        };
        let range = outcome.done.map_or(range, |done| done.window.range);
        let gap = outcome.done.and_then(|done| done.window.gap);
        let note = || match (&outcome.done, gap) {
            (_, Some(gap)) => Some(format!(
                "the watermark stays at {}, because {gap} has not been materialized; an incremental \
                 run begins there",
                gap.start().unwrap_or(gap.end())
            )),
            (None, None) => Some("nothing new to read".to_owned()),
            (Some(_), None) => None,
        };
        let published = outcome.published.unwrap_or_default();
        let version = outcome.done.map(|done| done.ingested.version);
        let record = RunRecord {
            id: String::new(),
            view: view.name.clone(),
            kind,
            range_start: range.start(),
            range_end: range.end(),
            started,
            finished: self.clock.now(),
            rows_read: outcome.done.map_or(0, |done| done.rows_read),
            rows_written: outcome.done.map_or(0, |done| done.ingested.rows),
            rejected: 0,
            warned: 0,
            published: published.written,
            deleted: published.deleted,
            version_before: None,
            table_version: version.or(outcome.published.map(|published| published.version)),
            chunks: u64::from(version.is_some()),
            fence: None,
            trigger: RunTrigger::Command,
            attempt: 1,
            status: failure.map_or(RunStatus::Ok, |_| RunStatus::Failed),
            message: failure.map(|error| report(error)).or_else(note),
        };
        RunSummary { record, gap }
    }

    async fn record(&self, view: &FeatureView, record: &mut RunRecord) -> Result<(), Error> {
        let failed = |source| Error::Offline {
            view: view.name.clone(),
            source: Box::new(source),
        };
        let started = record.started.as_micros();
        // A run that cannot be recorded still has a name to be told by.
        record.id = format!("{started}-{}", view.name);
        record.id = free_id(&self.offline, started, &view.name)
            .await
            .map_err(failed)?;
        self.offline.append_run(record).await.map_err(failed)
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
