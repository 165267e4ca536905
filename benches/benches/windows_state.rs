//! States of keys: what it takes to make one, to push to it, and to serve windows from it.
//!
//! | Group | From | To |
//! |---|---|---|
//! | `state/build` | so many events of one key | its state |
//! | `state/push` | a state and one event | the state with it |
//! | `state/read` | a state, an hour after it was published | 20 features: count, sum, avg, min and max in 4 windows |
//! | `get/windowed` | an entity, with its state in memory | the bytes of the answer with these 20 features |
//! | `get/plain` | an entity, with its row in memory | the bytes of an answer of the same length |
//!
//! The sizes of the states are printed first.
//!
//! `cargo bench -p fs-benches --bench windows_state`

use std::hint::black_box;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, TimestampMicrosecondArray};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use fs_core::{
    Aggregation, Catalog, DataType, Entity, EventTime, Feature, FeatureName, FeatureRequest,
    FeatureView, FixedClock, Function, JoinKey, KeyType, KeyValue, Meta, Naming, PointInTime,
    ScalarType, Span, Window, Windows,
};
use fs_online::key::encode_key;
use fs_online::{
    MemoryStore, OnlineStore, Published, RowEncoder, RowLayout, RowOrder, RowWrite, StateRow,
    ViewId,
};
use fs_pit::FeatureRows;
use fs_pit::aggregate::Answer;
use fs_pit::state::{Coverage, State, StateBuilder, StateEvents, StateReader, StateShape};
use fs_pit::windows::{Events, WindowPlan};
use fs_server::wire;
use fs_serving::{EntityColumns, Serving};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

const EVENTS: [usize; 5] = [10, 100, 1_000, 10_000, 100_000];
const FUNCTIONS: [Function; 5] = [
    Function::Count,
    Function::Sum,
    Function::Avg,
    Function::Min,
    Function::Max,
];
const HOUR: i64 = 3_600_000_000;
/// Events lie in so much time before the publication.
const PERIOD: i64 = 35 * 24 * HOUR;
const AS_OF: i64 = 1_380_000_000_000_000;

/// A small generator of its own, so that every run has the same events.
struct SplitMix(u64);

impl SplitMix {
    fn below(&mut self, limit: i64) -> i64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)).cast_signed().rem_euclid(limit)
    }
}

/// The events of one key: to the second, with delays in minutes.
struct Delays {
    times: TimestampMicrosecondArray,
    sequences: Int64Array,
    inputs: [ArrayRef; 1],
}

impl Delays {
    fn new(count: usize) -> Self {
        let mut random = SplitMix(7);
        let seconds = (0..count).map(|_| AS_OF - random.below(PERIOD / 1_000_000) * 1_000_000);
        let times = seconds.collect::<Vec<_>>();
        let delays = (0..count).map(|_| f64::from(i32::try_from(random.below(200)).unwrap_or(0)));
        Self {
            times: times.into(),
            inputs: [Arc::new(Float64Array::from_iter_values(delays))],
            sequences: (0_i64..).take(count).collect(),
        }
    }

    fn batch(&self, plan: &WindowPlan) -> Result<StateEvents<'_>, fs_pit::Error> {
        let rows = FeatureRows {
            keys: &[],
            event: &self.times,
            created: None,
            sequence: Some(&self.sequences),
        };
        let events = Events {
            rows,
            inputs: &self.inputs,
            filters: &[],
        };
        StateEvents::new(plan, events)
    }

    fn state(&self, shape: &Arc<StateShape>) -> Result<Vec<u8>, fs_pit::Error> {
        let batch = self.batch(shape.plan())?;
        let mut builder = StateBuilder::new(Arc::clone(shape));
        (0..batch.len()).try_for_each(|row| builder.add(&batch, row))?;
        builder.finish(i64::from(u32::MAX))
    }
}

fn windowed() -> Outcome<FeatureView> {
    let lengths = ["1h", "1d", "7d", "30d"].map(str::parse::<Window>);
    let lengths = lengths.into_iter().collect::<Result<Vec<_>, _>>()?;
    let delay: FeatureName = "delay".parse()?;
    let aggregations = FUNCTIONS.map(|function| {
        let column = (function != Function::Count).then(|| delay.clone());
        Aggregation::new(column, function, &lengths)
    });
    let windows = Windows {
        inputs: vec![Feature {
            name: delay,
            data_type: DataType::Scalar(ScalarType::Float64),
            description: None,
        }],
        aggregations: aggregations.into_iter().collect::<Result<_, _>>()?,
    };
    let schema = windows.schema()?;
    view("windowed", schema, Some(windows))
}

fn view(name: &str, schema: Vec<Feature>, windows: Option<Windows>) -> Outcome<FeatureView> {
    Ok(FeatureView {
        name: name.parse()?,
        entities: vec!["user".parse()?],
        source: "source".parse()?,
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
    })
}

fn states(criterion: &mut Criterion) {
    for result in [states_alone(criterion), lookups(criterion)] {
        if let Err(error) = result {
            // A benchmark that cannot be set up measures nothing.
            criterion.bench_function(&error.to_string(), |_| {});
        }
    }
}

/// The shape of states that are published every hour.
fn shape(view: &FeatureView) -> Outcome<Arc<StateShape>> {
    let plan = WindowPlan::of(view)?.ok_or("the view has no windows")?;
    let horizon = Span::from_micros(3 * HOUR).unwrap_or(Span::ZERO);
    let coverage = Coverage::new(EventTime::from_micros(AS_OF), horizon);
    Ok(Arc::new(StateShape::new(Arc::new(plan), coverage)))
}

