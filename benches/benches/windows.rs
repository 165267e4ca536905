//! Windows of events: the kernel beside its naive reference on small sizes, and alone on the sizes
//! of `make bench-windows`, with 1, 4 and 8 windows.
//!
//! A filter chooses, as with every criterion benchmark: `windows/small` takes seconds,
//! `windows/100k_by_10k` less than a minute, `windows/10m_by_1m` some minutes.

use std::hint::black_box;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, TimestampMicrosecondArray};
use criterion::{BenchmarkId, Criterion, Throughput};
use fs_core::{
    Aggregation, DataType, Feature, FeatureName, Function, ScalarType, Span, Window, Windows,
};
use fs_pit::windows::{Events, TimeLine, WindowJoin, WindowPlan};
use fs_pit::{FeatureRows, Rule, SpineIndex, naive};

const BATCH_ROWS: usize = 8192;
const HOUR: i64 = 3_600_000_000;
/// Sixty days.
const PERIOD_MICROS: i64 = 60 * 24 * HOUR;
const FUNCTIONS: [Function; 5] = [
    Function::Count,
    Function::Sum,
    Function::Avg,
    Function::Min,
    Function::Max,
];
/// The lengths of one, four and eight windows.
const WINDOWS: [&[i64]; 3] = [
    &[7 * 24],
    &[1, 24, 7 * 24, 30 * 24],
    &[1, 3, 12, 24, 3 * 24, 7 * 24, 14 * 24, 30 * 24],
];

/// How rows are spread over keys.
#[derive(Debug, Clone, Copy)]
enum Keys {
    /// Every key has as many as any other.
    Uniform,
    /// The first key has a seventh of them, and the tenth still one in a hundred.
    Skewed,
}

/// Keys, times and values of one side.
struct Side {
    keys: Vec<ArrayRef>,
    times: TimestampMicrosecondArray,
    values: Vec<ArrayRef>,
}

/// A small generator of its own, so that every run joins the same rows.
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: i64) -> i64 {
        (self.next() % bound.unsigned_abs()).cast_signed()
    }

    /// Between 0 and 1.
    #[expect(clippy::cast_precision_loss, reason = "52 bits of them are enough")]
    fn part(&mut self) -> f64 {
        (self.next() >> 12) as f64 / (1_u64 << 52) as f64
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "keys are small"
    )]
    fn key(&mut self, keys: Keys, entities: i64) -> i64 {
        match keys {
            Keys::Uniform => self.below(entities),
            Keys::Skewed => (entities as f64).powf(self.part()) as i64 - 1,
        }
    }
}

fn side(random: &mut SplitMix, rows: usize, entities: i64, keys: Keys) -> Side {
    let of_keys: Int64Array = (0..rows)
        .map(|_| Some(random.key(keys, entities)))
        .collect();
    let mut times: Vec<i64> = (0..rows).map(|_| random.below(PERIOD_MICROS)).collect();
    times.sort_unstable();
    let values: Float64Array = (0..rows)
        .map(|_| Some((random.part() * 10_000.0).round() / 100.0))
        .collect();
    Side {
        keys: vec![Arc::new(of_keys)],
        times: times.into(),
        values: vec![Arc::new(values)],
    }
}

/// The spine of a benchmark, in no order.
fn spine(random: &mut SplitMix, rows: usize, entities: i64, keys: Keys) -> Side {
    let times = (0..rows).map(|_| random.below(PERIOD_MICROS));
    let times = TimestampMicrosecondArray::from_iter_values(times);
    Side {
        times,
        ..side(random, rows, entities, keys)
    }
}

/// The five functions over `hours`.
fn plan(hours: &[i64]) -> Option<Arc<WindowPlan>> {
    let column: FeatureName = "amount".parse().ok()?;
    let windows: Vec<Window> = hours
        .iter()
        .filter_map(|hours| Span::from_micros(hours * HOUR).and_then(Window::last))
        .collect();
    let aggregations = FUNCTIONS
        .iter()
        .map(|function| Aggregation::new(Some(column.clone()), *function, &windows).ok());
    let windows = Windows {
        aggregations: aggregations.collect::<Option<_>>()?,
        inputs: vec![Feature {
            name: column.clone(),
            data_type: DataType::Scalar(ScalarType::Float64),
            description: None,
        }],
    };
    let plan = WindowPlan::new(&windows, Rule::default()).ok()?;
    Some(Arc::new(plan))
}

