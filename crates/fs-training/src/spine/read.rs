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

    fn read_blocking(path: &Path) -> Result<Self, Error> {
        let format = Format::of(path)?;
        let file = File::open(path).map_err(|source| Error::File {
            operation: "open",
            path: path.to_owned(),
            source,
        })?;
        match format {
            Format::Parquet => ParquetFile::open(path, file).map(|f| Spine::of(Origin::Parquet(f))),
            Format::Csv => csv::read(path, &file),
        }
    }
}
