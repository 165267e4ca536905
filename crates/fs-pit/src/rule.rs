//! When a feature row is visible, and when it is too old.

use fs_core::{FeatureView, PointInTime, Span, Ttl};
use serde::{Deserialize, Serialize};

/// When the feature rows of a view may be used.
///
/// A row with event time `e` and created time `c` is visible at `t` when
///
/// | | |
/// |---|---|
/// | `e + delay <= t` | it has happened, and had time to arrive |
/// | `c <= t`, with [`PointInTime::KnownAt`] | it was known; a null `c` counts as `e` |
/// | `e >= t - ttl`, with a TTL | it is not too old |
///
/// Every comparison is inclusive. Times are microseconds UTC; sums and differences stop at the
/// ends of 64 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Rule {
    /// How long a row may be used after its event time; no limit if absent.
    pub ttl: Option<Ttl>,
    /// How long after its event time a row becomes visible.
    pub delay: Span,
    /// Which time decides whether a row was visible.
    pub point_in_time: PointInTime,
}

impl Rule {
    /// The rule of `view`.
    pub fn of(view: &FeatureView) -> Self {
        Self {
            ttl: view.ttl,
            delay: view.delay,
            point_in_time: view.point_in_time,
        }
    }

    /// The instant at which what happened at `event` had time to arrive.
    pub const fn arrives(&self, event: i64) -> i64 {
        event.saturating_add(self.delay.as_micros())
    }

    /// The first instant at which a row is visible, whatever its age.
    pub fn visible_from(&self, event: i64, created: Option<i64>) -> i64 {
        let arrived = self.arrives(event);
        match self.point_in_time {
            PointInTime::EventTime => arrived,
            PointInTime::KnownAt => arrived.max(created.unwrap_or(event)),
        }
    }

    /// What decides when rows become visible, as text: `event_time`, `event_time+15m`, `known_at`,
    /// `known_at+1h30m`. Two rules with the same text make every row visible at the same instant;
    /// the TTL, which takes rows away again, has no part in it.
    ///
    /// Online stores keep it beside what was published, so the form never changes.
    pub fn visibility(&self) -> String {
        let since = match self.point_in_time {
            PointInTime::EventTime => "event_time",
            PointInTime::KnownAt => "known_at",
        };
        if self.delay.is_zero() {
            return since.to_owned();
        }
        format!("{since}+{}", self.delay)
    }

    /// Whether a row is too old at `at`.
    pub fn is_expired(&self, event: i64, at: i64) -> bool {
        self.ttl.is_some_and(|ttl| ttl.is_expired(event, at))
    }

    /// Whether a row may be used at `at`.
    pub fn visible(&self, event: i64, created: Option<i64>, at: i64) -> bool {
        self.visible_from(event, created) <= at && !self.is_expired(event, at)
    }

    /// The event times, both ends inclusive, outside which no row is visible at any instant of
    /// `first..=last`. No lower end without a TTL.
    ///
    /// ```text
    ///   ttl 2h, delay 10m, spine from 10:00 to 12:00  ->  events from 08:00 to 11:50
    /// ```
    pub fn event_range(&self, first: i64, last: i64) -> (Option<i64>, i64) {
        let earliest = self.ttl.map(|ttl| first.saturating_sub(ttl.as_micros()));
        // At the very end of time a sum that stops at the end is still visible.
        let latest = match last {
            i64::MAX => i64::MAX,
            last => last.saturating_sub(self.delay.as_micros()),
        };
        (earliest, latest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(ttl: i64, delay: i64, point_in_time: PointInTime) -> Rule {
        Rule {
            ttl: Span::from_micros(ttl).and_then(Ttl::new),
            delay: Span::from_micros(delay).unwrap(),
            point_in_time,
        }
    }

    #[test]
    fn a_row_is_visible_from_its_event_time_and_not_a_microsecond_before() {
        let rule = rule(0, 0, PointInTime::EventTime);
        assert!(!rule.visible(100, None, 99));
        assert!(rule.visible(100, None, 100));
        assert!(rule.visible(100, None, i64::MAX));
    }

    #[test]
    fn a_delay_postpones_a_row_to_the_microsecond() {
        let rule = rule(0, 7, PointInTime::EventTime);
        assert!(!rule.visible(100, None, 106));
        assert!(rule.visible(100, None, 107));
    }

    #[test]
    fn a_ttl_counts_from_the_event_also_when_the_row_is_delayed() {
        let rule = rule(10, 7, PointInTime::EventTime);
        assert!(rule.visible(100, None, 110));
        assert!(!rule.visible(100, None, 111));
    }

    #[test]
    fn a_row_known_later_is_invisible_until_then_and_a_null_created_counts_as_the_event() {
        let known_at = rule(0, 0, PointInTime::KnownAt);
        assert!(!known_at.visible(100, Some(105), 104));
        assert!(known_at.visible(100, Some(105), 105));
        assert!(known_at.visible(100, None, 100));
        assert!(known_at.visible(100, Some(90), 100) && !known_at.visible(100, Some(90), 99));
        let event_time = rule(0, 0, PointInTime::EventTime);
        assert!(event_time.visible(100, Some(105), 100));
    }

    #[test]
    fn what_makes_rows_visible_is_written_in_a_form_that_never_changes() {
        let minutes = |minutes: i64| minutes * 60_000_000;
        for (rule, text) in [
            (rule(0, 0, PointInTime::EventTime), "event_time"),
            (rule(9, 0, PointInTime::KnownAt), "known_at"),
            (
                rule(0, minutes(15), PointInTime::EventTime),
                "event_time+15m",
            ),
            (rule(9, minutes(90), PointInTime::KnownAt), "known_at+1h30m"),
            (
                rule(0, minutes(7 * 24 * 60) + 1, PointInTime::KnownAt),
                "known_at+7d1us",
            ),
        ] {
            assert_eq!(rule.visibility(), text);
        }
    }

    #[test]
    fn the_ends_of_time_do_not_wrap() {
        let rule = rule(10, 10, PointInTime::KnownAt);
        assert!(!rule.visible(i64::MAX - 5, None, 0));
        assert!(rule.visible(i64::MIN, None, i64::MIN + 10));
        assert!(!rule.visible(i64::MIN, None, i64::MIN + 9));
    }

    #[test]
    fn no_visible_row_lies_outside_the_event_range() {
        let edges = [i64::MIN, i64::MIN + 1, -3, 0, 4, i64::MAX - 1, i64::MAX];
        let rule = rule(5, 3, PointInTime::EventTime);
        for (first, last) in [(0, 4), (-3, i64::MAX), (i64::MIN, 4), (i64::MIN, i64::MIN)] {
            let (earliest, latest) = rule.event_range(first, last);
            for event in edges {
                let visible = [first, last]
                    .iter()
                    .any(|at| rule.visible(event, None, *at));
                let inside = earliest.is_none_or(|earliest| earliest <= event) && event <= latest;
                assert!(inside || !visible, "{event} in {first}..={last}");
            }
        }
    }
}
