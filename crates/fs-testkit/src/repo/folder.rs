//! A folder with files that tests write.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use arrow::csv;
use arrow::record_batch::RecordBatch;
use parquet::arrow::ArrowWriter;
use tempfile::TempDir;

/// A folder of its own, removed when it is dropped.
#[derive(Debug)]
pub struct Folder(TempDir);

impl Folder {
    /// An empty folder.
    pub fn new() -> Result<Self> {
        Ok(Self(TempDir::new()?))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a text file, making the folders above it; answers where it is.
    pub fn write(&self, path: &str, text: &str) -> Result<PathBuf> {
        let path = self.make_room(path)?;
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    }

    /// Writes a Parquet file; answers where it is.
    pub fn parquet(&self, path: &str, batch: &RecordBatch) -> Result<PathBuf> {
        let path = self.make_room(path)?;
        let mut writer = ArrowWriter::try_new(File::create(&path)?, batch.schema(), None)?;
        writer.write(batch)?;
        writer.close()?;
        Ok(path)
    }

    /// Writes a CSV file with a header line, nulls as nothing; answers where it is.
    pub fn csv(&self, path: &str, batch: &RecordBatch) -> Result<PathBuf> {
        let path = self.make_room(path)?;
        csv::Writer::new(File::create(&path)?).write(batch)?;
        Ok(path)
    }

    /// Reads a text file.
    pub fn read(&self, path: &str) -> Result<String> {
        let path = self.path().join(path);
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
    }

    /// Removes a file, or a folder with all that is in it.
    pub fn remove(&self, path: &str) -> Result<()> {
        let path = self.path().join(path);
        if path.is_dir() {
            fs::remove_dir_all(&path)?;
        } else {
            fs::remove_file(&path)?;
        }
        Ok(())
    }

    fn make_room(&self, path: &str) -> Result<PathBuf> {
        let path = self.path().join(path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        Ok(path)
    }
}
