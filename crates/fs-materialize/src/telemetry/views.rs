//! How far views have come, asked for now and then.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use fs_core::{Catalog, EventTime, FeatureView, Span, ViewName};
use fs_offline::{OfflineStore, RunStatus};
use fs_online::OnlineStore;
use futures::StreamExt;
use metrics::gauge;

use super::{LAST_SUCCESS, seconds};
use crate::{Freshness, Materializer};

/// Views that are asked for at the same time.
const AT_ONCE: usize = 4;

/// How many of the newest runs are looked through for those that succeeded.
const RECENT_RUNS: usize = 200;

/// How far the views of a project have come, as far as is known.
///
/// [`ask`](Self::ask) now and then, [`show`](Self::show) whenever metrics are read: ages grow between two
/// answers of the stores. While a store is away, what it said last stays, and grows old.
#[derive(Debug, Default)]
pub struct ViewMetrics(Mutex<BTreeMap<ViewName, Known>>);

#[derive(Debug, Clone, Default)]
struct Known {
    /// `None` for a view that is gone.
    freshness: Option<Freshness>,
    last_success: Option<EventTime>,
    /// The metrics that were shown.
    shown: BTreeSet<&'static str>,
}

impl ViewMetrics {
    /// Asks the stores how far the views of `catalog` have come.
    ///
    /// Reads the log of every table, and decodes as much as it must: not for a thread that has to answer
    /// within microseconds.
    pub async fn ask(&self, offline: &OfflineStore, online: &dyn OnlineStore, catalog: &Catalog) {
        self.forget_all_but(catalog);
        let views = futures::stream::iter(catalog.feature_views.values());
        let asked =
            views.for_each_concurrent(AT_ONCE, |view| self.ask_for(offline, online, catalog, view));
        asked.await;
        match offline.list_runs(None, RECENT_RUNS).await {
            Ok(runs) => {
                let mut known = self.known();
                for run in runs.iter().filter(|run| run.status == RunStatus::Ok) {
                    if let Some(view) = known.get_mut(&run.view) {
                        view.last_success = view.last_success.max(Some(run.finished));
                    }
                }
            }
            Err(error) => {
                let error = fs_core::code::report(&error);
                tracing::debug!(error, "the runs cannot be read");
            }
        }
    }

    async fn ask_for(
        &self,
        offline: &OfflineStore,
        online: &dyn OnlineStore,
        catalog: &Catalog,
        view: &FeatureView,
    ) {
        match Freshness::of(offline, online, catalog, view).await {
            Ok(freshness) => {
                let mut known = self.known();
                known.entry(view.name.clone()).or_default().freshness = Some(freshness);
            }
            Err(error) => {
                let error = fs_core::code::report(&error);
                tracing::debug!(view = %view.name, error, "nobody says how far the view has come");
            }
        }
    }

    /// Sets the metrics, as of `now`.
    pub fn show(&self, now: EventTime) {
        for (view, known) in self.known().iter_mut() {
            for (metric, value) in known.metrics(now) {
                // What was never shown need not be taken back.
                if value.is_some() || known.shown.contains(metric) {
                    gauge!(metric, "view" => view.to_string()).set(value.unwrap_or(f64::NAN));
                    known.shown.insert(metric);
                }
            }
        }
    }

    fn forget_all_but(&self, catalog: &Catalog) {
        for (view, known) in self.known().iter_mut() {
            if !catalog.feature_views.contains_key(view) {
                (known.freshness, known.last_success) = (None, None);
            }
        }
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<ViewName, Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Materializer {
    /// Asks the stores of this materializer how far the views of `catalog` have come.
    pub async fn measure(&self, metrics: &ViewMetrics, catalog: &Catalog) {
        metrics
            .ask(&self.offline, self.online.as_ref(), catalog)
            .await;
    }
}

impl Known {
    fn metrics(&self, now: EventTime) -> [(&'static str, Option<f64>); 4] {
        let of = |span: Option<Span>| span.map(|span| seconds(span.as_micros()));
        let freshness = self.freshness.as_ref();
        let age = freshness.and_then(|freshness| freshness.age(now));
        let objective = freshness.and_then(|freshness| freshness.objective);
        let met = freshness.and_then(|freshness| freshness.is_met(now));
        let success = self.last_success.map(|at| seconds(at.as_micros()));
        [
            ("fs_view_lag_seconds", of(age)),
            ("fs_view_freshness_objective_seconds", of(objective)),
            ("fs_view_fresh", met.map(|met| f64::from(u8::from(met)))),
            (LAST_SUCCESS, success),
        ]
    }
}
