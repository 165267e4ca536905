//! One turn of one view: take the lease, look again, run, remember, release.
//!
//! The steps, and what a crash between them leaves, are in the documentation of the [crate].

use std::sync::Arc;
use std::time::Duration;

use fs_core::code::report;
use fs_core::{Catalog, EventTime};
use fs_registry::{Lease, Leases, Stopped};
use tokio_util::sync::CancellationToken;

use crate::backoff::may_pass;
use crate::board::Ready;
use crate::job::{Due, JobState, Patience};
use crate::runs::{Ran, Runs};
use crate::telemetry::{self, Told};
use crate::{Retries, Schedule};

/// How often it is tried to write down what came of a run, a second apart.
const NOTES: usize = 10;

/// What a turn needs.
#[derive(Debug, Clone)]
pub(crate) struct Turn {
    pub(crate) leases: Leases,
    pub(crate) runs: Arc<dyn Runs>,
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) schedule: Schedule,
    pub(crate) retries: Retries,
    pub(crate) patience: Patience,
    /// The process is going away, and does not wait any longer.
    pub(crate) cutoff: CancellationToken,
}

/// What a turn leaves.
#[derive(Debug)]
pub(crate) struct Left {
    /// What is remembered of the view, if that is known.
    pub(crate) state: Option<JobState>,
}

impl Turn {
    /// Runs the view, unless somebody else does or did.
    pub(crate) async fn take(self, ready: Ready) -> Left {
        let view = ready.view.clone();
        let state = match self.with_lease(ready).await {
            Ok(state) => state,
            Err(error) => {
                tracing::warn!(%view, error = report(&error), "a turn could not be taken");
                None
            }
        };
        Left { state }
    }

    async fn with_lease(&self, ready: Ready) -> Result<Option<JobState>, fs_registry::Error> {
        let what = self.runs.describe(ready.tick, ready.attempt);
        let Some(lease) = self.leases.try_acquire(&ready.view, &what).await? else {
            return Ok(None);
        };
        let state = match JobState::read(&lease.job()) {
            Ok(state) => state,
            Err(error) => {
                tracing::error!(view = %ready.view, error = report(&error), "a view cannot be scheduled");
                lease.release().await?;
                return Ok(None);
            }
        };
        // Somebody may have run it in between; and the lease has told us the store's time.
        let now = self.leases.agreed_now();
        let Due::Now { tick, attempt } = state.due(&self.schedule, now, self.patience) else {
            lease.release().await?;
            return Ok(Some(state));
        };
        let ready = Ready {
            tick,
            attempt,
            ..ready
        };
        let left = self.begin(&lease, state, &ready).await;
        // A lease that is lost need not be released; one that cannot be is taken over.
        if let Err(error) = lease.release().await {
            tracing::info!(view = %ready.view, error = report(&error), "a lease was not released");
        }
        left
    }

    async fn begin(
        &self,
        lease: &Lease,
        state: JobState,
        ready: &Ready,
    ) -> Result<Option<JobState>, fs_registry::Error> {
        let wait = self.wait_after(lease, ready.attempt);
        let again = later(
            self.leases.agreed_now(),
            wait.unwrap_or_else(|| self.retries.longest_possible()),
        );
        let state = state.begun(ready.tick, ready.attempt, again);
        lease.set_job(state.write()).await?;
        let _running = telemetry::running();
        let ran = self.run(lease, ready).await;
        if lease.why_stopped() == Some(Stopped::Lost) {
            telemetry::ended(&ready.view, Told::Lost);
            return Ok(None);
        }
        let state = self.judge(lease, state, ready, ran);
        self.note(lease, &state).await?;
        Ok(Some(state))
    }

    async fn run(&self, lease: &Lease, ready: &Ready) -> Ran {
        let Ready {
            view,
            tick,
            attempt,
        } = ready;
        tracing::info!(%view, %tick, attempt, fence = %lease.fence(), "a run begins");
        let mut run = self.runs.run(lease, &self.catalog, view, *tick, *attempt);
        tokio::select! {
            biased;
            ran = &mut run => return ran,
            () = self.cutoff.cancelled() => lease.ask_to_stop(),
        }
        run.await
    }

    fn judge(&self, lease: &Lease, state: JobState, ready: &Ready, ran: Ran) -> JobState {
        let (view, tick) = (&ready.view, ready.tick);
        let now = self.leases.agreed_now();
        let Ran { run, failure } = ran;
        let Some(failure) = failure else {
            tracing::info!(%view, %tick, run, "a run is done");
            telemetry::ended(view, Told::Done);
            return state.succeeded(now, run);
        };
        if lease.why_stopped() == Some(Stopped::Cancelled) {
            let interrupted = self.cutoff.is_cancelled();
            tracing::warn!(%view, %tick, run, interrupted, "a run was stopped");
            telemetry::ended(view, Told::Cancelled);
            return if interrupted {
                state.interrupted(now)
            } else {
                state.failed(run, failure.why, None)
            };
        }
        let wait = may_pass(failure.code).then(|| self.wait_after(lease, ready.attempt));
        let again = wait.flatten().map(|wait| later(now, wait));
        let error = &failure.why;
        if let Some(again) = again {
            tracing::warn!(%view, %tick, run, %again, error, "a run failed");
            telemetry::ended(view, Told::Failed);
        } else {
            tracing::error!(%view, %tick, run, error, "a run failed for good");
            telemetry::ended(view, Told::GivenUp);
        }
        state.failed(run, failure.why, again)
    }

    /// Writes down what came of it, for as long as the lease is held.
    async fn note(&self, lease: &Lease, state: &JobState) -> Result<(), fs_registry::Error> {
        let timer = self.leases.timer();
        let mut noted = lease.set_job(state.write()).await;
        for _ in 1..NOTES {
            if noted.is_ok() || lease.why_stopped() == Some(Stopped::Lost) {
                break;
            }
            timer
                .sleep_until(timer.now() + Duration::from_secs(1))
                .await;
            noted = lease.set_job(state.write()).await;
        }
        noted
    }

    fn wait_after(&self, lease: &Lease, attempt: u32) -> Option<Duration> {
        self.retries.after(attempt, lease.id().as_u64_pair().0)
    }
}

fn later(at: EventTime, by: Duration) -> EventTime {
    let by = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
    EventTime::from_micros(at.as_micros().saturating_add(by))
}
