//! What writing a row takes, through the store and by a client that does nothing else.
//!
//! ```text
//!   bare     HSET bucket key row, one command per row, pipelined
//!   store    the write script: orders compared, fence checked, four batches at once
//! ```

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use arrow::array::{ArrayRef, Float64Array, Int64Array};
use bytes::Bytes;
use fs_core::{DataType, EventTime, Fence, KeyType, ScalarType};
use fs_online::key::encode_columns;
use fs_online::{EncodedKey, OnlineStore, RowEncoder, RowLayout, RowOrder, RowWrite, ViewId};
use fs_online_redis::keyspace::Buckets;
use fs_online_redis::{RedisOptions, RedisStore};
use redis::Pipeline;
use redis::aio::ConnectionLike as _;
use tokio::task::JoinSet;

use crate::Outcome;
use crate::measure::client_cpu;
use crate::server::Server;

const FEATURES: usize = 50;

/// Rows of a batch, and batches under way at once, as publishing has them.
const BATCH: usize = 4_096;
const IN_FLIGHT: usize = 4;

/// What a row took.
pub(crate) struct Written {
    rows_per_second: f64,
    server: f64,
    client: f64,
}

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            rows_per_second,
            server,
            client,
        } = self;
        write!(f, "{rows_per_second:.0} | {server:.2}, {client:.2}")
    }
}

/// A row for each entity, all with this event time, in batches.
fn batches(entities: u32, event: i64) -> Outcome<Vec<Vec<(EncodedKey, Bytes)>>> {
    let layout = layout()?;
    let encoder = RowEncoder::new(&layout);
    let all: Vec<u32> = (0..entities).collect();
    let pack = |some: &[u32]| {
        let keys: ArrayRef = Arc::new(Int64Array::from_iter_values(some.iter().map(|n| {
            // In no order, as those of a table are.
            i64::from(*n).wrapping_mul(0x61C8_8646_80B5_83EB)
        })));
        let columns = (0_u32..).take(FEATURES).map(|feature| {
            let values = some
                .iter()
                .map(|n| f64::from(*n) * 0.7 + f64::from(feature));
            Arc::new(Float64Array::from_iter_values(values)) as ArrayRef
        });
        let orders = some.iter().map(|n| RowOrder {
            event: EventTime::from_micros(event),
            created: None,
            sequence: (1 << 32) + u64::from(*n),
        });
        let (columns, orders): (Vec<_>, Vec<_>) = (columns.collect(), orders.collect());
        let rows = encoder.encode(&columns, &orders)?;
        let keys = encode_columns(&[KeyType::Int64], &[keys], some.len())?;
        Ok(keys.into_iter().flatten().zip(rows).collect())
    };
    all.chunks(BATCH).map(pack).collect()
}

fn layout() -> Outcome<RowLayout> {
    let feature = |number| {
        Ok((
            format!("f{number}").parse()?,
            DataType::Scalar(ScalarType::Float64),
        ))
    };
    let features: Outcome<Vec<_>> = (0..FEATURES).map(feature).collect();
    Ok(RowLayout::new(features?))
}

fn view() -> Outcome<ViewId> {
    Ok(ViewId::new("bench".parse()?, "writes".parse()?))
}

/// Prints what each way takes: into nothing, over older rows, and rows that are there already.
pub(crate) async fn writes(
    server: &Server,
    entities: u32,
) -> Outcome<Vec<(&'static str, Written)>> {
    let mut found = Vec::new();
    for (name, event) in [("bare, new", 1), ("bare, over older ones", 2)] {
        found.push((name, bare(server, batches(entities, event)?).await?));
    }
    let store = Arc::new(RedisStore::connect(&server.url(), RedisOptions::default())?);
    store.drop_view(&view()?).await?;
    store.prepare(&view()?, &layout()?).await?;
    store.raise_fence(&view()?, Fence::new(1)).await?;
    for (name, event) in [
        ("store, new", 1),
        ("store, over older ones", 2),
        ("store, the same again", 2),
    ] {
        let rows = batches(entities, event)?;
        found.push((name, through_store(server, &store, rows).await?));
    }
    Ok(found)
}

async fn through_store(
    server: &Server,
    store: &Arc<RedisStore>,
    batches: Vec<Vec<(EncodedKey, Bytes)>>,
) -> Outcome<Written> {
    let count = batches.iter().map(Vec::len).sum();
    let before = (server.cpu().await?, client_cpu()?, Instant::now());
    let mut under_way = JoinSet::new();
    for batch in batches {
        if under_way.len() >= IN_FLIGHT
            && let Some(done) = under_way.join_next().await
        {
            done??;
        }
        let (store, view) = (Arc::clone(store), view()?);
        under_way.spawn(async move {
            let rows = batch
                .into_iter()
                .map(|(key, row)| RowWrite::newest(key, row));
            let outcome = store
                .write(&view, rows.collect(), Some(Fence::new(1)))
                .await;
            outcome.map(|_outcome| ())
        });
    }
    while let Some(done) = under_way.join_next().await {
        done??;
    }
    taken(server, count, before).await
}

async fn bare(server: &Server, batches: Vec<Vec<(EncodedKey, Bytes)>>) -> Outcome<Written> {
    let count = batches.iter().map(Vec::len).sum();
    let buckets = Buckets::new(RedisOptions::BUCKETS).ok_or("no number of buckets")?;
    let view = view()?;
    let mut connection = server.connect().await?;
    let before = (server.cpu().await?, client_cpu()?, Instant::now());
    for batch in batches {
        let mut pipeline = Pipeline::with_capacity(batch.len());
        for (key, row) in batch {
            let bucket = buckets.key(&view, buckets.of(&key));
            let stored = [&[0; 4], row.as_ref()].concat();
            pipeline.hset(bucket, key.as_bytes(), stored);
        }
        let count = pipeline.len();
        connection.req_packed_commands(&pipeline, 0, count).await?;
    }
    taken(server, count, before).await
}

async fn taken(server: &Server, rows: usize, before: (f64, f64, Instant)) -> Outcome<Written> {
    let (server_before, client_before, begun) = before;
    let elapsed = begun.elapsed().as_secs_f64();
    let rows = f64::from(u32::try_from(rows)?);
    Ok(Written {
        rows_per_second: rows / elapsed,
        server: (server.cpu().await? - server_before) / rows * 1e6,
        client: (client_cpu()? - client_before) / rows * 1e6,
    })
}
