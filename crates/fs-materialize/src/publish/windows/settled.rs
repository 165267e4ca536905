//! Whether anything has to be published at all.

use fs_offline::Changes;
use fs_online::Published;
use futures::StreamExt;

use super::kept::Kept;
use crate::Error;
use crate::publish::{Begun, Publisher};

impl Publisher<'_> {
    /// Whether no row came, went or was written again since `before`, the table has come no further, and
    /// what is stored answers for long enough from now on.
    pub(super) async fn is_settled(
        &self,
        begun: &Begun,
        before: &Published,
        kept: &Kept,
    ) -> Result<bool, Error> {
        let attempt = &begun.attempt;
        let table = &begun.table;
        if kept.watermark != table.watermark {
            return Ok(false);
        }
        if kept.until < self.horizon().enough(attempt.as_of) {
            return Ok(false);
        }
        if before.table_version == attempt.version {
            return Ok(true);
        }
        match self.changes_since(attempt, before).await {
            Ok(changes) => Ok(!self.changes_rows(&changes).await?),
            Err(Error::Offline { source, .. })
                if matches!(*source, fs_offline::Error::LogGone { .. }) =>
            {
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    async fn changes_rows(&self, changes: &Changes) -> Result<bool, Error> {
        if !changes.rewritten().is_empty() {
            return Ok(true);
        }
        for rows in [changes.added(), changes.removed()] {
            let mut rows = self.table(rows)?;
            while let Some(batch) = rows.next().await {
                if self.batch(batch)?.num_rows() > 0 {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }
}
