//! The arguments of `fs scheduler`, and of the scheduler beside `fs serve`.

use std::net::SocketAddr;
use std::time::Duration;

use clap::Args;
use fs_scheduler::SchedulerOptions;

use super::serve::at_least_one;
use super::{LogFormat, duration};

/// `fs scheduler`
#[derive(Debug, Args)]
pub(crate) struct SchedulerArgs {
    /// Runs at the same time
    #[arg(long, value_name = "N", default_value_t = SchedulerOptions::default().jobs, value_parser = at_least_one)]
    jobs: usize,
    /// Where /health and /metrics listen [default: nowhere]
    #[arg(long, value_name = "ADDR")]
    pub(crate) http: Option<SocketAddr>,
    /// How long runs may go on after SIGTERM or Ctrl-C, before they are stopped where they safely can
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration)]
    grace: Duration,
    /// How often it is looked what is due, and whether newer definitions are applied
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = duration)]
    poll: Duration,
    /// How lines of the log are written
    #[arg(long, value_enum, default_value_t = LogFormat::Text)]
    pub(crate) log_format: LogFormat,
}

impl SchedulerArgs {
    /// The scheduler that is asked for.
    pub(crate) fn options(&self) -> SchedulerOptions {
        SchedulerOptions {
            jobs: self.jobs,
            poll: self.poll,
            grace: self.grace,
            ..SchedulerOptions::default()
        }
    }
}

/// The scheduler beside `fs serve`.
#[derive(Debug, Args)]
#[command(next_help_heading = "Scheduler")]
pub(crate) struct BesideArgs {
    /// Run scheduled materializations, too, on threads of their own
    #[arg(long)]
    scheduler: bool,
    /// Runs at the same time
    #[arg(long, value_name = "N", default_value_t = SchedulerOptions::default().jobs, value_parser = at_least_one)]
    scheduler_jobs: usize,
}

impl BesideArgs {
    /// The scheduler that is asked for, if one is.
    pub(crate) fn options(&self) -> Option<SchedulerOptions> {
        self.scheduler.then(|| SchedulerOptions {
            jobs: self.scheduler_jobs,
            ..SchedulerOptions::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::args::{Cli, Command};

    fn parse(args: &[&str]) -> Result<Command, clap::Error> {
        Ok(Cli::try_parse_from([&["fs"], args].concat())?.command)
    }

    #[test]
    fn without_options_a_scheduler_is_as_documented() {
        let Command::Scheduler(args) = parse(&["scheduler"]).unwrap() else {
            panic!("not `fs scheduler`");
        };
        assert_eq!(args.options(), SchedulerOptions::default());
        assert_eq!(args.http, None);
    }

    #[test]
    fn every_option_can_be_set() {
        let command = parse(&["scheduler", "--jobs=5", "--grace=2m", "--poll=250ms"]).unwrap();
        let Command::Scheduler(args) = command else {
            panic!("not `fs scheduler`");
        };
        let expected = SchedulerOptions {
            jobs: 5,
            grace: Duration::from_mins(2),
            poll: Duration::from_millis(250),
            ..SchedulerOptions::default()
        };
        assert_eq!(args.options(), expected);
    }

    #[test]
    fn a_server_schedules_only_when_it_is_asked_to() {
        let of = |args: &[&str]| match parse(args).unwrap() {
            Command::Serve(args) => args.beside.options().map(|options| options.jobs),
            _ => panic!("not `fs serve`"),
        };
        assert_eq!(of(&["serve"]), None);
        assert_eq!(of(&["serve", "--scheduler", "--scheduler-jobs=3"]), Some(3));
    }

    #[test]
    fn no_hands_are_refused() {
        let error = parse(&["scheduler", "--jobs=0"]).unwrap_err().to_string();
        assert!(error.contains("1 or greater"), "{error}");
    }
}
