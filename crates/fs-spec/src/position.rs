//! Where something is written.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

/// A file of the repo, as it was read.
#[derive(Debug)]
pub(crate) struct FileText {
    /// The path below the root of the repo, with `/` between its parts.
    pub(crate) name: String,
    /// What it holds, without a byte order mark.
    pub(crate) text: String,
}

/// A stretch of one file.
#[derive(Clone)]
pub struct Position {
    file: Arc<FileText>,
    start: usize,
    end: usize,
}

impl Position {
    /// The bytes `start..end` of `file`, moved inside the text and onto character boundaries.
    pub(crate) fn new(file: &Arc<FileText>, start: usize, end: usize) -> Self {
        let onto_boundary = |mut at: usize| {
            at = at.min(file.text.len());
            while !file.text.is_char_boundary(at) {
                at -= 1;
            }
            at
        };
        let start = onto_boundary(start);
        Self {
            file: Arc::clone(file),
            start,
            end: onto_boundary(end).max(start),
        }
    }

    /// The path of the file below the root of the repo, with `/` between its parts.
    pub fn file(&self) -> &str {
        &self.file.name
    }

    /// The line, counted from 1.
    pub fn line(&self) -> usize {
        self.file.text[..self.start].matches('\n').count() + 1
    }

    /// The column in characters, counted from 1.
    pub fn column(&self) -> usize {
        self.file.text[self.line_start()..self.start]
            .chars()
            .count()
            + 1
    }

    /// How many characters of the first line are meant; 0 for a mere point.
    pub fn width(&self) -> usize {
        self.first_line().chars().count()
    }

    /// The whole text that is meant.
    pub(crate) fn text(&self) -> &str {
        &self.file.text[self.start..self.end]
    }

    /// The part of this position that holds the first `needle`, or all of it.
    pub(crate) fn narrowed_to(&self, needle: &str) -> Self {
        self.text().find(needle).map_or_else(
            || self.clone(),
            |at| Self::new(&self.file, self.start + at, self.start + at + needle.len()),
        )
    }

    /// The line on which this position starts, without its end.
    pub(crate) fn line_text(&self) -> &str {
        let rest = &self.file.text[self.line_start()..];
        let line = rest.split('\n').next().unwrap_or_default();
        line.strip_suffix('\r').unwrap_or(line)
    }

    /// The bytes of [`Self::line_text`] that are meant.
    pub(crate) fn range_in_line(&self) -> std::ops::Range<usize> {
        let start = (self.start - self.line_start()).min(self.line_text().len());
        start..start + self.first_line().len()
    }

    fn line_start(&self) -> usize {
        self.file.text[..self.start]
            .rfind('\n')
            .map_or(0, |newline| newline + 1)
    }

    fn first_line(&self) -> &str {
        self.text().lines().next().unwrap_or_default().trim_end()
    }

    fn key(&self) -> (&str, usize, usize) {
        (&self.file.name, self.start, self.end)
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file(), self.line(), self.column())
    }
}

impl fmt::Debug for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl PartialEq for Position {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Position {}

impl PartialOrd for Position {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Position {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

/// A value, and where it is written.
#[derive(Debug, Clone)]
pub(crate) struct At<T> {
    pub(crate) value: T,
    pub(crate) at: Position,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> Arc<FileText> {
        Arc::new(FileText {
            name: "a.yaml".to_owned(),
            text: text.to_owned(),
        })
    }

    #[test]
    fn lines_and_columns_count_characters_from_1() {
        let file = file("é: 1\nä: bc\n");
        let at = Position::new(&file, 10, 12);
        assert_eq!(at.to_string(), "a.yaml:2:4");
        assert_eq!((at.text(), at.line_text(), at.width()), ("bc", "ä: bc", 2));
    }

    #[test]
    fn a_position_beyond_the_end_is_the_end() {
        let at = Position::new(&file("ab"), 10, 20);
        assert_eq!((at.line(), at.column(), at.width()), (1, 3, 0));
    }

    #[test]
    fn of_several_lines_the_first_is_shown() {
        let at = Position::new(&file("a: |\r\n  b\r\n"), 0, 9);
        assert_eq!((at.width(), at.range_in_line()), (4, 0..4));
    }
}
