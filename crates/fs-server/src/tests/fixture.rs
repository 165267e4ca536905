//! A running server, and the clients and hands that its tests need.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use arrow::array::{ArrayRef, Float64Array, Int64Array, ListArray, StringArray};
use async_trait::async_trait;
use bytes::Bytes;
use fs_core::{Catalog, Clock, EventTime, Fence, FixedClock, KeyValue, Location, ViewName};
use fs_engine::{Engine, EngineOptions};
use fs_materialize::{Materializer, Pusher};
use fs_offline::OfflineStore;
use fs_online::key::encode_key;
use fs_online::{
    Error as StoreError, KeyCursor, KeyPage, MemoryStore, OnlineStore, Published, RowEncoder,
    RowLayout, RowOrder, RowWrite, ViewId, ViewKeys, WriteOutcome,
};
use fs_proto::v1::feature_store_client::FeatureStoreClient;
use fs_proto::v1::get_online_features_request::Selection;
use fs_proto::v1::{
    Column, FeatureList, GetOnlineFeaturesRequest, NamedColumn, Strings, column::Values,
};
use fs_registry::{Force, Registry};
use fs_serving::Serving;
use fs_testkit::catalog;
use fs_training::{TrainingOptions, TrainingSets};
use tempfile::TempDir;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinHandle;
use tonic::transport::{Channel, Endpoint};

use crate::shared::Shared;
use crate::{Backends, Error, Reloader, Server, ServerOptions};

/// The instant at which the tests read, in microseconds.
pub(super) const NOW: i64 = 1_000_000_000_000;
pub(super) const HOUR: i64 = 3_600_000_000;

/// `weather` of `airport`: `temp float64`, `gusts array<float64>`, ttl 1h; the service `model`.
pub(super) fn definitions() -> Catalog {
    catalog::project("flights")
        .entity(catalog::entity("airport").key("origin", "string"))
        .source(catalog::source("reports"))
        .view(
            catalog::view("weather")
                .entity("airport")
                .source("reports")
                .feature("temp", "float64")
                .feature("gusts", "array<float64>")
                .ttl("1h"),
        )
        .service(catalog::service("model").all("weather"))
        .build()
}

/// The same, and a service `next`.
pub(super) fn more_definitions() -> Catalog {
    let mut catalog = definitions();
    let next = catalog::service("next").only("weather", &["temp"]).build();
    catalog.feature_services.insert(next.name.clone(), next);
    catalog
}

/// What a server is made of, before it is started.
pub(super) struct Setup {
    pub(super) folder: TempDir,
    pub(super) registry: Registry,
    pub(super) offline: Arc<OfflineStore>,
    pub(super) store: Arc<TestStore>,
    pub(super) clock: Arc<FixedClock>,
    pub(super) options: ServerOptions,
}

/// A server that answers.
pub(super) struct Running {
    pub(super) setup: Setup,
    pub(super) reloader: Reloader,
    pub(super) channel: Channel,
    pub(super) http: String,
    pub(super) shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    server: JoinHandle<Result<(), Error>>,
}

impl Setup {
    pub(super) fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let location = Location::folder(folder.path()).unwrap();
        let project = definitions().project;
        let loopback = "127.0.0.1:0".parse().unwrap();
        Self {
            registry: Registry::open(&location.join("registry"), project.clone(), []).unwrap(),
            offline: Arc::new(OfflineStore::new(&location.join("offline"), &project)),
            store: Arc::default(),
            clock: Arc::new(FixedClock::at(EventTime::from_micros(NOW))),
            options: ServerOptions {
                grpc_addr: loopback,
                http_addr: loopback,
                // The tests say when.
                reload_interval: std::time::Duration::from_hours(1),
                ..ServerOptions::default()
            },
            folder,
        }
    }

    pub(super) async fn apply(&self, catalog: &Catalog) {
        let plan = self.registry.plan(catalog).await.unwrap();
        let applied = self
            .registry
            .apply(&plan, Force::Yes, self.clock.now(), None);
        applied.await.unwrap();
    }

    pub(super) async fn bind(&self) -> Result<Server, Error> {
        let serving = Serving::new(self.store.clone(), self.clock.clone());
        let engine = Engine::new(EngineOptions {
            base_dir: self.folder.path().to_owned(),
            ..EngineOptions::default()
        });
        let engine = Arc::new(engine.unwrap());
        let backends = Backends {
            registry: self.registry.clone(),
            serving: Arc::new(serving),
            training: TrainingSets::new(self.offline.clone(), TrainingOptions::default())?,
            materializer: Materializer::new(
                engine.clone(),
                self.offline.clone(),
                self.store.clone(),
                self.registry.leases(self.clock.clone()),
                self.clock.clone(),
            ),
            pusher: Pusher::new(self.offline.clone(), self.store.clone(), self.clock.clone()),
            engine,
            clock: self.clock.clone(),
        };
        Server::bind(backends, self.options.clone()).await
    }

    pub(super) async fn start(self) -> Running {
        let server = self.bind().await.unwrap();
        let grpc = format!("http://{}", server.grpc_addr());
        let (http, reloader) = (server.http_addr().to_string(), server.reloader());
        let shared = server.shared();
        let (stop, stopped) = oneshot::channel::<()>();
        let shutdown = async move {
            stopped.await.ok();
        };
        let server = tokio::spawn(server.run(shutdown));
        let channel = Endpoint::from_shared(grpc)
            .unwrap()
            .connect()
            .await
            .unwrap();
        Running {
            setup: self,
            reloader,
            channel,
            http,
            shared,
            stop: Some(stop),
            server,
        }
    }
}

