//! Both loops against a target whose answers are known: how long each takes, and which fail.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use fs_load::{Answer, Arrivals, Lane, Load, Mode, RateSearch, Refusal, Target, Values, measure};
use tokio::time::sleep;

/// Answers after a while; stalls once, on the request of that number.
#[derive(Clone)]
struct Slow {
    takes: Duration,
    stall: Option<(usize, Duration)>,
    asked: Arc<AtomicUsize>,
}

struct SlowLane(Slow);

impl Slow {
    fn new(millis: u64) -> Self {
        Self {
            takes: Duration::from_millis(millis),
            stall: None,
            asked: Arc::new(AtomicUsize::new(0)),
        }
    }
}

impl Target for Slow {
    type Lane = SlowLane;

    fn requests(&self) -> usize {
        3
    }

    fn entities_per_request(&self) -> usize {
        10
    }

    async fn lanes(
        &self,
        connections: usize,
        in_flight: usize,
    ) -> Result<Vec<SlowLane>, fs_load::Error> {
        Ok(vec![SlowLane(self.clone()); connections * in_flight])
    }
}

impl Clone for SlowLane {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl Lane for SlowLane {
    async fn ask(&mut self, number: usize, check: bool) -> Result<Answer, Refusal> {
        assert!(number < 3);
        let asked = self.0.asked.fetch_add(1, Ordering::Relaxed);
        match self.0.stall {
            Some((at, stall)) if at == asked => sleep(stall).await,
            _ => sleep(self.0.takes).await,
        }
        let values = check.then(|| Values {
            present: 500,
            ..Values::default()
        });
        Ok(Answer {
            sent: 20,
            received: 4_000,
            values,
        })
    }
}

fn load(mode: Mode, in_flight: usize) -> Load {
    Load {
        mode,
        connections: 1,
        in_flight,
        warm_up: Duration::from_millis(20),
        duration: Duration::from_millis(300),
        timeout: Duration::from_secs(5),
        check_every: 2,
        threads: 1,
    }
}

fn open(rate: f64) -> Mode {
    Mode::Open {
        rate,
        arrivals: Arrivals::Constant,
    }
}

#[test]
fn a_closed_loop_asks_in_every_lane_at_once() {
    let report = measure(&Slow::new(10), &load(Mode::Closed, 4)).unwrap();
    // At most 30 answers fit into a lane; a busy machine makes them fewer.
    assert!((4..=124).contains(&report.requests), "{report}");
    assert!(report.latency_micros.p50 >= 10_000.0, "{report}");
    assert_eq!(report.received_bytes, 4_000 * report.requests);
    assert_eq!(report.checked.values.present, 500 * report.checked.answers);
    assert!(report.checked.answers > 0);
    assert_eq!(report.failed(), 0);
}

#[test]
fn an_open_loop_asks_at_its_rate_whatever_the_answers_take() {
    let report = measure(&Slow::new(30), &load(open(200.0), 64)).unwrap();
    assert_eq!(report.requests + report.failed(), 60, "{report}");
    assert!(report.latency_micros.p50 >= 30_000.0, "{report}");
}

#[test]
fn a_stall_is_seen_by_everybody_who_would_have_come_meanwhile() {
    // One lane: who comes during the 200 ms has to wait for their end.
    let mut target = Slow::new(1);
    target.stall = Some((10, Duration::from_millis(200)));
    let report = measure(&target, &load(open(100.0), 1)).unwrap();
    assert_eq!(report.requests, 30);
    assert!(report.latency_micros.max >= 200_000.0, "{report}");
    // The closed loop would have seen one slow request; here a third of all waited.
    assert!(report.latency_micros.p50 >= 1_000.0, "{report}");
    let mean_wait = 200_000.0 / 2.0 * (20.0 / 30.0);
    assert!(report.latency_micros.mean >= mean_wait * 0.8, "{report}");
}

#[test]
fn what_is_not_answered_in_time_is_an_error_and_no_latency() {
    let load = Load {
        timeout: Duration::from_millis(20),
        ..load(open(50.0), 64)
    };
    let report = measure(&Slow::new(10_000), &load).unwrap();
    assert_eq!((report.requests, report.failed()), (0, 15), "{report}");
    assert_eq!(report.errors[0].code, "DEADLINE_EXCEEDED");
    assert_eq!(report.errors[0].message, "no answer after 20 ms");
}

#[test]
fn requests_for_which_no_lane_becomes_free_are_counted() {
    let load = Load {
        timeout: Duration::from_millis(100),
        ..load(open(100.0), 1)
    };
    let report = measure(&Slow::new(10_000), &load).unwrap();
    assert!(report.unsent > 0, "{report}");
    assert_eq!(report.failed(), 30, "{report}");
}

#[test]
fn threads_add_up() {
    let load = Load {
        threads: 2,
        connections: 2,
        ..load(open(200.0), 32)
    };
    let report = measure(&Slow::new(1), &load).unwrap();
    assert_eq!(report.requests, 60, "{report}");
    assert_eq!(report.connections, 2);
}

#[test]
fn the_search_ends_below_what_the_server_can_do_at_most() {
    let search = RateSearch {
        p99: Duration::from_millis(500),
        arrivals: Arrivals::Poisson,
        steps: 3,
    };
    let found = search.run(&Slow::new(5), &load(Mode::Closed, 2)).unwrap();
    assert_eq!(found.steps.len(), 3);
    let greatest = found.greatest_per_second.unwrap();
    assert!(greatest < found.saturated.requests_per_second, "{found}");
}
