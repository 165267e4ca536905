//! How many lines about failed calls a log gets.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Lines in a second; what comes after is counted, and told with the next line.
const A_SECOND: u32 = 20;

/// Lets so many lines through.
#[derive(Debug)]
pub(crate) struct Lines(Mutex<State>);

#[derive(Debug)]
struct State {
    second: Instant,
    said: u32,
    left_out: u64,
}

impl Lines {
    pub(crate) const fn new(now: Instant) -> Self {
        Self(Mutex::new(State {
            second: now,
            said: 0,
            left_out: 0,
        }))
    }

    /// Whether there may be a line at `now`, and how many were left out since the last.
    pub(crate) fn next(&self, now: Instant) -> Option<u64> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if now.saturating_duration_since(state.second) >= Duration::from_secs(1) {
            state.second = now;
            state.said = 0;
        }
        if state.said == A_SECOND {
            state.left_out += 1;
            return None;
        }
        state.said += 1;
        Some(std::mem::take(&mut state.left_out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_failures_is_some_lines_and_a_number() {
        let now = Instant::now();
        let lines = Lines::new(now);
        let said = (0..1_000).filter(|_| lines.next(now).is_some()).count();
        assert_eq!(said, 20);
        let later = now + Duration::from_secs(1);
        assert_eq!(lines.next(later), Some(980));
        assert_eq!(lines.next(later), Some(0));
    }
}
