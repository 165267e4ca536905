//! The arguments of `fs serve`.

use std::net::SocketAddr;
use std::time::Duration;

use clap::{Args, ValueEnum};
use fs_core::EventTime;
use fs_core::time::Span;
use fs_server::{Limits, ServerOptions, TraceOptions};

use super::{BesideArgs, event_time};

/// `fs serve`
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// Where gRPC and Arrow Flight listen
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:50051")]
    pub(crate) grpc: SocketAddr,
    /// Where HTTP listens
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:6566")]
    pub(crate) http: SocketAddr,
    /// Serve as of this instant instead of now, to replay the past
    #[arg(long, value_name = "TIME", value_parser = event_time)]
    pub(crate) now: Option<EventTime>,
    #[command(flatten)]
    pub(crate) limits: LimitArgs,
    #[command(flatten)]
    pub(crate) beside: BesideArgs,
    #[command(flatten)]
    pub(crate) watching: WatchArgs,
}

/// How much is taken, and how long it may take.
#[derive(Debug, Args)]
#[command(next_help_heading = "Limits")]
pub(crate) struct LimitArgs {
    /// When there is more to do than can be done: let in as many online requests as can be answered
    /// within this time, and send the others away (`RESOURCE_EXHAUSTED`, HTTP 429)
    #[arg(long, value_name = "TIME", default_value = "100ms", value_parser = duration)]
    latency_target: Duration,
    /// How long an online request may take; a client may ask for less
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = duration)]
    request_timeout: Duration,
    /// Online requests that are answered at the same time, at the very most
    #[arg(long, value_name = "N", default_value_t = Limits::default().requests_in_flight, value_parser = at_least_one)]
    max_requests: usize,
    /// Entities of one online request
    #[arg(long, value_name = "N", default_value_t = Limits::default().rows, value_parser = at_least_one)]
    max_rows: usize,
    /// Values of one online answer: entities times features
    #[arg(long, value_name = "N", default_value_t = Limits::default().values, value_parser = at_least_one)]
    max_values: usize,
    /// Values of all online answers that are being made at the same time
    #[arg(long, value_name = "N", default_value_t = Limits::default().values_in_flight, value_parser = at_least_one)]
    max_values_in_flight: usize,
    /// Bytes of one gRPC message or HTTP body of an online request
    #[arg(long, value_name = "BYTES", default_value_t = Limits::default().message_bytes, value_parser = at_least_one)]
    max_message_bytes: usize,
}

/// What can be seen from outside.
#[derive(Debug, Args)]
#[command(next_help_heading = "Watching")]
pub(crate) struct WatchArgs {
    /// Whether anything is measured, and shown at `/metrics`
    #[arg(long, value_enum, default_value_t = Switch::On)]
    metrics: Switch,
    /// Send traces to this OpenTelemetry collector, over gRPC
    #[arg(
        long,
        value_name = "http://HOST:PORT",
        env = "OTEL_EXPORTER_OTLP_ENDPOINT"
    )]
    otlp: Option<String>,
    /// What the collector calls this server
    #[arg(
        long,
        value_name = "NAME",
        default_value = "fs",
        env = "OTEL_SERVICE_NAME"
    )]
    otlp_service_name: String,
    /// The part of traces that is sent, from 0 to 1; a trace that a client began goes on as the
    /// client decided
    #[arg(long, value_name = "RATIO", default_value_t = 1.0, value_parser = ratio)]
    otlp_sample: f64,
    /// How lines of the log are written
    #[arg(long, value_enum, default_value_t = LogFormat::Text)]
    pub(crate) log_format: LogFormat,
}

/// Whether something is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Switch {
    On,
    Off,
}

/// How lines of the log are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people
    #[default]
    Text,
    /// One JSON object a line
    Json,
}

impl ServeArgs {
    /// The server that is asked for.
    pub(crate) fn options(&self) -> ServerOptions {
        ServerOptions {
            grpc_addr: self.grpc,
            http_addr: self.http,
            metrics: self.watching.metrics == Switch::On,
            limits: self.limits.limits(),
            ..ServerOptions::default()
        }
    }
}

