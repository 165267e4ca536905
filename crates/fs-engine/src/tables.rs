//! The sources of a catalog as tables that open when a query names them.
//!
//! Nothing is opened before it is needed, so a source that is broken does not hurt the views that
//! do not read it.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::{SchemaProvider, TableProvider};
use datafusion::error::DataFusionError;
use datafusion::execution::context::{SQLOptions, SessionContext};
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::prelude::{DataFrame, SessionConfig};
use deltalake::DeltaTable;
use fs_core::suggest::{did_you_mean, hint};
use fs_core::{Catalog, FileFormat, Source, SourceKind, SourceName};

use crate::bounds::column;
use crate::convert::Slack;
use crate::delta_table::{self, DeltaSource};
use crate::files::{Files, Finder};
use crate::parquet_table::ParquetTable;
use crate::pins::{Pin, Pins};
use crate::text_table::{self, TextFormat, TextTable};
use crate::{EngineOptions, Error, in_order};

/// The catalog and schema of `DataFusion` in which the sources are tables.
pub(crate) const CATALOG: &str = "fs";
pub(crate) const SCHEMA: &str = "sources";

/// The part of the memory limit that a sort sets aside.
const SORTS_SET_ASIDE: usize = 16;
/// The part of the memory limit for each row of a batch.
const BATCHES_OF: usize = 8 << 10;
/// The least rows of a batch.
const LEAST_BATCH: usize = 64;

/// What every query of an engine shares.
#[derive(Debug)]
pub(crate) struct Shared {
    pub options: EngineOptions,
    pub runtime: Arc<RuntimeEnv>,
}

impl Shared {
    /// How sessions behave.
    ///
    /// Names mean what is written, in any letter case; times are UTC; strings are `Utf8`.
    pub(crate) fn config() -> SessionConfig {
        let mut config = SessionConfig::new().with_default_catalog_and_schema(CATALOG, SCHEMA);
        let options = config.options_mut();
        options.sql_parser.enable_ident_normalization = false;
        options.sql_parser.map_string_types_to_utf8view = false;
        options.execution.parquet.schema_force_view_types = false;
        options.execution.time_zone = Some("+00:00".to_owned());
        config
    }

    /// The same for plans that sort. A sort sets aside some memory for merging what it spilled, by
    /// itself 10 MiB, and then has a batch of every spill file in memory: with a small
    /// `memory_limit`, both are smaller.
    pub(crate) fn sorting_config(&self) -> SessionConfig {
        let mut config = Self::config();
        let execution = &mut config.options_mut().execution;
        if let Some(limit) = self.options.memory_limit {
            let part = limit / SORTS_SET_ASIDE;
            let usual = execution.sort_spill_reservation_bytes;
            execution.sort_spill_reservation_bytes = usual.min(part);
            let most = execution.batch_size.get();
            let rows = (limit / BATCHES_OF).clamp(LEAST_BATCH.min(most), most);
            config = config.with_batch_size(rows);
        }
        config
    }
}

/// Sources by name, each opened when a query names it.
#[derive(Debug, Clone)]
pub(crate) struct Tables {
    pub shared: Arc<Shared>,
    pub catalog: Arc<Catalog>,
    /// What of each source is read.
    pub pins: Pins,
    /// The sql sources that are being opened, outermost first.
    opening: Vec<SourceName>,
}

/// A source as a table after its `field_mapping`.
#[derive(Debug, Clone)]
pub(crate) struct OpenSource {
    pub table: Arc<dyn TableProvider>,
    /// What its columns may become.
    pub slack: Slack,
}

impl Tables {
    pub(crate) fn new(shared: Arc<Shared>, catalog: &Catalog, pins: Pins) -> Self {
        Self {
            shared,
            catalog: Arc::new(catalog.clone()),
            pins,
            opening: Vec::new(),
        }
    }

    /// A session whose tables are the sources, and whose plans have one partition, so that rows
    /// keep the order of the source.
    pub(crate) fn session(&self) -> SessionContext {
        let context = in_order::session(Shared::config(), &self.shared.runtime);
        if let Some(catalog) = context.catalog(CATALOG) {
            // Refused only by catalogs that cannot be written to.
            catalog.register_schema(SCHEMA, Arc::new(self.clone())).ok();
        }
        context
    }

