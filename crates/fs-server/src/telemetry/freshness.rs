//! How old what is online is, and how far readers are behind, by view.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fs_core::{Catalog, EventTime, ViewName};
use fs_materialize::ViewMetrics;
use fs_online::{OnlineStore, ViewId};
use futures::StreamExt;
use metrics::gauge;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;

use crate::shared::Shared;

/// How often the online store is asked how far its views have come.
const EVERY: Duration = Duration::from_secs(15);

/// How many times that passes between two looks at the tables, which take longer.
const TABLES_EVERY: u32 = 4;

/// How long it may take to say so, for all of them together.
const PATIENCE: Duration = Duration::from_secs(5);

/// Views that are asked for at the same time.
const AT_ONCE: usize = 8;

const FRESHNESS: &str = "fs_server_view_freshness_seconds";

/// The instants as of which views are published, as far as is known.
///
/// A view that never was has none. While the store is away the last ones stay, and grow old. A view
/// that is gone is shown as `NaN`, because a metric cannot be taken back.
#[derive(Debug, Default)]
pub(crate) struct Freshness {
    published: Mutex<BTreeMap<ViewName, Option<EventTime>>>,
    /// What tables, runs and publications say together.
    views: Arc<ViewMetrics>,
}

impl Freshness {
    /// Asks until `stop`, and once at the beginning.
    pub(crate) async fn follow(shared: Arc<Shared>, stop: CancellationToken) {
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut looking: Option<JoinHandle<()>> = None;
        let work = async {
            for tick in (0..TABLES_EVERY).cycle() {
                ticks.tick().await;
                let Ok(snapshot) = shared.live.snapshot() else {
                    continue;
                };
                let done = looking.as_ref().is_none_or(JoinHandle::is_finished);
                if tick == 0 && done {
                    let views = Arc::clone(&shared.freshness.views);
                    looking = shared.jobs.measure(views, snapshot.catalog.clone());
                }
                let store = shared.serving.store().as_ref();
                shared.freshness.ask(store, &snapshot.catalog).await;
            }
        };
        stop.run_until_cancelled(work).await;
        // What reads tables does not bear to be broken off; it is soon over.
        if let Some(looking) = looking
            && timeout(PATIENCE, looking).await.is_err()
        {
            tracing::debug!("the tables do not say how far their views have come");
        }
    }

    /// Learns how far the store has come with the online views of `catalog`.
    pub(crate) async fn ask(&self, store: &dyn OnlineStore, catalog: &Catalog) {
        let views = catalog.feature_views.values().filter(|view| view.online);
        let names: Vec<ViewName> = views.map(|view| view.name.clone()).collect();
        self.forget_all_but(&names);
        let asked = futures::stream::iter(names).for_each_concurrent(AT_ONCE, async |name| {
            let view = ViewId::new(catalog.project.clone(), name);
            // A store that does not answer is told of elsewhere, by whoever needs it.
            if let Ok(Some(published)) = store.published(&view).await {
                self.published()
                    .insert(view.view.clone(), Some(published.as_of));
            }
        });
        if timeout(PATIENCE, asked).await.is_err() {
            tracing::debug!("the online store does not say how far its views have come");
        }
    }

    /// Sets the metrics, as of `now`.
    pub(crate) fn show(&self, now: EventTime) {
        for (view, as_of) in self.published().iter() {
            let age = as_of.map_or(f64::NAN, |as_of| seconds_between(as_of, now));
            gauge!(FRESHNESS, "view" => view.to_string()).set(age);
        }
        self.views.show(now);
    }

    fn forget_all_but(&self, names: &[ViewName]) {
        for (view, as_of) in self.published().iter_mut() {
            if !names.contains(view) {
                *as_of = None;
            }
        }
    }

    fn published(&self) -> std::sync::MutexGuard<'_, BTreeMap<ViewName, Option<EventTime>>> {
        self.published
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "ages stay far below 2^52 microseconds"
)]
fn seconds_between(earlier: EventTime, later: EventTime) -> f64 {
    later.as_micros().saturating_sub(earlier.as_micros()) as f64 / 1e6
}
