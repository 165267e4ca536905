//! Numbers of JSON.

use serde::de::{Error, Visitor};

/// A number, as narrow as it can be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Number {
    Int(i64),
    Unsigned(u64),
    Float(f64),
}

impl Number {
    pub(super) fn visit<'de, V: Visitor<'de>, E: Error>(self, visitor: V) -> Result<V::Value, E> {
        match self {
            Self::Int(value) => visitor.visit_i64(value),
            Self::Unsigned(value) => visitor.visit_u64(value),
            Self::Float(value) => visitor.visit_f64(value),
        }
    }
}

/// The number that `text` begins with, and its length; none if it is no number of JSON, or one that no
/// float can come near.
pub(super) fn read(text: &str) -> Option<(Number, usize)> {
    let bytes = text.as_bytes();
    let digits = |from: usize| {
        let rest = bytes.get(from..).unwrap_or_default();
        rest.iter().take_while(|byte| byte.is_ascii_digit()).count()
    };
    let start = usize::from(bytes.first() == Some(&b'-'));
    let whole = digits(start);
    if whole == 0 || (whole > 1 && bytes[start] == b'0') {
        return None;
    }
    let mut end = start + whole;
    let mut is_float = false;
    if bytes.get(end) == Some(&b'.') {
        let fraction = digits(end + 1);
        (end, is_float) = (end + 1 + fraction, fraction > 0);
        if !is_float {
            return None;
        }
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        let exponent = digits(end + 1 + sign);
        (end, is_float) = (end + 1 + sign + exponent, true);
        if exponent == 0 {
            return None;
        }
    }
    let text = &text[..end];
    if text == "-0" {
        return Some((Number::Float(-0.0), end));
    }
    let integer = || {
        let int = text.parse().map(Number::Int);
        int.or_else(|_| text.parse().map(Number::Unsigned)).ok()
    };
    let number = if is_float { None } else { integer() };
    let float = || {
        let value: f64 = text.parse().ok()?;
        value.is_finite().then_some(Number::Float(value))
    };
    Some((number.or_else(float)?, end))
}
