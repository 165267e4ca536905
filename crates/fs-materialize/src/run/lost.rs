//! Taking over from a run that did not end.

use fs_core::{EventTime, FeatureView, Fence};
use fs_offline::{RunRecord, RunStatus, TableSchema};
use fs_registry::HolderInfo;

use super::{Run, summary};
use crate::{Asked, Error, telemetry};

impl Run<'_> {
    /// Where the holder before did not give the lease back: lets the offline table refuse what it may
    /// still write, and records what became of its run.
    ///
    /// The online store is made to refuse it when this run publishes; until then it could only write
    /// rows of the table, newest wins.
    pub(super) async fn take_over(&self) -> Result<(), Error> {
        let Some(dead) = self.lease.predecessor() else {
            return Ok(());
        };
        let schema = TableSchema::of(self.catalog, self.view);
        let raised = self.stores.offline.raise_fence(&schema, self.fence());
        raised.await.map_err(|source| self.offline_error(source))?;
        let its_fence = Fence::new(self.first_fence.number().saturating_sub(1));
        // It may have died after it was done and had said so.
        if self.is_recorded(its_fence).await? {
            return Ok(());
        }
        let record = lost(self.view, dead, its_fence, self.stores.clock.now());
        tracing::warn!(view = %self.view.name, run = record.id, holder = dead.name, "took over from a run that did not end");
        telemetry::run_ended(&record);
        let recorded = self.stores.offline.append_run(&record).await;
        recorded.map_err(|source| self.offline_error(source))
    }
}

/// What is known of a run that did not end, from what it said when it took the lease.
fn lost(view: &FeatureView, dead: &HolderInfo, fence: Fence, now: EventTime) -> RunRecord {
    let asked = dead.what.parse().unwrap_or(Asked::up_to(dead.since));
    let mut record = summary::blank(view, &asked, dead.since);
    record.id = super::id(dead.since, view, fence);
    record.fence = Some(fence);
    record.finished = now.max(dead.since);
    record.status = RunStatus::Lost;
    record.message = Some(format!(
        "{} did not come to its end: the process died, or could not renew its lease; the next run \
         took over",
        dead.name
    ));
    record
}
