//! A Delta table as its log tells it, read without any library that writes such tables.
//!
//! The protocol: <https://github.com/delta-io/delta/blob/master/PROTOCOL.md>. Entries of a log are kept
//! for weeks, so the versions of a test are all there, checkpoints or not.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use arrow::array::{RecordBatch, RecordBatchReader};
use arrow::compute::concat_batches;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;

/// What the log of one table says.
#[derive(Debug)]
pub struct DeltaLog {
    folder: PathBuf,
    versions: Vec<Version>,
}

/// One commit.
#[derive(Debug)]
pub struct Version {
    /// Its number.
    pub number: u64,
    /// What is noted about it.
    pub info: Value,
    /// Numbers that it set, by application.
    pub transactions: BTreeMap<String, i64>,
    /// Files that came, or whose description changed.
    pub added: Vec<String>,
    /// Files that went.
    pub removed: Vec<String>,
}

impl DeltaLog {
    /// Reads the log of the table in `folder`; there are no versions where there is no table.
    pub fn read(folder: &Path) -> Result<Self> {
        let mut versions = Vec::new();
        loop {
            let number = versions.len() as u64;
            let entry = folder.join(format!("_delta_log/{number:020}.json"));
            if !entry.exists() {
                break;
            }
            let text = fs::read_to_string(&entry)?;
            let version = Version::parse(number, &text)
                .with_context(|| format!("{} is no entry of a log", entry.display()))?;
            versions.push(version);
        }
        let folder = folder.to_owned();
        Ok(Self { folder, versions })
    }

    /// All versions, from 0.
    pub fn versions(&self) -> &[Version] {
        &self.versions
    }

    /// The number of the newest version, if there is a table.
    pub fn newest(&self) -> Option<u64> {
        self.versions.last().map(|version| version.number)
    }

    /// The files of the table as of `version`.
    pub fn files(&self, version: u64) -> BTreeSet<&str> {
        let mut files = BTreeSet::new();
        for version in self.versions.iter().filter(|past| past.number <= version) {
            for gone in &version.removed {
                files.remove(gone.as_str());
            }
            files.extend(version.added.iter().map(String::as_str));
        }
        files
    }

    /// All rows of the table as of `version`, in no order; `None` if there are none.
    pub fn rows(&self, version: u64) -> Result<Option<RecordBatch>> {
        let mut batches = Vec::new();
        let mut schema = None;
        for file in self.files(version) {
            let path = self.folder.join(file);
            let file = File::open(&path).with_context(|| {
                format!("version {version} needs {}, which is gone", path.display())
            })?;
            let reader = ParquetRecordBatchReaderBuilder::try_new(file)?.build()?;
            schema.get_or_insert_with(|| reader.schema());
            for batch in reader {
                batches.push(batch?);
            }
        }
        let Some(schema) = schema else {
            return Ok(None);
        };
        Ok(Some(concat_batches(&schema, &batches)?))
    }

    /// Data files in the folder of the table that no version has, by name.
    pub fn strays(&self) -> Result<Vec<PathBuf>> {
        let known: BTreeSet<&str> = self
            .versions
            .iter()
            .flat_map(|version| &version.added)
            .map(String::as_str)
            .collect();
        let mut strays = Vec::new();
        if !self.folder.exists() {
            return Ok(strays);
        }
        for entry in fs::read_dir(&self.folder)? {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str());
            if path.is_file() && !name.is_some_and(|name| known.contains(name)) {
                strays.push(path);
            }
        }
        strays.sort();
        Ok(strays)
    }
}

impl Version {
    fn parse(number: u64, text: &str) -> Result<Self> {
        let mut version = Self {
            number,
            info: Value::Null,
            transactions: BTreeMap::new(),
            added: Vec::new(),
            removed: Vec::new(),
        };
        for line in text.lines() {
            let action: Value = serde_json::from_str(line)?;
            let path = |kind: &str| action[kind]["path"].as_str().map(str::to_owned);
            version.added.extend(path("add"));
            version.removed.extend(path("remove"));
            if let Some(info) = action.get("commitInfo") {
                version.info = info.clone();
            }
            if let Some(transaction) = action.get("txn") {
                let name = transaction["appId"]
                    .as_str()
                    .context("a transaction has a name")?;
                let number = transaction["version"]
                    .as_i64()
                    .context("a transaction has a number")?;
                version.transactions.insert(name.to_owned(), number);
            }
        }
        Ok(version)
    }
}
