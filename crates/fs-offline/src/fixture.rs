//! A small view, its rows as plain values, and a store in a temporary folder.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{Int64Type, Schema, SchemaRef, TimestampMicrosecondType};
use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use fs_core::data_type::UTC;
use fs_core::{
    Catalog, Entity, EventTime, Feature, FeatureView, JoinKey, KeyType, Location, Meta,
    PointInTime, SEQUENCE, Span, TimeRange, Windows,
};
use futures::TryStreamExt;
use tempfile::TempDir;

use crate::{Error, Ingested, OfflineOptions, OfflineStore, Replacement, Scan, TableSchema};

/// A row of the view: `user`, event, created, `clicks`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Row {
    pub(crate) user: String,
    pub(crate) event: i64,
    pub(crate) created: Option<i64>,
    pub(crate) clicks: Option<i64>,
}

pub(crate) fn row(user: &str, event: i64, clicks: i64) -> Row {
    Row {
        user: user.to_owned(),
        event,
        created: None,
        clicks: Some(clicks),
    }
}

pub(crate) fn at(micros: i64) -> EventTime {
    EventTime::from_micros(micros)
}

pub(crate) fn window(start: i64, end: i64) -> TimeRange {
    TimeRange::new(at(start), at(end)).unwrap()
}

/// The view `activity` of users, with features such as `clicks: int64`.
pub(crate) fn schema_with(key_type: KeyType, features: &[(&str, &str)]) -> TableSchema {
    let feature = |(name, data_type): &(&str, &str)| Feature {
        name: name.parse().unwrap(),
        data_type: data_type.parse().unwrap(),
        description: None,
    };
    schema_of(key_type, features.iter().map(feature).collect(), None)
}

/// The same view with windows.
pub(crate) fn windowed_schema(key_type: KeyType, windows: Windows) -> TableSchema {
    schema_of(key_type, windows.schema().unwrap(), Some(windows))
}

fn schema_of(key_type: KeyType, schema: Vec<Feature>, windows: Option<Windows>) -> TableSchema {
    let mut catalog = Catalog::empty("shop".parse().unwrap());
    let user = Entity {
        name: "user".parse().unwrap(),
        join_keys: vec![JoinKey {
            name: "user".parse().unwrap(),
            key_type,
        }],
        meta: Meta::default(),
    };
    catalog.entities.insert(user.name.clone(), user);
    let view = FeatureView {
        name: "activity".parse().unwrap(),
        entities: vec!["user".parse().unwrap()],
        source: "events".parse().unwrap(),
        ttl: None,
        delay: Span::ZERO,
        point_in_time: PointInTime::EventTime,
        schema,
        windows,
        query: None,
        schedule: None,
        freshness: None,
        expectations: Vec::new(),
        online: true,
        meta: Meta::default(),
    };
    TableSchema::of(&catalog, &view)
}

pub(crate) fn schema() -> TableSchema {
    schema_with(KeyType::String, &[("clicks", "int64")])
}

pub(crate) struct Shop {
    pub(crate) store: OfflineStore,
    pub(crate) folder: TempDir,
}

impl Shop {
    pub(crate) fn new() -> Self {
        Self::with(OfflineOptions::default())
    }

    /// A store whose files hold a handful of rows.
    pub(crate) fn with_small_files() -> Self {
        Self::with(OfflineOptions {
            target_file_bytes: 1,
            row_group_rows: 16,
            ..OfflineOptions::default()
        })
    }

    pub(crate) fn with(options: OfflineOptions) -> Self {
        let folder = TempDir::new().unwrap();
        let root = Location::folder(folder.path()).unwrap();
        let store = OfflineStore::with_options(&root, &"shop".parse().unwrap(), options);
        Self { store, folder }
    }

