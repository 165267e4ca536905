//! Sources: where raw rows come from.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Meta, SourceName, Span};

/// Where raw rows come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Its name; also the table that SQL sources and view queries select from.
    pub name: SourceName,
    /// How its rows are read.
    pub kind: SourceKind,
    /// The column that holds event time, after `field_mapping`.
    pub timestamp_field: String,
    /// The column that holds created time, after `field_mapping`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_timestamp_column: Option<String>,
    /// New names for columns: from the name in the files to the name used everywhere else.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub field_mapping: BTreeMap<String, String>,
    /// How far below the watermark an incremental run reads again, for rows that arrive late.
    #[serde(default, skip_serializing_if = "Span::is_zero")]
    pub lateness: Span,
    /// Words for people.
    #[serde(default)]
    pub meta: Meta,
}

/// How the rows of a source are read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "format", rename_all = "snake_case", deny_unknown_fields)]
pub enum SourceKind {
    /// Files of one format below a path.
    Files {
        /// What the files hold.
        file_format: FileFormat,
        /// File, folder, glob or URL, relative to the repo.
        path: String,
    },
    /// A Delta table.
    Delta {
        /// Folder or URL, relative to the repo.
        path: String,
    },
    /// SQL over other sources.
    Sql {
        /// One `SELECT`.
        query: String,
    },
}

/// What the files of a source hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileFormat {
    /// Apache Parquet.
    Parquet,
    /// Comma-separated values with a header line.
    Csv(CsvOptions),
    /// One JSON object a line.
    Json,
}

/// How CSV files are written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CsvOptions {
    /// What separates the columns.
    pub delimiter: char,
}

impl Default for CsvOptions {
    fn default() -> Self {
        Self { delimiter: ',' }
    }
}
