//! From the source into the offline table: a window, chunk by chunk, each in one commit.
//!
//! ```text
//!   look       at the sources: which files and versions; all that follows reads these
//!   plan       the window, from the watermark or as asked; cut in chunks
//!   check      if there are several chunks and something may fail: the whole window, nothing is kept
//!   chunk 1    read ── hold against expectations ── rows that fail: quarantine ── commit
//!   chunk 2    …                                                                  rows, watermark,
//!   …                                                                             how far, fence
//! ```
//!
//! Whoever runs the same again after a crash goes on behind the last chunk that was committed: an
//! incremental run at the watermark, a ranged one where the table says that this very run has come to
//! ([`run_key`]). Sources that change meanwhile are looked at again, and the window is read from its
//! start.

mod check;
mod chunk;
mod chunks;
mod fill;
mod known;
mod passage;
mod plan;
mod quarantine;
mod run_key;

use fs_core::EventTime;
use fs_offline::TableSchema;

use crate::Error;
use crate::run::{Outcome, Run};
use plan::Plan;

/// How often a window is read again because another writer was faster, or the source changed.
const ATTEMPTS: usize = 3;

/// Brings one view into the offline store.
pub(crate) struct Ingest<'a> {
    pub(crate) run: &'a Run<'a>,
    pub(crate) schema: TableSchema,
    pub(crate) now: EventTime,
}

impl Ingest<'_> {
    /// Replaces the window that was asked for, if there is anything to read.
    pub(crate) async fn run(&self, outcome: &mut Outcome) -> Result<(), Error> {
        let mut attempt = 1;
        loop {
            match self.attempt(outcome).await {
                Err(error) if attempt < ATTEMPTS && is_of_the_moment(&error) => {
                    self.run.ensure_not_stopped()?;
                    self.wait_a_moment(&error).await;
                    attempt += 1;
                    *outcome = Outcome {
                        version_before: outcome.version_before,
                        version: outcome.version,
                        chunks: outcome.chunks,
                        ..Outcome::default()
                    };
                }
                done => return done,
            }
        }
    }

    async fn attempt(&self, outcome: &mut Outcome) -> Result<(), Error> {
        let run = self.run;
        let engine = &run.stores.engine;
        let sources = engine.source_state(run.catalog, run.view).await;
        let sources = sources.map_err(|source| run.source_error(source))?;
        let table = run.stores.offline.state(&run.view.name).await;
        let table = table.map_err(|source| run.offline_error(source))?;
        if outcome.chunks == 0 {
            outcome.version_before = table.as_ref().map(|table| table.version);
        }
        let Some(plan) = self.plan(sources, table).await? else {
            return Ok(());
        };
        outcome.window = Some(plan.window);
        outcome.resumed = plan.resumed;
        self.carry_out(&plan, outcome).await
    }

    async fn carry_out(&self, plan: &Plan, outcome: &mut Outcome) -> Result<(), Error> {
        let checked = self.check(plan, outcome).await?;
        self.tell_how_many(plan);
        let validator = self.validator()?;
        let mut ingest = plan.ingest;
        for chunk in &plan.chunks {
            let commit = plan.commit(chunk, ingest, self);
            ingest = self
                .chunk(plan, commit, validator.as_ref(), outcome)
                .await?;
            outcome.rejected = validator
                .as_ref()
                .map_or(0, |validator| validator.report().quarantined);
        }
        if let Some(validator) = validator {
            let report = checked.unwrap_or_else(|| validator.report());
            self.warn(&report, outcome);
        }
        Ok(())
    }

    /// A source that is being written is given time to be whole.
    async fn wait_a_moment(&self, error: &Error) {
        let view = &self.run.view.name;
        if let Error::Source { .. } = error {
            let note = "the source changed while it was read; reading it again";
            self.run.progress.note(view, note);
            let pause = tokio::time::sleep(self.run.stores.options.pause);
            tokio::select! {
                () = pause => {}
                () = self.run.lease.stop().cancelled() => {}
            }
        }
        let error = fs_core::code::report(error);
        tracing::info!(%view, error, "reading the window again");
    }
}

/// Whether the same may go well when it is tried again at once.
fn is_of_the_moment(error: &Error) -> bool {
    match error {
        Error::Offline { source, .. } => {
            matches!(source.as_ref(), fs_offline::Error::Conflict { .. })
        }
        Error::Source { source, .. } => {
            matches!(source.as_ref(), fs_engine::Error::SourceChanged { .. })
        }
        _ => false,
    }
}