impl LimitArgs {
    fn limits(&self) -> Limits {
        Limits {
            rows: self.max_rows,
            values: self.max_values,
            values_in_flight: self.max_values_in_flight,
            requests_in_flight: self.max_requests,
            latency_target: self.latency_target,
            message_bytes: self.max_message_bytes,
            request_time: self.request_timeout,
            ..Limits::default()
        }
    }
}

impl WatchArgs {
    /// Where traces go, if they are asked for.
    pub(crate) fn traces(&self) -> Option<TraceOptions> {
        // An empty variable is how some shells say that there is none.
        let endpoint = self.otlp.clone().filter(|endpoint| !endpoint.is_empty())?;
        Some(TraceOptions {
            endpoint,
            service_name: self.otlp_service_name.clone(),
            sampled: self.otlp_sample,
        })
    }
}

/// A duration as people write it, such as `100ms` or `1h30m`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let span: Span = text
        .parse()
        .map_err(|error: fs_core::time::SpanError| error.to_string())?;
    match u64::try_from(span.as_micros()) {
        Ok(micros @ 1..) => Ok(Duration::from_micros(micros)),
        _ => Err("write a time that is longer than nothing, such as 100ms".to_owned()),
    }
}

pub(super) fn at_least_one(text: &str) -> Result<usize, &'static str> {
    match text.parse() {
        Ok(count @ 1..) => Ok(count),
        _ => Err("write a whole number, 1 or greater"),
    }
}

fn ratio(text: &str) -> Result<f64, &'static str> {
    match text.parse() {
        Ok(ratio) if (0.0..=1.0).contains(&ratio) => Ok(ratio),
        _ => Err("write a number from 0 to 1"),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::args::{Cli, Command};

    fn serve(args: &[&str]) -> Result<ServeArgs, clap::Error> {
        let command = Cli::try_parse_from([&["fs", "serve"], args].concat())?.command;
        let Command::Serve(args) = command else {
            panic!("not `fs serve`");
        };
        Ok(args)
    }

    #[test]
    fn without_options_the_server_is_as_documented() {
        let options = serve(&[]).unwrap().options();
        assert_eq!(options, ServerOptions::default());
    }

    #[test]
    fn every_limit_can_be_set() {
        let limits = serve(&[
            "--latency-target=20ms",
            "--request-timeout=2s",
            "--max-requests=7",
            "--max-rows=8",
            "--max-values=9",
            "--max-values-in-flight=10",
            "--max-message-bytes=11",
        ]);
        let expected = Limits {
            latency_target: Duration::from_millis(20),
            request_time: Duration::from_secs(2),
            requests_in_flight: 7,
            rows: 8,
            values: 9,
            values_in_flight: 10,
            message_bytes: 11,
            ..Limits::default()
        };
        assert_eq!(limits.unwrap().options().limits, expected);
    }

    #[test]
    fn what_makes_no_sense_is_refused_and_the_error_says_what_does() {
        for (argument, says) in [
            ("--latency-target=soon", "such as 90s"),
            ("--latency-target=0", "longer than nothing"),
            ("--max-requests=0", "1 or greater"),
            ("--otlp-sample=2", "from 0 to 1"),
            ("--metrics=maybe", "[possible values: on, off]"),
        ] {
            let error = serve(&[argument]).unwrap_err().to_string();
            assert!(error.contains(says), "{argument}: {error}");
        }
    }

    #[test]
    fn metrics_can_be_switched_off_and_traces_on() {
        let args = serve(&["--metrics=off", "--otlp=http://collector:4317"]).unwrap();
        assert!(!args.options().metrics);
        let traces = args.watching.traces().unwrap();
        assert_eq!(traces.endpoint, "http://collector:4317");
        assert_eq!((traces.service_name.as_str(), traces.sampled), ("fs", 1.0));
        assert_eq!(serve(&["--otlp="]).unwrap().watching.traces(), None);
    }
}
