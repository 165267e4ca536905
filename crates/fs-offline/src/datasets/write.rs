//! Saving a training set: batch by batch into files, then one commit that makes the table.

use std::pin::pin;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use deltalake::DeltaTableError;
use deltalake::datafile::writer::DeltaWriter;
use deltalake::kernel::transaction::{CommitBuilder, CommitProperties};
use deltalake::kernel::{Action, Add, StructType, new_metadata};
use deltalake::logstore::LogStoreRef;
use deltalake::protocol::{DeltaOperation, SaveMode};
use futures::{Stream, StreamExt, stream};
use object_store::ObjectStoreExt;
use object_store::path::Path;
use serde_json::json;

use super::{Dataset, NewDataset, RECORD, ROW, SAVED_AT, columns, folder};
use crate::fitting::fitted;
use crate::table::Table;
use crate::{Error, OfflineStore, evolution, fitting, rewrite};

impl OfflineStore {
    /// Saves `rows`, whose columns are those of `new`, under its name.
    ///
    /// Memory holds about one data file, however many rows come. Nothing is there before the last
    /// row has come; when the rows end in an error there is no dataset, and files that were written
    /// stay until its name is dropped. A name that is taken is [`Error::DatasetExists`].
    pub async fn save_dataset<S, E>(&self, new: &NewDataset, rows: S) -> Result<Dataset, Error>
    where
        S: Stream<Item = Result<RecordBatch, E>> + Send,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        self.ensure_no_dataset(&new.name).await?;
        let location = self.root().join(&folder(&new.name));
        let failed = |operation| {
            let location = location.clone();
            move |source| Table::failed(operation, &location, source)
        };
        let table = evolution::to_delta(&columns::stored(&new.schema)?);
        let table = table.map_err(failed("describe the columns of"))?;
        let stored = evolution::to_arrow(&table).map_err(failed("describe the columns of"))?;
        let log = Table::log_store(&location)?;
        let added = self.write_rows(new, &log, stored, rows).await?;
        let written: Vec<Path> = added
            .iter()
            .map(|add| Path::from(add.path.as_str()))
            .collect();
        match commit(new, &table, &log, added).await {
            Ok(()) => self.show_dataset(&new.name).await,
            Err(error) if Table::is_conflict(&error) => {
                let store = log.object_store(None);
                for path in written {
                    if let Err(error) = store.delete(&path).await {
                        tracing::warn!(%path, %error, "an unused file stays until the dataset goes");
                    }
                }
                Err(Error::DatasetExists {
                    name: new.name.clone(),
                })
            }
            Err(error) => Err(failed("commit to")(error)),
        }
    }

    async fn write_rows<S, E>(
        &self,
        new: &NewDataset,
        log: &LogStoreRef,
        stored: SchemaRef,
        rows: S,
    ) -> Result<Vec<Add>, Error>
    where
        S: Stream<Item = Result<RecordBatch, E>> + Send,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let files = |source| Error::Delta {
            operation: "write files of",
            table: new.name.to_string(),
            source: Box::new(source),
        };
        let mut first = 0;
        let rows = rows.map(|batch| {
            let batch = batch.map_err(|error| Error::DatasetRows {
                name: new.name.clone(),
                source: error.into(),
            })?;
            let converted = columns::convert(&batch, &stored, first)?;
            first += i64::try_from(batch.num_rows()).unwrap_or(i64::MAX);
            Ok(converted)
        });
        // A small set ends while it is sampled, and is asked again.
        let mut rows = pin!(rows.fuse());
        let base = rewrite::layout(&stored, self.options());
        let sample = fitting::sample(&mut rows, &base).await?;
        let layout = fitted(base, &sample).map_err(|error| files(error.into()))?;
        let columns = Arc::clone(&stored);
        let config = rewrite::writer_config(columns, layout, self.options(), &[ROW]);
        let mut writer = DeltaWriter::new(log.object_store(None), config.map_err(files)?);
        let mut rows = stream::iter(sample.into_iter().map(Ok)).chain(rows);
        let failure = loop {
            let written = match rows.next().await {
                Some(Ok(batch)) => writer.write(&batch).await.map_err(files),
                Some(Err(error)) => Err(error),
                None => return writer.close().await.map_err(files),
            };
            if let Err(error) = written {
                break error;
            }
        };
        if let Err(error) = writer.abort().await {
            tracing::warn!(%error, "an upload could not be abandoned");
        }
        Err(failure)
    }
}

/// Makes the table, unless there is one.
async fn commit(
    new: &NewDataset,
    columns: &StructType,
    log: &LogStoreRef,
    added: Vec<Add>,
) -> Result<(), DeltaTableError> {
    let saved_at = new.saved_at.to_string();
    let properties = [(RECORD, new.record.as_str()), (SAVED_AT, saved_at.as_str())];
    let metadata = new_metadata(columns, Vec::<String>::new(), properties)?;
    let mut actions = vec![
        Action::Protocol(evolution::plain_protocol()?),
        Action::Metadata(metadata),
    ];
    actions.extend(added.into_iter().map(Action::Add));
    let record = serde_json::from_str(&new.record).unwrap_or_else(|_text| json!(new.record));
    let information = [
        (RECORD.to_owned(), record),
        (SAVED_AT.to_owned(), json!(saved_at)),
    ];
    let properties = CommitProperties::default()
        .with_max_retries(0)
        .with_metadata(information);
    let operation = DeltaOperation::Write {
        mode: SaveMode::ErrorIfExists,
        partition_by: None,
        predicate: None,
    };
    CommitBuilder::from(properties)
        .with_actions(actions)
        .build(None, Arc::clone(log), operation)
        .into_prepared_commit_future()
        .await?
        .await
        .map(|_committed| ())
}
