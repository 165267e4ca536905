//! How far a materialization has come: a bar on a terminal, a line per phase elsewhere.

use std::collections::BTreeSet;
use std::io::IsTerminal;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fs_core::ViewName;
use fs_materialize::{Phase, Progress, Silent};
use indicatif::{ProgressBar, ProgressStyle};

use crate::output::{Output, counted, grouped};

/// How often a bar moves by itself.
const TICK: Duration = Duration::from_millis(120);

/// Who tells a person how far the work has come; programs are told nothing but the end.
pub(crate) fn teller(output: Output) -> Arc<dyn Progress> {
    if std::io::stderr().is_terminal() && !output.is_json() {
        Arc::new(Bar::new())
    } else if output.is_json() {
        Arc::new(Silent)
    } else {
        Arc::new(Lines::default())
    }
}

/// The bar where there is a terminal, nothing elsewhere: for whoever tells the rest itself.
pub(crate) fn bar_or_silence(output: Output) -> Arc<dyn Progress> {
    if std::io::stderr().is_terminal() && !output.is_json() {
        Arc::new(Bar::new())
    } else {
        Arc::new(Silent)
    }
}

/// One moving line.
struct Bar(ProgressBar);

impl Bar {
    fn new() -> Self {
        let bar = ProgressBar::new_spinner();
        // The template is a constant; without it the bar has its plain look.
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {per_sec} {elapsed}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(TICK);
        Self(bar)
    }
}

impl Progress for Bar {
    fn report(&self, view: &ViewName, phase: Phase, rows: u64) {
        self.0.set_position(rows);
        self.0
            .set_message(format!("{view}: {} {}", verb(phase), grouped(rows)));
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// A line whenever a view enters a phase.
#[derive(Default)]
struct Lines(Mutex<BTreeSet<(ViewName, &'static str)>>);

impl Progress for Lines {
    #[expect(clippy::print_stderr, reason = "progress is not the answer")]
    fn report(&self, view: &ViewName, phase: Phase, rows: u64) {
        // A poisoned lock still holds what was told.
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !told.insert((view.clone(), verb(phase))) {
            return;
        }
        let published = told.contains(&(view.clone(), verb(Phase::Publish)));
        match phase {
            Phase::Done if published => eprintln!("{view}: published {}", counted(rows, "row")),
            // What failed, or had nothing to publish, is told with the answer.
            Phase::Done => {}
            phase => eprintln!("{view}: {}", verb(phase)),
        }
    }
}

const fn verb(phase: Phase) -> &'static str {
    match phase {
        Phase::Ingest => "reading the source",
        Phase::Search => "looking for what changed",
        Phase::Publish => "publishing",
        Phase::Done => "published",
    }
}
