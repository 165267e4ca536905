//! Amounts of memory: `2GiB`, `512MiB`, `1GB`, plain bytes.

/// A text that is no amount of memory.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is not an amount of memory: write bytes, or a whole number and a unit, such as \
     512MiB, 2GiB or 1GB"
)]
pub struct MemorySizeError {
    /// The text that was refused.
    pub text: String,
}

const UNITS: [(&str, u64); 10] = [
    ("", 1),
    ("b", 1),
    ("kb", 1_000),
    ("mb", 1_000_000),
    ("gb", 1_000_000_000),
    ("tb", 1_000_000_000_000),
    ("kib", 1 << 10),
    ("mib", 1 << 20),
    ("gib", 1 << 30),
    ("tib", 1 << 40),
];

/// Reads an amount of memory as bytes, which is never 0; units in any letter case.
///
/// ```
/// use fs_spec::memory_size::parse;
/// assert_eq!(parse("2GiB"), Ok(2_147_483_648));
/// assert_eq!(parse("1GB"), Ok(1_000_000_000));
/// assert!(parse("lots").is_err());
/// ```
pub fn parse(text: &str) -> Result<u64, MemorySizeError> {
    let trimmed = text.trim();
    let digits = trimmed
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(trimmed.len());
    let (number, unit) = trimmed.split_at(digits);
    let unit = unit.trim_start().to_ascii_lowercase();
    let factor = UNITS.iter().find(|(name, _)| *name == unit);
    number
        .parse::<u64>()
        .ok()
        .zip(factor)
        .and_then(|(number, (_, factor))| number.checked_mul(*factor))
        .filter(|bytes| *bytes > 0)
        .ok_or_else(|| MemorySizeError {
            text: text.to_owned(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binary_decimal_and_no_units_are_read() {
        assert_eq!(parse("512MiB"), Ok(512 << 20));
        assert_eq!(parse("512 mib"), Ok(512 << 20));
        assert_eq!(parse("4096"), Ok(4096));
        assert_eq!(parse("1kb"), Ok(1000));
    }

    #[test]
    fn nothing_nonsense_and_too_much_are_refused() {
        for text in [
            "",
            "0",
            "0GiB",
            "GiB",
            "1.5GiB",
            "-1",
            "2 bananas",
            "99999999TiB",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
