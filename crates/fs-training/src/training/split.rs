//! One training set for two takers: a file and a dataset, a client and a dataset.

use arrow::array::RecordBatch;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::{BATCHES_AHEAD, TrainingSet};
use crate::Error;

impl TrainingSet {
    /// Two sets with the same batches, to be taken side by side.
    ///
    /// Neither gets far ahead of the other, so that memory holds a few batches only. When one of
    /// them is dropped before its end, the other ends with an error: what two takers were to get is
    /// not whole when one of them gives up.
    pub fn split(self) -> (Self, Self) {
        let (first, first_batches) = mpsc::channel(BATCHES_AHEAD);
        let (second, second_batches) = mpsc::channel(BATCHES_AHEAD);
        let half = |batches| Self {
            schema: self.schema.clone(),
            record: self.record.clone(),
            views: self.views.clone(),
            plan: self.plan.clone(),
            rows: self.rows,
            taken: 0,
            batches,
            _tasks: JoinSet::new(),
            _workers: None,
        };
        let halves = (half(first_batches), half(second_batches));
        // It ends when the set does, or when one of the takers has gone.
        tokio::spawn(self.feed([first, second]));
        halves
    }

    async fn feed(mut self, takers: [mpsc::Sender<Result<RecordBatch, Error>>; 2]) {
        let [first, second] = &takers;
        while let Some(batch) = self.next().await {
            let (mine, yours, last) = match batch {
                Ok(batch) => (Ok(batch.clone()), Ok(batch), false),
                Err(error) => (Err(error), Err(Error::Interrupted), true),
            };
            let sent = tokio::join!(first.send(mine), second.send(yours));
            let left = match sent {
                (Ok(()), Ok(())) if !last => continue,
                (Ok(()), Ok(())) => return,
                (Ok(()), Err(_)) => first,
                (Err(_), _) => second,
            };
            // Nobody hears it if both have gone.
            left.send(Err(Error::Interrupted)).await.ok();
            return;
        }
    }
}