fn states_alone(criterion: &mut Criterion) -> Outcome<()> {
    let shape = shape(&windowed()?)?;
    let plan = Arc::clone(shape.plan());
    let reader = StateReader::new(Arc::clone(&plan), &(0..20).collect::<Vec<_>>());
    let one = Delays::new(1);
    let pushed = one.batch(&plan)?;
    for count in EVENTS {
        let delays = Delays::new(count);
        let bytes = delays.state(&shape)?;
        report(&format!("{count} events: a state of {} bytes", bytes.len()));
        let mut group = criterion.benchmark_group("state");
        group.throughput(Throughput::Elements(count as u64));
        group.bench_function(BenchmarkId::new("build", count), |bench| {
            bench.iter(|| delays.state(black_box(&shape)));
        });
        group.throughput(Throughput::Elements(1));
        group.bench_function(BenchmarkId::new("push", count), |bench| {
            bench.iter(|| {
                let state = State::open(black_box(&bytes))?;
                State::push(Some(&state), &shape, &pushed, &[0])
            });
        });
        group.bench_function(BenchmarkId::new("read", count), |bench| {
            bench.iter(|| {
                let mut told = 0;
                let mut tell = |_: usize, _: Option<&Answer<'_>>| {
                    told += 1;
                    Ok(())
                };
                let state = State::open(black_box(&bytes))?;
                let newest = reader.answer(Some(&state), AS_OF + HOUR, &mut tell)?;
                Ok::<_, fs_pit::Error>((newest, told))
            });
        });
        group.finish();
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "it is what the benchmark is for")]
fn report(line: &str) {
    println!("{line}");
}

/// A catalogue with both views, and a store with a row of the one and states of the other.
async fn world() -> Outcome<(Catalog, MemoryStore)> {
    let windowed = windowed()?;
    let number = |feature: &Feature| Feature {
        name: feature.name.clone(),
        data_type: feature.data_type,
        description: None,
    };
    let plain = view("plain", windowed.schema.iter().map(number).collect(), None)?;
    let mut catalog = Catalog::empty("bench".parse()?);
    let user = Entity {
        name: "user".parse()?,
        join_keys: vec![JoinKey {
            name: "user".parse()?,
            key_type: KeyType::Int64,
        }],
        meta: Meta::default(),
    };
    catalog.entities.insert(user.name.clone(), user);
    let store = MemoryStore::new();
    put_states(&store, &catalog, &windowed).await?;
    put_row(&store, &catalog, &plain).await?;
    for view in [plain, windowed] {
        catalog.feature_views.insert(view.name.clone(), view);
    }
    Ok((catalog, store))
}

/// The state of as many events as there are, for the user of that number.
async fn put_states(store: &MemoryStore, catalog: &Catalog, view: &FeatureView) -> Outcome<()> {
    let id = ViewId::new(catalog.project.clone(), view.name.clone());
    let shape = shape(view)?;
    for count in EVENTS {
        let state = Delays::new(count).state(&shape)?;
        let key = encode_key(&[KeyValue::Int64(i64::try_from(count)?)]);
        let write = StateRow::read(None)?.write(key, &state)?;
        store.write(&id, vec![write], None).await?;
    }
    let published = Published {
        table_version: 1,
        as_of: EventTime::from_micros(AS_OF),
        visibility: "event_time windows 0".to_owned(),
    };
    store.set_published(&id, None, published, None).await?;
    Ok(())
}

async fn put_row(store: &MemoryStore, catalog: &Catalog, view: &FeatureView) -> Outcome<()> {
    let id = ViewId::new(catalog.project.clone(), view.name.clone());
    let layout = RowLayout::of_view(view);
    let columns = view.schema.iter().map(|feature| match feature.data_type {
        DataType::Scalar(ScalarType::Int64) => Arc::new(Int64Array::from(vec![70_000])) as ArrayRef,
        _ => Arc::new(Float64Array::from(vec![0.5])),
    });
    let order = RowOrder {
        event: EventTime::from_micros(AS_OF),
        created: None,
        sequence: 0,
    };
    let rows = RowEncoder::new(&layout).encode(&columns.collect::<Vec<_>>(), &[order])?;
    store.prepare(&id, &layout).await?;
    let key = encode_key(&[KeyValue::Int64(0)]);
    let writes = rows
        .into_iter()
        .map(|row| RowWrite::newest(key.clone(), row));
    store.write(&id, writes.collect(), None).await?;
    Ok(())
}

fn lookups(criterion: &mut Criterion) -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let (catalog, store) = runtime.block_on(world())?;
    let clock = Arc::new(FixedClock::at(EventTime::from_micros(AS_OF + HOUR)));
    let serving = Serving::new(Arc::new(store), clock);
    for (name, users) in [("plain", &[0][..]), ("windowed", &EVENTS[..])] {
        let view = catalog
            .feature_views
            .values()
            .find(|view| view.name.as_str() == name);
        let features = view.into_iter().flat_map(|view| &view.schema);
        let features = features.map(|feature| format!("{name}:{}", feature.name).parse());
        let request = FeatureRequest::Features(features.collect::<Result<_, _>>()?);
        let plan = serving.plan(&catalog, 1, &request, Naming::Full)?;
        for user in users {
            let keys: ArrayRef = Arc::new(Int64Array::from(vec![i64::try_from(*user)?]));
            let entities = EntityColumns::new(vec![("user".to_owned(), keys)])?;
            criterion.bench_function(&format!("get/{name}/{user}"), |bench| {
                bench.iter(|| {
                    let vectors = runtime.block_on(serving.get(&plan, black_box(&entities)));
                    vectors.map(|vectors| wire::answer_bytes(vectors, false))
                });
            });
        }
    }
    Ok(())
}

criterion_group!(benches, states);
criterion_main!(benches);
