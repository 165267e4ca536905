//! Cron expressions as lists of numbers.
//!
//! Dialects of cron differ in what they accept and, worse, in what the same text says: some replace names
//! before they look at what is around them (`SUN-SUN` as `0-7`), some take `*/1` for a day that decides,
//! some refuse `*` in a list. So all that is gone before the expression is read.
//!
//! ```text
//!   0 0 * jan-mar,DEC MON-FRI/2    becomes   0 0 * 1,2,3,12 1,3,5
//!   0 0,* 1 */1 SUN-SUN            becomes   0 * 1 * 0
//! ```
//! A field with `*` among its parts leaves nothing out, and so decides nothing.

use std::collections::BTreeSet;

struct Field {
    low: u8,
    high: u8,
    words: &'static [&'static str],
}

const FIELDS: [Field; 5] = [
    field(0, 59, &[]),
    field(0, 23, &[]),
    field(1, 31, &[]),
    field(
        1,
        12,
        &[
            "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
        ],
    ),
    field(0, 7, &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]),
];

const fn field(low: u8, high: u8, words: &'static [&'static str]) -> Field {
    Field { low, high, words }
}

/// `text` in lists of numbers; what is no cron expression stays as it is, for the parser to refuse.
pub(super) fn only(text: &str) -> String {
    let parts: Vec<&str> = text.split_whitespace().collect();
    if parts.len() != FIELDS.len() {
        return text.to_owned();
    }
    let fields = FIELDS.iter().zip(parts);
    let fields = fields.map(|(field, part)| field.numbers(part).unwrap_or_else(|| part.to_owned()));
    fields.collect::<Vec<_>>().join(" ")
}

impl Field {
    fn numbers(&self, text: &str) -> Option<String> {
        let mut numbers = BTreeSet::new();
        for part in text.split(',') {
            if matches!(part, "*" | "*/1") {
                return Some("*".to_owned());
            }
            let (range, step) = part.split_once('/').unwrap_or((part, "1"));
            let (low, high) = match range.split_once('-') {
                Some((low, high)) => (self.number(low)?, self.number(high)?),
                None if range == "*" => (self.low, self.high),
                None => (self.number(range)?, self.number(range)?),
            };
            let step: usize = step.parse().ok().filter(|step| *step > 0)?;
            numbers.extend((low..=high).step_by(step).map(|number| number.to_string()));
        }
        Some(numbers.into_iter().collect::<Vec<_>>().join(","))
    }

    fn number(&self, text: &str) -> Option<u8> {
        let word = self
            .words
            .iter()
            .position(|word| word.eq_ignore_ascii_case(text));
        let number = match word {
            Some(at) => self.low.checked_add(u8::try_from(at).ok()?)?,
            None => text.parse().ok()?,
        };
        (self.low..=self.high).contains(&number).then_some(number)
    }
}
