//! A line whenever a view enters a phase, and one now and then while the phase lasts.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use fs_core::ViewName;
use fs_materialize::{Phase, Progress};

use super::{Pace, verb};
use crate::output::counted;

/// How often a phase that lasts is told of again.
const EVERY: Duration = Duration::from_secs(10);

/// What has been told of a view.
#[derive(Default)]
pub(super) struct Lines(Mutex<BTreeMap<ViewName, Told>>);

struct Told {
    phase: Phase,
    pace: Pace,
    last: Instant,
    published: bool,
}

impl Lines {
    /// What there is to say of a report, if anything.
    fn line(&self, view: &ViewName, phase: Phase, rows: u64, now: Instant) -> Option<String> {
        // A poisoned lock still holds what was told.
        let mut views = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let told = views.get_mut(view);
        if phase == Phase::Done {
            // What failed, or had nothing to publish, is told with the answer.
            let published = told.is_some_and(|told| told.published);
            views.remove(view);
            return published.then(|| format!("published {}", counted(rows, "row")));
        }
        match told {
            Some(told) if told.phase == phase => {
                if now.saturating_duration_since(told.last) < EVERY {
                    return None;
                }
                told.last = now;
                Some(format!("{}: {}", verb(phase), told.pace.told(rows, now)))
            }
            _ => {
                let published = phase == Phase::Publish || told.is_some_and(|told| told.published);
                let pace = Pace::starting(now, None);
                let told = Told {
                    phase,
                    pace,
                    last: now,
                    published,
                };
                views.insert(view.clone(), told);
                Some(verb(phase).to_owned())
            }
        }
    }

    #[expect(clippy::print_stderr, reason = "progress is not the answer")]
    fn print(view: &ViewName, line: &str) {
        eprintln!("{view}: {line}");
    }
}

impl Progress for Lines {
    fn report(&self, view: &ViewName, phase: Phase, rows: u64) {
        if let Some(line) = self.line(view, phase, rows, Instant::now()) {
            Self::print(view, &line);
        }
    }

    fn expect(&self, view: &ViewName, phase: Phase, rows: u64) {
        let now = Instant::now();
        if let Some(line) = self.line(view, phase, 0, now) {
            Self::print(view, &line);
        }
        let mut views = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(told) = views.get_mut(view) {
            told.pace = Pace::starting(now, Some(rows));
        }
    }

    fn note(&self, view: &ViewName, note: &str) {
        Self::print(view, note);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phase_is_told_when_it_begins_and_again_while_it_lasts() {
        let (lines, began) = (Lines::default(), Instant::now());
        let view: ViewName = "activity".parse().unwrap();
        let line = |phase, rows, seconds| {
            lines.line(&view, phase, rows, began + Duration::from_secs(seconds))
        };
        assert_eq!(line(Phase::Ingest, 100, 0).unwrap(), "reading the source");
        assert_eq!(line(Phase::Ingest, 200, 9), None);
        assert_eq!(
            line(Phase::Ingest, 3_000, 10).unwrap(),
            "reading the source: 3,000 rows, 300 rows/s"
        );
        assert_eq!(line(Phase::Ingest, 3_100, 11), None);
        assert_eq!(line(Phase::Publish, 5, 11).unwrap(), "publishing");
        assert_eq!(line(Phase::Done, 1, 12).unwrap(), "published 1 row");
        assert_eq!(line(Phase::Ingest, 1, 13).unwrap(), "reading the source");
    }

    #[test]
    fn a_run_that_published_nothing_does_not_say_so() {
        let (lines, now) = (Lines::default(), Instant::now());
        let view: ViewName = "activity".parse().unwrap();
        lines.line(&view, Phase::Ingest, 1, now);
        assert_eq!(lines.line(&view, Phase::Done, 0, now), None);
    }
}
