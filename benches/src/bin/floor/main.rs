//! What a lookup, or writing rows, costs at the least: the floor that `fs` is measured against.
//!
//! ```text
//!   floor serve       gRPC ─► keys ─► one pipeline to Redis ─► rows, unread, one after the other ─► gRPC
//!   floor ask-grpc    puts load on that
//!   floor ask-redis   puts the same load on Redis itself
//!   floor load        writes all rows of one Redis into another
//! ```
//!
//! It reads the rows that `fs` wrote, where `fs` wrote them, and does nothing with them: no plan, no types, no
//! statuses, no ttl, no limits, no metrics. `benches/serving/README.md` and `benches/materialize/README.md` say how
//! it is used.

#![expect(
    clippy::print_stdout,
    reason = "printing what was measured is what it is for"
)]

mod ask;
mod load;
mod serve;
mod store;

use std::net::SocketAddr;

use clap::{Args, Parser};
use fs_load::{KeyRange, LoadArgs};
use fs_online::ViewId;

/// What a lookup, or writing rows, costs at the least.
#[derive(Debug, Parser)]
enum Floor {
    /// Answer over gRPC
    Serve {
        /// Where to listen
        #[arg(long)]
        listen: SocketAddr,
        #[command(flatten)]
        place: Place,
    },
    /// Put load on a floor
    AskGrpc {
        /// Where it listens
        #[arg(long)]
        server: String,
        #[command(flatten)]
        asked: Asked,
    },
    /// Put load on Redis
    AskRedis {
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        asked: Asked,
    },
    /// Write the rows of views into another Redis
    Load(load::LoadArgs),
}

/// Where the rows are.
#[derive(Debug, Clone, Args)]
struct Place {
    /// The Redis
    #[arg(long)]
    redis: String,
    /// The project of the views
    #[arg(long)]
    project: fs_core::ProjectName,
    /// The views, all of one entity with a key of type int64
    #[arg(long, value_delimiter = ',')]
    views: Vec<fs_core::ViewName>,
}

/// What is asked for.
#[derive(Debug, Args)]
struct Asked {
    /// Rows of so many views, the first of them
    #[arg(long, default_value_t = 1)]
    first_views: u8,
    /// Whose: NAME=FIRST..END
    #[arg(long)]
    key: KeyRange,
    #[command(flatten)]
    load: LoadArgs,
}

impl Place {
    fn ids(&self) -> impl Iterator<Item = ViewId> {
        let id = |view: &fs_core::ViewName| ViewId::new(self.project.clone(), view.clone());
        self.views.iter().map(id)
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let outcome = match Floor::parse() {
        Floor::Serve { listen, place } => return serve::run(listen, &place),
        Floor::AskGrpc { server, asked } => ask::grpc(&server, &asked)?,
        Floor::AskRedis { place, asked } => ask::redis(place, &asked)?,
        Floor::Load(args) => {
            println!("{}", serde_json::to_string_pretty(&load::run(&args)?)?);
            return Ok(());
        }
    };
    println!("{}", serde_json::to_string_pretty(&outcome)?);
    Ok(())
}
