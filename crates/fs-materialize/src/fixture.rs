//! A shop whose clicks are a Parquet file, real Delta tables, and an online store in memory that can
//! be made to fail.

mod days;
mod faulty;
mod rows;
mod windows;

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, TimestampMicrosecondArray};
use arrow::datatypes::Int64Type;
use fs_core::{
    Catalog, Clock, EventTime, FeatureView, FixedClock, KeyType, KeyValue, Location, TimeRange,
};
use fs_engine::{Engine, EngineOptions};
use fs_offline::{OfflineStore, Scan, TableSchema};
use fs_online::key::decode_key;
use fs_online::{EncodedKey, OnlineStore, RowDecoder, RowLayout, RowOrder, ViewId, ViewKeys, row};
use fs_pit::naive::point_in_time_join;
use fs_pit::{FeatureRows, Rule};
use fs_registry::Leases;
use fs_testkit::catalog::{self, SourceBuilder, ViewBuilder};
use fs_testkit::repo::Folder;
use futures::TryStreamExt;

pub(crate) use days::{END, FILES, Told, day, further, killed_after};
pub(crate) use faulty::Faulty;
use rows::table_rows;
pub(crate) use rows::{raw_rows, raw_stream};
pub(crate) use windows::{Fact, named, windowed};

use crate::{
    Error, Materializer, Options, Publication, PushReport, PushTo, Pusher, RunSummary, Silent,
    Views,
};

/// A row of the source, times in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Click {
    pub(crate) user: i64,
    pub(crate) event: i64,
    pub(crate) created: Option<i64>,
    pub(crate) clicks: Option<i64>,
}

pub(crate) fn click(user: i64, event: i64, clicks: i64) -> Click {
    Click {
        user,
        event,
        created: None,
        clicks: Some(clicks),
    }
}

impl Click {
    pub(crate) fn known(self, created: i64) -> Self {
        Self {
            created: Some(created),
            ..self
        }
    }
}

pub(crate) fn at(seconds: i64) -> EventTime {
    EventTime::from_micros(seconds * 1_000_000)
}

pub(crate) fn range(start: i64, end: i64) -> TimeRange {
    TimeRange::new(at(start), at(end)).unwrap()
}

/// What a reader finds: for each user, event time in seconds and clicks.
pub(crate) type Served = BTreeMap<i64, (i64, Option<i64>)>;

pub(crate) struct Shop {
    folder: Folder,
    pub(crate) catalog: Catalog,
    pub(crate) clock: Arc<FixedClock>,
    pub(crate) offline: Arc<OfflineStore>,
    pub(crate) online: Arc<Faulty>,
    pub(crate) leases: Leases,
    pub(crate) materializer: Materializer,
    pub(crate) pusher: Pusher,
}

impl Shop {
    pub(crate) fn new() -> Self {
        Self::with(|view| view, |source| source)
    }

    /// A shop whose view and source are a little different.
    pub(crate) fn with(
        view: impl FnOnce(ViewBuilder) -> ViewBuilder,
        source: impl FnOnce(SourceBuilder) -> SourceBuilder,
    ) -> Self {
        let definition = catalog::view("activity").entity("user").source("clicks");
        let file = catalog::source("clicks").parquet("clicks.parquet");
        let file = file.timestamp("event").created("created");
        let catalog = catalog::project("shop")
            .entity(catalog::entity("user").key("user", "int64"))
            .source(source(file))
            .view(view(definition.feature("clicks", "int64")))
            .build();
        Self::of(catalog)
    }

    pub(crate) fn of(catalog: Catalog) -> Self {
        let folder = Folder::new().unwrap();
        let engine = Engine::new(EngineOptions {
            base_dir: folder.path().to_owned(),
            ..EngineOptions::default()
        });
        let root = Location::folder(&folder.path().join("offline")).unwrap();
        let offline = Arc::new(OfflineStore::new(&root, &catalog.project));
        let online = Arc::new(Faulty::default());
        let clock = Arc::new(FixedClock::at(at(1_000)));
        let leases = Leases::in_memory(Arc::clone(&clock) as Arc<dyn Clock>);
        let materializer = Materializer::new(
            Arc::new(engine.unwrap()),
            Arc::clone(&offline),
            Arc::clone(&online) as Arc<dyn OnlineStore>,
            leases.clone(),
            Arc::clone(&clock) as Arc<dyn Clock>,
        );
        let pusher = Pusher::new(
            Arc::clone(&offline),
            Arc::clone(&online) as Arc<dyn OnlineStore>,
            Arc::clone(&clock) as Arc<dyn Clock>,
        );
        Self {
            folder,
            catalog,
            clock,
            offline,
            online,
            leases,
            materializer,
            pusher,
        }
    }