/// A server with the definitions above, and the weather of two airports.
pub(super) async fn running() -> Running {
    let setup = Setup::new();
    setup.apply(&definitions()).await;
    let running = setup.start().await;
    running.put("EWR", NOW - 1, Some(70.0)).await;
    running.put("LGA", NOW - 2 * HOUR, Some(60.0)).await;
    running.put("BOS", NOW, None).await;
    running
}

impl Running {
    pub(super) fn client(&self) -> FeatureStoreClient<Channel> {
        FeatureStoreClient::new(self.channel.clone())
    }

    /// Publishes a row of `weather`; its gusts are the temperature, twice.
    pub(super) async fn put(&self, origin: &str, event: i64, temp: Option<f64>) {
        let catalog = definitions();
        let view = &catalog.feature_views[&"weather".parse::<ViewName>().unwrap()];
        let gusts = ListArray::from_iter_primitive::<arrow::datatypes::Float64Type, _, _>([
            temp.map(|temp| [Some(temp); 2])
        ]);
        let columns: [ArrayRef; 2] = [Arc::new(Float64Array::from(vec![temp])), Arc::new(gusts)];
        let order = RowOrder {
            event: EventTime::from_micros(event),
            created: None,
            sequence: 0,
        };
        let layout = RowLayout::of_view(view);
        let row = RowEncoder::new(&layout)
            .encode(&columns, &[order])
            .unwrap()
            .remove(0);
        let id = ViewId::new(catalog.project.clone(), view.name.clone());
        let store = &self.setup.store.inner;
        store.prepare(&id, &layout).await.unwrap();
        let key = encode_key(&[KeyValue::String(origin.to_owned())]);
        store
            .write(&id, vec![RowWrite::newest(key, row)], None)
            .await
            .unwrap();
    }

    /// Asks for shutdown.
    pub(super) fn stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }

    /// Waits for the end of a server that was asked to stop.
    pub(super) async fn ended(self) -> Result<(), Error> {
        self.server.await.unwrap()
    }

    /// `GET path` over HTTP: the status line and the body.
    pub(super) async fn http_get(&self, path: &str) -> (u16, String) {
        let (status, _, body) = self.http_get_with(path, "").await;
        (status, body)
    }

    /// The same with headers, each with its line end: the status, the head and the body.
    pub(super) async fn http_get_with(&self, path: &str, headers: &str) -> (u16, String, String) {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};

        let mut stream = tokio::net::TcpStream::connect(&self.http).await.unwrap();
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: fs\r\nConnection: close\r\n{headers}\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, head.to_owned(), body.to_owned())
    }
}

pub(super) fn service(name: &str) -> Selection {
    Selection::FeatureService(name.to_owned())
}

pub(super) fn features(features: &[&str]) -> Selection {
    let features = features.iter().map(|&feature| feature.to_owned()).collect();
    Selection::Features(FeatureList { features })
}

pub(super) fn strings(values: &[&str]) -> Column {
    let values = values.iter().map(|&text| text.to_owned()).collect();
    Column {
        values: Some(Values::Strings(Strings { values })),
        nulls: Bytes::new(),
    }
}

