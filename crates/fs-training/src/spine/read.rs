//! Reading a spine from a file.

use std::fs::File;
use std::path::Path;

use super::{Origin, ParquetFile, Spine, csv};
use crate::Error;
use crate::write::Format;

impl Spine {
    /// Opens a `.parquet` file, of which it reads the footer, or reads a `.csv` file whole, on a
    /// thread where that may block.
    pub async fn read(path: &Path) -> Result<Self, Error> {
        let path = path.to_owned();
        tokio::task::spawn_blocking(move || Self::read_blocking(&path))
            .await
            .map_err(|_stopped| Error::Interrupted)?
    }

    /// The rows that the Parquet training set at `path` was made for: these columns of it, as they
    /// were before its schema got the entry `record`.
    pub(crate) async fn of_training_set(
        path: &Path,
        columns: &[String],
        record: &'static str,
    ) -> Result<Self, Error> {
        let (path, columns) = (path.to_owned(), columns.to_vec());
        let work = move || {
            let file = open(&path)?;
            let selected = ParquetFile::open(&path, file)?.select(&columns, record);
            let gone = || Error::SpineGone {
                path,
                columns: columns.join(", "),
            };
            selected
                .map(|file| Self::of(Origin::Parquet(file)))
                .ok_or_else(gone)
        };
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|_stopped| Error::Interrupted)?
    }

    fn read_blocking(path: &Path) -> Result<Self, Error> {
        let format = Format::of(path)?;
        let file = open(path)?;
        match format {
            Format::Parquet => ParquetFile::open(path, file).map(|f| Spine::of(Origin::Parquet(f))),
            Format::Csv => csv::read(path, &file),
        }
    }
}

fn open(path: &Path) -> Result<File, Error> {
    File::open(path).map_err(|source| Error::File {
        operation: "open",
        path: path.to_owned(),
        source,
    })
}
