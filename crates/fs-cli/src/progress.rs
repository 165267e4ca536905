//! How far a materialization has come: a bar on a terminal, plain lines elsewhere.
//!
//! ```text
//!   a terminal   ⠹ activity: reading the source  1,200,000 of 4,000,000 rows  310,000 rows/s  9 s left
//!   elsewhere    activity: reading the source
//!                activity: reading the source: 3,100,000 of 4,000,000 rows, 310,000 rows/s, 3 s left
//!                activity: published 100,000 rows
//! ```
//!
//! How many rows there are is known where the source has statistics; where it has none, so many have
//! been read and so many are read in a second.

mod bar;
mod lines;
mod pace;

use std::io::IsTerminal;
use std::sync::Arc;

use fs_materialize::{Phase, Progress, Silent};

use self::bar::Bar;
use self::lines::Lines;
use self::pace::Pace;
use crate::output::Output;

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

const fn verb(phase: Phase) -> &'static str {
    match phase {
        Phase::Check => "checking the source",
        Phase::Ingest => "reading the source",
        Phase::Search => "looking for what changed",
        Phase::Publish => "publishing",
        Phase::Done => "published",
    }
}
