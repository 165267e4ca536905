//! One moving line.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use fs_core::ViewName;
use fs_materialize::{Phase, Progress};
use indicatif::{ProgressBar, ProgressStyle};

use super::{Pace, verb};

/// How often a bar moves by itself.
const TICK: Duration = Duration::from_millis(120);

/// One moving line, and a line that stays for every note.
pub(super) struct Bar {
    line: ProgressBar,
    now: Mutex<Option<Now>>,
}

/// What is being told.
struct Now {
    view: ViewName,
    phase: Phase,
    pace: Pace,
}

impl Bar {
    pub(super) fn new() -> Self {
        let line = ProgressBar::new_spinner();
        // The template is a constant; without it the bar has its plain look.
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
            line.set_style(style);
        }
        line.enable_steady_tick(TICK);
        Self {
            line,
            now: Mutex::default(),
        }
    }

    fn enter(&self, view: &ViewName, phase: Phase, total: Option<u64>) {
        let began = Instant::now();
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        let known = now
            .as_ref()
            .is_some_and(|now| now.view == *view && now.phase == phase);
        if known && total.is_none() {
            return;
        }
        *now = Some(Now {
            view: view.clone(),
            phase,
            pace: Pace::starting(began, total),
        });
    }
}

impl Progress for Bar {
    fn report(&self, view: &ViewName, phase: Phase, rows: u64) {
        self.enter(view, phase, None);
        let now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(now) = now.as_ref() {
            let told = now.pace.told(rows, Instant::now());
            let message = format!("{view}: {} {told}", verb(phase));
            self.line.set_message(message);
        }
    }

    fn expect(&self, view: &ViewName, phase: Phase, rows: u64) {
        self.enter(view, phase, Some(rows));
    }

    fn note(&self, view: &ViewName, note: &str) {
        self.line.println(format!("{view}: {note}"));
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.line.finish_and_clear();
    }
}
