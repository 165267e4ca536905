//! The limit, against servers that are a formula.

use super::*;

const TARGET: Duration = Duration::from_millis(100);
const MOST: usize = 512;

/// A server: what an answer takes with so many in flight.
struct Server {
    /// Without any others.
    alone: Duration,
    /// How many answers it gives in a second at the very most.
    per_second: f64,
}

impl Server {
    /// Little's law: either nobody waits for another, or there is always one who waits.
    fn takes(&self, in_flight: usize) -> Duration {
        #[expect(clippy::cast_precision_loss, reason = "a few hundred")]
        let full = Duration::from_secs_f64(in_flight as f64 / self.per_second);
        self.alone.max(full)
    }
}

/// Windows in which `wanted` calls would be in flight if all were let in.
fn windows(pace: &mut Pace, from: Instant, count: u32, wanted: usize, server: &Server) -> Instant {
    let mut now = from;
    for _ in 0..count {
        now += WINDOW;
        let peak = wanted.min(pace.limit());
        let took = server.takes(peak);
        let window = Window {
            ended: 10,
            took: took * 10,
            peak,
        };
        let limit = pace.learn(now, &window);
        assert!((FLOOR..=MOST).contains(&limit), "{limit}");
    }
    now
}

#[test]
fn with_more_to_do_than_can_be_done_answers_settle_at_half_the_target() {
    let server = Server {
        alone: Duration::from_millis(1),
        per_second: 2_000.0,
    };
    let mut pace = Pace::new(TARGET, MOST);
    windows(&mut pace, Instant::now(), 5, 10_000, &server);
    assert_eq!(pace.limit(), 100, "2,000 a second times 50 ms");
    assert_eq!(server.takes(pace.limit()), TARGET / 2);
}

#[test]
fn what_has_settled_stays_for_as_long_as_the_load_lasts() {
    let server = Server {
        alone: Duration::from_millis(1),
        per_second: 2_000.0,
    };
    let mut pace = Pace::new(TARGET, MOST);
    // Ten minutes, in which nothing is learnt about how quick the server could be.
    windows(&mut pace, Instant::now(), 12_000, 10_000, &server);
    assert_eq!(pace.limit(), 100);
}

#[test]
fn once_there_is_less_to_do_all_are_let_in_again() {
    let server = Server {
        alone: Duration::from_millis(1),
        per_second: 2_000.0,
    };
    let mut pace = Pace::new(TARGET, MOST);
    let now = windows(&mut pace, Instant::now(), 100, 10_000, &server);
    windows(&mut pace, now, 3, 2, &server);
    assert_eq!(pace.limit(), MOST);
}

#[test]
fn a_store_that_is_far_away_is_no_overload() {
    let far = Server {
        alone: Duration::from_millis(400),
        per_second: 1_000_000.0,
    };
    // Whether its first calls come one by one, or all at once.
    for first in [4, 10_000] {
        let mut pace = Pace::new(TARGET, MOST);
        let now = windows(&mut pace, Instant::now(), 20, first, &far);
        windows(&mut pace, now, 20, 10_000, &far);
        assert_eq!(pace.limit(), MOST, "after {first}");
    }
}

#[test]
fn heavy_requests_take_at_most_twice_what_they_take_when_there_are_few() {
    // Each takes 10 ms of the only processor.
    let heavy = Server {
        alone: Duration::from_millis(10),
        per_second: 100.0,
    };
    let mut pace = Pace::new(TARGET, MOST);
    windows(&mut pace, Instant::now(), 1_000, 10_000, &heavy);
    let few = heavy.takes(FLOOR);
    assert!(heavy.takes(pace.limit()) <= few * 2, "{}", pace.limit());
}

#[test]
fn a_slow_moment_does_not_teach_patience() {
    let quick = Server {
        alone: Duration::from_millis(1),
        per_second: 2_000.0,
    };
    let frozen = Server {
        alone: Duration::from_secs(5),
        per_second: 2_000.0,
    };
    let mut pace = Pace::new(TARGET, MOST);
    let mut now = windows(&mut pace, Instant::now(), 10, 4, &quick);
    now = windows(&mut pace, now, 10, 4, &frozen);
    windows(&mut pace, now, 20, 10_000, &quick);
    assert_eq!(pace.limit(), 100);
}

#[test]
fn a_window_in_which_nothing_ended_changes_nothing() {
    let mut pace = Pace::new(TARGET, MOST);
    let window = Window {
        ended: 0,
        took: Duration::ZERO,
        peak: MOST,
    };
    assert_eq!(pace.learn(Instant::now(), &window), MOST);
}

#[test]
fn a_small_limit_is_never_raised() {
    let mut pace = Pace::new(TARGET, 3);
    let window = Window {
        ended: 1,
        took: Duration::from_micros(1),
        peak: 3,
    };
    assert_eq!(pace.learn(Instant::now(), &window), 3);
}
