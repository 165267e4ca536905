//! How many lookups may be in flight, learnt from how long they take.
//!
//! By Little's law, what is in flight is what is answered per second times how long an answer
//! takes. A server that does all it can answers no more however many it lets in: they only take
//! longer. So after every window
//!
//! ```text
//!   limit ─► limit × aim ÷ what an answer took on average,   by a factor of ¼ to 2,   FLOOR ≤ limit ≤ most
//! ```
//!
//! A window counts the lookups that came after it began, and so after the limit was set: what came
//! before would tell about another limit, and the limit would swing. It lasts until enough of
//! them have ended, which is at least as long as one takes. The limit, at full load, settles where an answer takes `aim`. The aim is half of the latency target, so
//! that the slow ones among the answers stay within the target, too.
//!
//! A store that takes longer than that for each answer, be there one or many, would pull the limit
//! down for nothing. So the aim is at least twice what answers take while no more than [`FLOOR`] are in flight:
//! a number that load does not raise, because windows with more in flight do not count for it.
//!
//! | Answers take | in flight | the limit |
//! |---|---|---|
//! | less than the aim | | grows, to the most that is allowed |
//! | more, and more so the more there are | over `FLOOR` | shrinks until they take the aim |
//! | more, however few there are | up to `FLOOR` | grows until they take twice that |
//!
//! Time is an argument; nothing here waits or asks for it.

use std::time::{Duration, Instant};

/// How long the limit stays as it is, at the least.
const WINDOW: Duration = Duration::from_millis(50);

/// How many lookups say enough, and after what time any number does.
const ENOUGH: u64 = 16;
const LONG: Duration = Duration::from_secs(1);

/// So many may be in flight whatever they take.
pub(super) const FLOOR: usize = 32;

/// For how long it is remembered what answers took while there was little to do; then twice.
const MEMORY: Duration = Duration::from_secs(10);

/// The limit, and what it is made of.
#[derive(Debug)]
pub(super) struct Pace {
    target: Duration,
    most: usize,
    floor: usize,
    limit: usize,
    /// The least that a window with little to do took, in this period and in the one before.
    quickest: [Option<Duration>; 2],
    period: Option<Instant>,
}

/// What happened since the limit was set last.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    /// How many lookups ended.
    pub(super) ended: u64,
    /// What they took, all together.
    pub(super) took: Duration,
    /// How many were in flight at the same time, at most.
    pub(super) peak: usize,
}

impl Pace {
    /// Begins with `most`, which is never exceeded.
    pub(super) fn new(target: Duration, most: usize) -> Self {
        let most = most.max(1);
        Self {
            target,
            most,
            floor: FLOOR.min(most),
            limit: most,
            quickest: [None; 2],
            period: None,
        }
    }

    pub(super) const fn limit(&self) -> usize {
        self.limit
    }

    /// Sets the limit for the next window.
    pub(super) fn learn(&mut self, now: Instant, window: &Window) -> usize {
        let Ok(ended @ 1..) = u32::try_from(window.ended) else {
            return self.limit;
        };
        let took = (window.took / ended).max(Duration::from_nanos(1));
        if window.peak <= self.floor {
            self.remember(now, took);
        }
        let factor = self.aim().as_secs_f64() / took.as_secs_f64();
        let factor = factor.clamp(0.25, 2.0);
        // Places that nobody took do not count when there are too many.
        let from = if factor < 1.0 {
            self.limit.min(window.peak)
        } else {
            self.limit
        };
        self.limit = scaled(from, factor).clamp(self.floor, self.most);
        self.limit
    }

    /// What an answer may take on average.
    fn aim(&self) -> Duration {
        let quickest = self.quickest.iter().flatten().min();
        let twice = quickest.map_or(Duration::ZERO, |took| took.saturating_mul(2));
        twice.max(self.target / 2)
    }

    fn remember(&mut self, now: Instant, took: Duration) {
        let began = *self.period.get_or_insert(now);
        if now.saturating_duration_since(began) >= MEMORY {
            self.quickest = [None, self.quickest[0]];
            self.period = Some(now);
        }
        let quickest = &mut self.quickest[0];
        *quickest = Some(quickest.map_or(took, |before| before.min(took)));
    }
}

/// Whether a window says enough that has lasted so long, with so many lookups that ended.
pub(super) fn is_enough(lasted: Duration, ended: u64) -> bool {
    lasted >= LONG || (lasted >= WINDOW && ended >= ENOUGH)
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a number of requests, and a factor between a quarter and two"
)]
fn scaled(count: usize, factor: f64) -> usize {
    (count as f64 * factor).round() as usize
}

#[cfg(test)]
mod tests;
