//! What the process owns: logs, the TLS provider, the environment, signals.

use std::io::IsTerminal;

use fs_server::Traces;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry};

use crate::args::{Cli, Command, LogFormat, WatchArgs};
use crate::failure::Failure;

/// What the process says about itself: logs, and traces if `fs serve` was asked for them.
///
/// Logs go to standard error; `RUST_LOG` wins over the number of `-v`. A process that stays says a little more.
/// Returns what has to be [finished](Traces::finish) at the end. Needs a Tokio runtime.
pub(crate) fn init_tracing(cli: &Cli) -> Result<Option<Traces>, Failure> {
    let server = match &cli.command {
        Command::Serve(args) => Some(&args.watching),
        _ => None,
    };
    let (format, stays) = match &cli.command {
        Command::Serve(args) => (args.watching.log_format, true),
        Command::Scheduler(args) => (args.log_format, true),
        _ => (LogFormat::Text, false),
    };
    let logs = logs(cli.verbose, stays, format);
    let Some(options) = server.and_then(WatchArgs::traces) else {
        tracing_subscriber::registry().with(logs).init();
        return Ok(None);
    };
    let traces = Traces::to(&options)?;
    let layer = traces.layer();
    tracing_subscriber::registry().with(logs).with(layer).init();
    Ok(Some(traces))
}

fn logs(verbose: u8, stays: bool, format: LogFormat) -> Box<dyn Layer<Registry> + Send + Sync> {
    let default = match verbose {
        0 if stays => "warn,fs_server=info,fs_scheduler=info",
        0 => "warn",
        1 => "info",
        2 => "debug",
        _ => "trace",
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    let lines = tracing_subscriber::fmt::layer()
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    match format {
        LogFormat::Text => lines.with_filter(filter).boxed(),
        LogFormat::Json => lines
            .json()
            .flatten_event(true)
            .with_ansi(false)
            .with_filter(filter)
            .boxed(),
    }
}

/// Two TLS providers are linked in, so one has to be chosen before the first connection.
pub(crate) fn install_crypto_provider() {
    // An error means that one is installed already, which is what is wanted.
    rustls::crypto::aws_lc_rs::default_provider()
        .install_default()
        .ok();
}

/// A variable of the environment; the only place that reads one.
#[expect(
    clippy::disallowed_methods,
    reason = "the binary is where the environment is read"
)]
pub(crate) fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// The whole environment, for the clients of object stores, which pick what they know.
pub(crate) fn environment_variables() -> impl Iterator<Item = (String, String)> {
    // Variables that are not UTF-8 are no options of any store.
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

/// Returns when the process is asked to stop, by SIGTERM or Ctrl-C.
pub(crate) async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        tokio::signal::ctrl_c().await.ok();
        return;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}
