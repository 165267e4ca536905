//! How long a client waits: `grpc-timeout`, as the gRPC protocol writes it.
//!
//! ```text
//!   grpc-timeout: 250m      at most 8 digits, then the unit:
//!                           H hours  M minutes  S seconds  m milli-  u micro-  n nanoseconds
//! ```

use std::time::Duration;

use axum::http::HeaderMap;

/// What the client waits at most; `None` if it does not say, or not in a way that can be read.
pub(super) fn of(headers: &HeaderMap) -> Option<Duration> {
    parse(headers.get("grpc-timeout")?.as_bytes())
}

fn parse(text: &[u8]) -> Option<Duration> {
    let (unit, digits) = text.split_last()?;
    if !(1..=8).contains(&digits.len()) || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number = digits.iter().fold(0, |number: u64, digit| {
        number * 10 + u64::from(digit - b'0')
    });
    Some(match unit {
        b'H' => Duration::from_secs(number * 3_600),
        b'M' => Duration::from_secs(number * 60),
        b'S' => Duration::from_secs(number),
        b'm' => Duration::from_millis(number),
        b'u' => Duration::from_micros(number),
        b'n' => Duration::from_nanos(number),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_is_read() {
        for (text, time) in [
            ("2H", Duration::from_hours(2)),
            ("3M", Duration::from_mins(3)),
            ("4S", Duration::from_secs(4)),
            ("250m", Duration::from_millis(250)),
            ("99999999u", Duration::from_micros(99_999_999)),
            ("0n", Duration::ZERO),
        ] {
            assert_eq!(parse(text.as_bytes()), Some(time), "{text}");
        }
    }

    #[test]
    fn what_the_protocol_does_not_write_is_no_deadline() {
        for text in ["", "S", "5", "5s", "123456789S", "-1S", "1.5S", "５S"] {
            assert_eq!(parse(text.as_bytes()), None, "{text}");
        }
    }
}
