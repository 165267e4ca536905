//! [`Window`]: how far back an aggregation looks.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Span;
use crate::time::SpanError;

/// The word for a window without a lower end.
const LIFETIME: &str = "lifetime";

/// How far back an aggregation looks from the time `t` at which it is asked.
///
/// | Window | Covers the events with |
/// |---|---|
/// | [`Last`](Self::Last)`(w)` | `t - w < event + delay <= t`: start exclusive, end inclusive |
/// | [`Lifetime`](Self::Lifetime) | `event + delay <= t` |
///
/// Written as lengths of time are, `90s`, `1h`, `7d`, or `lifetime`, which is the greatest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Window {
    /// The time of this length before `t`.
    Last(WindowLength),
    /// All the time before `t`.
    Lifetime,
}

/// The length of a window; always longer than nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WindowLength(Span);

/// A text that is no window.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WindowError {
    /// Nothing lies in it.
    #[error(
        "`{text}` is not a window: it is longer than nothing; write 90s, 1h, 7d or the like, or \
         `lifetime`"
    )]
    NotPositive {
        /// The text that was refused.
        text: String,
    },
    /// Neither a length of time nor the word.
    #[error(
        "`{text}` is not a window: write a number and a unit, such as 90s, 1h or 7d, or `lifetime`"
    )]
    Malformed {
        /// The text that was refused.
        text: String,
    },
    /// More microseconds than 64 bits hold.
    #[error("`{text}` is longer than 292,000 years; `lifetime` has no end")]
    TooLong {
        /// The text that was refused.
        text: String,
    },
}

impl Window {
    /// The last `span` before the time asked for; `None` for no time at all.
    pub const fn last(span: Span) -> Option<Self> {
        match WindowLength::new(span) {
            Some(length) => Some(Self::Last(length)),
            None => None,
        }
    }

    /// How long it is; `None` if it has no lower end.
    pub const fn length(self) -> Option<WindowLength> {
        match self {
            Self::Last(length) => Some(length),
            Self::Lifetime => None,
        }
    }
}

impl WindowLength {
    /// A length of `span`; `None` for no time at all.
    pub const fn new(span: Span) -> Option<Self> {
        if span.is_zero() {
            None
        } else {
            Some(Self(span))
        }
    }

    /// The length in microseconds, at least 1.
    pub const fn as_micros(self) -> i64 {
        self.0.as_micros()
    }

    /// The length.
    pub const fn span(self) -> Span {
        self.0
    }
}

impl fmt::Display for WindowLength {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Last(length) => length.fmt(f),
            Self::Lifetime => f.write_str(LIFETIME),
        }
    }
}

impl FromStr for Window {
    type Err = WindowError;

    fn from_str(text: &str) -> Result<Self, WindowError> {
        let text = text.trim();
        if text == LIFETIME {
            return Ok(Self::Lifetime);
        }
        let named = || text.to_owned();
        let is_negative = |text: &str| {
            let length = text.strip_prefix('-').map(str::parse::<Span>);
            matches!(length, Some(Ok(_)))
        };
        match text.parse::<Span>() {
            Ok(span) => Self::last(span).ok_or_else(|| WindowError::NotPositive { text: named() }),
            Err(SpanError::Malformed { .. }) if is_negative(text) => {
                Err(WindowError::NotPositive { text: named() })
            }
            Err(SpanError::Malformed { .. }) => Err(WindowError::Malformed { text: named() }),
            Err(SpanError::TooLong { .. }) => Err(WindowError::TooLong { text: named() }),
        }
    }
}

impl TryFrom<String> for Window {
    type Error = WindowError;
    fn try_from(text: String) -> Result<Self, WindowError> {
        text.parse()
    }
}

impl From<Window> for String {
    fn from(window: Window) -> Self {
        window.to_string()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_window_is_longer_than_nothing() {
        for text in ["0", "0s", "-1h", "-90s"] {
            let error = text.parse::<Window>().unwrap_err().to_string();
            assert!(error.contains("longer than nothing"), "{error}");
        }
        for text in ["", "1", "an hour", "-", "-hour"] {
            let error = text.parse::<Window>().unwrap_err().to_string();
            assert!(error.contains("or `lifetime`"), "{error}");
        }
        assert_eq!(Window::last(Span::ZERO), None);
        let error = "999999999999d".parse::<Window>().unwrap_err().to_string();
        assert!(error.contains("`lifetime` has no end"), "{error}");
    }

    #[test]
    fn a_lifetime_is_the_greatest_window() {
        let lifetime: Window = "lifetime".parse().unwrap();
        let ages: Window = Window::last(Span::from_micros(i64::MAX).unwrap()).unwrap();
        assert!("1h".parse::<Window>().unwrap() < ages && ages < lifetime);
        assert_eq!(lifetime.length(), None);
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_back(micros in 1_i64..) {
            let window = Window::last(Span::from_micros(micros).unwrap()).unwrap();
            let json = serde_json::to_string(&window).unwrap();
            prop_assert_eq!(serde_json::from_str::<Window>(&json).unwrap(), window);
        }
    }
}
