//! Rows from a file, read as what the file would be if it were the source of the view.

use std::collections::BTreeMap;
use std::path::Path;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use fs_core::code::report;
use fs_core::{
    CREATED_TIMESTAMP, Catalog, Coded, CsvOptions, EVENT_TIMESTAMP, EventTime, FeatureView,
    FileFormat, Source, SourceKind, TimeRange,
};
use fs_engine::{Engine, EngineOptions, Reading};
use futures::TryStreamExt;

use crate::failure::Failure;

/// The rows of the file at `path` as rows of `view`, with its types.
///
/// Columns have the names of the view, or those of its source. A file without created times is fine.
pub(super) async fn rows(
    catalog: &Catalog,
    view: &FeatureView,
    path: &Path,
) -> Result<RecordBatch, Failure> {
    let engine = Engine::new(EngineOptions {
        base_dir: std::env::current_dir()
            .map_err(|error| Failure::io("cannot find the working directory", &error))?,
        ..EngineOptions::default()
    })?;
    let mut catalog = catalog.clone();
    let Some(source) = catalog.sources.get_mut(&view.source) else {
        return Err(Failure::input(format!(
            "view `{}` has no source",
            view.name
        )));
    };
    let known = source.clone();
    source.kind = SourceKind::Files {
        file_format: format(path)?,
        path: path.display().to_string(),
    };
    source.field_mapping = BTreeMap::new();
    let refused = |error: &fs_engine::Error| {
        let message = format!("`{}`: {}", path.display(), report(error));
        Failure::new(error.code(), message)
    };
    let columns = engine.source_columns(&catalog, &known.name).await;
    let columns = columns.map_err(|error| refused(&error))?;
    if let Some(source) = catalog.sources.get_mut(&known.name) {
        name_columns(source, &known, &columns);
    }
    let view = FeatureView {
        query: None,
        ..view.clone()
    };
    let all = TimeRange::until(EventTime::from_micros(i64::MAX));
    let state = engine.source_state(&catalog, &view).await;
    let state = state.map_err(|error| refused(&error))?;
    let reading = Reading::of(all, &state);
    let rows = engine.view_rows(&catalog, &view, reading).await;
    let rows = rows.map_err(|error| refused(&error))?;
    let broken = |error| match fs_engine::Error::from_datafusion(&error) {
        Some(ours) => refused(ours),
        None => Failure::input(format!("cannot read `{}`: {error}", path.display())),
    };
    let batches: Vec<RecordBatch> = rows.stream.try_collect().await.map_err(broken)?;
    concat_batches(&rows.schema, &batches).map_err(|error| {
        Failure::input(format!(
            "cannot put the rows of `{}` together: {error}",
            path.display()
        ))
    })
}

/// Says which of `columns` hold the times, and which have the names that the `known` source renames.
fn name_columns(source: &mut Source, known: &Source, columns: &[String]) {
    let is_there = |name: &str| columns.iter().any(|column| column == name);
    let mapping = known.field_mapping.iter();
    source.field_mapping = mapping
        .filter(|(from, _)| is_there(from))
        .map(|(from, to)| (from.clone(), to.clone()))
        .collect();
    let renamed = |name: &str| is_there(name) || source.field_mapping.values().any(|to| to == name);
    if !renamed(&source.timestamp_field) && is_there(EVENT_TIMESTAMP) {
        EVENT_TIMESTAMP.clone_into(&mut source.timestamp_field);
    }
    let created = known.created_timestamp_column.as_deref();
    let created = created.filter(|name| renamed(name));
    let created = created.or_else(|| is_there(CREATED_TIMESTAMP).then_some(CREATED_TIMESTAMP));
    source.created_timestamp_column = created.map(str::to_owned);
}

fn format(path: &Path) -> Result<FileFormat, Failure> {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("parquet") => Ok(FileFormat::Parquet),
        Some("csv") => Ok(FileFormat::Csv(CsvOptions::default())),
        Some("json" | "jsonl" | "ndjson") => Ok(FileFormat::Json),
        _ => Err(Failure::input(format!(
            "`{}` is neither a .parquet, a .csv nor a .json file",
            path.display()
        ))),
    }
}