    /// Changes the definition of the view, as `fs apply` would.
    pub(crate) fn redefine(&mut self, change: impl FnOnce(&mut FeatureView)) {
        let view = self.catalog.feature_views.get_mut("activity");
        change(view.unwrap());
    }

    /// Works with little memory, so that every publication is split.
    pub(crate) fn cramped(mut self) -> Self {
        self.materializer = self.materializer.with_options(Options {
            publish_memory: 1,
            write_batch: 2,
            ..Options::default()
        });
        self
    }

    pub(crate) fn source(&self, rows: &[Click]) {
        self.folder
            .parquet("clicks.parquet", &raw_rows(rows))
            .unwrap();
    }

    /// Pushes rows, with the column names of the source.
    pub(crate) async fn push(
        &self,
        rows: &[Click],
        to: PushTo,
        key: Option<&str>,
    ) -> Result<PushReport, Error> {
        let view = "activity".parse().unwrap();
        let rows = raw_rows(rows);
        self.pusher.push(&self.catalog, &view, &rows, to, key).await
    }

    /// Where the paths of sources begin.
    pub(crate) fn base_dir(&self) -> std::path::PathBuf {
        self.folder.path().to_owned()
    }

    /// Makes the source unreadable.
    pub(crate) fn break_source(&self) {
        self.folder
            .write("clicks.parquet", "PAR1 no parquet")
            .unwrap();
    }

    pub(crate) async fn materialize(&self, start: i64, end: i64) -> Result<RunSummary, Error> {
        let runs = self
            .materializer
            .materialize(
                &self.catalog,
                &Views::All,
                &range(start, end),
                Arc::new(Silent),
            )
            .await?;
        Ok(runs.into_iter().next().unwrap())
    }

    /// Moves the clock to `now` and runs up to there.
    pub(crate) async fn incremental(&self, now: i64) -> Result<RunSummary, Error> {
        self.clock.set(at(now));
        let runs = self
            .materializer
            .materialize_incremental(&self.catalog, &Views::All, None, Arc::new(Silent))
            .await?;
        Ok(runs.into_iter().next().unwrap())
    }

    pub(crate) async fn republish(&self) -> Option<Publication> {
        let view = "activity".parse().unwrap();
        self.materializer
            .republish(&self.catalog, &view, Arc::new(Silent))
            .await
            .unwrap()
    }

    pub(crate) fn id(&self) -> ViewId {
        let view = "activity".parse().unwrap();
        ViewId::new(self.catalog.project.clone(), view)
    }

    pub(crate) fn rule(&self) -> Rule {
        Rule::of(&self.catalog.feature_views["activity"])
    }

    fn layout(&self) -> RowLayout {
        RowLayout::of_view(&self.catalog.feature_views["activity"])
    }

    /// What the online store holds, whatever its age.
    pub(crate) async fn stored(&self) -> BTreeMap<i64, (RowOrder, Option<i64>)> {
        let page = self
            .online
            .keys(&self.id(), None, usize::MAX)
            .await
            .unwrap();
        let keys: Vec<EncodedKey> = page.keys.iter().map(|(key, _)| key.clone()).collect();
        let id = self.id();
        let request = ViewKeys {
            view: &id,
            keys: &keys,
        };
        let rows = self.online.read(&[request]).await.unwrap().remove(0);
        let layouts = self.online.layouts(&id).await.unwrap();
        let decoder = RowDecoder::new(&layouts, self.layout().features());
        let clicks = decoder.decode(&rows).unwrap().remove(0);
        let clicks = clicks.as_primitive::<Int64Type>();
        keys.iter()
            .zip(&rows)
            .enumerate()
            .map(|(at, (key, packed))| {
                let parts = decode_key(&[KeyType::Int64], key.as_bytes()).unwrap();
                let [KeyValue::Int64(user)] = parts.as_slice() else {
                    panic!("a key of another kind: {parts:?}")
                };
                let order = row::order(packed.as_ref().unwrap()).unwrap();
                let value = clicks.is_valid(at).then(|| clicks.value(at));
                (*user, (order, value))
            })
            .collect()
    }

