//! Cron expressions: five fields, UTC.
//!
//! ```text
//!   minute  hour  day of month  month        day of week
//!   0-59    0-23  1-31          1-12 or JAN  0-7 or SUN (0 and 7 are Sunday)
//! ```
//!
//! A field is a comma-separated list of `*`, `n`, `a-b`, `*/step` and `a-b/step`.

/// Why a text is no cron expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CronError {
    /// Not five fields.
    #[error(
        "`{text}` is not a schedule: write five fields (minute, hour, day of month, month, day of \
         week), such as `*/15 * * * *`"
    )]
    NotFiveFields {
        /// The text that was refused.
        text: String,
    },
    /// A field that is no list of numbers, ranges and steps.
    #[error(
        "`{part}` is not a {field}: write `*`, a number, a range such as {low}-{high}, or a step \
         such as `*/5`"
    )]
    Malformed {
        /// The part that was refused.
        part: String,
        /// The name of its field.
        field: &'static str,
        /// The least value of the field.
        low: u8,
        /// The greatest value of the field.
        high: u8,
    },
    /// A number outside its field.
    #[error("{number} is not a {field}: it goes from {low} to {high}")]
    OutOfRange {
        /// The number that was refused.
        number: String,
        /// The name of its field.
        field: &'static str,
        /// The least value of the field.
        low: u8,
        /// The greatest value of the field.
        high: u8,
    },
    /// A range whose end is before its start.
    #[error("`{part}` runs backwards: the start of a range must not be after its end")]
    Backwards {
        /// The part that was refused.
        part: String,
    },
    /// Days that none of the months has.
    #[error("`{text}` never comes: none of its months has such a day")]
    Never {
        /// The text that was refused.
        text: String,
    },
}

struct Field {
    name: &'static str,
    low: u8,
    high: u8,
    words: &'static [&'static str],
}

const fn field(name: &'static str, low: u8, high: u8, words: &'static [&'static str]) -> Field {
    Field {
        name,
        low,
        high,
        words,
    }
}

const MONTHS: [&str; 12] = [
    "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
];
const DAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
const MONTH_LENGTHS: [u8; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

const FIELDS: [Field; 5] = [
    field("minute", 0, 59, &[]),
    field("hour", 0, 23, &[]),
    field("day of the month", 1, 31, &[]),
    field("month", 1, 12, &MONTHS),
    field("day of the week", 0, 7, &DAYS),
];

/// Checks that `text` is a cron expression that comes due at some time.
pub fn check(text: &str) -> Result<(), CronError> {
    let parts: Vec<&str> = text.split_whitespace().collect();
    if parts.len() != FIELDS.len() {
        return Err(CronError::NotFiveFields {
            text: text.to_owned(),
        });
    }
    let mut values = Vec::with_capacity(FIELDS.len());
    for (field, part) in FIELDS.iter().zip(&parts) {
        values.push(field.values(part)?);
    }
    // With a day of the week given too, either of the two is enough.
    let any_weekday = parts[4].starts_with('*');
    let earliest_day = values[2].iter().min();
    let fits = |month: &u8| {
        let length = MONTH_LENGTHS[usize::from(*month) - 1];
        earliest_day.is_some_and(|day| *day <= length)
    };
    if any_weekday && !values[3].iter().any(fits) {
        return Err(CronError::Never {
            text: text.to_owned(),
        });
    }
    Ok(())
}

impl Field {
    fn values(&self, text: &str) -> Result<Vec<u8>, CronError> {
        let mut values = Vec::new();
        for part in text.split(',') {
            values.extend(self.part(part)?);
        }
        Ok(values)
    }

    fn part(&self, part: &str) -> Result<Vec<u8>, CronError> {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, Some(step)),
            None => (part, None),
        };
        let (start, end) = match range.split_once('-') {
            Some((start, end)) => (self.number(start, part)?, self.number(end, part)?),
            None if range == "*" => (self.low, self.high),
            // `5/15` means different things to different crons.
            None if step.is_some() => return Err(self.malformed(part)),
            None => {
                let number = self.number(range, part)?;
                (number, number)
            }
        };
        if start > end {
            return Err(CronError::Backwards {
                part: part.to_owned(),
            });
        }
        let step = match step {
            None => 1,
            Some(step) if step.bytes().all(|b| b.is_ascii_digit()) => step
                .parse::<u8>()
                .ok()
                .filter(|step| (1..=self.high.max(1)).contains(step))
                .ok_or_else(|| self.malformed(part))?,
            Some(_) => return Err(self.malformed(part)),
        };
        Ok((start..=end).step_by(usize::from(step)).collect())
    }

    fn number(&self, text: &str, part: &str) -> Result<u8, CronError> {
        if let Some(word) = self
            .words
            .iter()
            .position(|word| word.eq_ignore_ascii_case(text))
        {
            // Twelve months and seven days: both fit.
            return Ok(self.low + u8::try_from(word).unwrap_or_default());
        }
        if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(self.malformed(part));
        }
        text.parse()
            .ok()
            .filter(|number| (self.low..=self.high).contains(number))
            .ok_or_else(|| CronError::OutOfRange {
                number: text.to_owned(),
                field: self.name,
                low: self.low,
                high: self.high,
            })
    }

    fn malformed(&self, part: &str) -> CronError {
        CronError::Malformed {
            part: part.to_owned(),
            field: self.name,
            low: self.low,
            high: self.high,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_fields_of_numbers_ranges_steps_lists_and_words_are_a_schedule() {
        for text in [
            "*/15 * * * *",
            "5 * * * *",
            "0 0,12 1-15/2 JAN-jun MON-FRI",
            "59 23 31 12 7",
            "0 0 29 2 *",
            "0 0 30 2 MON",
        ] {
            assert_eq!(check(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn a_number_outside_its_field_is_refused() {
        for text in [
            "60 * * * *",
            "* 24 * * *",
            "* * 0 * *",
            "* * * 13 *",
            "* * * * 8",
        ] {
            assert!(
                matches!(check(text), Err(CronError::OutOfRange { .. })),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_no_schedule_is_refused() {
        for text in ["", "@hourly", "* * * *", "* * * * * *"] {
            assert!(
                matches!(check(text), Err(CronError::NotFiveFields { .. })),
                "{text}"
            );
        }
        for text in [
            "x * * * *",
            "*/0 * * * *",
            "*/x * * * *",
            "5/15 * * * *",
            "1, * * * *",
            "-1 * * * *",
        ] {
            assert!(
                matches!(check(text), Err(CronError::Malformed { .. })),
                "{text}"
            );
        }
        assert!(matches!(
            check("9-5 * * * *"),
            Err(CronError::Backwards { .. })
        ));
    }

    #[test]
    fn a_day_that_never_comes_is_refused() {
        assert!(matches!(check("0 0 30 2 *"), Err(CronError::Never { .. })));
        assert!(matches!(
            check("0 0 31 4,6 *"),
            Err(CronError::Never { .. })
        ));
    }
}