    /// Plans one `SELECT`; anything else is refused.
    pub(crate) async fn select(&self, sql: &str) -> Result<DataFrame, DataFusionError> {
        let options = SQLOptions::new()
            .with_allow_ddl(false)
            .with_allow_dml(false)
            .with_allow_statements(false);
        self.session().sql_with_options(sql, options).await
    }

    pub(crate) fn source(&self, name: &SourceName) -> Result<&Source, Error> {
        self.catalog.sources.get(name).ok_or_else(|| {
            let known = self.catalog.sources.keys().map(SourceName::as_str);
            Error::UnknownSource {
                source_name: name.clone(),
                hint: hint(did_you_mean(name.as_str(), known)),
            }
        })
    }

    /// Opens a source with the types that SQL sees.
    pub(crate) async fn open(&self, source: &Source) -> Result<OpenSource, Error> {
        let found = self.open_unmapped(source).await?;
        self.mapped(source, found)
    }

    /// Opens a source for a view that reads it without SQL: text stays text, so that each value
    /// is read as the view declares it.
    pub(crate) async fn open_raw(
        &self,
        source: &Source,
        arrays: &[&str],
    ) -> Result<OpenSource, Error> {
        let SourceKind::Files { file_format, path } = &source.kind else {
            return self.open(source).await;
        };
        let Some(format) = text_format(file_format) else {
            return self.open(source).await;
        };
        let unmapped = |name: &&str| {
            let renamed = source.field_mapping.iter().find(|(_, to)| to == name);
            renamed.map_or_else(|| (*name).to_owned(), |(from, _)| from.clone())
        };
        let arrays: Vec<String> = arrays.iter().map(unmapped).collect();
        let arrays: Vec<&str> = arrays.iter().map(String::as_str).collect();
        let table = self.text(source, format, path).await?.into_raw(&arrays);
        let table = text_table::provider(table).map_err(Error::Start)?;
        let slack = Slack::RAW_TEXT;
        self.mapped(source, OpenSource { table, slack })
    }

    /// Opens a source with the columns as they are called in its files.
    pub(crate) async fn open_unmapped(&self, source: &Source) -> Result<OpenSource, Error> {
        let (table, slack): (Arc<dyn TableProvider>, Slack) = match &source.kind {
            SourceKind::Files {
                file_format: FileFormat::Parquet,
                path,
            } => {
                let files = self.parquet_files(source, path).await?;
                let table = ParquetTable::open(&source.name, files, &self.shared.runtime).await?;
                (Arc::new(table), Slack::NONE)
            }
            SourceKind::Files { file_format, path } => {
                let format = text_format(file_format).unwrap_or(TextFormat::Json);
                let table = self.text(source, format, path).await?;
                let slack = match format {
                    TextFormat::Csv { .. } => Slack::CSV_SAMPLE,
                    TextFormat::Json => Slack::RAW_TEXT,
                };
                (text_table::provider(table).map_err(Error::Start)?, slack)
            }
            SourceKind::Delta { path } => {
                let state = self.session().state();
                let table = self.delta(source, path).await?;
                let table = DeltaSource::open(&self.finder(source, path), &table, &state).await?;
                (Arc::new(table), Slack::NONE)
            }
            SourceKind::Sql { query } => (self.sql(source, query).await?, Slack::NONE),
        };
        Ok(OpenSource { table, slack })
    }

    async fn text(
        &self,
        source: &Source,
        format: TextFormat,
        path: &str,
    ) -> Result<TextTable, Error> {
        let files = self.files(source, path, text_endings(format)).await?;
        TextTable::open(&source.name, &files, format).await
    }

    /// The files of a Parquet source: those of the first look.
    pub(crate) async fn parquet_files(&self, source: &Source, path: &str) -> Result<Files, Error> {
        self.files(source, path, PARQUET).await
    }

