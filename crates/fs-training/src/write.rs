//! A training set into a file.

mod even;
mod row_groups;

use std::io::{BufWriter, Write};
use std::iter;
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use arrow::csv::WriterBuilder;
use arrow::datatypes::Schema;
use arrow::error::ArrowError;
use fs_offline::fitting::{fitted, sample_rows};
use parquet::basic::Compression;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use tempfile::NamedTempFile;

use self::even::Even;
use self::row_groups::RowGroups;
use crate::record::RECORD;
use crate::{Error, TrainingSet};

/// Rows that are written at once: the bytes of a file depend on its rows, not on how they came.
const BATCH_ROWS: usize = 8192;
/// Rows of a row group of a Parquet file.
const GROUP_ROWS: usize = 16 * BATCH_ROWS;
/// A column with more distinct values than these bytes hold is written value by value.
const DICTIONARY_BYTES: usize = 128 << 10;

/// What a file holds, told by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `*.parquet`.
    Parquet,
    /// `*.csv`, with a header line.
    Csv,
}

/// A training set that was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// Rows in the file.
    pub rows: u64,
    /// The size of the file.
    pub bytes: u64,
}

impl Format {
    /// The format that the name of `path` promises.
    pub fn of(path: &Path) -> Result<Self, Error> {
        let extension = path.extension().and_then(|extension| extension.to_str());
        match extension.map(str::to_ascii_lowercase).as_deref() {
            Some("parquet" | "pq") => Ok(Self::Parquet),
            Some("csv") => Ok(Self::Csv),
            _ => Err(Error::UnknownFormat {
                path: path.to_owned(),
            }),
        }
    }

    /// An error if columns of `schema` cannot be written in this format.
    fn check(self, schema: &Schema) -> Result<(), Error> {
        let nested = |field: &&std::sync::Arc<arrow::datatypes::Field>| {
            self == Self::Csv && field.data_type().is_nested()
        };
        match schema.fields().iter().find(nested) {
            Some(field) => Err(Error::NotCsv {
                column: field.name().clone(),
                found: field.data_type().clone(),
            }),
            None => Ok(()),
        }
    }
}

impl TrainingSet {
    /// Writes everything into `path`, as Parquet or CSV by its name.
    ///
    /// The file appears under its name when it is complete, and replaces one that was there; after
    /// an error nothing has changed.
    pub async fn write(self, path: &Path) -> Result<Written, Error> {
        let format = Format::of(path)?;
        format.check(self.schema())?;
        let path = path.to_owned();
        tokio::task::spawn_blocking(move || self.write_blocking(&path, format))
            .await
            .map_err(|_stopped| Error::Interrupted)?
    }

    fn write_blocking(mut self, path: &Path, format: Format) -> Result<Written, Error> {
        let partial = partial_file(path)?;
        let rows = match format {
            Format::Parquet => self.write_parquet(path, &partial)?,
            Format::Csv => self.write_csv(path, &partial)?,
        };
        let finished = partial.as_file().metadata().and_then(|metadata| {
            partial.persist(path).map_err(|error| error.error)?;
            Ok(metadata.len())
        });
        let bytes = finished.map_err(|source| file_error("write", path, source))?;
        Ok(Written { rows, bytes })
    }

    fn write_parquet(&mut self, path: &Path, file: &NamedTempFile) -> Result<u64, Error> {
        let failed = |source| write_error(path, ArrowError::from(source));
        let schema = self.schema().clone();
        // Also a key of the file itself, for readers that know nothing of Arrow's.
        let record = schema.metadata().get(RECORD).cloned();
        let record = record.map(|record| vec![KeyValue::new(RECORD.to_owned(), record)]);
        let base = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_dictionary_page_size_limit(DICTIONARY_BYTES)
            .set_statistics_enabled(EnabledStatistics::Chunk)
            .set_key_value_metadata(record)
            .build();
        let came = iter::from_fn(|| self.next_blocking());
        let mut batches = Even::new(came, &schema, BATCH_ROWS);
        let first = sample_rows(&base).div_ceil(BATCH_ROWS);
        let sample = batches.by_ref().take(first);
        let sample = sample.collect::<Result<Vec<RecordBatch>, Error>>()?;
        let properties = fitted(base, &sample).map_err(failed)?;
        let sink = BufWriter::new(file.as_file());
        let mut writer = RowGroups::new(sink, &schema, properties, GROUP_ROWS).map_err(failed)?;
        let mut rows = 0;
        for batch in sample.into_iter().map(Ok).chain(batches) {
            let batch = batch?;
            rows += batch.num_rows() as u64;
            writer.push(batch).map_err(failed)?;
        }
        let mut sink = writer.finish().map_err(failed)?;
        sink.flush()
            .map_err(|source| file_error("write", path, source))?;
        Ok(rows)
    }

    fn write_csv(&mut self, path: &Path, file: &NamedTempFile) -> Result<u64, Error> {
        let failed = |source| write_error(path, source);
        let mut sink = BufWriter::new(file.as_file());
        let mut rows = 0;
        let mut writer = WriterBuilder::new().with_header(true).build(&mut sink);
        // Writes the header also where no row follows.
        let header = RecordBatch::new_empty(self.schema().clone());
        writer.write(&header).map_err(failed)?;
        while let Some(batch) = self.next_blocking() {
            let batch = batch?;
            writer.write(&batch).map_err(failed)?;
            rows += batch.num_rows() as u64;
        }
        drop(writer);
        sink.flush()
            .map_err(|source| file_error("write", path, source))?;
        Ok(rows)
    }
}

/// A file beside `path` that vanishes unless it is finished.
fn partial_file(path: &Path) -> Result<NamedTempFile, Error> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(".fs-").suffix(".partial");
    // Temporary files are private by default; this one becomes an ordinary file.
    #[cfg(unix)]
    let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o666);
    #[cfg(unix)]
    builder.permissions(permissions);
    builder
        .tempfile_in(folder)
        .map_err(|source| file_error("write", path, source))
}

fn file_error(operation: &'static str, path: &Path, source: std::io::Error) -> Error {
    Error::File {
        operation,
        path: PathBuf::from(path),
        source,
    }
}

fn write_error(path: &Path, source: ArrowError) -> Error {
    Error::Write {
        path: PathBuf::from(path),
        source,
    }
}

#[cfg(test)]
mod tests;