    /// What a reader finds online now.
    pub(crate) async fn served(&self) -> Served {
        let now = self.clock.now().as_micros();
        let rule = self.rule();
        let stored = self.stored().await.into_iter();
        stored
            .map(|(user, (order, clicks))| (user, (order.event.as_micros(), clicks)))
            .filter(|(_, (event, _))| !rule.is_expired(*event, now))
            .map(|(user, (event, clicks))| (user, (event / 1_000_000, clicks)))
            .collect()
    }

    /// What the offline table says that the online store should hold: by comparing every row.
    pub(crate) async fn expected(&self) -> BTreeMap<i64, (RowOrder, Option<i64>)> {
        let now = self.clock.now().as_micros();
        let mut newest = BTreeMap::new();
        for (user, order, clicks) in self.table().await {
            let created = order.created.map(fs_core::CreatedTime::as_micros);
            if self.rule().visible_from(order.event.as_micros(), created) > now {
                continue;
            }
            let best = newest.entry(user).or_insert((order, clicks));
            if order > best.0 {
                *best = (order, clicks);
            }
        }
        newest
    }

    /// What a training set finds now for every user of the table: the naive point-in-time join.
    pub(crate) async fn joined(&self) -> Served {
        let table = self.table().await;
        let mut users: Vec<i64> = table.iter().map(|(user, _, _)| *user).collect();
        let keys: ArrayRef = Arc::new(Int64Array::from(users.clone()));
        let events = table.iter().map(|(_, order, _)| order.event.as_micros());
        let created = table
            .iter()
            .map(|(_, order, _)| order.created.map(fs_core::CreatedTime::as_micros));
        let sequence = table
            .iter()
            .map(|(_, order, _)| order.sequence.cast_signed());
        let features = FeatureRows {
            keys: &[keys],
            event: &TimestampMicrosecondArray::from_iter_values(events),
            created: Some(&created.collect()),
            sequence: Some(&Int64Array::from_iter_values(sequence)),
        };
        users.dedup();
        let now = vec![self.clock.now().as_micros(); users.len()];
        let spine: ArrayRef = Arc::new(Int64Array::from(users.clone()));
        let now = TimestampMicrosecondArray::from(now);
        let found = point_in_time_join(&[spine], &now, self.rule(), &[features]).unwrap();
        users
            .into_iter()
            .zip(found)
            .filter_map(|(user, found)| {
                let (_, order, clicks) = table[found?.row as usize];
                Some((user, (order.event.as_micros() / 1_000_000, clicks)))
            })
            .collect()
    }

    /// The rows of the offline table.
    pub(crate) async fn table(&self) -> Vec<(i64, RowOrder, Option<i64>)> {
        let view = &self.catalog.feature_views["activity"];
        let schema = TableSchema::of(&self.catalog, view);
        let scan = match self.offline.scan(&schema, &Scan::default()).await {
            Ok(scan) => scan,
            Err(fs_offline::Error::NotMaterialized { .. }) => return Vec::new(),
            Err(error) => panic!("{error}"),
        };
        let batches: Vec<RecordBatch> = scan.stream().unwrap().try_collect().await.unwrap();
        let mut rows: Vec<_> = batches.iter().flat_map(table_rows).collect();
        rows.sort_by_key(|(user, order, _)| (*user, *order));
        rows
    }

    /// The table without its numbers: user, event in seconds, clicks.
    pub(crate) async fn facts(&self) -> Vec<(i64, i64, Option<i64>)> {
        let rows = self.table().await.into_iter();
        rows.map(|(user, order, clicks)| (user, order.event.as_micros() / 1_000_000, clicks))
            .collect()
    }

    pub(crate) async fn watermark(&self) -> Option<EventTime> {
        let state = self.offline.state(&"activity".parse().unwrap()).await;
        state.unwrap().and_then(|state| state.watermark)
    }
}