    pub(crate) async fn replace(
        &self,
        window: TimeRange,
        rows: &[Row],
        watermark: Option<i64>,
    ) -> Result<Ingested, Error> {
        let replacement = Replacement {
            watermark: watermark.map(at),
            ..Replacement::of(window, stream(vec![Ok(batch(rows))]))
        };
        self.store.replace_window(&schema(), replacement).await
    }

    pub(crate) async fn version(&self) -> Option<i64> {
        let state = self.store.state(schema().view()).await.unwrap();
        state.map(|state| state.version)
    }

    /// The rows at the newest version with their sequence, in the order of their sequence.
    pub(crate) async fn numbered(&self) -> Vec<(i64, Row)> {
        self.scan(&Scan::default()).await
    }

    pub(crate) async fn scan(&self, scan: &Scan) -> Vec<(i64, Row)> {
        let scan = self.store.scan(&schema(), scan).await.unwrap();
        let mut rows = collect(scan.stream().unwrap()).await;
        rows.sort();
        rows
    }

    /// The rows at the newest version, sorted.
    pub(crate) async fn rows(&self) -> Vec<Row> {
        let mut rows: Vec<Row> = self.numbered().await.into_iter().map(|(_, r)| r).collect();
        rows.sort();
        rows
    }
}

/// The columns of the rows of [`schema`] as a source gives them.
pub(crate) fn input() -> SchemaRef {
    let schema = schema();
    let columns = schema.columns().fields().iter();
    let columns = columns.filter(|field| field.name() != SEQUENCE).cloned();
    Arc::new(Schema::new(columns.collect::<Vec<_>>()))
}

pub(crate) fn batch(rows: &[Row]) -> RecordBatch {
    let users = rows.iter().map(|row| Some(row.user.as_str()));
    let events = rows.iter().map(|row| Some(row.event));
    let created = rows.iter().map(|row| row.created);
    let clicks = rows.iter().map(|row| row.clicks);
    let columns: Vec<ArrayRef> = vec![
        Arc::new(users.collect::<StringArray>()),
        Arc::new(
            events
                .collect::<TimestampMicrosecondArray>()
                .with_timezone(UTC),
        ),
        Arc::new(
            created
                .collect::<TimestampMicrosecondArray>()
                .with_timezone(UTC),
        ),
        Arc::new(clicks.collect::<Int64Array>()),
    ];
    RecordBatch::try_new(input(), columns).unwrap()
}

pub(crate) fn stream(
    batches: Vec<Result<RecordBatch, DataFusionError>>,
) -> SendableRecordBatchStream {
    let schema = batches
        .iter()
        .find_map(|batch| batch.as_ref().ok().map(RecordBatch::schema))
        .unwrap_or_else(input);
    let stream = futures::stream::iter(batches);
    Box::pin(RecordBatchStreamAdapter::new(schema, stream))
}

pub(crate) async fn collect(stream: SendableRecordBatchStream) -> Vec<(i64, Row)> {
    let batches: Vec<RecordBatch> = stream.try_collect().await.unwrap();
    batches.iter().flat_map(rows_of).collect()
}

fn rows_of(batch: &RecordBatch) -> Vec<(i64, Row)> {
    let time = |name: &str, at: usize| {
        let column = batch.column_by_name(name).unwrap();
        let column = column.as_primitive::<TimestampMicrosecondType>();
        column.is_valid(at).then(|| column.value(at))
    };
    let number = |name: &str, at: usize| {
        let column = batch.column_by_name(name).unwrap();
        let column = column.as_primitive::<Int64Type>();
        column.is_valid(at).then(|| column.value(at))
    };
    let users = batch.column_by_name("user").unwrap().as_string::<i32>();
    (0..batch.num_rows())
        .map(|at| {
            let row = Row {
                user: users.value(at).to_owned(),
                event: time("event_timestamp", at).unwrap(),
                created: time("created_timestamp", at),
                clicks: number("clicks", at),
            };
            (number(SEQUENCE, at).unwrap(), row)
        })
        .collect()
}
