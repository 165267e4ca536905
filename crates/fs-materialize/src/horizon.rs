//! For how long what is published of a windowed view must be able to answer.
//!
//! A window moves with the instant at which it is asked for, so what is stored of a key can answer until
//! some instant and no longer. The next run makes it anew; it may come late, or fail.
//!
//! ```text
//!   schedule           now          ticks around now                   horizon
//!   */15 * * * *       10:02        10:00 10:15 10:30 10:45 11:00      1h        the least there is
//!   0 * * * *          10:02        10:00 11:00 12:00 …                3h
//!   0 9 * * MON-FRI    Fri 10:02    Fri 9:00, Mon 9:00, Tue 9:00 …     9 days    three times the weekend
//!   none                                                               1 day
//! ```

use chrono::{DateTime, Utc};
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use fs_core::{EventTime, FeatureView, Span};
use fs_pit::state::Coverage;

/// How many runs in a row may be missed, and one more.
const PERIODS: i64 = 3;

/// Gaps between ticks that are looked at: the one that is now, and the next few.
const GAPS: usize = 4;

const HOUR: i64 = 60 * 60 * 1_000_000;

/// The shortest horizon: runs that are a minute apart are not made to publish everything every minute.
const LEAST: i64 = HOUR;

/// The horizon of a view that nobody runs by a schedule.
const UNSCHEDULED: i64 = 24 * HOUR;

/// By so much the clocks of those who write and of those who read may differ, in microseconds.
const CLOCKS_DIFFER: i64 = 60 * 1_000_000;

/// How long after it was published a windowed view can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Horizon(Span);

impl Horizon {
    /// The horizon of what is published of `view` at `now`.
    pub(crate) fn of(view: &FeatureView, now: EventTime) -> Self {
        let gap = view.schedule.as_deref().and_then(|text| gap(text, now));
        let micros = gap.map_or(UNSCHEDULED, |gap| gap.saturating_mul(PERIODS).max(LEAST));
        Self(Span::from_micros(micros).unwrap_or(Span::ZERO))
    }

    /// What a state must be able to answer that is made at `now`: also when it is asked by somebody whose
    /// clock is a little behind, or as of the time to which the table has come, if that is long ago.
    pub(crate) fn coverage(self, now: EventTime, watermark: Option<EventTime>) -> Coverage {
        let early =
            |at: EventTime| EventTime::from_micros(at.as_micros().saturating_sub(CLOCKS_DIFFER));
        let micros = self.0.as_micros().saturating_add(CLOCKS_DIFFER);
        let is_long_ago =
            |watermark: &EventTime| watermark.as_micros().saturating_add(micros) < now.as_micros();
        let horizon = Span::from_micros(micros).unwrap_or(self.0);
        Coverage {
            also_from: watermark.filter(is_long_ago).map(early),
            ..Coverage::new(early(now), horizon)
        }
    }

    /// Until when at least a state that is left as it is must be able to answer, at `now`: so that the next
    /// run may be missed, and the one after it.
    pub(crate) const fn needed(self, now: EventTime) -> EventTime {
        let micros = self.0.as_micros() / PERIODS * (PERIODS - 1);
        EventTime::from_micros(now.as_micros().saturating_add(micros))
    }

    /// Until when at least all states must be able to answer if none is looked at, at `now`: so that the next
    /// run may be missed.
    pub(crate) const fn enough(self, now: EventTime) -> EventTime {
        let micros = self.0.as_micros() / 2;
        EventTime::from_micros(now.as_micros().saturating_add(micros))
    }
}

/// The longest of the gaps between the ticks around `now`, in microseconds; `None` where a text has no ticks.
fn gap(text: &str, now: EventTime) -> Option<i64> {
    let parser = CronParser::builder()
        .seconds(Seconds::Disallowed)
        .year(Year::Disallowed)
        .build();
    let cron: Cron = parser.parse(text).ok()?;
    let now: DateTime<Utc> = DateTime::from_timestamp(now.as_micros().div_euclid(1_000_000), 0)?;
    let mut tick = cron.find_previous_occurrence(&now, true).ok()?;
    let mut longest = None;
    for _ in 0..GAPS {
        let Ok(next) = cron.find_next_occurrence(&tick, false) else {
            break;
        };
        longest = longest.max(Some((next - tick).num_seconds().saturating_mul(1_000_000)));
        tick = next;
    }
    longest
}

#[cfg(test)]
mod tests {
    use fs_testkit::catalog;

    use super::*;

    fn horizon(schedule: Option<&str>, now: &str) -> String {
        let mut view = catalog::view("activity").feature("clicks", "int64").build();
        view.schedule = schedule.map(str::to_owned);
        Horizon::of(&view, now.parse().unwrap()).0.to_string()
    }

    #[test]
    fn a_horizon_is_three_times_the_longest_gap_between_the_ticks_around_now() {
        for (schedule, now, expected) in [
            ("*/15 * * * *", "2013-04-05T10:02:00Z", "1h"),
            ("0 * * * *", "2013-04-05T10:02:00Z", "3h"),
            ("0 3 * * *", "2013-04-05T10:02:00Z", "3d"),
            // A Friday: three times the three days until Monday.
            ("0 9 * * MON-FRI", "2013-04-05T10:02:00Z", "9d"),
            // A Monday: the weekend is the gap that is now, and a minute later none of the next.
            ("0 9 * * MON-FRI", "2013-04-08T08:59:00Z", "9d"),
            ("0 9 * * MON-FRI", "2013-04-08T09:00:00Z", "3d"),
        ] {
            assert_eq!(horizon(Some(schedule), now), expected, "{schedule} {now}");
        }
    }

    #[test]
    fn without_ticks_a_horizon_is_a_day() {
        for schedule in [None, Some("never"), Some("")] {
            assert_eq!(horizon(schedule, "2013-04-05T10:02:00Z"), "1d");
        }
    }

    #[test]
    fn a_state_also_answers_who_is_a_minute_behind() {
        let view = catalog::view("activity").build();
        let now: EventTime = "2013-04-05T10:00:00Z".parse().unwrap();
        let coverage = Horizon::of(&view, now).coverage(now, Some(now));
        assert_eq!(coverage.as_of.to_string(), "2013-04-05T09:59:00Z");
        assert_eq!(coverage.horizon.to_string(), "1d1m");
        assert_eq!(coverage.also_from, None);
    }

    #[test]
    fn a_table_that_ends_long_ago_also_answers_as_of_its_end() {
        let view = catalog::view("activity").build();
        let now: EventTime = "2026-04-05T10:00:00Z".parse().unwrap();
        let end: EventTime = "2013-04-05T10:00:00Z".parse().unwrap();
        let coverage = Horizon::of(&view, now).coverage(now, Some(end));
        let also = coverage.also_from.unwrap();
        assert_eq!(also.to_string(), "2013-04-05T09:59:00Z");
    }

    #[test]
    fn what_stays_must_answer_until_two_more_runs_may_have_been_missed() {
        let mut view = catalog::view("activity").build();
        view.schedule = Some("0 * * * *".to_owned());
        let now: EventTime = "2013-04-05T10:00:00Z".parse().unwrap();
        let horizon = Horizon::of(&view, now);
        let needed = [horizon.needed(now), horizon.enough(now)].map(|at| at.to_string());
        assert_eq!(needed, ["2013-04-05T12:00:00Z", "2013-04-05T11:30:00Z"]);
    }
}
