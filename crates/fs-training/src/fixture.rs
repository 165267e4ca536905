//! A catalog with one view, and its offline table in a temporary folder.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, TimestampMicrosecondArray};
use arrow::datatypes::Schema;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use fs_core::data_type::UTC;
use fs_core::time::parse_micros;
use fs_core::{
    Aggregation, Catalog, Entity, EventTime, Feature, FeatureRequest, FeatureService, FeatureView,
    Function, JoinKey, KeyType, Location, Meta, Naming, SEQUENCE, Selected, ServiceEntry,
    TimeRange, Windows,
};
use fs_offline::{OfflineStore, Replacement, TableSchema};
use fs_pit::Rule;
use tempfile::TempDir;

use crate::{Error, Spine, TrainingOptions, TrainingQuery, TrainingSet, TrainingSets};

/// The view of users: `clicks: int64`, and `score: float64`, which is half of it.
pub(crate) const VIEW: &str = "activity";

/// The second entity, and its key column.
pub(crate) const SHOP: &str = "shop";

/// A row of the view.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) user: i64,
    pub(crate) event: i64,
    pub(crate) created: Option<i64>,
    pub(crate) clicks: Option<i64>,
}

pub(crate) struct Shop {
    pub(crate) catalog: Catalog,
    offline: Arc<OfflineStore>,
    _folder: TempDir,
}

pub(crate) fn at(text: &str) -> i64 {
    parse_micros(text).unwrap()
}

/// Both features of the view.
pub(crate) fn request() -> FeatureRequest {
    let features = ["activity:clicks", "activity:score"];
    FeatureRequest::Features(features.map(|feature| feature.parse().unwrap()).to_vec())
}

fn feature(name: &str, data_type: &str) -> Feature {
    Feature {
        name: name.parse().unwrap(),
        data_type: data_type.parse().unwrap(),
        description: None,
    }
}

/// `function` of `column`, or of `*`, in `windows`, of the events that `filter` lets pass.
pub(crate) fn aggregation(
    column: Option<&str>,
    function: Function,
    filter: Option<&str>,
    windows: &[&str],
) -> Aggregation {
    let column = column.map(|column| column.parse().unwrap());
    let windows: Vec<_> = windows.iter().map(|text| text.parse().unwrap()).collect();
    Aggregation {
        filter: filter.map(str::to_owned),
        ..Aggregation::new(column, function, &windows).unwrap()
    }
}

/// A catalog whose view has `rule` and a join key of this type.
pub(crate) fn catalog(rule: Rule, key_type: KeyType) -> Catalog {
    let mut catalog = Catalog::empty("shop".parse().unwrap());
    let user = Entity {
        name: "user".parse().unwrap(),
        join_keys: vec![JoinKey {
            name: "user".parse().unwrap(),
            key_type,
        }],
        meta: Meta::default(),
    };
    let view = FeatureView {
        name: VIEW.parse().unwrap(),
        entities: vec![user.name.clone()],
        source: "events".parse().unwrap(),
        ttl: rule.ttl,
        delay: rule.delay,
        point_in_time: rule.point_in_time,
        schema: vec![feature("clicks", "int64"), feature("score", "float64")],
        windows: None,
        query: None,
        schedule: None,
        freshness: None,
        expectations: Vec::new(),
        online: true,
        meta: Meta::default(),
    };
    catalog.entities.insert(user.name.clone(), user);
    catalog.feature_views.insert(view.name.clone(), view);
    catalog
}

impl Shop {
    pub(crate) fn new(rule: Rule) -> Self {
        let folder = TempDir::new().unwrap();
        let catalog = catalog(rule, KeyType::Int64);
        let root = Location::folder(folder.path()).unwrap();
        Self {
            offline: Arc::new(OfflineStore::new(&root, &catalog.project)),
            catalog,
            _folder: folder,
        }
    }

    pub(crate) fn sets(&self) -> TrainingSets {
        self.sets_within(None)
    }

    /// Training sets that may hold so many bytes.
    pub(crate) fn sets_within(&self, memory_limit: Option<usize>) -> TrainingSets {
        let options = TrainingOptions { memory_limit };
        TrainingSets::new(Arc::clone(&self.offline), options).unwrap()
    }

    pub(crate) async fn training(
        &self,
        spine: Spine,
        timestamp_field: Option<&str>,
    ) -> Result<TrainingSet, Error> {
        let sets = self.sets();
        sets.get(
            &self.catalog,
            1,
            &TrainingQuery::new(request(), Naming::Short).with_timestamp_field(timestamp_field),
            spine,
            None,
        )
        .await
    }

    pub(crate) const fn offline(&self) -> &Arc<OfflineStore> {
        &self.offline
    }