/// A request for the features of some airports.
pub(super) fn ask(selection: Selection, origins: &[&str]) -> GetOnlineFeaturesRequest {
    GetOnlineFeaturesRequest {
        selection: Some(selection),
        entities: vec![NamedColumn {
            name: "origin".to_owned(),
            values: Some(strings(origins)),
        }],
        ..GetOnlineFeaturesRequest::default()
    }
}

/// A spine of airports and times.
pub(super) fn spine(rows: &[(&str, i64)]) -> arrow::array::RecordBatch {
    let origins = StringArray::from_iter_values(rows.iter().map(|(origin, _)| origin));
    let times = rows.iter().map(|(_, time)| *time);
    let times = arrow::array::TimestampMicrosecondArray::from_iter_values(times);
    let labels = (0_i64..).take(rows.len());
    let columns: [(&str, ArrayRef); 3] = [
        ("origin", Arc::new(origins)),
        ("event_timestamp", Arc::new(times.with_timezone("UTC"))),
        ("label", Arc::new(Int64Array::from_iter_values(labels))),
    ];
    arrow::array::RecordBatch::try_from_iter(columns).unwrap()
}

/// A memory store that can be away, and can hold its answers back.
#[derive(Debug)]
pub(super) struct TestStore {
    pub(super) inner: MemoryStore,
    pub(super) away: AtomicBool,
    /// How many reads have begun.
    pub(super) reads: AtomicUsize,
    /// Every read, and every look at what is published, needs one of these and gives it back.
    pub(super) gate: Semaphore,
    pub(super) begun: tokio::sync::Notify,
    /// Reads that are waited for.
    pub(super) waiting: AtomicUsize,
    /// How many milliseconds a read takes that got one of those.
    pub(super) takes_millis: AtomicU64,
}

impl Default for TestStore {
    fn default() -> Self {
        Self {
            inner: MemoryStore::new(),
            away: AtomicBool::new(false),
            reads: AtomicUsize::new(0),
            gate: Semaphore::new(Semaphore::MAX_PERMITS),
            begun: tokio::sync::Notify::new(),
            waiting: AtomicUsize::new(0),
            takes_millis: AtomicU64::new(0),
        }
    }
}

impl TestStore {
    /// From now on reads wait, until [`open_gate`](Self::open_gate).
    pub(super) fn close_gate(&self) {
        self.gate.forget_permits(Semaphore::MAX_PERMITS);
    }

    pub(super) fn open_gate(&self) {
        self.gate.add_permits(Semaphore::MAX_PERMITS);
    }

    /// From now on so many reads are answered at the same time, each of which takes so long.
    pub(super) fn slow_down(&self, at_once: usize, takes_millis: u64) {
        self.gate.forget_permits(Semaphore::MAX_PERMITS - at_once);
        self.takes_millis.store(takes_millis, Ordering::SeqCst);
    }

    fn check(&self) -> Result<(), StoreError> {
        if self.away.load(Ordering::SeqCst) {
            return Err(StoreError::Unavailable {
                store: self.describe(),
                source: "connection refused".into(),
            });
        }
        Ok(())
    }
}

/// A read that is waited for, until it is dropped.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn begin(waiting: &'a AtomicUsize) -> Self {
        waiting.fetch_add(1, Ordering::SeqCst);
        Self(waiting)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[async_trait]
impl OnlineStore for TestStore {
    fn describe(&self) -> String {
        "redis at 127.0.0.1:1".to_owned()
    }
    async fn prepare(&self, view: &ViewId, layout: &RowLayout) -> Result<(), StoreError> {
        self.inner.prepare(view, layout).await
    }
    async fn layouts(&self, view: &ViewId) -> Result<Vec<RowLayout>, StoreError> {
        self.check()?;
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
        self.check()?;
        self.reads.fetch_add(1, Ordering::SeqCst);
        self.begun.notify_one();
        let _waiting = Waiting::begin(&self.waiting);
        let _pass = self.gate.acquire().await;
        let takes = self.takes_millis.load(Ordering::SeqCst);
        if takes > 0 {
            tokio::time::sleep(std::time::Duration::from_millis(takes)).await;
        }
        self.inner.read(requests).await
    }
    async fn published(&self, view: &ViewId) -> Result<Option<Published>, StoreError> {
        let _pass = self.gate.acquire().await;
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
        self.check()
    }
}
