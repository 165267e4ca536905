//! A small catalogue, a store that counts, and a clock that stands still.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow::array::{Array, ArrayRef, Float64Array, Int64Array, StringArray};
use async_trait::async_trait;
use bytes::Bytes;
use fs_core::{
    Catalog, CreatedTime, DataType, Entity, EventTime, Feature, FeatureRequest, FeatureService,
    FeatureView, Fence, FixedClock, JoinKey, KeyType, KeyValue, Meta, Naming, PointInTime,
    Selected, ServiceEntry, Span, Ttl, ViewName,
};
use fs_online::key::encode_key;
use fs_online::{
    EncodedKey, Error as StoreError, KeyCursor, KeyPage, MemoryStore, OnlineStore, Published,
    RowEncoder, RowLayout, RowOrder, RowWrite, ViewId, ViewKeys, WriteOutcome,
};

use crate::{EntityColumns, Error, FeatureVectors, Serving, Status};

/// The instant at which the tests read, in microseconds.
pub(super) const NOW: i64 = 10_000_000_000;
pub(super) const HOUR: i64 = 3_600_000_000;

/// Entities `airport (origin string)`, `route (origin string, dest string)` and
/// `plane (tailnum int64)`; views of each, one of none, and one that is not online.
pub(super) fn catalog() -> Catalog {
    let mut catalog = Catalog::empty("flights".parse().unwrap());
    for (name, keys) in [
        ("airport", &[("origin", KeyType::String)][..]),
        (
            "route",
            &[("origin", KeyType::String), ("dest", KeyType::String)],
        ),
        ("plane", &[("tailnum", KeyType::Int64)]),
    ] {
        let join_keys = keys.iter().map(|(name, key_type)| JoinKey {
            name: name.parse().unwrap(),
            key_type: *key_type,
        });
        let entity = Entity {
            name: name.parse().unwrap(),
            join_keys: join_keys.collect(),
            meta: Meta::default(),
        };
        catalog.entities.insert(entity.name.clone(), entity);
    }
    for view in [
        view(
            "weather",
            &["airport"],
            &[("temp", "float64"), ("wind", "float64")],
        ),
        view("routes", &["route"], &[("distance", "float64")]),
        view("planes", &["plane"], &[("seats", "float64")]),
        view("world", &[], &[("fuel", "float64")]),
    ] {
        catalog.feature_views.insert(view.name.clone(), view);
    }
    let mut archive = view("archive", &["airport"], &[("temp", "float64")]);
    archive.online = false;
    catalog.feature_views.insert(archive.name.clone(), archive);
    catalog
}

