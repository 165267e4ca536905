//! Which window a run replaces, and where it leaves the watermark.
//!
//! The watermark says: everything before it has been materialized. It never moves back, never over a
//! stretch that was not read, and never past the clock, before which rows may still arrive.
//!
//! ```text
//!   materialize START END
//!     no watermark yet        the watermark becomes END
//!     START <= watermark      the watermark becomes the greater of itself and END
//!     START >  watermark      it stays: [watermark, START) has not been read, and the next
//!                             incremental run begins there
//!
//!   materialize-incremental   [watermark, END), or from before the watermark for rows that came late;
//!                             [beginning, END) without a watermark; nothing at END already
//! ```
//!
//! How far an incremental run goes back for late rows depends on what the source can tell ([`Late`]):
//!
//! | The source | Goes back to |
//! |---|---|
//! | is a Delta table, of which version 7 was read | the earliest row that commits after 7 added or removed |
//! | is a Delta table, and nobody knows which version was read | the beginning |
//! | has a created time | the earliest row that became known since the watermark |
//! | has neither | `lateness` before the watermark |

use fs_core::{EventTime, Span, TimeRange};

/// What a run replaces, and what it may say about the watermark then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// The event times that are read and replaced.
    pub range: TimeRange,
    /// Where the watermark goes; `None` leaves it.
    pub watermark: Option<EventTime>,
    /// What lies unread between the watermark and the window.
    pub gap: Option<TimeRange>,
}

/// What is known of rows that came, or went, below the watermark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Late {
    /// Time tells: so much is read again, or from the earliest row that is known to be late.
    ByTime {
        /// How far below the watermark rows may still come.
        lateness: Span,
        /// The earliest row that became known since the watermark.
        earliest: Option<EventTime>,
    },
    /// The log of the source tells: the earliest row that changed since it was read.
    ByVersion {
        /// Where that row is; `None` if nothing changed.
        earliest: Option<EventTime>,
    },
    /// The source has a log, but which version of it was read is not known.
    Unknown,
}

impl Late {
    /// Where an incremental run begins; `None` means at the beginning.
    fn start(self, watermark: EventTime) -> Option<EventTime> {
        match self {
            Self::ByTime { lateness, earliest } => {
                let start = watermark.as_micros().saturating_sub(lateness.as_micros());
                let start = EventTime::from_micros(start);
                Some(earliest.map_or(start, |earliest| earliest.min(start)))
            }
            Self::ByVersion { earliest } => {
                Some(earliest.map_or(watermark, |earliest| earliest.min(watermark)))
            }
            Self::Unknown => None,
        }
    }

    /// Whether the table is what the source is, below its watermark, once `window` has been replaced up
    /// to `done`: then the version that was read may be noted.
    ///
    /// ```text
    ///   what changed since the noted version      [10:00 …
    ///   window [09:00, 12:00), watermark 11:00    from 11:00 on: rows below 11:00 are all of the new version
    ///   window [10:30, 12:00)                     never: what changed at 10:00 has not been read
    /// ```
    pub fn is_settled(
        self,
        window: &Window,
        watermark: Option<EventTime>,
        done: EventTime,
    ) -> bool {
        if window.gap.is_some() {
            return false;
        }
        let Some(watermark) = watermark else {
            // The first window of the table: what is before it was not asked for.
            return true;
        };
        let from_the_first_change = match (window.range.start(), self) {
            (None, _) => true,
            (Some(start), Self::ByVersion { earliest }) => {
                earliest.is_none_or(|earliest| earliest >= start)
            }
            (Some(_), Self::ByTime { .. } | Self::Unknown) => false,
        };
        done >= watermark && from_the_first_change
    }
}

/// The window of a run over `range`.
pub fn chosen(range: &TimeRange, watermark: Option<EventTime>, now: EventTime) -> Window {
    let gap = match (watermark, range.start()) {
        // A range that is empty is none: the window begins at the watermark or before.
        (Some(watermark), Some(start)) => TimeRange::new(watermark, start).ok(),
        _ => None,
    };
    let reached = range.end().min(now);
    Window {
        range: *range,
        watermark: gap.is_none().then_some(reached),
        gap,
    }
}

/// The window of an incremental run up to `end`; `None` if there is nothing to read.
pub fn incremental(end: EventTime, watermark: Option<EventTime>, late: Late) -> Option<Window> {
    let range = match watermark {
        None => TimeRange::until(end),
        Some(watermark) if watermark >= end => return None,
        Some(watermark) => match late.start(watermark) {
            None => TimeRange::until(end),
            Some(start) => TimeRange::new(start, end).ok()?,
        },
    };
    Some(Window {
        range,
        watermark: Some(end),
        gap: None,
    })
}

impl Window {
    /// A window that says nothing of the watermark.
    pub const fn within(range: TimeRange) -> Self {
        Self {
            range,
            watermark: None,
            gap: None,
        }
    }