/// Offers the events to two joins on two threads, as an engine does, and makes the columns.
fn joined(spine: &Side, events: &Side, plan: &Arc<WindowPlan>) -> Option<Vec<ArrayRef>> {
    let index = Arc::new(SpineIndex::new(&spine.keys, &spine.times).ok()?);
    let line = Arc::new(TimeLine::new(index, Arc::clone(plan)).ok()?);
    let rows = events.times.len();
    let half = rows / 2;
    let part = |rows: std::ops::Range<usize>| {
        let mut join = WindowJoin::over(Arc::clone(&line)).ok()?;
        for start in rows.clone().step_by(BATCH_ROWS) {
            offer(&mut join, events, start, BATCH_ROWS.min(rows.end - start))?;
        }
        Some(join)
    };
    let joins = std::thread::scope(|scope| {
        let other = scope.spawn(|| part(half..rows));
        Some(vec![part(0..half)?, other.join().ok()??])
    })?;
    let answers = WindowJoin::finish_together(joins, &line).ok()?;
    answers.columns(0..answers.len()).ok()
}

fn offer(join: &mut WindowJoin, events: &Side, start: usize, rows: usize) -> Option<()> {
    let slice = |column: &ArrayRef| column.slice(start, rows);
    let keys: Vec<ArrayRef> = events.keys.iter().map(slice).collect();
    let inputs: Vec<ArrayRef> = events.values.iter().map(slice).collect();
    let events = Events {
        rows: FeatureRows {
            keys: &keys,
            event: &events.times.slice(start, rows),
            created: None,
            sequence: None,
        },
        inputs: &inputs,
        filters: &[],
    };
    join.offer(&events).ok()
}

fn beside_the_reference(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("windows/small");
    let Some(plan) = plan(WINDOWS[1]) else { return };
    for rows in [100, 1_000] {
        let mut random = SplitMix(7);
        let spine = spine(&mut random, rows / 10, 20, Keys::Uniform);
        let events = side(&mut random, rows, 20, Keys::Uniform);
        group.bench_function(BenchmarkId::new("kernel", rows), |bench| {
            bench.iter(|| joined(black_box(&spine), black_box(&events), &plan));
        });
        group.bench_function(BenchmarkId::new("naive", rows), |bench| {
            bench.iter(|| {
                let events = [Events {
                    rows: FeatureRows {
                        keys: &events.keys,
                        event: &events.times,
                        created: None,
                        sequence: None,
                    },
                    inputs: &events.values,
                    filters: &[],
                }];
                naive::windows(&spine.keys, &spine.times, &plan, black_box(&events))
            });
        });
    }
    group.finish();
}

/// Ten events and one key in a hundred of them for each spine row.
fn alone(criterion: &mut Criterion, name: &str, events: usize) {
    let mut group = criterion.benchmark_group(format!("windows/{name}"));
    group
        .sample_size(10)
        .throughput(Throughput::Elements(events as u64));
    for keys in [Keys::Uniform, Keys::Skewed] {
        let mut random = SplitMix(7);
        let entities = i64::try_from(events / 100).unwrap_or(i64::MAX);
        let spine = spine(&mut random, events / 10, entities, keys);
        let events = side(&mut random, events, entities, keys);
        for hours in WINDOWS {
            let Some(plan) = plan(hours) else { return };
            let id = BenchmarkId::new(format!("{keys:?}"), hours.len());
            group.bench_function(id, |bench| {
                bench.iter(|| joined(&spine, &events, &plan));
            });
        }
    }
    group.finish();
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    beside_the_reference(&mut criterion);
    alone(&mut criterion, "100k_by_10k", 100_000);
    alone(&mut criterion, "10m_by_1m", 10_000_000);
    criterion.final_summary();
}
