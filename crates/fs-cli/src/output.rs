//! How answers are printed: tables for people, JSON for programs.

#![expect(
    clippy::print_stdout,
    reason = "printing answers is what this module is for"
)]
#![expect(clippy::print_stderr, reason = "failures go to standard error")]

use clap::ValueEnum;
use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;

use crate::failure::Failure;

/// Whom the output is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Format {
    /// Tables and sentences.
    #[default]
    Human,
    /// One JSON document on standard output; errors as one on standard error.
    Json,
}

/// Where a command's answer goes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    format: Format,
}

impl Output {
    /// Output in `format`.
    pub(crate) const fn new(format: Format) -> Self {
        Self { format }
    }

    /// Whether a program reads it.
    pub(crate) fn is_json(self) -> bool {
        self.format == Format::Json
    }

    /// Prints the answer: `value` for programs, `human` for people.
    pub(crate) fn answer(self, value: &impl Serialize, human: impl FnOnce() -> String) {
        match self.format {
            Format::Human => {
                let text = human();
                println!("{}", text.trim_end());
            }
            Format::Json => match serde_json::to_string_pretty(value) {
                Ok(text) => println!("{text}"),
                Err(error) => eprintln!("error: the answer has no JSON form: {error}"),
            },
        }
    }

    /// Prints a line for people on the way to the answer; programs do not see it.
    pub(crate) fn say(self, line: impl AsRef<str>) {
        if self.format == Format::Human {
            println!("{}", line.as_ref());
        }
    }

    /// Prints why the command failed.
    pub(crate) fn failure(self, failure: &Failure) {
        match self.format {
            Format::Human => eprintln!("error: {}", failure.for_people()),
            Format::Json => eprintln!("{:#}", failure.to_json()),
        }
    }
}

/// Prints text as it is, whoever reads it.
pub(crate) fn raw(text: &str) {
    println!("{}", text.trim_end());
}

/// A table with a header line, ruled like text that can be pasted anywhere.
pub(crate) fn table<const N: usize>(
    header: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> String {
    let rows = rows.into_iter().map(Vec::from);
    dynamic_table(header.map(str::to_owned).to_vec(), rows.collect())
}

/// A table whose columns are known only at run time; without a header line if all names are empty.
pub(crate) fn dynamic_table(header: Vec<String>, rows: Vec<Vec<String>>) -> String {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled);
    if header.iter().any(|name| !name.is_empty()) {
        table.set_header(header);
    }
    table.add_rows(rows);
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    lines(table.lines().map(|line| line.trim_end().to_owned()))
}

/// Every line with its end.
pub(crate) fn lines<T: AsRef<str>>(lines: impl IntoIterator<Item = T>) -> String {
    let mut text = String::new();
    for line in lines {
        text.push_str(line.as_ref());
        text.push('\n');
    }
    text
}

/// `1234567` as `1,234,567`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Bytes in the unit of all sizes: `1,204 KiB`.
pub(crate) fn kibibytes(bytes: u64) -> String {
    format!("{} KiB", grouped(bytes.div_ceil(1024)))
}

/// `1 view`, `2 views`, `3 entities`.
pub(crate) fn counted(number: impl TryInto<u64>, thing: &str) -> String {
    let number = number.try_into().unwrap_or(u64::MAX);
    match (number, thing.strip_suffix('y')) {
        (1, _) => format!("1 {thing}"),
        (_, Some(stem)) => format!("{} {stem}ies", grouped(number)),
        (_, None) => format!("{} {thing}s", grouped(number)),
    }
}

/// An age as a person says it, to about a hundredth: `45s`, `12m`, `3h12m`, `46d3h`.
pub(crate) fn age(age: fs_core::Span) -> String {
    let seconds = age.as_micros() / 1_000_000;
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, _) => format!("{minutes}m"),
        (0, _, _) => format!("{hours}h{}m", minutes % 60),
        _ => format!("{days}d{}h", hours % 24),
    }
}

/// A duration as a person says it: `0.42 s`, `12 ms`.
pub(crate) fn elapsed(duration: std::time::Duration) -> String {
    if duration.as_secs() >= 1 {
        format!("{:.1} s", duration.as_secs_f64())
    } else {
        format!("{} ms", duration.as_millis())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_numbers_are_grouped_in_threes() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_234_567), "1,234,567");
    }

    #[test]
    fn things_are_counted_in_words() {
        assert_eq!(counted(1_usize, "view"), "1 view");
        assert_eq!(counted(0_usize, "view"), "0 views");
        assert_eq!(counted(2_usize, "entity"), "2 entities");
    }

    #[test]
    fn an_age_is_said_in_its_two_greatest_units() {
        for (span, said) in [
            ("0s", "0s"),
            ("59s", "59s"),
            ("12m30s", "12m"),
            ("3h12m", "3h12m"),
            ("46d3h59m", "46d3h"),
        ] {
            assert_eq!(age(span.parse().unwrap()), said);
        }
    }

    #[test]
    fn a_table_has_no_trailing_blanks() {
        let text = table(["name", "rows"], [["planes".to_owned(), "3".to_owned()]]);
        assert_eq!(text, "name    rows\nplanes  3\n");
    }
}
