//! A record in a file: that of a training set, or one by itself as JSON.

use std::fs::File;
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};

use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::{RECORD, Record};
use crate::{Error, Spine};

/// How every Parquet file begins.
const MAGIC: [u8; 4] = *b"PAR1";

/// A record, and the rows that it was made for where the file has them.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// The record.
    pub record: Record,
    path: PathBuf,
    has_rows: bool,
}

impl Recorded {
    /// Opens a training set in Parquet, or a record as JSON.
    pub async fn open(path: &Path) -> Result<Self, Error> {
        let path = path.to_owned();
        tokio::task::spawn_blocking(move || Self::open_blocking(path))
            .await
            .map_err(|_stopped| Error::Interrupted)?
    }

    fn open_blocking(path: PathBuf) -> Result<Self, Error> {
        let failed = |operation| {
            let path = path.clone();
            move |source| Error::File {
                operation,
                path,
                source,
            }
        };
        let mut file = File::open(&path).map_err(failed("open"))?;
        let mut start = Vec::new();
        let head = (&mut file).take(MAGIC.len() as u64).read_to_end(&mut start);
        head.and_then(|_| file.rewind()).map_err(failed("read"))?;
        let place = format!("`{}`", path.display());
        let has_rows = start == MAGIC;
        let record = if has_rows {
            let builder = ParquetRecordBatchReaderBuilder::try_new(file);
            let builder = builder.map_err(|source| Error::Parquet {
                path: path.clone(),
                source,
            })?;
            let record = builder.schema().metadata().get(RECORD);
            match record {
                Some(json) => Record::parse(json, &place)?,
                None => return Err(Error::NoRecord { path }),
            }
        } else {
            let mut json = String::new();
            // What is neither Parquet nor text holds no record either.
            if file.read_to_string(&mut json).is_err() || !json.trim_start().starts_with('{') {
                return Err(Error::NoRecord { path });
            }
            Record::parse(&json, &place)?
        };
        Ok(Self {
            record,
            path,
            has_rows,
        })
    }

    /// Whether the file holds the rows, and not the record alone.
    pub const fn has_rows(&self) -> bool {
        self.has_rows
    }

    /// The rows that the training set was made for: the columns of its spine, as they were.
    pub async fn spine(&self) -> Result<Spine, Error> {
        if !self.has_rows {
            return Err(Error::NoRows {
                path: self.path.clone(),
            });
        }
        Spine::of_training_set(&self.path, &self.record.spine_columns, RECORD).await
    }
}
