//! Reading a spine from a file.

use std::fs::File;
use std::path::{Path, PathBuf};

use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::{Spine, csv};
use crate::Error;
use crate::write::Format;

const BATCH_ROWS: usize = 8192;

impl Spine {
    /// Reads a `.parquet` or `.csv` file whole, on a thread where that may block.
    pub async fn read(path: &Path) -> Result<Self, Error> {
        let path = path.to_owned();
        tokio::task::spawn_blocking(move || Self::read_blocking(&path))
            .await
            .map_err(|_stopped| Error::Interrupted)?
    }

    fn read_blocking(path: &Path) -> Result<Self, Error> {
        let format = Format::of(path)?;
        let file = File::open(path).map_err(|source| Error::File {
            operation: "open",
            path: path.to_owned(),
            source,
        })?;
        match format {
            Format::Parquet => parquet(path, file),
            Format::Csv => csv::read(path, &file),
        }
    }
}

fn parquet(path: &Path, file: File) -> Result<Spine, Error> {
    let path: PathBuf = path.to_owned();
    let builder = ParquetRecordBatchReaderBuilder::try_new(file);
    let reader = builder.and_then(|builder| {
        let schema = builder.schema().clone();
        let reader = builder.with_batch_size(BATCH_ROWS).build()?;
        Ok((schema, reader))
    });
    let (schema, reader) = reader.map_err(|source| Error::Parquet {
        path: path.clone(),
        source,
    })?;
    let batches = reader
        .collect::<Result<Vec<_>, _>>()
        .map_err(|source| Error::Parquet {
            path,
            source: source.into(),
        })?;
    Ok(Spine::new(schema, batches))
}
