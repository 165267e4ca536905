//! When the requests of an open loop are to be sent.
//!
//! Timers of the async runtime tick once a millisecond, far too coarse here; a thread of its own sleeps
//! until each instant, which the kernel keeps to within some 50 microseconds.

use std::io;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::Arrivals;
use crate::random::Random;

/// How many instants may wait for the loop to take them. One that waits longer loses nothing: its time
/// is its own.
const AHEAD: usize = 1 << 16;

/// The instants of a plan, each handed out when it has come.
#[derive(Debug)]
pub(crate) struct Pacer {
    pub(crate) instants: Receiver<Instant>,
    thread: JoinHandle<()>,
}

impl Pacer {
    /// Starts a plan that ends at `until`.
    pub(crate) fn start(
        rate: f64,
        arrivals: Arrivals,
        from: Instant,
        until: Instant,
    ) -> io::Result<Self> {
        let (sender, instants) = channel(AHEAD);
        let plan = Plan::new(rate, arrivals, from);
        let thread = thread::Builder::new()
            .name("pacer".to_owned())
            .spawn(move || hand_out(plan, until, &sender))?;
        Ok(Self { instants, thread })
    }

    /// Ends the plan if it has not come to its end, and waits for the thread.
    pub(crate) fn join(self) {
        drop(self.instants);
        // It can only have stopped early, which shows in the counts.
        self.thread.join().ok();
    }
}

fn hand_out(plan: Plan, until: Instant, instants: &Sender<Instant>) {
    for instant in plan.take_while(|instant| *instant < until) {
        if let Some(ahead) = instant.checked_duration_since(Instant::now()) {
            thread::sleep(ahead);
        }
        if instants.blocking_send(instant).is_err() {
            return;
        }
    }
}

/// An endless row of instants.
#[derive(Debug)]
struct Plan {
    from: Instant,
    gap_seconds: f64,
    arrivals: Arrivals,
    random: Random,
    /// In gaps since `from`: sums of durations would drift by their rounding.
    at: f64,
}

impl Plan {
    fn new(rate: f64, arrivals: Arrivals, from: Instant) -> Self {
        Self {
            from,
            gap_seconds: 1.0 / rate,
            arrivals,
            random: Random::new(1),
            at: 0.0,
        }
    }
}

impl Iterator for Plan {
    type Item = Instant;

    fn next(&mut self) -> Option<Instant> {
        let instant = self.from + Duration::from_secs_f64(self.at * self.gap_seconds);
        self.at += match self.arrivals {
            Arrivals::Constant => 1.0,
            Arrivals::Poisson => self.random.exponential(),
        };
        Some(instant)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constant_rate_does_not_drift() {
        let from = Instant::now();
        let mut plan = Plan::new(30_000.0, Arrivals::Constant, from);
        assert_eq!(plan.next(), Some(from));
        let last = plan.nth(2_999_999 - 1).unwrap();
        assert_eq!((last - from).as_millis(), 99_999);
    }

    #[test]
    fn callers_come_at_the_rate_on_average() {
        let from = Instant::now();
        let last = Plan::new(1_000.0, Arrivals::Poisson, from)
            .nth(100_000)
            .unwrap();
        let seconds = (last - from).as_secs_f64();
        assert!((98.0..102.0).contains(&seconds), "{seconds}");
    }

    #[tokio::test]
    async fn no_instant_is_handed_out_before_it_has_come() {
        let from = Instant::now();
        let until = from + Duration::from_millis(20);
        let mut pacer = Pacer::start(2_000.0, Arrivals::Constant, from, until).unwrap();
        let mut count = 0;
        while let Some(instant) = pacer.instants.recv().await {
            assert!(instant <= Instant::now());
            count += 1;
        }
        assert_eq!(count, 40);
        pacer.join();
    }
}
