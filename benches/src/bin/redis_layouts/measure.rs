//! One kind of request, over and over.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use redis::Value;
use redis::aio::{ConnectionLike as _, MultiplexedConnection};
use tokio::task::JoinSet;

use crate::Outcome;
use crate::layout::{Layout, Places};
use crate::server::Server;

/// What is asked, and by how many.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    pub(crate) views: usize,
    pub(crate) keys: usize,
    pub(crate) connections: usize,
    pub(crate) tasks: usize,
}

/// What a request takes, in microseconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Taken {
    pub(crate) per_second: f64,
    server: f64,
    client: f64,
    p50: f64,
    p99: f64,
}

impl fmt::Display for Taken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            server,
            client,
            p50,
            p99,
            ..
        } = self;
        write!(f, "{server:.1}, {client:.1}; {p50:.0}, {p99:.0}")
    }
}

pub(crate) async fn measure(
    server: &Server,
    layout: Layout,
    entities: u32,
    load: Load,
    window: Duration,
) -> Outcome<Taken> {
    let places = Arc::new(Places::of(layout)?);
    let mut connections = Vec::new();
    for _ in 0..load.connections {
        connections.push(server.connect().await?);
    }
    let (server_before, client_before) = (server.cpu().await?, client_cpu()?);
    let begun = Instant::now();
    let mut tasks = JoinSet::new();
    for task in 0..load.tasks {
        let connection = connections[task % load.connections].clone();
        let seed = u64::try_from(task)? + 1;
        let places = Arc::clone(&places);
        tasks.spawn(ask(
            connection,
            places,
            entities,
            load,
            begun + window,
            seed,
        ));
    }
    let mut latencies: Vec<Duration> = Vec::new();
    while let Some(ended) = tasks.join_next().await {
        latencies.extend(ended??);
    }
    let elapsed = begun.elapsed();
    let client = client_cpu()? - client_before;
    let server = server.cpu().await? - server_before;
    latencies.sort_unstable();
    let count = f64::from(u32::try_from(latencies.len())?);
    let at = |percent: usize| {
        let latency = latencies.get(latencies.len() * percent / 100);
        latency.copied().unwrap_or_default().as_secs_f64() * 1e6
    };
    Ok(Taken {
        per_second: count / elapsed.as_secs_f64(),
        server: server / count * 1e6,
        client: client / count * 1e6,
        p50: at(50),
        p99: at(99),
    })
}

/// Asks until `end`; how long each answer took.
async fn ask(
    mut connection: MultiplexedConnection,
    places: Arc<Places>,
    entities: u32,
    load: Load,
    end: Instant,
    seed: u64,
) -> Outcome<Vec<Duration>> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mut next = || -> Outcome<u32> {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        Ok(u32::try_from(state % u64::from(entities))?)
    };
    let mut latencies = Vec::new();
    while Instant::now() < end {
        let keys = (0..load.keys)
            .map(|_| next())
            .collect::<Outcome<Vec<u32>>>()?;
        let begun = Instant::now();
        let pipeline = places.read(load.views, &keys);
        let count = pipeline.len();
        let replies = connection.req_packed_commands(&pipeline, 0, count).await?;
        let rows: usize = replies.iter().map(rows).sum();
        latencies.push(begun.elapsed());
        if rows != load.keys * load.views {
            return Err(format!("{rows} rows came").into());
        }
    }
    Ok(latencies)
}

fn rows(reply: &Value) -> usize {
    match reply {
        Value::Array(values) => values
            .iter()
            .filter(|value| matches!(value, Value::BulkString(_)))
            .count(),
        _ => 0,
    }
}

/// Seconds of CPU that this process has taken.
pub(crate) fn client_cpu() -> Outcome<f64> {
    const TICKS_PER_SECOND: f64 = 100.0;
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let (_, fields) = stat.rsplit_once(')').ok_or("no end of the name")?;
    let mut fields = fields.split_whitespace().skip(11);
    let mut ticks = || -> Outcome<f64> { Ok(fields.next().ok_or("no times")?.parse()?) };
    Ok((ticks()? + ticks()?) / TICKS_PER_SECOND)
}
