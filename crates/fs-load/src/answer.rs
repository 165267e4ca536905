//! What is in an answer.

use std::fmt;

use serde::Serialize;

/// Values by status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "the statuses of fs.v1.FieldStatus")]
pub struct Values {
    pub present: u64,
    pub null_value: u64,
    pub not_found: u64,
    pub outside_max_age: u64,
}

impl Values {
    /// Counts one value. The numbers are those of `fs.v1.FieldStatus`, which Feast's are too.
    pub(crate) fn count(&mut self, status: i32) -> Result<(), String> {
        let counter = match status {
            1 => &mut self.present,
            2 => &mut self.null_value,
            3 => &mut self.not_found,
            4 => &mut self.outside_max_age,
            _ => return Err(format!("{status} is no status")),
        };
        *counter += 1;
        Ok(())
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.present += other.present;
        self.null_value += other.null_value;
        self.not_found += other.not_found;
        self.outside_max_age += other.outside_max_age;
    }
}

impl fmt::Display for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = [
            (self.present, "present"),
            (self.null_value, "null"),
            (self.not_found, "not found"),
            (self.outside_max_age, "outside max age"),
        ];
        let counts = counts.iter().filter(|(count, _)| *count > 0);
        let counts: Vec<String> = counts
            .map(|(count, name)| format!("{count} {name}"))
            .collect();
        match counts.as_slice() {
            [] => f.write_str("no values"),
            counts => write!(f, "{} values", counts.join(", ")),
        }
    }
}
