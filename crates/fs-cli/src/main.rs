//! The `fs` binary: parse, wire together, call, print.
//!
//! Nothing is decided here. Every command reads its arguments, opens what it needs through
//! [`project::Project`], calls one crate below and prints the answer as a table or as JSON.
//!
//! Exit status: 0 done, 1 failed, 2 the input was wrong (`fs_core::Code` has the table).

mod args;
mod commands;
mod entities;
mod failure;
mod output;
mod process;
mod progress;
mod project;
mod remote;
mod vectors;
mod wall_clock;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Cli, Command};
use crate::failure::Failure;
use crate::output::Output;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let output = Output::new(cli.format);
    process::init_tracing(cli.verbose, matches!(cli.command, Command::Serve(_)));
    process::install_crypto_provider();
    let done = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::io("cannot start the async runtime", &error))
        .and_then(|runtime| runtime.block_on(Box::pin(commands::run(cli, output))));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output.failure(&failure);
            ExitCode::from(failure.code().exit_status())
        }
    }
}
