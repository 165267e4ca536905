//! The engine: one runtime for all queries, a fresh session for each.

use std::path::Path;
use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use datafusion::execution::context::SessionContext;
use datafusion::execution::runtime_env::RuntimeEnv;
use fs_core::{Catalog, EventTime, FeatureView, SourceName, TimeRange};

use crate::{EngineOptions, Error, FileRows, SourceProblem, ViewRows};

/// Reads sources.
///
/// One runtime (memory pool, spill files, object stores, caches) serves all queries; every query
/// gets a session of its own, which knows nothing but the sources of its catalog.
#[derive(Debug)]
pub struct Engine {
    options: EngineOptions,
    runtime: Arc<RuntimeEnv>,
}

impl Engine {
    /// An engine with its own memory pool.
    pub fn new(options: EngineOptions) -> Result<Self, Error> {
        Ok(Self {
            options,
            runtime: Arc::default(),
        })
    }

    /// A session without any source, on the runtime that all queries share.
    pub fn session(&self) -> SessionContext {
        SessionContext::new()
    }

    /// The columns of a source after its `field_mapping`.
    pub async fn source_schema(
        &self,
        _catalog: &Catalog,
        source: &SourceName,
    ) -> Result<SchemaRef, Error> {
        Err(unfinished(source))
    }

    /// The rows of `view` whose event time lies in `range`, in the order of the source.
    pub async fn view_rows(
        &self,
        _catalog: &Catalog,
        view: &FeatureView,
        _range: &TimeRange,
    ) -> Result<ViewRows, Error> {
        Err(unfinished(&view.source))
    }

    /// The least event time among the rows of `view` that became known at or after `watermark`
    /// and have an event time before it; `None` if there are none or no created time is recorded.
    pub async fn late_start(
        &self,
        _catalog: &Catalog,
        view: &FeatureView,
        _watermark: EventTime,
    ) -> Result<Option<EventTime>, Error> {
        Err(unfinished(&view.source))
    }

    /// What is wrong with a source: its files, its query, its times, its mapping.
    pub async fn check_source(
        &self,
        _catalog: &Catalog,
        _source: &SourceName,
    ) -> Vec<SourceProblem> {
        Vec::new()
    }

    /// What is wrong with a view, its source included.
    pub async fn check_view(&self, _catalog: &Catalog, _view: &FeatureView) -> Vec<SourceProblem> {
        Vec::new()
    }

    /// What is wrong with every source and every view, each problem once.
    pub async fn check(&self, _catalog: &Catalog) -> Vec<SourceProblem> {
        Vec::new()
    }

    /// The rows of a Parquet or CSV file, chosen by its ending; a relative path starts from the
    /// process's own folder. CSV columns that `declared` names are read with that type, the others
    /// with the type that all their values have.
    pub async fn read_file(&self, path: &Path, _declared: &Schema) -> Result<FileRows, Error> {
        Err(Error::UnknownFormat {
            path: path.to_owned(),
        })
    }
}

fn unfinished(source: &SourceName) -> Error {
    Error::MixedTypes {
        source_name: source.clone(),
        column: String::new(),
        first: String::new(),
        second: String::new(),
        file: String::new(),
    }
}