    /// What a commit says of the watermark that replaces the window only up to `end`.
    pub fn watermark_at(&self, end: EventTime) -> Option<EventTime> {
        self.watermark.map(|watermark| watermark.min(end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(micros: i64) -> EventTime {
        EventTime::from_micros(micros)
    }

    fn range(start: i64, end: i64) -> TimeRange {
        TimeRange::new(at(start), at(end)).unwrap()
    }

    #[test]
    fn the_first_window_sets_the_watermark_to_its_end() {
        let window = chosen(&range(10, 20), None, at(99));
        assert_eq!((window.watermark, window.gap), (Some(at(20)), None));
    }

    #[test]
    fn a_window_that_begins_at_the_watermark_or_before_moves_it() {
        for start in [5, 10] {
            let window = chosen(&range(start, 20), Some(at(10)), at(99));
            assert_eq!((window.watermark, window.gap), (Some(at(20)), None));
        }
        let window = chosen(&TimeRange::until(at(20)), Some(at(10)), at(99));
        assert_eq!(window.watermark, Some(at(20)));
    }

    #[test]
    fn a_window_beyond_the_watermark_leaves_it_and_names_the_gap() {
        let window = chosen(&range(11, 20), Some(at(10)), at(99));
        assert_eq!((window.watermark, window.gap), (None, Some(range(10, 11))));
    }

    #[test]
    fn a_window_that_reaches_into_the_future_moves_the_watermark_to_now() {
        let window = chosen(&range(10, 200), None, at(99));
        assert_eq!(window.watermark, Some(at(99)));
        assert_eq!(window.range, range(10, 200));
    }

    fn by_time(lateness: i64, earliest: Option<i64>) -> Late {
        Late::ByTime {
            lateness: Span::from_micros(lateness).unwrap(),
            earliest: earliest.map(at),
        }
    }

    fn by_version(earliest: Option<i64>) -> Late {
        Late::ByVersion {
            earliest: earliest.map(at),
        }
    }

    #[test]
    fn an_incremental_run_goes_from_the_watermark_to_the_end() {
        let none = by_time(0, None);
        let first = incremental(at(20), None, none).unwrap();
        assert_eq!(
            (first.range, first.watermark),
            (TimeRange::until(at(20)), Some(at(20)))
        );
        let next = incremental(at(30), Some(at(20)), none).unwrap();
        assert_eq!(next.range, range(20, 30));
        assert_eq!(incremental(at(30), Some(at(30)), none), None);
        assert_eq!(incremental(at(29), Some(at(30)), by_time(0, Some(1))), None);
    }

    #[test]
    fn an_incremental_run_goes_back_for_late_rows() {
        let range_of = |late| incremental(at(30), Some(at(20)), late).unwrap().range;
        assert_eq!(range_of(by_time(5, None)), range(15, 30));
        assert_eq!(range_of(by_time(5, Some(17))), range(15, 30));
        assert_eq!(range_of(by_time(5, Some(3))), range(3, 30));
    }

    #[test]
    fn an_incremental_run_over_a_source_with_a_log_goes_back_to_what_changed() {
        let range_of = |late| incremental(at(30), Some(at(20)), late).unwrap().range;
        assert_eq!(range_of(by_version(None)), range(20, 30));
        assert_eq!(range_of(by_version(Some(25))), range(20, 30));
        assert_eq!(range_of(by_version(Some(3))), range(3, 30));
        assert_eq!(range_of(Late::Unknown), TimeRange::until(at(30)));
    }

    #[test]
    fn the_version_of_the_source_is_noted_once_all_that_changed_is_read() {
        let settled =
            |window: &Window, late: Late, done| late.is_settled(window, Some(at(20)), at(done));
        let window = incremental(at(30), Some(at(20)), by_version(Some(3))).unwrap();
        // A chunk that ends below the watermark leaves rows of the version before above it.
        assert!(!settled(&window, by_version(Some(3)), 10));
        assert!(settled(&window, by_version(Some(3)), 20));
        assert!(settled(&window, by_version(Some(3)), 30));
        let over = |start, end| chosen(&range(start, end), Some(at(20)), at(99));
        assert!(settled(&over(3, 25), by_version(Some(3)), 25));
        assert!(!settled(&over(4, 25), by_version(Some(3)), 25));
        assert!(settled(&over(4, 25), by_version(None), 25));
        assert!(!settled(&over(4, 25), Late::Unknown, 25));
        assert!(!settled(&over(4, 15), by_version(None), 15));
        // Beyond a gap, rows of the gap are missing.
        assert!(!settled(&over(22, 25), by_version(None), 25));
        let first = chosen(&range(4, 25), None, at(99));
        assert!(Late::Unknown.is_settled(&first, None, at(25)));
    }
}