    /// Adds a view like the first one, with this rule.
    pub(crate) fn add_view(&mut self, name: &str, rule: Rule) {
        let mut view = self.catalog.feature_views[VIEW].clone();
        view.name = name.parse().unwrap();
        (view.ttl, view.delay, view.point_in_time) = (rule.ttl, rule.delay, rule.point_in_time);
        self.catalog.feature_views.insert(view.name.clone(), view);
    }

    /// Adds a view like the first one of users and shops, whose key column `shop` is int64.
    ///
    /// A row of user `n` is of shop `n % 3`.
    pub(crate) fn add_view_of_two(&mut self, name: &str, rule: Rule) {
        let shop = Entity {
            name: SHOP.parse().unwrap(),
            join_keys: vec![JoinKey {
                name: SHOP.parse().unwrap(),
                key_type: KeyType::Int64,
            }],
            meta: Meta::default(),
        };
        self.add_view(name, rule);
        let view = self.catalog.feature_views.get_mut(name).unwrap();
        view.entities.push(shop.name.clone());
        self.catalog.entities.insert(shop.name.clone(), shop);
    }

    /// Adds a view whose rows are events with the features of the first one as inputs.
    pub(crate) fn add_windowed(&mut self, name: &str, rule: Rule, aggregations: &[Aggregation]) {
        self.add_view(name, rule);
        let view = self.catalog.feature_views.get_mut(name).unwrap();
        let windows = Windows {
            inputs: std::mem::take(&mut view.schema),
            aggregations: aggregations.to_vec(),
        };
        view.schema = windows.schema().unwrap();
        view.windows = Some(windows);
    }

    /// Commits the rows of a window.
    pub(crate) async fn replace(&self, window: Range<i64>, rows: &[Row]) {
        self.replace_in(VIEW, window, rows).await;
    }

    /// Commits the rows of a window of this view.
    pub(crate) async fn replace_in(&self, view: &str, window: Range<i64>, rows: &[Row]) {
        let schema = TableSchema::of(&self.catalog, &self.catalog.feature_views[view]);
        let micros = EventTime::from_micros;
        let range = TimeRange::new(micros(window.start), micros(window.end)).unwrap();
        let batch = batch(&schema, rows);
        let columns = batch.schema();
        let stream = futures::stream::iter([Ok(batch)]);
        let stream = Box::pin(RecordBatchStreamAdapter::new(columns, stream));
        self.offline
            .replace_window(&schema, Replacement::of(range, stream))
            .await
            .unwrap();
    }

    /// The catalog with a service `model` that has the view once for each alias and key column.
    pub(crate) fn with_service(&self, uses: &[(&str, &str)]) -> Catalog {
        let mut catalog = self.catalog.clone();
        let entry = |(alias, column): &(&str, &str)| ServiceEntry {
            view: VIEW.parse().unwrap(),
            alias: Some(alias.parse().unwrap()),
            join_keys: BTreeMap::from([("user".parse().unwrap(), (*column).to_owned())]),
            features: Selected::All,
        };
        let service = FeatureService {
            name: "model".parse().unwrap(),
            features: uses.iter().map(entry).collect(),
            meta: Meta::default(),
        };
        catalog
            .feature_services
            .insert(service.name.clone(), service);
        catalog
    }

    /// The catalog with one more feature in the view.
    pub(crate) fn with_feature(&self, name: &str, data_type: &str) -> Catalog {
        let mut catalog = self.catalog.clone();
        let view = catalog.feature_views.get_mut(VIEW).unwrap();
        view.schema.push(feature(name, data_type));
        catalog
    }
}

fn batch(schema: &TableSchema, rows: &[Row]) -> RecordBatch {
    let fields = schema.columns().fields().iter();
    let fields: Vec<_> = fields
        .filter(|field| field.name() != SEQUENCE)
        .cloned()
        .collect();
    let events = TimestampMicrosecondArray::from_iter_values(rows.iter().map(|row| row.event));
    let created: TimestampMicrosecondArray = rows.iter().map(|row| row.created).collect();
    let clicks: Vec<Option<i64>> = rows.iter().map(|row| row.clicks).collect();
    let half = |clicks: Option<i64>| {
        clicks
            .and_then(|n| i32::try_from(n).ok())
            .map(|n| f64::from(n) / 2.0)
    };
    let scores: Float64Array = clicks.iter().copied().map(half).collect();
    let shops = rows.iter().map(|row| row.user % 3);
    let shops: ArrayRef = Arc::new(Int64Array::from_iter_values(shops));
    let has_shops = fields.iter().any(|field| field.name() == SHOP);
    let mut columns: Vec<ArrayRef> = vec![Arc::new(Int64Array::from_iter_values(
        rows.iter().map(|row| row.user),
    ))];
    columns.extend(has_shops.then_some(shops));
    let others: [ArrayRef; 4] = [
        Arc::new(events.with_timezone(UTC)),
        Arc::new(created.with_timezone(UTC)),
        Arc::new(Int64Array::from(clicks)),
        Arc::new(scores),
    ];
    columns.extend(others);
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
}
