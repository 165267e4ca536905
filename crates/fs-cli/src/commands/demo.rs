//! `fs demo`: the whole path on this repo, explained as it goes.
//!
//! Nothing here is special: every step calls what the command that it names calls, and the server
//! is asked over real gRPC and Flight connections on the loopback interface.

mod parity;
mod steps;

use std::path::Path;
use std::time::Instant;

use fs_core::EventTime;
use serde_json::{Map, Value, json};

use crate::args::DemoArgs;
use crate::failure::Failure;
use crate::output::{Output, elapsed};

/// The window that the demo materializes: what the repo has data for.
const START: &str = "2013-01-01";
/// The end of the window, and the instant at which the demo asks.
const END: &str = "2013-04-01";
/// The service that it asks for.
const SERVICE: &str = "delay_model_v1";
/// The rows of the training set, below the repo.
const SPINE: &str = "data/label_spine.parquet";

/// Tells the steps one after the other.
struct Teller<'a> {
    output: Output,
    repo: &'a Path,
    step: usize,
    told: Map<String, Value>,
}

/// What a step did: for programs, and in plain lines.
struct Told {
    name: &'static str,
    value: Value,
    lines: Vec<String>,
}

impl Teller<'_> {
    /// Prints what a step did, how long it took, and the command that does the same.
    fn tell(&mut self, started: Instant, told: Told, command: &str) {
        self.step += 1;
        let took = started.elapsed();
        let Told {
            name,
            mut value,
            lines,
        } = told;
        value["seconds"] = json!(took.as_secs_f64());
        self.told.insert(name.to_owned(), value);
        let mut lines = lines.into_iter();
        let first = lines.next().unwrap_or_default();
        self.output
            .say(format!("{}. {first} ({})", self.step, elapsed(took)));
        for line in lines {
            self.output.say(format!("   {line}"));
        }
        if !command.is_empty() {
            self.output
                .say(format!("   $ fs -C {} {command}", self.repo.display()));
        }
        self.output.say("");
    }
}

pub(super) async fn run(repo: &Path, args: &DemoArgs, output: Output) -> Result<(), Failure> {
    let begun = Instant::now();
    let mut teller = Teller {
        output,
        repo,
        step: 0,
        told: Map::new(),
    };

    let started = Instant::now();
    let (project, told) = steps::apply(repo).await?;
    teller.tell(started, told, "apply");

    let started = Instant::now();
    let told = steps::materialize(&project, output).await?;
    teller.tell(started, told, &format!("materialize {START} {END}"));

    let started = Instant::now();
    let server = steps::serve(&project).await?;
    let told = server.told();
    teller.tell(started, told, &format!("serve --now {END}"));

    let started = Instant::now();
    let told = steps::online(&project, &server.remote).await?;
    let ask =
        "--entity tailnum=N14228,carrier=UA,origin=EWR,dest=IAH --server http://127.0.0.1:50051";
    teller.tell(
        started,
        told,
        &format!("get-online-features --service {SERVICE} {ask}"),
    );

    let started = Instant::now();
    let out = args
        .out
        .clone()
        .unwrap_or_else(|| repo.join(".fs/training_set.parquet"));
    let told = steps::training_set(&project, &server.remote, &out).await?;
    let ask = format!(
        "--spine {} --out training_set.parquet",
        repo.join(SPINE).display()
    );
    teller.tell(
        started,
        told,
        &format!("get-historical-features --service {SERVICE} {ask}"),
    );

    let started = Instant::now();
    let told = parity::compare(&project, &server.remote).await?;
    teller.tell(started, told, "");

    server.stop().await?;
    let mut answer = Value::Object(teller.told);
    answer["seconds"] = json!(begun.elapsed().as_secs_f64());
    output.answer(&answer, || format!("Done in {}.", elapsed(begun.elapsed())));
    Ok(())
}

/// An instant of the demo.
fn instant(text: &str) -> Result<EventTime, Failure> {
    text.parse()
        .map_err(|error: fs_core::time::TimeError| Failure::input(error.to_string()))
}
