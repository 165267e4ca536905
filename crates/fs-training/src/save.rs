//! A training set into a dataset: a Delta table that has a name.

use std::sync::Arc;

use fs_core::{DatasetName, EventTime};
use fs_offline::{Dataset, NewDataset};
use tokio::task::JoinSet;

use crate::{Error, Record, TrainingSet, TrainingSets};

/// A training set that is being saved; dropping it gives the saving up.
#[derive(Debug)]
pub struct Saving {
    tasks: JoinSet<Result<Dataset, Error>>,
}

impl TrainingSets {
    /// Makes sure that a training set can be saved as `name`, before it is made.
    pub async fn ensure_free(&self, name: &DatasetName) -> Result<(), Error> {
        let free = self.offline.ensure_no_dataset(name).await;
        free.map_err(|error| Error::Dataset(Box::new(error)))
    }

    /// Saves everything as the dataset `name`: whole, or not at all.
    pub fn save(&self, set: TrainingSet, name: DatasetName, now: EventTime) -> Saving {
        let new = NewDataset {
            name,
            schema: set.schema().clone(),
            record: set.record().map(Record::to_json).unwrap_or_default(),
            saved_at: now,
        };
        let offline = Arc::clone(&self.offline);
        let mut tasks = JoinSet::new();
        self.workers.spawn(&mut tasks, async move {
            let saved = offline.save_dataset(&new, set.into_stream()).await;
            saved.map_err(|error| match error {
                fs_offline::Error::DatasetRows { name, source } => {
                    // An error of ours keeps its code.
                    match source.downcast::<Error>() {
                        Ok(ours) => *ours,
                        Err(source) => {
                            let error = fs_offline::Error::DatasetRows { name, source };
                            Error::Dataset(Box::new(error))
                        }
                    }
                }
                error => Error::Dataset(Box::new(error)),
            })
        });
        Saving { tasks }
    }
}

impl Saving {
    /// Waits for the end: for the dataset, or for why there is none.
    pub async fn done(mut self) -> Result<Dataset, Error> {
        match self.tasks.join_next().await {
            Some(Ok(saved)) => saved,
            _ => Err(Error::Interrupted),
        }
    }
}
