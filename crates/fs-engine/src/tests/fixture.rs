//! A repo of one entity, in a temporary folder, and short ways to fill it.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Float64Array, Int32Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::util::pretty::pretty_format_batches;
use datafusion::error::DataFusionError;
use fs_core::{
    Catalog, DataType, Entity, EntityName, EventTime, Feature, FeatureName, FeatureView,
    FileFormat, JoinKey, KeyName, KeyType, Meta, PointInTime, ProjectName, Source, SourceKind,
    SourceName, Span, TimeRange, ViewName,
};
use futures::TryStreamExt;
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use tempfile::TempDir;

use crate::{Engine, EngineOptions, Error, Reading, ViewRows};

pub(super) struct Repo {
    pub dir: TempDir,
    pub engine: Engine,
    pub catalog: Catalog,
}

impl Repo {
    /// An entity `airport` with the string key `origin`, and nothing else.
    pub(super) fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let engine = Engine::new(EngineOptions {
            base_dir: dir.path().to_owned(),
            ..EngineOptions::default()
        })
        .unwrap();
        let mut catalog = Catalog::empty(ProjectName::new("flights").unwrap());
        let name = EntityName::new("airport").unwrap();
        catalog.entities.insert(
            name.clone(),
            Entity {
                name,
                join_keys: vec![JoinKey {
                    name: KeyName::new("origin").unwrap(),
                    key_type: KeyType::String,
                }],
                meta: Meta::default(),
            },
        );
        Self {
            dir,
            engine,
            catalog,
        }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        let path = self.dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        path
    }

    pub(super) fn text(&self, name: &str, content: &str) {
        std::fs::write(self.path(name), content).unwrap();
    }

    pub(super) fn parquet(&self, name: &str, columns: &[(&str, ArrayRef)]) {
        self.parquet_in_groups(name, columns, usize::MAX);
    }

    pub(super) fn parquet_in_groups(&self, name: &str, columns: &[(&str, ArrayRef)], rows: usize) {
        let batch = batch(columns);
        let properties = WriterProperties::builder()
            .set_max_row_group_row_count(Some(rows))
            .build();
        let file = File::create(self.path(name)).unwrap();
        let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties)).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
    }

    pub(super) fn source(&mut self, name: &str, kind: SourceKind) -> &mut Source {
        let name = SourceName::new(name).unwrap();
        self.catalog.sources.insert(
            name.clone(),
            Source {
                name: name.clone(),
                kind,
                timestamp_field: "t".to_owned(),
                created_timestamp_column: None,
                field_mapping: std::collections::BTreeMap::new(),
                lateness: Span::ZERO,
                meta: Meta::default(),
            },
        );
        self.catalog.sources.get_mut(&name).unwrap()
    }

    pub(super) async fn rows(&self, view: &FeatureView) -> Result<String, Error> {
        self.rows_in(view, &always()).await
    }

    pub(super) async fn rows_in(
        &self,
        view: &FeatureView,
        range: &TimeRange,
    ) -> Result<String, Error> {
        collect(self.view_rows(view, range).await?).await
    }

    pub(super) async fn view_rows(
        &self,
        view: &FeatureView,
        range: &TimeRange,
    ) -> Result<ViewRows, Error> {
        let state = self.engine.source_state(&self.catalog, view).await?;
        let reading = Reading::of(*range, &state);
        self.engine.view_rows(&self.catalog, view, reading).await
    }

    /// The messages of [`Engine::check_view`], with their places.
    pub(super) async fn problems(&self, view: &FeatureView) -> Vec<String> {
        let problems = self.engine.check_view(&self.catalog, view).await;
        problems
            .iter()
            .map(|problem| format!("{:?}: {}", problem.place, problem.message))
            .collect()
    }
}

/// The rows as a table for people; fails as the stream fails.
pub(super) async fn collect(rows: ViewRows) -> Result<String, Error> {
    let schema = Arc::clone(&rows.schema);
    let batches: Result<Vec<RecordBatch>, DataFusionError> = rows.stream.try_collect().await;
    let batches = batches.map_err(|error| Error::of_query("the test".to_owned(), error))?;
    assert!(batches.iter().all(|batch| batch.schema() == schema));
    Ok(pretty_format_batches(&batches).unwrap().to_string())
}

pub(super) fn batch(columns: &[(&str, ArrayRef)]) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(
        columns
            .iter()
            .map(|(name, column)| (*name, Arc::clone(column), true)),
    )
    .unwrap()
}

pub(super) fn files(file_format: FileFormat, path: &str) -> SourceKind {
    SourceKind::Files {
        file_format,
        path: path.to_owned(),
    }
}

pub(super) fn sql(query: &str) -> SourceKind {
    SourceKind::Sql {
        query: query.to_owned(),
    }
}

/// A view of `airport` with these features.
pub(super) fn view(source: &str, features: &[(&str, &str)]) -> FeatureView {
    FeatureView {
        name: ViewName::new("weather_now").unwrap(),
        entities: vec![EntityName::new("airport").unwrap()],
        source: SourceName::new(source).unwrap(),
        ttl: None,
        delay: Span::ZERO,
        point_in_time: PointInTime::EventTime,
        schema: features
            .iter()
            .map(|(name, data_type)| Feature {
                name: FeatureName::new(*name).unwrap(),
                data_type: data_type.parse::<DataType>().unwrap(),
                description: None,
            })
            .collect(),
        windows: None,
        query: None,
        schedule: None,
        freshness: None,
        expectations: Vec::new(),
        online: true,
        meta: Meta::default(),
    }
}

pub(super) fn always() -> TimeRange {
    TimeRange::until(EventTime::from_micros(i64::MAX))
}

pub(super) fn range(start: i64, end: i64) -> TimeRange {
    TimeRange::new(EventTime::from_micros(start), EventTime::from_micros(end)).unwrap()
}

pub(super) fn strings(values: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

pub(super) fn ints(values: &[i32]) -> ArrayRef {
    Arc::new(Int32Array::from(values.to_vec()))
}

pub(super) fn floats(values: &[f64]) -> ArrayRef {
    Arc::new(Float64Array::from(values.to_vec()))
}

pub(super) fn times(values: &[i64]) -> ArrayRef {
    Arc::new(TimestampMicrosecondArray::from(values.to_vec()).with_timezone("UTC"))
}

/// Checks a table line by line, so that the expectation reads like the rows.
pub(super) fn assert_rows(found: &str, expected: &[&str]) {
    let rows: Vec<String> = found
        .lines()
        .skip(3)
        .filter(|line| line.starts_with('|'))
        .map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
            cells.join(" ")
        })
        .collect();
    assert_eq!(rows, expected, "\n{found}");
}
