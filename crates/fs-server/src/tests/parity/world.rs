//! A source, the tables and the online store made from it, and one question asked on both sides.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::compute::concat_batches;
use arrow::datatypes::Int64Type;
use fs_core::data_type::UTC;
use fs_core::{
    Catalog, EventTime, FeatureRequest, FixedClock, Location, Naming, PointInTime, Span, TimeRange,
    Ttl,
};
use fs_engine::{Engine, EngineOptions};
use fs_materialize::{Materializer, Options, RunSummary, Silent, Views};
use fs_offline::OfflineStore;
use fs_online::MemoryStore;
use fs_registry::Leases;
use fs_serving::{EntityColumns, FeatureVectors, Serving, Status};
use fs_testkit::catalog::{self, ViewBuilder};
use fs_testkit::repo::Folder;
use fs_training::{Spine, TrainingOptions, TrainingQuery, TrainingSets};

use super::facts::{FEATURES, Fact, ORIGIN, batch, place};

/// When rows of a view may be used; microseconds.
#[derive(Debug, Clone, Copy)]
pub(in crate::tests) struct Rule {
    pub(in crate::tests) ttl: i64,
    pub(in crate::tests) delay: i64,
    pub(in crate::tests) known_at: bool,
}

impl Rule {
    pub(in crate::tests) const PLAIN: Self = Self {
        ttl: 0,
        delay: 0,
        known_at: false,
    };

    fn view(self, view: ViewBuilder) -> fs_core::FeatureView {
        let view = FEATURES
            .iter()
            .fold(view, |view, (name, kind)| view.feature(name, kind));
        let mut view = view.source("facts").build();
        view.ttl = Span::from_micros(self.ttl).and_then(Ttl::new);
        view.delay = Span::from_micros(self.delay).unwrap();
        if self.known_at {
            view.point_in_time = PointInTime::KnownAt;
        }
        view
    }

    /// When a row is first visible.
    pub(in crate::tests) fn visible_from(self, fact: &Fact) -> i64 {
        let known = fact.created.filter(|_| self.known_at);
        (fact.event + self.delay).max(known.unwrap_or(i64::MIN))
    }
}

/// An entity: a user and a place, either of them null.
pub(in crate::tests) type Asked = (Option<i64>, Option<u8>);

pub(in crate::tests) struct World {
    folder: Folder,
    catalog: Catalog,
    clock: Arc<FixedClock>,
    materializer: Materializer,
    training: TrainingSets,
    serving: Serving,
}

/// `single` of a user, `pair` of a user and a place through SQL, `global` of nothing.
fn definitions(rules: [Rule; 3]) -> Catalog {
    let facts = catalog::source("facts").parquet("facts.parquet");
    let [single, pair, global] = rules;
    let query = "SELECT * FROM facts";
    catalog::project("parity")
        .entity(catalog::entity("user").key("user", "int64"))
        .entity(catalog::entity("place").key("place", "string"))
        .source(facts.timestamp("event").created("created"))
        .view(single.view(catalog::view("single").entity("user")))
        .view(
            pair.view(
                catalog::view("pair")
                    .entity("user")
                    .entity("place")
                    .query(query),
            ),
        )
        .view(global.view(catalog::view("global")))
        .service(
            catalog::service("model")
                .all("pair")
                .all("single")
                .aliased("single", "friend", &[("user", "friend")])
                .all("global"),
        )
        .build()
}

impl World {
    /// Views `single`, `pair` and `global` with these rules.
    pub(in crate::tests) fn new(rules: [Rule; 3]) -> Self {
        let folder = Folder::new().unwrap();
        let catalog = definitions(rules);
        let engine = Engine::new(EngineOptions {
            base_dir: folder.path().to_owned(),
            ..EngineOptions::default()
        });
        let root = Location::folder(&folder.path().join("offline")).unwrap();
        let offline = Arc::new(OfflineStore::new(&root, &catalog.project));
        let online = Arc::new(MemoryStore::new());
        let clock = Arc::new(FixedClock::at(EventTime::from_micros(ORIGIN)));
        let materializer = Materializer::new(
            Arc::new(engine.unwrap()),
            Arc::clone(&offline),
            Arc::clone(&online) as _,
            Leases::in_memory(Arc::clone(&clock) as _),
            Arc::clone(&clock) as _,
        );
        Self {
            folder,
            catalog,
            materializer: materializer.with_options(Options {
                publish_memory: 300,
                write_batch: 2,
                ..Options::default()
            }),
            training: TrainingSets::new(offline, TrainingOptions::default()).unwrap(),
            serving: Serving::new(online, Arc::clone(&clock) as _),
            clock,
        }
    }

    pub(in crate::tests) fn source(&self, facts: &[Fact]) {
        self.folder.parquet("facts.parquet", &batch(facts)).unwrap();
    }

    pub(in crate::tests) fn now(&self, now: i64) {
        self.clock.set(EventTime::from_micros(ORIGIN + now));
    }

    /// Makes the source unreadable.
    pub(in crate::tests) fn break_source(&self) {
        self.folder.write("facts.parquet", "PAR1 no more").unwrap();
    }

    /// All that is new up to now.
    pub(in crate::tests) async fn incremental(&self) {
        let runs = self.materializer.materialize_incremental(
            &self.catalog,
            &Views::All,
            None,
            Arc::new(Silent),
        );
        runs.await.unwrap();
    }

