//! What a row costs in Redis, laid out one way or another: memory, time of the server, latency.
//!
//! ```text
//!   cargo run --release -p fs-benches --bin redis_layouts [layouts|connections|writes] [ENTITIES]
//! ```
//!
//! It starts a `redis-server` of its own on a free loopback port, and prints tables in Markdown. The
//! rows are those of 50 `float64` features, 436 bytes; the choices that followed from the numbers are
//! in `crates/fs-online-redis/src/lib.rs`, the numbers in `benches/RESULTS.md`.
#![expect(clippy::print_stdout, reason = "what it prints is what it is for")]

mod layout;
mod measure;
mod server;
mod writes;

use std::error::Error;
use std::time::Duration;

use fs_online_redis::keyspace::Buckets;
use tokio::runtime::Builder;

use layout::{Layout, VIEWS};
use measure::{Load, measure};
use server::Server;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// How long each figure is measured.
const WINDOW: Duration = Duration::from_secs(1);

fn main() -> Outcome<()> {
    let mut words = std::env::args().skip(1);
    let what = words.next().unwrap_or_else(|| "layouts".to_owned());
    let entities = words.next().map_or(Ok(100_000), |word| word.parse())?;
    // One thread, so that what the client takes is what its core takes.
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        match what.as_str() {
            "layouts" => layouts(entities).await,
            "connections" => connections(entities).await,
            "writes" => {
                println!("| way | rows/s | server, client CPU of a row, us |");
                println!("|---|---|---|");
                for (way, written) in writes::writes(&Server::start()?, entities).await? {
                    println!("| {way} | {written} |");
                }
                Ok(())
            }
            other => {
                Err(format!("there is no `{other}`: say layouts, connections or writes").into())
            }
        }
    })
}

async fn layouts(entities: u32) -> Outcome<()> {
    let hashes = |buckets, prefix| Layout::Buckets { buckets, prefix };
    let all = [
        Layout::Feast,
        Layout::KeyPerRow {
            expiry: false,
            index: false,
        },
        Layout::KeyPerRow {
            expiry: true,
            index: false,
        },
        Layout::KeyPerRow {
            expiry: true,
            index: true,
        },
        Layout::HashPerEntity,
        hashes(16, 0),
        hashes(16, 8),
        hashes(1, 4),
        hashes(16, 4),
        hashes(64, 4),
        hashes(256, 4),
        hashes(1_024, 4),
    ];
    let server = Server::start()?;
    println!("| layout | bytes per row | | server, client CPU and p50, p99 of a request, us |");
    println!("|---|---|---|---|");
    for layout in all {
        let bytes = layout.load(&server, entities).await?;
        println!("| {layout} | {bytes:.0} | | |");
        if layout == Layout::Feast {
            continue;
        }
        for (views, keys) in [
            (1, 1),
            (1, 10),
            (1, 100),
            (VIEWS, 1),
            (VIEWS, 10),
            (VIEWS, 100),
        ] {
            let load = Load {
                views,
                keys,
                connections: 1,
                tasks: 1,
            };
            let found = measure(&server, layout, entities, load, WINDOW).await?;
            println!("| | | {keys} keys, {views} views | {found} |");
        }
    }
    spread()
}

/// How evenly buckets lie on the nodes of a cluster.
fn spread() -> Outcome<()> {
    println!("\n| buckets | nodes | fewest, most on a node |");
    println!("|---|---|---|");
    for count in [16, 64, 256, 1_024] {
        let buckets = Buckets::new(count).ok_or("no number of buckets")?;
        for nodes in [3_u32, 10] {
            let mut shares = vec![0; usize::try_from(nodes)?];
            for bucket in 0..count {
                let node = u32::from(buckets.slot(bucket)) * nodes / 16_384;
                shares[usize::try_from(node)?] += 1;
            }
            let (fewest, most) = (shares.iter().min(), shares.iter().max());
            let (fewest, most) = (fewest.unwrap_or(&0), most.unwrap_or(&0));
            println!("| {count} | {nodes} | {fewest}, {most} |");
        }
    }
    Ok(())
}

async fn connections(entities: u32) -> Outcome<()> {
    let server = Server::start()?;
    let layout = Layout::Buckets {
        buckets: 16,
        prefix: 4,
    };
    layout.load(&server, entities).await?;
    println!(
        "| request | at once | connections | requests a second; server, client CPU and p50, p99, us |"
    );
    println!("|---|---|---|---|");
    for (views, keys) in [(1, 1), (1, 100), (VIEWS, 100)] {
        for tasks in [1, 16, 64] {
            for connections in [1, 2, 4, 8, 16] {
                if connections > tasks {
                    continue;
                }
                let load = Load {
                    views,
                    keys,
                    connections,
                    tasks,
                };
                let found = measure(&server, layout, entities, load, WINDOW).await?;
                let rate = found.per_second;
                println!(
                    "| {keys} keys, {views} views | {tasks} | {connections} | {rate:.0}; {found} |"
                );
            }
        }
    }
    Ok(())
}
