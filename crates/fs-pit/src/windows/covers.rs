//! Which events a window covers: the rule, written once.
//!
//! ```text
//!   x = event + delay       covered at t       Last(w):   t - w < x <= t
//!                                              Lifetime:          x <= t
//!   known_at: also          created <= t       a null created time counts as the event time
//! ```
//!
//! The start is exclusive, the end inclusive. `event + delay` stops at the ends of 64 bits; a start
//! before the beginning of time is no start, so that everything since then is covered.

use fs_core::Window;

use crate::Rule;

/// The last instant that is too early for `window` at `at`; `None` if nothing is too early.
pub fn start(window: Window, at: i64) -> Option<i64> {
    window
        .length()
        .and_then(|length| at.checked_sub(length.as_micros()))
}

/// Whether an event counts in `window` at `at`.
pub fn counts(rule: &Rule, window: Window, event: i64, created: Option<i64>, at: i64) -> bool {
    let too_early = start(window, at).is_some_and(|start| rule.arrives(event) <= start);
    !too_early && rule.visible_from(event, created) <= at
}

/// The event times, both ends inclusive, outside which no event counts in a window up to `longest`
/// at any instant of `first..=last`. No lower end where none of that time is too early.
///
/// ```text
///   longest 1h, delay 10m, spine from 10:00 to 12:00  ->  events from 08:50 (and 1us) to 11:50
/// ```
pub fn event_range(rule: &Rule, longest: Window, first: i64, last: i64) -> (Option<i64>, i64) {
    let ageless = Rule { ttl: None, ..*rule };
    let (_, latest) = ageless.event_range(first, last);
    let too_early = start(longest, first);
    let earliest = too_early.and_then(|start| {
        let after = start.saturating_add(1);
        after.checked_sub(rule.delay.as_micros())
    });
    (earliest, latest)
}

#[cfg(test)]
mod tests {
    use fs_core::{PointInTime, Span};

    use super::*;

    fn last(micros: i64) -> Window {
        Window::last(Span::from_micros(micros).unwrap()).unwrap()
    }

    fn rule(delay: i64, point_in_time: PointInTime) -> Rule {
        Rule {
            ttl: None,
            delay: Span::from_micros(delay).unwrap(),
            point_in_time,
        }
    }

    #[test]
    fn the_start_of_a_window_is_exclusive_and_its_end_inclusive() {
        let rule = rule(0, PointInTime::EventTime);
        let covered: Vec<i64> = (80..120)
            .filter(|event| counts(&rule, last(10), *event, None, 100))
            .collect();
        assert_eq!(covered, (91..=100).collect::<Vec<_>>());
        assert!(counts(&rule, Window::Lifetime, i64::MIN, None, 100));
        assert!(!counts(&rule, Window::Lifetime, 101, None, 100));
    }

    #[test]
    fn a_delay_moves_an_event_to_the_microsecond() {
        let rule = rule(5, PointInTime::EventTime);
        let covered: Vec<i64> = (80..120)
            .filter(|event| counts(&rule, last(10), *event, None, 100))
            .collect();
        assert_eq!(covered, (86..=95).collect::<Vec<_>>());
    }

    #[test]
    fn an_event_known_later_counts_from_then_on_for_as_long_as_it_would_have() {
        let rule = rule(0, PointInTime::KnownAt);
        let at: Vec<i64> = (90..120)
            .filter(|at| counts(&rule, last(10), 100, Some(104), *at))
            .collect();
        assert_eq!(at, (104..110).collect::<Vec<_>>());
        assert!(!(0..200).any(|at| counts(&rule, last(10), 100, Some(110), at)));
        assert!(counts(&rule, last(10), 100, None, 100));
    }

    #[test]
    fn a_window_longer_than_all_time_before_covers_all_of_it() {
        let rule = rule(0, PointInTime::EventTime);
        assert!(counts(&rule, last(10), i64::MIN, None, i64::MIN + 9));
        assert!(!counts(&rule, last(10), i64::MIN, None, i64::MIN + 10));
        assert!(counts(&rule, last(i64::MAX), i64::MIN, None, -2));
    }

    #[test]
    fn no_event_that_counts_lies_outside_the_event_range() {
        let edges = [i64::MIN, i64::MIN + 1, -9, -3, 0, 4, i64::MAX - 1, i64::MAX];
        let rule = rule(3, PointInTime::EventTime);
        for window in [last(5), last(i64::MAX), Window::Lifetime] {
            for (first, end) in [(0, 4), (-3, i64::MAX), (i64::MIN, 4), (i64::MIN, i64::MIN)] {
                let (earliest, latest) = event_range(&rule, window, first, end);
                for event in edges.into_iter().chain(-12..12) {
                    let mut instants = [first, end].into_iter().chain(first.max(-20)..end.min(20));
                    let counts = instants.any(|at| counts(&rule, window, event, None, at));
                    let inside = earliest.is_none_or(|e| e <= event) && event <= latest;
                    assert!(inside || !counts, "{event} in {first}..={end}, {window}");
                }
            }
        }
    }
}