pub(super) fn view(name: &str, entities: &[&str], features: &[(&str, &str)]) -> FeatureView {
    FeatureView {
        name: name.parse().unwrap(),
        entities: entities.iter().map(|name| name.parse().unwrap()).collect(),
        source: "source".parse().unwrap(),
        ttl: None,
        delay: Span::ZERO,
        point_in_time: PointInTime::EventTime,
        schema: features
            .iter()
            .map(|(name, data_type)| Feature {
                name: name.parse().unwrap(),
                data_type: data_type.parse().unwrap(),
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

/// An entry of a service: a view, its alias, and the columns that its keys have there.
pub(super) fn entry(view: &str, alias: Option<&str>, keys: &[(&str, &str)]) -> ServiceEntry {
    ServiceEntry {
        view: view.parse().unwrap(),
        alias: alias.map(|alias| alias.parse().unwrap()),
        join_keys: keys
            .iter()
            .map(|(key, column)| (key.parse().unwrap(), (*column).to_owned()))
            .collect(),
        features: Selected::All,
    }
}

/// A catalogue, a store with rows, and what serves them.
pub(super) struct Shop {
    pub(super) catalog: Catalog,
    pub(super) store: Arc<CountingStore>,
    pub(super) clock: Arc<FixedClock>,
    pub(super) serving: Serving,
}

impl Shop {
    pub(super) fn new() -> Self {
        let store = Arc::new(CountingStore::default());
        let clock = Arc::new(FixedClock::at(EventTime::from_micros(NOW)));
        Self {
            catalog: catalog(),
            serving: Serving::new(store.clone(), clock.clone()),
            store,
            clock,
        }
    }

    pub(super) fn change_view(&mut self, name: &str, change: impl FnOnce(&mut FeatureView)) {
        let name = name.parse().unwrap();
        change(
            self.catalog
                .feature_views
                .get_mut::<ViewName>(&name)
                .unwrap(),
        );
    }

    pub(super) fn with_ttl(mut self, view: &str, micros: i64) -> Self {
        let ttl = Ttl::new(Span::from_micros(micros).unwrap());
        self.change_view(view, |view| view.ttl = ttl);
        self
    }

    pub(super) fn with_service(mut self, entries: Vec<ServiceEntry>) -> Self {
        let service = FeatureService {
            name: "model".parse().unwrap(),
            features: entries,
            meta: Meta::default(),
        };
        self.catalog
            .feature_services
            .insert(service.name.clone(), service);
        self
    }

    /// Publishes one row of float64 features with the schema that the view has now.
    pub(super) async fn put(&self, view: &str, key: &[&str], event: i64, values: &[Option<f64>]) {
        self.put_known(view, key, event, None, values).await;
    }

    pub(super) async fn put_known(
        &self,
        view: &str,
        key: &[&str],
        event: i64,
        created: Option<i64>,
        values: &[Option<f64>],
    ) {
        let columns: Vec<ArrayRef> = values
            .iter()
            .map(|value| Arc::new(Float64Array::from(vec![*value])) as ArrayRef)
            .collect();
        let view = &self.catalog.feature_views[&view.parse::<ViewName>().unwrap()];
        let types = self.catalog.join_keys(view).map(|key| key.key_type);
        let parts: Vec<KeyValue> = types
            .zip(key)
            .map(|(key_type, text)| KeyValue::parse(key_type, text).unwrap())
            .collect();
        let order = RowOrder {
            event: EventTime::from_micros(event),
            created: created.map(CreatedTime::from_micros),
            sequence: 0,
        };
        let layout = RowLayout::of_view(view);
        let row = RowEncoder::new(&layout)
            .encode(&columns, &[order])
            .unwrap()
            .remove(0);
        let id = ViewId::new(self.catalog.project.clone(), view.name.clone());
        self.store.prepare(&id, &layout).await.unwrap();
        let write = RowWrite::newest(encode_key(&parts), row);
        self.store.write(&id, vec![write], None).await.unwrap();
    }

    /// Reads features, each `view:feature`.
    pub(super) async fn get(
        &self,
        features: &[&str],
        entities: &[(&str, ArrayRef)],
    ) -> Result<FeatureVectors, Error> {
        let features = features.iter().map(|feature| feature.parse().unwrap());
        let request = FeatureRequest::Features(features.collect());
        self.ask(&request, entities).await
    }

    /// Reads the features of the service `model`.
    pub(super) async fn get_service(
        &self,
        entities: &[(&str, ArrayRef)],
    ) -> Result<FeatureVectors, Error> {
        let request = FeatureRequest::Service("model".parse().unwrap());
        self.ask(&request, entities).await
    }

    async fn ask(
        &self,
        request: &FeatureRequest,
        entities: &[(&str, ArrayRef)],
    ) -> Result<FeatureVectors, Error> {
        let plan = self.serving.plan(&self.catalog, 1, request, Naming::Full)?;
        let columns = entities
            .iter()
            .map(|(name, values)| ((*name).to_owned(), values.clone()));
        self.serving
            .get(&plan, &EntityColumns::new(columns.collect())?)
            .await
    }
}

pub(super) fn strings<const N: usize>(values: [&str; N]) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

pub(super) fn int64s<const N: usize>(values: [i64; N]) -> ArrayRef {
    Arc::new(Int64Array::from_iter_values(values))
}

/// A column of the answer as `(status, value)`.
pub(super) fn column(vectors: &FeatureVectors, name: &str) -> Vec<(Status, Option<f64>)> {
    let column = vectors
        .columns()
        .find(|column| column.name() == name)
        .unwrap();
    let values = column.to_arrow();
    assert_eq!(column.data_type().to_arrow(), *values.data_type());
    let values = values.as_any().downcast_ref::<Float64Array>().unwrap();
    assert_eq!(
        (values.len(), column.rows()),
        (vectors.rows(), vectors.rows())
    );
    let statuses = (0..vectors.rows()).map(|row| column.status(row));
    statuses.zip(values).collect()
}

/// The times of the rows of the view at this position.
pub(super) fn times(vectors: &FeatureVectors, position: usize) -> Vec<Option<EventTime>> {
    let view = vectors.views().nth(position).unwrap();
    (0..vectors.rows())
        .map(|row| view.event_time(row))
        .collect()
}

/// What a feature of this type looks like in a layout.
pub(super) fn float64() -> DataType {
    "float64".parse().unwrap()
}

/// A memory store that counts round trips and keys.
#[derive(Debug, Default)]
pub(super) struct CountingStore {
    inner: MemoryStore,
    pub(super) reads: AtomicUsize,
    pub(super) keys_read: AtomicUsize,
    pub(super) layouts_read: AtomicUsize,
}

impl CountingStore {
    /// Round trips for rows, keys asked for, and round trips for layouts, since the last time.
    pub(super) fn take_counts(&self) -> (usize, usize, usize) {
        (
            self.reads.swap(0, Ordering::SeqCst),
            self.keys_read.swap(0, Ordering::SeqCst),
            self.layouts_read.swap(0, Ordering::SeqCst),
        )
    }
}

#[async_trait]
impl OnlineStore for CountingStore {
    fn describe(&self) -> String {
        self.inner.describe()
    }
    async fn prepare(&self, view: &ViewId, layout: &RowLayout) -> Result<(), StoreError> {
        self.inner.prepare(view, layout).await
    }
    async fn layouts(&self, view: &ViewId) -> Result<Vec<RowLayout>, StoreError> {
        self.layouts_read.fetch_add(1, Ordering::SeqCst);
        self.inner.layouts(view).await
    }
    async fn write(
        &self,
        view: &ViewId,
        rows: Vec<RowWrite>,
        fence: Option<Fence>,
    ) -> Result<WriteOutcome, StoreError> {
        self.inner.write(view, rows, fence).await
    }
    async fn raise_fence(&self, view: &ViewId, fence: Fence) -> Result<(), StoreError> {
        self.inner.raise_fence(view, fence).await
    }
    async fn read(&self, requests: &[ViewKeys<'_>]) -> Result<Vec<Vec<Option<Bytes>>>, StoreError> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        let keys: usize = requests.iter().map(|request| request.keys.len()).sum();
        self.keys_read.fetch_add(keys, Ordering::SeqCst);
        self.inner.read(requests).await
    }
    async fn published(&self, view: &ViewId) -> Result<Option<Published>, StoreError> {
        self.inner.published(view).await
    }
    async fn set_published(
        &self,
        view: &ViewId,
        before: Option<&Published>,
        after: Published,
        fence: Option<Fence>,
    ) -> Result<bool, StoreError> {
        self.inner.set_published(view, before, after, fence).await
    }
    async fn once(
        &self,
        view: &ViewId,
        token: &str,
        value: &[u8],
    ) -> Result<Option<Bytes>, StoreError> {
        self.inner.once(view, token, value).await
    }
    async fn keys(
        &self,
        view: &ViewId,
        from: Option<&KeyCursor>,
        limit: usize,
    ) -> Result<KeyPage, StoreError> {
        self.inner.keys(view, from, limit).await
    }
    async fn drop_view(&self, view: &ViewId) -> Result<(), StoreError> {
        self.inner.drop_view(view).await
    }
    async fn ping(&self) -> Result<(), StoreError> {
        self.inner.ping().await
    }
}

/// The key of a row, for tests that write bytes of their own.
pub(super) fn string_key(value: &str) -> EncodedKey {
    encode_key(&[KeyValue::String(value.to_owned())])
}
