//! The point-in-time join: the kernel beside its naive reference on small sizes, and alone on
//! sizes where the reference would take minutes.

use std::hint::black_box;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray, TimestampMicrosecondArray};
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput};
use fs_core::{Span, Ttl};
use fs_pit::{Error, FeatureRows, Matches, PointInTimeJoin, RowIds, Rule, naive};

const BATCH_ROWS: usize = 8192;
/// Thirty days.
const PERIOD_MICROS: u64 = 30 * 24 * 3_600_000_000;

/// How the key is written.
#[derive(Debug, Clone, Copy)]
enum Key {
    Int64,
    String,
    Composite,
}

/// Keys and times of one side.
struct Side {
    keys: Vec<ArrayRef>,
    times: TimestampMicrosecondArray,
}

/// A small generator of its own, so that every run joins the same rows.
struct SplitMix(u64);

impl SplitMix {
    fn below(&mut self, bound: u64) -> i64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % bound).cast_signed()
    }
}

fn side(random: &mut SplitMix, rows: usize, entities: u64, key: Key) -> Side {
    let ids: Vec<i64> = (0..rows).map(|_| random.below(entities)).collect();
    let strings = || {
        let texts = ids.iter().map(|id| Some(format!("entity-{id:010}")));
        Arc::new(texts.collect::<StringArray>()) as ArrayRef
    };
    let ints = || Arc::new(Int64Array::from(ids.clone())) as ArrayRef;
    let keys = match key {
        Key::Int64 => vec![ints()],
        Key::String => vec![strings()],
        Key::Composite => vec![ints(), strings()],
    };
    let times = (0..rows).map(|_| random.below(PERIOD_MICROS));
    Side {
        keys,
        times: TimestampMicrosecondArray::from_iter_values(times),
    }
}

fn rule() -> Rule {
    Rule {
        ttl: Span::from_micros(7 * 24 * 3_600_000_000).and_then(Ttl::new),
        ..Rule::default()
    }
}

fn joined(spine: &Side, features: &Side) -> Result<Matches, Error> {
    let mut join = PointInTimeJoin::new(&spine.keys, &spine.times, rule())?;
    for start in (0..features.times.len()).step_by(BATCH_ROWS) {
        let rows = BATCH_ROWS.min(features.times.len() - start);
        let keys: Vec<ArrayRef> = features.keys.iter().map(|k| k.slice(start, rows)).collect();
        join.offer(&keys, &features.times.slice(start, rows), None, None)?;
    }
    Ok(join.finish())
}

fn beside_the_reference(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("point_in_time/small");
    for rows in [100, 1_000] {
        let mut random = SplitMix(7);
        let spine = side(&mut random, rows / 10, 20, Key::Int64);
        let features = side(&mut random, rows, 20, Key::Int64);
        group.bench_function(BenchmarkId::new("kernel", rows), |bench| {
            bench.iter(|| joined(black_box(&spine), black_box(&features)));
        });
        group.bench_function(BenchmarkId::new("naive", rows), |bench| {
            bench.iter(|| {
                let rows = [FeatureRows {
                    keys: &features.keys,
                    event: &features.times,
                    created: None,
                    sequence: None,
                }];
                naive::point_in_time_join(&spine.keys, &spine.times, rule(), black_box(&rows))
            });
        });
    }
    group.finish();
}

fn alone(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("point_in_time/kernel");
    group.sample_size(10);
    for rows in [100_000_usize, 1_000_000] {
        group.throughput(Throughput::Elements(rows as u64));
        for key in [Key::Int64, Key::String, Key::Composite] {
            let mut random = SplitMix(7);
            let entities = rows as u64 / 100;
            let spine = side(&mut random, rows / 10, entities, key);
            let features = side(&mut random, rows, entities, key);
            group.bench_function(BenchmarkId::new(format!("{key:?}"), rows), |bench| {
                bench.iter(|| joined(&spine, &features));
            });
        }
    }
    group.finish();
}

/// A history as large as those of `make bench-training`, in the order in which tables keep rows, and
/// in none.
fn large(criterion: &mut Criterion) {
    const ROWS: usize = 10_000_000;
    let mut group = criterion.benchmark_group("point_in_time/10m_by_1m");
    group
        .sample_size(10)
        .throughput(Throughput::Elements(ROWS as u64));
    let mut random = SplitMix(7);
    let spine = side(&mut random, ROWS / 10, ROWS as u64 / 100, Key::Int64);
    let numbers: Int64Array = (0..).take(ROWS).map(Some).collect();
    let joined = |features: &Side| {
        let mut join = PointInTimeJoin::new(&spine.keys, &spine.times, rule())?;
        for start in (0..ROWS).step_by(BATCH_ROWS) {
            let rows = BATCH_ROWS.min(ROWS - start);
            let keys: Vec<ArrayRef> = features.keys.iter().map(|k| k.slice(start, rows)).collect();
            let (event, rows) = (
                features.times.slice(start, rows),
                numbers.slice(start, rows),
            );
            let features = FeatureRows {
                keys: &keys,
                event: &event,
                created: None,
                sequence: Some(&rows),
            };
            join.offer_at(
                &features,
                &RowIds::At {
                    file: 0,
                    rows: &rows,
                },
            )?;
        }
        Ok::<_, Error>(join.finish())
    };
    let mut features = side(&mut random, ROWS, ROWS as u64 / 100, Key::Int64);
    group.bench_function("in no order", |bench| {
        bench.iter(|| joined(&features));
    });
    let mut times = features.times.values().to_vec();
    times.sort_unstable();
    features.times = times.into();
    group.bench_function("in the order of time", |bench| {
        bench.iter(|| joined(&features));
    });
    group.finish();
}

fn slots(criterion: &mut Criterion) {
    let mut random = SplitMix(7);
    let spine = side(&mut random, 100_000, 10_000, Key::Int64);
    criterion.bench_function("point_in_time/prepare_100k_spine_rows", |bench| {
        let copy = || (spine.keys.clone(), spine.times.clone());
        let prepare = |(keys, times): (Vec<ArrayRef>, TimestampMicrosecondArray)| {
            PointInTimeJoin::new(&keys, &times, rule())
        };
        bench.iter_batched(copy, prepare, BatchSize::LargeInput);
    });
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    beside_the_reference(&mut criterion);
    alone(&mut criterion);
    large(&mut criterion);
    slots(&mut criterion);
    criterion.final_summary();
}