    /// The window from `start` to `end` again.
    pub(in crate::tests) async fn window(&self, start: i64, end: i64) {
        self.run(start, end).await.unwrap();
    }

    /// A run over a window that must fail.
    pub(in crate::tests) async fn failing_window(&self, start: i64, end: i64) {
        self.run(start, end).await.unwrap_err();
    }

    async fn run(&self, start: i64, end: i64) -> Result<Vec<RunSummary>, fs_materialize::Error> {
        let at = |time: i64| EventTime::from_micros(ORIGIN + time);
        let range = TimeRange::new(at(start), at(end)).unwrap();
        self.materializer
            .materialize(&self.catalog, &Views::All, &range, Arc::new(Silent))
            .await
    }

    fn request() -> FeatureRequest {
        FeatureRequest::Service("model".parse().unwrap())
    }

    /// What the server answers now.
    pub(in crate::tests) async fn served(&self, asked: &[Asked]) -> FeatureVectors {
        let plan = self
            .serving
            .plan(&self.catalog, 1, &Self::request(), Naming::Full)
            .unwrap();
        let columns = keys(asked).map(|(name, values)| (name.to_owned(), values));
        let entities = EntityColumns::new(columns.into()).unwrap();
        self.serving.get(&plan, &entities).await.unwrap()
    }

    /// What a training set finds at each of these instants: all of `asked` at the first, then all
    /// of them at the second.
    async fn trained(&self, asked: &[Asked], instants: &[i64]) -> RecordBatch {
        let spine = |now: &i64| {
            let times = TimestampMicrosecondArray::from_value(ORIGIN + now, asked.len());
            let times: ArrayRef = Arc::new(times.with_timezone(UTC));
            let columns = keys(asked).into_iter().chain([("event_timestamp", times)]);
            RecordBatch::try_from_iter_with_nullable(
                columns.map(|(name, column)| (name, column, true)),
            )
        };
        let spine: Vec<RecordBatch> = instants.iter().map(|now| spine(now).unwrap()).collect();
        let spine = Spine::new(spine[0].schema(), spine);
        let query = TrainingQuery::new(Self::request(), Naming::Full);
        let set = self
            .training
            .get(&self.catalog, 1, &query, spine, None)
            .await
            .unwrap();
        let schema = Arc::clone(set.schema());
        concat_batches(&schema, &set.collect().await.unwrap()).unwrap()
    }

    /// The values behind the feature `single__large` in a training set at `now`.
    pub(in crate::tests) async fn values_trained(
        &self,
        asked: &[Asked],
        now: i64,
    ) -> Vec<Option<i64>> {
        let trained = self.trained(asked, &[now]).await;
        values_behind(trained.column_by_name("single__large").unwrap())
    }

    /// The values behind the feature `single__large` as they are served now.
    pub(in crate::tests) async fn values_served(&self, asked: &[Asked]) -> Vec<Option<i64>> {
        let served = self.served(asked).await;
        let column = served
            .columns()
            .find(|column| column.name() == "single__large");
        values_behind(&column.unwrap().to_arrow())
    }

    /// Asks both sides at these instants, one after the other; they must agree to the bit. Training
    /// is asked once for all.
    pub(in crate::tests) async fn compare(&self, asked: &[Asked], instants: &[i64]) {
        let trained = self.trained(asked, instants).await;
        assert_eq!(trained.num_rows(), asked.len() * instants.len());
        for (number, now) in instants.iter().enumerate() {
            self.now(*now);
            let served = self.served(asked).await;
            let trained = trained.slice(number * asked.len(), asked.len());
            agree(&served, &trained, *now);
        }
    }
}

fn values_behind(large: &ArrayRef) -> Vec<Option<i64>> {
    let values = large.as_primitive::<Int64Type>().iter();
    values
        .map(|value| value.map(|value| i64::MAX - value))
        .collect()
}

fn agree(served: &FeatureVectors, trained: &RecordBatch, now: i64) {
    let schema = trained.schema();
    // Three columns of keys and one of times come first.
    let names: Vec<&str> = schema
        .fields()
        .iter()
        .map(|f| f.name().as_str())
        .skip(4)
        .collect();
    let columns = served.columns();
    assert_eq!(
        served.columns().map(|c| c.name()).collect::<Vec<_>>(),
        names
    );
    assert_eq!(names.len(), 4 * FEATURES.len());
    for (column, values) in columns.zip(&trained.columns()[4..]) {
        let name = column.name();
        // Arrow compares floats by their bits.
        let (online, offline) = (column.to_arrow().to_data(), values.to_data());
        assert_eq!(online, offline, "{name} at {now}");
        for row in 0..served.rows() {
            let status = column.status(row);
            let there = status == Status::Present;
            assert_eq!(there, values.is_valid(row), "{name} at {now}: {status:?}");
        }
    }
}

/// The columns that the views are looked up by; the friend of an entity is the user of the next.
fn keys(asked: &[Asked]) -> [(&'static str, ArrayRef); 3] {
    let users: Vec<Option<i64>> = asked.iter().map(|(user, _)| *user).collect();
    let mut friends = users.clone();
    friends.rotate_left(1);
    let places = asked.iter().map(|(_, at)| at.map(place));
    [
        ("user", Arc::new(Int64Array::from(users))),
        ("place", Arc::new(places.collect::<StringArray>())),
        ("friend", Arc::new(Int64Array::from(friends))),
    ]
}
