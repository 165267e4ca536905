//! How fast a phase goes, and when it will be over.

use std::time::{Duration, Instant};

use crate::output::{counted, grouped};

/// Before so long, a rate says little.
const SETTLING: Duration = Duration::from_millis(500);

/// One phase of one view, since it began.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    began: Instant,
    /// How many rows it will come to, if anybody knows.
    total: Option<u64>,
}

impl Pace {
    pub(super) const fn starting(began: Instant, total: Option<u64>) -> Self {
        Self { began, total }
    }

    /// Where the phase has come to, at `now`.
    ///
    /// ```text
    ///   rows        total       after     says
    ///   3,100,000   4,000,000   10 s      3,100,000 of 4,000,000 rows, 310,000 rows/s, 3 s left
    ///   3,100,000   unknown     10 s      3,100,000 rows, 310,000 rows/s
    ///   100         unknown     0.1 s     100 rows
    /// ```
    pub(super) fn told(&self, rows: u64, now: Instant) -> String {
        // A total is a guess: what is there already is more certain.
        let total = self.total.filter(|total| *total >= rows);
        let told = match total {
            Some(total) => format!("{} of {}", grouped(rows), counted(total, "row")),
            None => counted(rows, "row"),
        };
        let spent = now.saturating_duration_since(self.began);
        let pace = match u64::try_from(u128::from(rows) * 1_000 / spent.as_millis().max(1)) {
            Ok(pace) if pace > 0 && spent >= SETTLING => pace,
            _ => return told,
        };
        let left = total.map(|total| (total - rows).div_ceil(pace));
        let left = left.map(|left| format!(", {} left", span(left)));
        format!(
            "{told}, {} rows/s{}",
            grouped(pace),
            left.unwrap_or_default()
        )
    }
}

/// Seconds as a person says them.
fn span(seconds: u64) -> String {
    match seconds {
        0..100 => format!("{seconds} s"),
        100..6_000 => format!("{} min", seconds.div_ceil(60)),
        _ => format!("{} h", seconds.div_ceil(3_600)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(rows: u64, total: Option<u64>, after: Duration) -> String {
        let began = Instant::now();
        Pace::starting(began, total).told(rows, began + after)
    }

    #[test]
    fn a_phase_whose_rows_are_known_says_how_long_it_takes() {
        let ten = Duration::from_secs(10);
        assert_eq!(
            told(3_100_000, Some(4_000_000), ten),
            "3,100,000 of 4,000,000 rows, 310,000 rows/s, 3 s left"
        );
        assert_eq!(
            told(1_000, Some(1_000_000), ten),
            "1,000 of 1,000,000 rows, 100 rows/s, 3 h left"
        );
        assert_eq!(
            told(4_000, Some(4_000), ten),
            "4,000 of 4,000 rows, 400 rows/s, 0 s left"
        );
    }

    #[test]
    fn a_phase_of_unknown_size_says_how_fast_it_is() {
        let ten = Duration::from_secs(10);
        assert_eq!(told(3_100_000, None, ten), "3,100,000 rows, 310,000 rows/s");
        // More than was expected: the guess was wrong.
        assert_eq!(told(50, Some(40), ten), "50 rows, 5 rows/s");
    }

    #[test]
    fn a_phase_that_has_just_begun_has_no_rate_yet() {
        let soon = Duration::from_millis(100);
        assert_eq!(told(100, Some(200), soon), "100 of 200 rows");
        assert_eq!(told(0, None, Duration::from_secs(5)), "0 rows");
    }
}
