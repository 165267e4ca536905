//! The offline half of a push, and how the two halves go together.

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use fs_offline::{Appended, Push, PushKey, Scan};
use futures::TryStreamExt;

use super::check::Job;
use super::online::Sequence;
use super::{Inner, PushReport, PushTo, RowOutcome};
use crate::Error;

impl Inner {
    /// Pushes the rows of one view.
    pub(super) async fn push(
        &self,
        job: &Job,
        to: PushTo,
        key: Option<&str>,
    ) -> Result<PushReport, Error> {
        if job.rows.num_rows() == 0 {
            return Ok(PushReport {
                outcomes: Vec::new(),
                repeated: false,
            });
        }
        if to == PushTo::Online {
            self.wait_for_visible(job, &job.rows).await?;
            let receipt = self.receive(job, key).await?;
            let rows = job.received(receipt.at);
            return Ok(PushReport {
                outcomes: self
                    .store(job, &rows, Sequence::None { push: receipt.push })
                    .await?,
                repeated: receipt.repeated,
            });
        }
        let receipt = self.clock.now();
        let rows = job.received(receipt);
        let push = Push {
            rows: rows.clone(),
            key: key.map(|key| PushKey {
                key: key.to_owned(),
                used: self.clock.is_real().then_some(receipt),
            }),
        };
        let appended = self.queues.append(&self.offline, &job.schema, push).await;
        let appended = appended.map_err(|source| Error::Append {
            view: job.view.name.clone(),
            source,
        })?;
        let mut outcomes = vec![RowOutcome::Appended; rows.num_rows()];
        if to == PushTo::Both && job.view.online {
            let rows = if appended.repeated {
                self.rows_of(job, &appended).await?
            } else {
                rows
            };
            let _late = self.wait_for_visible(job, &rows).await;
            let first = Sequence::From(appended.first_sequence);
            let stored = self.store(job, &rows, first).await?;
            let known = stored.len();
            outcomes.splice(..known.min(outcomes.len()), stored);
            for ignored in outcomes.iter_mut().skip(known) {
                *ignored = RowOutcome::Ignored;
            }
            outcomes.truncate(job.rows.num_rows());
        }
        Ok(PushReport {
            outcomes,
            repeated: appended.repeated,
        })
    }

    /// The rows that an earlier push has added, at most as many as this one has.
    async fn rows_of(&self, job: &Job, appended: &Appended) -> Result<RecordBatch, Error> {
        let failed = |source| Error::Offline {
            view: job.view.name.clone(),
            source: Box::new(source),
        };
        let rows = i64::try_from(job.rows.num_rows()).unwrap_or(i64::MAX);
        let scan = Scan {
            since: Some(appended.first_sequence),
            before: Some(appended.first_sequence.saturating_add(rows)),
            ..Scan::default()
        };
        let scan = self
            .offline
            .scan(&job.schema, &scan)
            .await
            .map_err(failed)?;
        let broken = |source| {
            failed(fs_offline::Error::Read {
                table: job.view.name.to_string(),
                source: Box::new(source),
            })
        };
        let batches: Vec<RecordBatch> = scan
            .stream()
            .map_err(failed)?
            .try_collect()
            .await
            .map_err(broken)?;
        let rows =
            concat_batches(&scan.schema(), &batches).map_err(|error| broken(error.into()))?;
        in_order(&rows).map_err(|error| broken(error.into()))
    }
}

/// `rows` by their `_sequence`, which is their last column and is left out.
fn in_order(rows: &RecordBatch) -> Result<RecordBatch, arrow::error::ArrowError> {
    let last = rows.num_columns().saturating_sub(1);
    let order = arrow::compute::sort_to_indices(rows.column(last), None, None)?;
    let rows = arrow::compute::take_record_batch(rows, &order)?;
    rows.project(&(0..last).collect::<Vec<_>>())
}
