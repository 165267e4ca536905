//! [`Report`]: what the expectations of a view found.

use std::fmt;

use fs_core::{EventTime, Expectation, OnFailure, ViewName};

/// How many rows a [`Verdict`] shows.
pub(crate) const EXAMPLES: usize = 5;

/// What the expectations of a view found in the rows that were read.
///
/// Printed, it is what made the run fail:
///
/// ```text
/// view `origin_weather` does not meet its expectations, and nothing was committed:
///   between_temp (between temp min -80 max 140): 3 of 1000 rows
///     origin=JFK 2013-01-01T05:00:00Z temp=999.0
///     …
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The view.
    pub view: ViewName,
    /// Rows that were looked at.
    pub rows: u64,
    /// Rows that go to the quarantine.
    pub quarantined: u64,
    /// One for every expectation, in the order of the definition.
    pub verdicts: Vec<Verdict>,
}

/// What one expectation found.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// What was expected.
    pub expectation: Expectation,
    /// How many rows it looked at: a check of rows at those that were read, a check of the window at
    /// those that are left after quarantine.
    pub rows: u64,
    /// How many of them fail. Of a check of the window, 0 or all.
    pub failed: u64,
    /// The first five that fail; of a check of the window, none.
    pub examples: Vec<Example>,
    /// What was found where a check of the window fails, such as `12 rows`.
    pub found: Option<String>,
}

/// A row that fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// The join keys, such as `origin=JFK`; a key that is missing is `null`.
    pub key: String,
    /// Its event time; none if it has none.
    pub time: Option<EventTime>,
    /// What it has that is not expected, such as `temp=999.0`.
    pub value: String,
}

impl Report {
    /// The expectations that fail the run.
    pub fn failing(&self) -> impl Iterator<Item = &Verdict> {
        self.not_met(OnFailure::Fail)
    }

    /// The expectations that are not met, and reported only.
    pub fn warnings(&self) -> impl Iterator<Item = &Verdict> {
        self.not_met(OnFailure::Warn)
    }

    fn not_met(&self, on_failure: OnFailure) -> impl Iterator<Item = &Verdict> {
        let of_kind = move |verdict: &&Verdict| verdict.expectation.on_failure == on_failure;
        self.verdicts
            .iter()
            .filter(|verdict| !verdict.is_met())
            .filter(of_kind)
    }
}

impl Verdict {
    /// Whether every row, or the window, is as expected.
    pub const fn is_met(&self) -> bool {
        self.failed == 0 && self.found.is_none()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let view = &self.view;
        write!(
            f,
            "view `{view}` does not meet its expectations, and nothing was committed:"
        )?;
        for verdict in self.failing() {
            write!(f, "\n  {verdict}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Expectation { name, check, .. } = &self.expectation;
        write!(f, "{name} ({check}): ")?;
        match &self.found {
            Some(found) => f.write_str(found)?,
            None => write!(f, "{} of {} rows", self.failed, self.rows)?,
        }
        for example in &self.examples {
            write!(f, "\n    {example}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Example {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = self
            .time
            .map_or_else(|| "null".to_owned(), |time| time.to_string());
        let words = [self.key.as_str(), &time, &self.value];
        let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
        f.write_str(&words.join(" "))
    }
}
