//! Sources as values.

use std::collections::BTreeMap;

use fs_core::{CsvOptions, EVENT_TIMESTAMP, FileFormat, Meta, Source, SourceKind, Span};

use super::parsed;

/// Builds a [`Source`].
#[derive(Debug, Clone)]
pub struct SourceBuilder(Source);

impl SourceBuilder {
    #[track_caller]
    pub(super) fn new(name: &str) -> Self {
        Self(Source {
            name: parsed(name),
            kind: files(FileFormat::Parquet, &format!("data/{name}.parquet")),
            timestamp_field: EVENT_TIMESTAMP.to_owned(),
            created_timestamp_column: None,
            field_mapping: BTreeMap::new(),
            lateness: Span::ZERO,
            meta: Meta::default(),
        })
    }

    /// Reads Parquet files.
    #[must_use]
    pub fn parquet(self, path: &str) -> Self {
        self.kind(files(FileFormat::Parquet, path))
    }

    /// Reads CSV files.
    #[must_use]
    pub fn csv(self, path: &str) -> Self {
        self.kind(files(FileFormat::Csv(CsvOptions::default()), path))
    }

    /// Reads files with one JSON object a line.
    #[must_use]
    pub fn json(self, path: &str) -> Self {
        self.kind(files(FileFormat::Json, path))
    }

    /// Reads a Delta table.
    #[must_use]
    pub fn delta(self, path: &str) -> Self {
        self.kind(SourceKind::Delta {
            path: path.to_owned(),
        })
    }

    /// Selects from other sources.
    #[must_use]
    pub fn sql(self, query: &str) -> Self {
        self.kind(SourceKind::Sql {
            query: query.to_owned(),
        })
    }

    /// The column of event time, `event_timestamp` if you do not say.
    #[must_use]
    pub fn timestamp(mut self, column: &str) -> Self {
        column.clone_into(&mut self.0.timestamp_field);
        self
    }

    /// The column of created time; none if you do not say.
    #[must_use]
    pub fn created(mut self, column: &str) -> Self {
        self.0.created_timestamp_column = Some(column.to_owned());
        self
    }

    /// Renames a column of the files.
    #[must_use]
    pub fn mapped(mut self, column: &str, name: &str) -> Self {
        let mapping = &mut self.0.field_mapping;
        mapping.insert(column.to_owned(), name.to_owned());
        self
    }

    /// How far back an incremental run reads again.
    #[must_use]
    #[track_caller]
    pub fn lateness(mut self, span: &str) -> Self {
        self.0.lateness = parsed(span);
        self
    }

    /// The source.
    pub fn build(self) -> Source {
        self.0
    }

    fn kind(mut self, kind: SourceKind) -> Self {
        self.0.kind = kind;
        self
    }
}

fn files(file_format: FileFormat, path: &str) -> SourceKind {
    let path = path.to_owned();
    SourceKind::Files { file_format, path }
}

impl From<SourceBuilder> for Source {
    fn from(builder: SourceBuilder) -> Self {
        builder.build()
    }
}
