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
//!   materialize-incremental   [watermark - lateness, END), or from the earliest late row, if that is
//!                             earlier; [beginning, END) without a watermark; nothing at END already
//! ```

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
///
/// `late` is the earliest event time of the rows that became known since the watermark.
pub fn incremental(
    end: EventTime,
    watermark: Option<EventTime>,
    lateness: Span,
    late: Option<EventTime>,
) -> Option<Window> {
    let range = match watermark {
        None => TimeRange::until(end),
        Some(watermark) if watermark >= end => return None,
        Some(watermark) => {
            let start = watermark.as_micros().saturating_sub(lateness.as_micros());
            let start = EventTime::from_micros(start);
            TimeRange::new(late.map_or(start, |late| late.min(start)), end).ok()?
        }
    };
    Some(Window {
        range,
        watermark: Some(end),
        gap: None,
    })
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

    #[test]
    fn an_incremental_run_goes_from_the_watermark_to_the_end() {
        let none = Span::ZERO;
        let first = incremental(at(20), None, none, None).unwrap();
        assert_eq!(
            (first.range, first.watermark),
            (TimeRange::until(at(20)), Some(at(20)))
        );
        let next = incremental(at(30), Some(at(20)), none, None).unwrap();
        assert_eq!(next.range, range(20, 30));
        assert_eq!(incremental(at(30), Some(at(30)), none, None), None);
        assert_eq!(incremental(at(29), Some(at(30)), none, Some(at(1))), None);
    }

    #[test]
    fn an_incremental_run_goes_back_for_late_rows() {
        let five = Span::from_micros(5).unwrap();
        let range_of = |late: Option<i64>| {
            incremental(at(30), Some(at(20)), five, late.map(at))
                .unwrap()
                .range
        };
        assert_eq!(range_of(None), range(15, 30));
        assert_eq!(range_of(Some(17)), range(15, 30));
        assert_eq!(range_of(Some(3)), range(3, 30));
    }
}
