//! Mass insertion: the rows that `fs` wrote, written again by a client that does nothing else.
//!
//! ```text
//!   from ──► all rows, in memory, shuffled ──► HSET HSET HSET … on one connection ──► to
//!                                              answers are counted on a thread of their own
//! ```
//!
//! One round trip for all rows: commands are sent as fast as Redis takes them, and nobody waits for an
//! answer before the next command. Rows are not compared with what is there.

use std::error::Error;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::Instant;

use clap::Args;
use redis::{Client, ConnectionAddr, Value, cmd};
use serde::Serialize;

use crate::Place;
use crate::store::Store;

/// How many bytes are sent at once.
const BUFFER_BYTES: usize = 1 << 20;

/// What is inserted where.
#[derive(Debug, Args)]
pub(crate) struct LoadArgs {
    #[command(flatten)]
    place: Place,
    /// The Redis that takes the rows
    #[arg(long)]
    to: String,
    /// How many rows of a bucket go into one command
    #[arg(long, default_value_t = 1)]
    rows_per_command: usize,
}

/// What it took.
#[derive(Debug, Serialize)]
pub(crate) struct Loaded {
    rows: u64,
    commands: u64,
    /// Of keys and rows.
    bytes: u64,
    /// From the first byte sent to the last answer.
    seconds: f64,
    rows_per_second: f64,
}

/// The hash, the key in it, and the row.
type Row = (usize, Vec<u8>, Vec<u8>);

/// Takes all rows from one Redis and inserts them into the other.
pub(crate) fn run(args: &LoadArgs) -> Result<Loaded, Box<dyn Error>> {
    let (buckets, rows) = fetch(&args.place)?;
    let commands = commands(rows, buckets.len(), args.rows_per_command.max(1));
    let count: u64 = commands.iter().map(|command| command.len() as u64).sum();
    let bytes = commands.iter().flatten();
    let bytes = bytes.map(|(_, key, row)| (key.len() + row.len()) as u64);
    let bytes = bytes.sum();

    let mut stream = connect(&args.to)?;
    let answers = stream.try_clone()?;
    let began = Instant::now();
    let expected = commands.len();
    let counting = thread::spawn(move || count_answers(answers, expected));
    let mut buffer = Vec::with_capacity(2 * BUFFER_BYTES);
    for command in &commands {
        encode(&mut buffer, &buckets, command)?;
        if buffer.len() >= BUFFER_BYTES {
            stream.write_all(&buffer)?;
            buffer.clear();
        }
    }
    stream.write_all(&buffer)?;
    counting
        .join()
        .map_err(|_panic| "whoever counts the answers is gone")??;
    let seconds = began.elapsed().as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "rows are fewer than 2^52")]
    let rows_per_second = count as f64 / seconds;
    Ok(Loaded {
        rows: count,
        commands: expected as u64,
        bytes,
        seconds,
        rows_per_second,
    })
}

/// The names of the hashes, and all rows of all views.
#[tokio::main(flavor = "current_thread")]
async fn fetch(place: &Place) -> Result<(Vec<String>, Vec<Row>), Box<dyn Error>> {
    let mut store = Store::open(place).await?;
    let buckets: Vec<String> = store.buckets().map(str::to_owned).collect();
    let mut rows = Vec::new();
    for (bucket, name) in buckets.iter().enumerate() {
        let mut all = cmd("HGETALL");
        let reply: Value = all.arg(name).query_async(store.connection()).await?;
        let all: Vec<(Vec<u8>, Vec<u8>)> = redis::from_redis_value(reply)?;
        rows.extend(all.into_iter().map(|(key, row)| (bucket, key, row)));
    }
    Ok((buckets, rows))
}

/// Rows in no order, as those of a table are, cut into commands of one bucket each.
fn commands(mut rows: Vec<Row>, buckets: usize, rows_per_command: usize) -> Vec<Vec<Row>> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    for at in (1..rows.len()).rev() {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let other = usize::try_from(state % (at as u64 + 1)).unwrap_or(at);
        rows.swap(at, other);
    }
    let mut commands = Vec::new();
    let mut waiting: Vec<Vec<Row>> = vec![Vec::new(); buckets];
    for row in rows {
        let rows = &mut waiting[row.0];
        rows.push(row);
        if rows.len() >= rows_per_command {
            commands.push(std::mem::take(rows));
        }
    }
    commands.extend(waiting.into_iter().filter(|rows| !rows.is_empty()));
    commands
}

fn connect(url: &str) -> Result<TcpStream, Box<dyn Error>> {
    let client = Client::open(url)?;
    let ConnectionAddr::Tcp(host, port) = client.get_connection_info().addr() else {
        return Err(format!("{url} is no plain TCP address").into());
    };
    let stream = TcpStream::connect((host.as_str(), *port))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Adds `HSET bucket key row key row …`.
fn encode(buffer: &mut Vec<u8>, buckets: &[String], command: &[Row]) -> io::Result<()> {
    let Some((bucket, ..)) = command.first() else {
        return Ok(());
    };
    write!(buffer, "*{}\r\n$4\r\nHSET\r\n", 2 + 2 * command.len())?;
    argument(buffer, buckets[*bucket].as_bytes())?;
    for (_, key, row) in command {
        argument(buffer, key)?;
        argument(buffer, row)?;
    }
    Ok(())
}

fn argument(buffer: &mut Vec<u8>, bytes: &[u8]) -> io::Result<()> {
    write!(buffer, "${}\r\n", bytes.len())?;
    buffer.extend_from_slice(bytes);
    buffer.extend_from_slice(b"\r\n");
    Ok(())
}

/// Returns once so many commands were answered, all of them with a number.
fn count_answers(mut answers: TcpStream, mut expected: usize) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut begins = true;
    while expected > 0 {
        let count = answers.read(&mut buffer)?;
        if count == 0 {
            return Err(io::Error::other("Redis closed the connection"));
        }
        for byte in &buffer[..count] {
            if begins && *byte != b':' {
                let said = String::from_utf8_lossy(&buffer[..count]);
                return Err(io::Error::other(format!("Redis says {said}")));
            }
            begins = *byte == b'\n';
            expected -= usize::from(begins);
        }
    }
    Ok(())
}
