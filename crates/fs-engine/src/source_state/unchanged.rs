//! A stream that ends with an error if what it was read from has changed meanwhile.
//!
//! A file that is replaced while it is read yields rows of both, or what looks like a damaged file.
//! Whoever writes the rows has to know before they are committed, so the files are listed again at the
//! end of the stream, and when it fails: whatever the failure was, the replacement explains it.

use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use fs_core::SourceName;
use futures::{StreamExt, stream};

use crate::Error;
use crate::pins::{Pin, replaced};
use crate::tables::Tables;

/// What came of looking at `tables`: if it failed, and a source has changed, that is why.
pub(crate) async fn explained<T>(tables: &Tables, result: Result<T, Error>) -> Result<T, Error> {
    let Err(error) = result else {
        return result;
    };
    let is_of_files = could_not_read(&error);
    match changed(tables, Some(is_of_files)).await {
        Ok(Some(changed)) => Err(changed),
        _ => Err(error),
    }
}

/// `rows`, which are read from `tables`.
pub(crate) fn unchanged(
    rows: SendableRecordBatchStream,
    tables: Tables,
) -> SendableRecordBatchStream {
    let schema = rows.schema();
    let stream = stream::unfold(Some((rows, tables)), next);
    Box::pin(RecordBatchStreamAdapter::new(schema, stream))
}

type Reading = Option<(SendableRecordBatchStream, Tables)>;
type Item = Result<arrow::array::RecordBatch, DataFusionError>;

async fn next(reading: Reading) -> Option<(Item, Reading)> {
    let (mut rows, tables) = reading?;
    let error = match rows.next().await {
        Some(Ok(batch)) => return Some((Ok(batch), Some((rows, tables)))),
        Some(Err(error)) => Some(error),
        None => None,
    };
    let failure = error
        .as_ref()
        .map(|error| match Error::from_datafusion(error) {
            Some(ours) => could_not_read(ours),
            None => true,
        });
    let ours = match (changed(&tables, failure).await, error) {
        (Ok(Some(changed)), _) | (Err(changed), None) => changed,
        (_, Some(error)) => return Some((Err(error), None)),
        (Ok(None), None) => return None,
    };
    Some((Err(DataFusionError::External(Box::new(ours))), None))
}

/// What changed, given how reading ended: well, or not, and then whether it was a file that failed.
async fn changed(tables: &Tables, failure: Option<bool>) -> Result<Option<Error>, Error> {
    for (name, pin) in tables.pins.all() {
        let what = match &pin {
            Pin::Files(files) => match tables.look_again(&name).await {
                Ok(Some(now)) => replaced(files, &now).map(|file| files.display(file)),
                Ok(None) => None,
                Err(Error::NoFiles { .. }) => files.list.first().map(|file| files.display(file)),
                Err(error) => return Err(error),
            },
            // The version that is read stays what it is, but its files may be gone.
            Pin::Delta(table) if failure == Some(true) => {
                let newest = table.get_latest_version().await.ok();
                (newest != table.version()).then(|| table.table_url().to_string())
            }
            Pin::Delta(_) => None,
        };
        if let Some(what) = what {
            return Ok(Some(source_changed(name, what)));
        }
    }
    Ok(None)
}

fn source_changed(source_name: SourceName, what: String) -> Error {
    Error::SourceChanged { source_name, what }
}

/// Whether it was a file that failed, and not what is in it.
const fn could_not_read(error: &Error) -> bool {
    matches!(
        error,
        Error::Unreachable { .. } | Error::Unreadable { .. } | Error::Query { .. }
    )
}
