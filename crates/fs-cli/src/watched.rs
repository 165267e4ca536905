//! How far views have come, for the metrics of a process that serves no features.

use std::sync::Arc;
use std::time::Duration;

use fs_core::Clock;
use fs_materialize::ViewMetrics;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

use crate::failure::Failure;
use crate::project::Project;
use crate::wall_clock;

/// How often the stores are asked.
const EVERY: Duration = Duration::from_mins(1);

/// How far the views of a project have come, asked for again and again until this is dropped.
#[derive(Debug)]
pub(crate) struct Watched {
    views: Arc<ViewMetrics>,
    clock: Arc<dyn Clock>,
    asking: JoinHandle<()>,
}

impl Watched {
    /// Asks from here on, whatever version is applied.
    pub(crate) fn start(project: &Project) -> Result<Self, Failure> {
        let views = Arc::new(ViewMetrics::default());
        let clock = wall_clock::clock(None);
        let materializer = project.materializer(Arc::clone(&clock))?;
        let registry = project.registry()?;
        let asked = Arc::clone(&views);
        let asking = tokio::spawn(async move {
            let mut ticks = interval(EVERY);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                // A registry that is away is told of by whoever schedules.
                if let Ok(Some(version)) = registry.current().await {
                    materializer.measure(&asked, &version.catalog).await;
                }
            }
        });
        Ok(Self {
            views,
            clock,
            asking,
        })
    }

    /// Sets the metrics, as of now.
    pub(crate) fn show(&self) {
        self.views.show(self.clock.now());
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.asking.abort();
    }
}
