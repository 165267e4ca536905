//! Named training sets, each a Delta table of its own.
//!
//! ```text
//!   <root>/<project>/_datasets/<name>/     columns of the training set │ features │ _row
//! ```
//!
//! A dataset is one commit: its rows and its record are there together, or there is nothing. It is
//! never changed; of two that are saved under one name, the first stays. `_row` counts the rows from
//! 0 in the order of the training set, which files and readers do not promise to keep. The record and
//! the instant of saving are properties of the table, and in the information of its commit.

mod columns;
mod write;

use arrow::datatypes::SchemaRef;
use fs_core::suggest::did_you_mean;
use fs_core::{DatasetName, EventTime};
use futures::{StreamExt, TryStreamExt};

use crate::data_file::DataFile;
use crate::table::Table;
use crate::{Error, OfflineStore, evolution};

/// The folder of the datasets; no view can have this name.
pub const DATASETS: &str = "_datasets";
/// The column that counts rows from 0, in the order of the training set.
pub const ROW: &str = "_row";
/// The property that holds the record of the training set.
pub const RECORD: &str = "fs.training_set";
/// The property that holds the instant of saving, as RFC 3339.
pub const SAVED_AT: &str = "fs.saved_at";

/// How many datasets a listing opens at once.
const OPENED_AT_ONCE: usize = 8;

/// A training set that is to be saved.
#[derive(Debug, Clone)]
pub struct NewDataset {
    /// The name, which no other dataset of the project may have.
    pub name: DatasetName,
    /// The columns of the rows.
    pub schema: SchemaRef,
    /// What it was made of, as JSON.
    pub record: String,
    /// When it is saved.
    pub saved_at: EventTime,
}

/// A training set that was saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dataset {
    /// The name.
    pub name: DatasetName,
    /// Rows, from the statistics of the files.
    pub rows: u64,
    /// Data files.
    pub files: usize,
    /// Bytes in data files.
    pub bytes: u64,
    /// When it was saved.
    pub saved_at: Option<EventTime>,
    /// What it was made of, as JSON; none if another tool made the table.
    pub record: Option<String>,
    /// The columns, `_row` among them.
    pub columns: SchemaRef,
    /// Where the table is.
    pub location: String,
}

impl OfflineStore {
    /// All datasets, by name.
    pub async fn list_datasets(&self) -> Result<Vec<Dataset>, Error> {
        let names = self.dataset_names().await?;
        let opened = futures::stream::iter(names)
            .map(|name| async move { self.dataset(&name).await })
            .buffered(OPENED_AT_ONCE);
        // One whose first commit is still to come is no dataset yet.
        opened
            .try_filter_map(|found| std::future::ready(Ok(found)))
            .try_collect()
            .await
    }

    /// The dataset called `name`.
    pub async fn show_dataset(&self, name: &DatasetName) -> Result<Dataset, Error> {
        match self.dataset(name).await? {
            Some(dataset) => Ok(dataset),
            None => Err(self.no_such_dataset(name).await?),
        }
    }

    /// Removes the dataset called `name`.
    pub async fn drop_dataset(&self, name: &DatasetName) -> Result<(), Error> {
        if self.drop_folder(&folder(name)).await? {
            Ok(())
        } else {
            Err(self.no_such_dataset(name).await?)
        }
    }

    /// Makes sure that no dataset is called `name`, before any work is done for a new one.
    pub async fn ensure_no_dataset(&self, name: &DatasetName) -> Result<(), Error> {
        match self.dataset(name).await? {
            Some(_) => Err(Error::DatasetExists { name: name.clone() }),
            None => Ok(()),
        }
    }

    async fn dataset(&self, name: &DatasetName) -> Result<Option<Dataset>, Error> {
        let Some(table) = Table::open(self, &folder(name), None).await? else {
            return Ok(None);
        };
        let files = table.files()?;
        let columns = evolution::to_arrow(table.snapshot.schema().as_ref());
        let properties = table.snapshot.metadata().configuration();
        let saved_at = properties.get(SAVED_AT);
        Ok(Some(Dataset {
            name: name.clone(),
            rows: files.iter().map(|file| file.rows).sum(),
            files: files.len(),
            bytes: files.iter().map(DataFile::bytes).sum(),
            saved_at: saved_at.and_then(|at| at.parse().ok()),
            record: properties.get(RECORD).cloned(),
            columns: columns.map_err(table.error("describe the columns of"))?,
            location: self.root().join(&folder(name)).to_string(),
        }))
    }

    pub(crate) async fn dataset_names(&self) -> Result<Vec<DatasetName>, Error> {
        let location = self.root().join(DATASETS);
        let log = Table::log_store(&location)?;
        let listed = log.object_store(None).list_with_delimiter(None).await;
        let folders = match listed {
            Ok(listed) => listed.common_prefixes,
            Err(object_store::Error::NotFound { .. }) => Vec::new(),
            Err(error) => return Err(Table::failed("list", &location, error.into())),
        };
        let names = folders.iter().filter_map(|folder| folder.filename());
        let mut names: Vec<DatasetName> = names.filter_map(|name| name.parse().ok()).collect();
        names.sort();
        Ok(names)
    }

    async fn no_such_dataset(&self, name: &DatasetName) -> Result<Error, Error> {
        let names = self.dataset_names().await?;
        let names = names.iter().map(DatasetName::as_str);
        Ok(Error::NoSuchDataset {
            name: name.clone(),
            nearest: did_you_mean(name.as_str(), names).map(str::to_owned),
        })
    }
}

/// The folder of a dataset, below the project's.
pub(crate) fn folder(name: &DatasetName) -> String {
    format!("{DATASETS}/{name}")
}

#[cfg(test)]
mod tests;
