//! [`Kept`]: what is noted beside a publication of a windowed view, to know what the next one has to do.

use std::fmt;

use fs_core::EventTime;
use fs_online::Published;

/// What a publication of a windowed view leaves for the next.
///
/// It stands behind the rule in [`Published::visibility`], so what was published by another rule or another
/// plan is told by the same comparison:
///
/// ```text
///   event_time+15m windows 00f3a4c19b2d7e55 table 9b1d… watermark none until 2013-04-05T12:00:00Z empty 386… at …
///   └─ the rule ─┘         └─ the plan ───┘       └ which and how far ┘       └ answers until ───┘ └ the mark ──┘
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Kept {
    /// The fingerprint of the plan.
    pub(super) plan: u64,
    /// The id of the table.
    pub(super) table: String,
    /// Until when every state answers.
    pub(super) until: EventTime,
    /// How far the table had come: what was pushed online only counts from there on.
    pub(super) watermark: Option<EventTime>,
    /// What tells how long states have been without events.
    pub(super) mark: Mark,
}

/// States whose base has no events, and was made before this `_sequence`, have been so since before this instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) through: i64,
    pub(super) at: EventTime,
}

/// For so long a state without events stays, in microseconds: longer than anybody takes from reading a
/// state to writing it.
pub(super) const EMPTY: i64 = 24 * 60 * 60 * 1_000_000;

/// No watermark.
const NONE: &str = "none";

impl Kept {
    /// The rule by which something was published, and what was noted beside it; `None` if it was not of a
    /// windowed view.
    pub(super) fn read(published: &Published) -> Option<(&str, Self)> {
        let (rule, kept) = published.visibility.split_once(" windows ")?;
        let words: Vec<&str> = kept.split(' ').collect();
        let [
            plan,
            "table",
            table,
            "watermark",
            watermark,
            "until",
            until,
            "empty",
            through,
            "at",
            at,
        ] = words.as_slice()
        else {
            return None;
        };
        let kept = Self {
            plan: u64::from_str_radix(plan, 16).ok()?,
            table: (*table).to_owned(),
            until: until.parse().ok()?,
            watermark: match *watermark {
                NONE => None,
                watermark => Some(watermark.parse().ok()?),
            },
            mark: Mark {
                through: through.parse().ok()?,
                at: at.parse().ok()?,
            },
        };
        Some((rule, kept))
    }

    /// What is published by `rule`, and what is kept.
    pub(super) fn visibility(&self, rule: &str) -> String {
        format!("{rule} {self}")
    }
}

impl Mark {
    /// The mark that a publication of the rows below `through` leaves at `now`.
    ///
    /// ```text
    ///   a mark that is          then
    ///   not there               what has no events now is marked
    ///   younger than a day      it stays
    ///   older                   what it marks goes, and what has no events now is marked
    /// ```
    pub(super) fn next(before: Option<Self>, through: i64, now: EventTime) -> Self {
        before
            .filter(|mark| !mark.is_due(now))
            .unwrap_or(Self { through, at: now })
    }

    /// Whether what it marks may go.
    pub(super) const fn is_due(&self, now: EventTime) -> bool {
        now.as_micros().saturating_sub(self.at.as_micros()) >= EMPTY
    }
}

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "windows {:016x} table {}", self.plan, self.table)?;
        match self.watermark {
            Some(watermark) => write!(f, " watermark {watermark}")?,
            None => write!(f, " watermark {NONE}")?,
        }
        let Mark { through, at } = self.mark;
        write!(f, " until {} empty {through} at {at}", self.until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> EventTime {
        text.parse().unwrap()
    }

    fn kept() -> Kept {
        Kept {
            plan: 0xf3_a4c1,
            table: "9b1d-4f".to_owned(),
            until: at("2013-04-05T12:00:00.5Z"),
            watermark: Some(at("2013-04-05T08:00:00Z")),
            mark: Mark {
                through: 9 << 32,
                at: at("2013-04-05T09:00:00Z"),
            },
        }
    }

    fn published(visibility: &str) -> Published {
        Published {
            table_version: 3,
            as_of: at("2013-04-05T09:00:00Z"),
            visibility: visibility.to_owned(),
        }
    }

    #[test]
    fn what_is_kept_stands_behind_the_rule_and_is_frozen() {
        let text = kept().visibility("known_at+15m");
        assert_eq!(
            text,
            "known_at+15m windows 0000000000f3a4c1 table 9b1d-4f watermark 2013-04-05T08:00:00Z until \
             2013-04-05T12:00:00.500Z empty 38654705664 at 2013-04-05T09:00:00Z"
        );
        let published_before = published(&text);
        let read = Kept::read(&published_before);
        assert_eq!(read, Some(("known_at+15m", kept())));
        let early = Kept {
            watermark: None,
            ..kept()
        };
        let text = early.visibility("known_at");
        assert!(text.contains(" watermark none "), "{text}");
        assert_eq!(Kept::read(&published(&text)), Some(("known_at", early)));
    }

    #[test]
    fn of_what_was_published_without_windows_nothing_is_known() {
        for visibility in [
            "event_time",
            "event_time ttl 1d",
            "event_time windows x until y",
        ] {
            assert_eq!(Kept::read(&published(visibility)), None, "{visibility}");
        }
    }

    #[test]
    fn a_mark_stays_for_a_day_and_then_moves_on() {
        let first = Mark::next(None, 7, at("2013-04-05T09:00:00Z"));
        let young = Mark::next(Some(first), 8, at("2013-04-06T08:59:59Z"));
        assert_eq!(young, first);
        let now = at("2013-04-06T09:00:00Z");
        assert!(first.is_due(now));
        assert_eq!(
            Mark::next(Some(first), 8, now),
            Mark {
                through: 8,
                at: now
            }
        );
    }
}
