//! One given value as a value of a type; nothing where it does not fit.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fs_core::time::parse_micros;

use crate::feast::given::Given;

/// Up to here every integer is a float of its own.
const EXACT: f64 = 9_007_199_254_740_992.0;
const EXACT_INTEGER: u64 = 1 << 53;
const MICROS: i64 = 1_000_000;

pub(super) fn boolean(given: &Given<'_>) -> Option<bool> {
    match given {
        Given::Bool(value) => Some(*value),
        Given::Text(text) => match text.as_ref() {
            "true" | "True" => Some(true),
            "false" | "False" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

pub(super) fn integer(given: &Given<'_>) -> Option<i64> {
    match given {
        Given::Int(value) => Some(*value),
        #[expect(clippy::cast_possible_truncation, reason = "whole, and below 2^53")]
        Given::Float(value) if value.fract() == 0.0 && value.abs() < EXACT => Some(*value as i64),
        Given::Text(text) => text.parse().ok(),
        _ => None,
    }
}

pub(super) fn double(given: &Given<'_>) -> Option<f64> {
    match given {
        Given::Float(value) => Some(*value),
        #[expect(clippy::cast_precision_loss, reason = "refused where it is not exact")]
        Given::Int(value) => (value.unsigned_abs() <= EXACT_INTEGER).then_some(*value as f64),
        Given::Text(text) => number(text),
        _ => None,
    }
}

pub(super) fn single(given: &Given<'_>) -> Option<f32> {
    let value = double(given)?;
    #[expect(clippy::cast_possible_truncation, reason = "to the nearest")]
    let single = value as f32;
    (single.is_finite() || !value.is_finite()).then_some(single)
}

/// Rust reads `inf` and `infinity` in any case, too; what overflows is refused.
fn number(text: &str) -> Option<f64> {
    match text {
        "NaN" => Some(f64::NAN),
        "Infinity" => Some(f64::INFINITY),
        "-Infinity" => Some(f64::NEG_INFINITY),
        text => text.parse().ok().filter(|value: &f64| value.is_finite()),
    }
}

pub(super) fn text<'a>(given: &'a Given<'_>) -> Option<&'a str> {
    match given {
        Given::Text(text) => Some(text),
        _ => None,
    }
}

pub(super) fn bytes<'a>(given: &'a Given<'_>) -> Option<Cow<'a, [u8]>> {
    match given {
        Given::Bytes(bytes) => Some(Cow::Borrowed(bytes)),
        Given::Text(text) => STANDARD.decode(text.as_ref()).ok().map(Cow::Owned),
        _ => None,
    }
}

pub(super) fn micros(given: &Given<'_>) -> Option<i64> {
    match given {
        Given::Int(seconds) | Given::Seconds(seconds) => seconds.checked_mul(MICROS),
        Given::Float(seconds) => {
            let micros = (seconds * 1e6).round();
            #[expect(clippy::cast_possible_truncation, reason = "whole, and below 2^53")]
            (micros.abs() < EXACT).then_some(micros as i64)
        }
        Given::Text(text) => parse_micros(text).ok(),
        _ => None,
    }
}
