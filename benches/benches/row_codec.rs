//! Packing and unpacking online rows: 100 rows of 250 features, as a large request reads them.
//!
//! `cargo bench -p fs-benches --bench row_codec`

use std::hint::black_box;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, StringArray};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use fs_core::{DataType, EventTime, FeatureName, KeyType, ScalarType};
use fs_online::key::encode_columns;
use fs_online::{RowDecoder, RowEncoder, RowLayout, RowOrder};

const ROWS: usize = 100;
const FEATURES: usize = 250;

type Features = Vec<(FeatureName, DataType)>;

/// 80 % floats, 15 % integers, 5 % strings; every tenth value is null.
fn features() -> (Features, Vec<ArrayRef>) {
    let value = |row: usize, feature: usize| {
        let number = u32::try_from(row * FEATURES + feature).unwrap_or(u32::MAX);
        (!number.is_multiple_of(10)).then_some(number)
    };
    let columns = (0..FEATURES).filter_map(|feature| {
        let values = (0..ROWS).map(|row| value(row, feature));
        let (scalar, column): (_, ArrayRef) = match feature % 20 {
            0 => {
                let texts = values.map(|n| n.map(|n| format!("value {n}")));
                (ScalarType::String, Arc::new(texts.collect::<StringArray>()))
            }
            1..=3 => {
                let numbers = values.map(|n| n.map(i64::from));
                (ScalarType::Int64, Arc::new(numbers.collect::<Int64Array>()))
            }
            _ => {
                let numbers = values.map(|n| n.map(f64::from));
                (
                    ScalarType::Float64,
                    Arc::new(numbers.collect::<Float64Array>()),
                )
            }
        };
        let name = format!("feature_{feature}").parse().ok()?;
        Some(((name, DataType::Scalar(scalar)), column))
    });
    columns.unzip()
}

fn row_codec(criterion: &mut Criterion) {
    let (features, columns) = features();
    let orders: Vec<RowOrder> = (0..)
        .take(ROWS)
        .map(|row| RowOrder {
            event: EventTime::from_micros(row),
            created: None,
            sequence: 0,
        })
        .collect();
    let layout = RowLayout::new(features.clone());
    let encoder = RowEncoder::new(&layout);
    let Ok(rows) = encoder.encode(&columns, &orders) else {
        return;
    };
    let rows: Vec<Option<_>> = rows.into_iter().map(Some).collect();

    let mut group = criterion.benchmark_group("row_codec");
    group.throughput(Throughput::Elements((ROWS * FEATURES) as u64));
    group.bench_function("encode 100 x 250", |bench| {
        bench.iter(|| encoder.encode(black_box(&columns), &orders));
    });
    let layouts = [layout];
    let all = RowDecoder::new(&layouts, &features);
    group.bench_function("decode 100 x 250", |bench| {
        bench.iter(|| all.decode(black_box(&rows)));
    });
    group.throughput(Throughput::Elements((ROWS * 10) as u64));
    let wanted: Features = features.into_iter().step_by(FEATURES / 10).collect();
    let some = RowDecoder::new(&layouts, &wanted);
    group.bench_function("decode 10 of 250 features of 100 rows", |bench| {
        bench.iter(|| some.decode(black_box(&rows)));
    });
    group.throughput(Throughput::Elements(ROWS as u64));
    let origins = (0..ROWS).map(|row| Some(format!("airport {row}")));
    let keys: [ArrayRef; 2] = [
        Arc::new(origins.collect::<StringArray>()),
        Arc::new((0_i64..).take(ROWS).collect::<Int64Array>()),
    ];
    group.bench_function("encode 100 keys of a string and an int64", |bench| {
        let types = [KeyType::String, KeyType::Int64];
        bench.iter(|| encode_columns(&types, black_box(&keys), ROWS));
    });
    group.finish();
}

/// Packing as publishing does it: rows of 50 `float64`, with their keys.
fn packing(criterion: &mut Criterion) {
    const ROWS: usize = 4_096;
    let names = (0..50).filter_map(|feature| format!("f{feature}").parse().ok());
    let float64 = DataType::Scalar(ScalarType::Float64);
    let encoder = RowEncoder::new(&RowLayout::new(names.map(|name| (name, float64)).collect()));
    let columns: Vec<ArrayRef> = (0_u32..50)
        .map(|feature| {
            let values = (0_u32..)
                .take(ROWS)
                .map(|row| f64::from(row) * 0.7 + f64::from(feature));
            Arc::new(Float64Array::from_iter_values(values)) as ArrayRef
        })
        .collect();
    let keys: [ArrayRef; 1] = [Arc::new((0_i64..).take(ROWS).collect::<Int64Array>())];
    let order = |row| RowOrder {
        event: EventTime::from_micros(row),
        created: None,
        sequence: 1 << 32,
    };
    let orders: Vec<RowOrder> = (0_i64..).take(ROWS).map(order).collect();
    let mut group = criterion.benchmark_group("packing");
    group.throughput(Throughput::Elements(ROWS as u64));
    group.bench_function("rows of 50 float64 and their keys", |bench| {
        bench.iter(|| {
            let keys = encode_columns(&[KeyType::Int64], black_box(&keys), ROWS);
            (keys, encoder.encode(black_box(&columns), &orders))
        });
    });
    group.finish();
}

criterion_group!(benches, row_codec, packing);
criterion_main!(benches);