    async fn files(&self, source: &Source, path: &str, endings: &[&str]) -> Result<Files, Error> {
        if let Some(Pin::Files(files)) = self.pins.get(&source.name) {
            return Ok(files);
        }
        let found = self.finder(source, path).find(endings).await?;
        match self.pins.keep(&source.name, Pin::Files(found.clone())) {
            Pin::Files(files) => Ok(files),
            Pin::Delta(_) => Ok(found),
        }
    }

    /// The table of a Delta source, at the version of the first look.
    pub(crate) async fn delta(&self, source: &Source, path: &str) -> Result<DeltaTable, Error> {
        if let Some(Pin::Delta(table)) = self.pins.get(&source.name) {
            return Ok(table);
        }
        let found = delta_table::load(&self.finder(source, path)).await?;
        match self.pins.keep(&source.name, Pin::Delta(found.clone())) {
            Pin::Delta(table) => Ok(table),
            Pin::Files(_) => Ok(found),
        }
    }

    /// The files that a source has by now, whatever the first look found; `None` if it has no files.
    pub(crate) async fn look_again(&self, source: &SourceName) -> Result<Option<Files>, Error> {
        let source = self.source(source)?;
        let SourceKind::Files { file_format, path } = &source.kind else {
            return Ok(None);
        };
        let endings = text_format(file_format).map_or(PARQUET, text_endings);
        self.finder(source, path).find(endings).await.map(Some)
    }

    async fn sql(&self, source: &Source, query: &str) -> Result<Arc<dyn TableProvider>, Error> {
        if self.opening.contains(&source.name) {
            return Err(Error::Cycle {
                source_name: source.name.clone(),
            });
        }
        let mut inner = self.clone();
        inner.opening.push(source.name.clone());
        let rows = Box::pin(inner.select(query))
            .await
            .map_err(|cause| Error::of_query(format!("source `{}`", source.name), cause))?;
        Ok(rows.into_view())
    }

    fn mapped(&self, source: &Source, found: OpenSource) -> Result<OpenSource, Error> {
        if source.field_mapping.is_empty() {
            return Ok(found);
        }
        let schema = found.table.schema();
        let columns = schema.fields().iter().map(|field| {
            let plain = column(field.name());
            match source.field_mapping.get(field.name()) {
                Some(name) => plain.alias(name),
                None => plain,
            }
        });
        let failed = |cause| Error::of_query(format!("source `{}`", source.name), cause);
        let rows = self
            .session()
            .read_table(found.table)
            .and_then(|rows| rows.select(columns))
            .map_err(failed)?;
        Ok(OpenSource {
            table: rows.into_view(),
            slack: found.slack,
        })
    }

    pub(crate) fn finder<'a>(&'a self, source: &'a Source, path: &'a str) -> Finder<'a> {
        Finder {
            options: &self.shared.options,
            runtime: &self.shared.runtime,
            source: &source.name,
            path,
        }
    }
}

/// The endings of the files of a folder that count.
const PARQUET: &[&str] = &[".parquet", ".parq", ".pq"];

const fn text_endings(format: TextFormat) -> &'static [&'static str] {
    match format {
        TextFormat::Csv { .. } => &[".csv", ".tsv"],
        TextFormat::Json => &[".json", ".jsonl", ".ndjson"],
    }
}

fn text_format(format: &FileFormat) -> Option<TextFormat> {
    match format {
        FileFormat::Parquet => None,
        FileFormat::Csv(options) => Some(TextFormat::Csv {
            // Definitions are checked to have a delimiter of one byte.
            delimiter: u8::try_from(options.delimiter).unwrap_or(b','),
        }),
        FileFormat::Json => Some(TextFormat::Json),
    }
}

#[async_trait]
impl SchemaProvider for Tables {
    fn table_names(&self) -> Vec<String> {
        self.catalog
            .sources
            .keys()
            .map(ToString::to_string)
            .collect()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>, DataFusionError> {
        let Some(source) = self.catalog.sources.get(name) else {
            return Ok(None);
        };
        let opened = self.open(source).await;
        let opened = opened.map_err(|error| DataFusionError::External(Box::new(error)))?;
        Ok(Some(opened.table))
    }

    fn table_exist(&self, name: &str) -> bool {
        self.catalog.sources.contains_key(name)
    }
}
