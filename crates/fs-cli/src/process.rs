//! What the process owns: logs, the TLS provider, the environment, signals.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// Logs go to standard error; `RUST_LOG` wins over the number of `-v`. A server says a little more.
pub(crate) fn init_tracing(verbose: u8, is_server: bool) {
    let default = match verbose {
        0 if is_server => "warn,fs_server=info",
        0 => "warn",
        1 => "info",
        2 => "debug",
        _ => "trace",
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
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
