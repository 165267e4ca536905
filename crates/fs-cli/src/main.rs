//! The `fs` binary: parse, wire together, call, print.
//!
//! Nothing is decided here. Every command reads its arguments, opens what it needs through
//! [`project::Project`], calls one crate below and prints the answer as a table or as JSON.
//!
//! Exit status: 0 done, 1 failed, 2 the input was wrong (`fs_core::Code` has the table).

mod args;
mod cells;
mod commands;
mod entities;
mod failure;
mod output;
mod process;
mod progress;
mod project;
mod remote;
mod scheduled;
mod vectors;
mod wall_clock;
mod watched;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;

use crate::args::Cli;
use crate::failure::Failure;
use crate::output::{Format, Output};

/// A lookup allocates a few hundred times, most of it in the protocols: with this allocator that takes
/// half of the time that it takes with the system's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return refused(&error),
    };
    let output = Output::new(cli.format);
    process::install_crypto_provider();
    match run(cli, output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output.failure(&failure);
            ExitCode::from(failure.code().exit_status())
        }
    }
}

/// Runs the command on as many threads as there are processors for this process.
fn run(cli: Cli, output: Output) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::io("cannot start the async runtime", &error))?;
    let traces = {
        let _runtime = runtime.enter();
        process::init_tracing(&cli)?
    };
    let done = runtime.block_on(Box::pin(commands::run(cli, output)));
    if let Some(traces) = traces {
        traces.finish();
    }
    done
}

/// Prints what clap has to say: help, the version, or what is wrong with the arguments.
fn refused(error: &clap::Error) -> ExitCode {
    let given: Vec<OsString> = std::env::args_os().collect();
    let wants_json = given.iter().any(|argument| argument == "--format=json")
        || given.windows(2).any(|pair| pair == ["--format", "json"]);
    if !wants_json || !error.use_stderr() {
        error.exit();
    }
    // The usage and where to read more are for people.
    let text = error.render().to_string();
    let said = text.trim().trim_start_matches("error: ").split("\n\n");
    let said = said.filter(|part| !part.starts_with("Usage:") && !part.starts_with("For more"));
    let failure = Failure::input(said.collect::<Vec<_>>().join("; ").trim_end());
    Output::new(Format::Json).failure(&failure);
    ExitCode::from(failure.code().exit_status())
}
