//! From fetched rows to the bytes of an answer: what a lookup costs besides its store and its wire.
//!
//! | Group | From | To |
//! |---|---|---|
//! | `open` | the rows of a view, as a store gives them | rows whose values can be read |
//! | `answer` | entities, with a store in memory | the bytes of `GetOnlineFeaturesResponse` |
//! | `columns` | the rows of a view | the same, by way of Arrow columns and structs, as it was done before |
//!
//! `cargo bench -p fs-benches --bench answers`

use std::hint::black_box;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Float64Array, Int64Array};
use arrow::datatypes::Float64Type;
use bytes::Bytes;
use criterion::{Criterion, criterion_group, criterion_main};
use fs_core::{
    Catalog, DataType, Entity, EventTime, Feature, FeatureRequest, FeatureView, FixedClock,
    JoinKey, KeyType, KeyValue, Meta, Naming, PointInTime, ScalarType, Span,
};
use fs_online::key::encode_key;
use fs_online::{
    MemoryStore, OnlineStore, OpenRows, RowDecoder, RowEncoder, RowLayout, RowOrder, RowWrite,
    ViewId,
};
use fs_proto::v1::{Column, Doubles, FeatureColumn, GetOnlineFeaturesResponse, column};
use fs_server::wire;
use fs_serving::{EntityColumns, Serving};
use prost::Message;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// Features of one view.
const WIDTH: usize = 50;

/// How many entities, and how many views of [`WIDTH`] features each.
const SHAPES: [(usize, usize); 4] = [(1, 1), (100, 1), (1, 5), (100, 5)];

fn view(number: usize) -> Outcome<FeatureView> {
    let features = (0..WIDTH).map(|feature| {
        Ok(Feature {
            name: format!("feature_{number}_{feature}").parse()?,
            data_type: DataType::Scalar(ScalarType::Float64),
            description: None,
        })
    });
    Ok(FeatureView {
        name: format!("view_{number}").parse()?,
        entities: vec!["user".parse()?],
        source: "source".parse()?,
        ttl: None,
        delay: Span::ZERO,
        point_in_time: PointInTime::EventTime,
        schema: features.collect::<Outcome<_>>()?,
        windows: None,
        query: None,
        schedule: None,
        freshness: None,
        expectations: Vec::new(),
        online: true,
        meta: Meta::default(),
    })
}

fn catalog(views: usize) -> Outcome<Catalog> {
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
    for number in 0..views {
        let view = view(number)?;
        catalog.feature_views.insert(view.name.clone(), view);
    }
    Ok(catalog)
}

/// Rows of a view, one per user.
fn rows(view: &FeatureView, users: usize) -> Outcome<Vec<Bytes>> {
    let columns = (0_u32..).take(WIDTH).map(|feature| {
        let values = (0_u32..)
            .take(users)
            .map(|user| f64::from(user) + f64::from(feature));
        Arc::new(Float64Array::from_iter_values(values)) as ArrayRef
    });
    let orders = (0_i64..).take(users).map(|user| RowOrder {
        event: EventTime::from_micros(user),
        created: None,
        sequence: 0,
    });
    let encoder = RowEncoder::new(&RowLayout::of_view(view));
    let (columns, orders): (Vec<_>, Vec<_>) = (columns.collect(), orders.collect());
    // Each with bytes of its own, as a client of a store may have them.
    let rows = encoder.encode(&columns, &orders)?.into_iter();
    Ok(rows.map(|row| Bytes::copy_from_slice(&row)).collect())
}

async fn store(catalog: &Catalog, users: usize) -> Outcome<MemoryStore> {
    let store = MemoryStore::new();
    for view in catalog.feature_views.values() {
        let id = ViewId::new(catalog.project.clone(), view.name.clone());
        store.prepare(&id, &RowLayout::of_view(view)).await?;
        let writes = (0_i64..)
            .zip(rows(view, users)?)
            .map(|(user, row)| RowWrite::newest(encode_key(&[KeyValue::Int64(user)]), row));
        store.write(&id, writes.collect(), None).await?;
    }
    Ok(store)
}

fn answers(criterion: &mut Criterion) {
    for (users, views) in SHAPES {
        if let Err(error) = shape(criterion, users, views) {
            // A benchmark that cannot be set up measures nothing.
            criterion.bench_function(&error.to_string(), |_| {});
        }
    }
}

fn shape(criterion: &mut Criterion, users: usize, views: usize) -> Outcome<()> {
    let name = format!("{users} x {}", views * WIDTH);
    let catalog = catalog(views)?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let store = runtime.block_on(store(&catalog, users))?;
    let clock = Arc::new(FixedClock::at(EventTime::from_micros(i64::MAX / 2)));
    let serving = Serving::new(Arc::new(store), clock);
    let features = catalog.feature_views.values().flat_map(|view| {
        let features = view.schema.iter();
        features.map(|feature| format!("{}:{}", view.name, feature.name).parse())
    });
    let request = FeatureRequest::Features(features.collect::<Result<_, _>>()?);
    let plan = serving.plan(&catalog, 1, &request, Naming::Short)?;
    let keys: ArrayRef = Arc::new((0_i64..).take(users).collect::<Int64Array>());
    let entities = EntityColumns::new(vec![("user".to_owned(), keys)])?;

    criterion.bench_function(&format!("answer/{name}"), |bench| {
        bench.iter(|| {
            let vectors = runtime.block_on(serving.get(&plan, black_box(&entities)));
            vectors.map(|vectors| wire::answer_bytes(vectors, false))
        });
    });
    criterion.bench_function(&format!("get/{name}"), |bench| {
        bench.iter(|| runtime.block_on(serving.get(&plan, black_box(&entities))));
    });

    let Some(view) = catalog.feature_views.values().next().filter(|_| views == 1) else {
        return Ok(());
    };
    let layout = RowLayout::of_view(view);
    let decoder = Arc::new(RowDecoder::new(
        std::slice::from_ref(&layout),
        layout.features(),
    ));
    let rows: Vec<Option<Bytes>> = rows(view, users)?.into_iter().map(Some).collect();
    criterion.bench_function(&format!("open/{name}"), |bench| {
        bench.iter_batched(
            || rows.clone(),
            |rows| OpenRows::open(decoder.clone(), rows),
            criterion::BatchSize::SmallInput,
        );
    });
    criterion.bench_function(&format!("columns/{name}"), |bench| {
        bench.iter(|| through_columns(&decoder, black_box(&rows), &layout));
    });
    Ok(())
}

/// The old way: Arrow columns, structs, bytes.
fn through_columns(decoder: &RowDecoder, rows: &[Option<Bytes>], layout: &RowLayout) -> Vec<u8> {
    let columns = decoder.decode(rows).unwrap_or_default();
    let columns = columns
        .iter()
        .zip(layout.features())
        .map(|(values, (name, _))| {
            let values = values.as_primitive::<Float64Type>().values().to_vec();
            FeatureColumn {
                name: name.to_string(),
                values: Some(Column {
                    values: Some(column::Values::Doubles(Doubles { values })),
                    nulls: Bytes::new(),
                }),
                statuses: Bytes::new(),
            }
        });
    let answer = GetOnlineFeaturesResponse {
        registry_version: 1,
        row_count: u32::try_from(rows.len()).unwrap_or(u32::MAX),
        columns: columns.collect(),
        event_times: Vec::new(),
    };
    answer.encode_to_vec()
}

criterion_group!(benches, answers);
criterion_main!(benches);
