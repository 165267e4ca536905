//! What is wrong with a repo.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

use crate::position::Position;

/// One thing that is wrong, where it is, and what to do about it.
///
/// As JSON: `{"file": "views.yaml", "line": 3, "column": 9, "end_column": 14, "message": "…",
/// "help": "…"}`; `help` is left out where there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The path of the file below the root of the repo, with `/` between its parts.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
    /// The column in characters, counted from 1.
    pub column: usize,
    /// The column after the last character that is meant, on the same line.
    pub end_column: usize,
    /// What is wrong.
    pub message: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    #[serde(skip)]
    pub(crate) at: Position,
}

impl Problem {
    /// The problem `message` at a place.
    pub fn new(at: &Position, message: impl Into<String>) -> Self {
        let column = at.column();
        Self {
            file: at.file().to_owned(),
            line: at.line(),
            column,
            end_column: column + at.width(),
            message: message.into(),
            help: None,
            at: at.clone(),
        }
    }

    /// The same problem, with what to do about it.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The order in which problems are shown: by file, position and message.
    fn reading_order(&self, other: &Self) -> Ordering {
        (&self.at, &self.message).cmp(&(&other.at, &other.message))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            file,
            line,
            column,
            message,
            ..
        } = self;
        write!(f, "{file}:{line}:{column}: {message}")?;
        match &self.help {
            Some(help) => write!(f, " ({help})"),
            None => Ok(()),
        }
    }
}

/// `3 problems in 2 files`.
pub fn summary(problems: &[Problem]) -> String {
    let files: BTreeSet<&str> = problems.iter().map(|p| p.file.as_str()).collect();
    let count = |n: usize, noun: &str| format!("{n} {noun}{}", if n == 1 { "" } else { "s" });
    format!(
        "{} in {}",
        count(problems.len(), "problem"),
        count(files.len(), "file")
    )
}

/// Where problems are collected while reading goes on.
#[derive(Debug, Default)]
pub(crate) struct Sink {
    problems: Vec<Problem>,
}

impl Sink {
    pub(crate) fn push(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    pub(crate) fn report(&mut self, at: &Position, message: impl Into<String>) {
        self.push(Problem::new(at, message));
    }

    pub(crate) fn report_with_help(
        &mut self,
        at: &Position,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.push(Problem::new(at, message).with_help(help));
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.problems.is_empty()
    }

    /// The problems in reading order, each once (an alias repeats what its anchor holds).
    pub(crate) fn into_problems(mut self) -> Vec<Problem> {
        self.problems.sort_by(Problem::reading_order);
        self.problems.dedup();
        self.problems
    }
}

/// `did you mean `x`?` if there is a near candidate, or else all of them.
pub(crate) fn nearest_or_all<'a>(
    wanted: &str,
    candidates: impl IntoIterator<Item = &'a str, IntoIter: Clone>,
    introduction: &str,
) -> Option<String> {
    let candidates = candidates.into_iter();
    if let Some(nearest) = fs_core::suggest::did_you_mean(wanted, candidates.clone()) {
        return Some(format!("did you mean `{nearest}`?"));
    }
    let all: Vec<&str> = candidates.collect();
    // A long list helps nobody.
    ((1..=20).contains(&all.len())).then(|| format!("{introduction} {}", all.join(", ")))
}
