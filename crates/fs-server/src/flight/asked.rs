//! What a command comes to: the definitions, the query, and the versions that it pins.

use std::sync::Arc;

use fs_core::DatasetName;
use fs_training::{Spine, TrainingQuery, Versions};

use super::command::Command;
use crate::Error;
use crate::live::Snapshot;
use crate::off_runtime::off_runtime;
use crate::shared::Shared;

/// A command with everything that it names found.
#[derive(Debug)]
pub(super) struct Asked {
    /// The definitions: those of now, or those of the record.
    pub(super) definitions: Arc<Snapshot>,
    pub(super) query: TrainingQuery,
    /// The versions of the record.
    pub(super) pinned: Option<Versions>,
    /// The name to keep the training set under.
    pub(super) save: Option<DatasetName>,
}

impl Asked {
    pub(super) async fn of(shared: &Shared, command: &Command) -> Result<Self, Error> {
        let record = command.record()?;
        let definitions = match &record {
            None => shared.live.snapshot()?,
            Some(record) => {
                record.check_project(shared.live.project())?;
                shared.live.at(record.versions.registry).await?
            }
        };
        Ok(Self {
            definitions,
            query: command.query(record.as_ref())?,
            pinned: record.map(|record| record.versions),
            save: command.save.as_deref().map(str::parse).transpose()?,
        })
    }

    /// The rows: those that were `given`, or those that the query stands for.
    pub(super) async fn spine(
        &self,
        shared: &Shared,
        given: Option<Spine>,
    ) -> Result<Option<Spine>, Error> {
        if given.is_some() {
            return Ok(given);
        }
        let (training, engine) = (shared.training.clone(), Arc::clone(&shared.engine));
        let (definitions, query) = (Arc::clone(&self.definitions), self.query.clone());
        let pinned = self.pinned.clone();
        // Opens sources, and plans.
        let made = off_runtime(async move {
            let catalog = &definitions.catalog;
            training
                .spine(&engine, catalog, &query, pinned.as_ref())
                .await
        });
        Ok(made.await??)
    }
}
