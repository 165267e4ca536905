//! What functions take beside their column: [`ListSize`] and [`Quantile`].

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::literal::Finite;

/// How many values a list holds at most: 1 to 1000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
pub struct ListSize(u16);

/// A part of the values in order, between 0 and 1, neither of them: 0.5 is the median.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Finite", into = "Finite")]
pub struct Quantile(Finite);

/// A parameter that a function cannot take.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadParameter {
    /// No size of a list.
    #[error("`{text}` is not a length of a list: write a whole number from 1 to 1000")]
    ListSize {
        /// The text that was refused.
        text: String,
    },
    /// No quantile.
    #[error(
        "`{text}` is not a percentile: write a number between 0 and 1, such as 0.5 for the median"
    )]
    Quantile {
        /// The text that was refused.
        text: String,
    },
}

impl ListSize {
    /// The longest list.
    pub const MAX: Self = Self(1000);

    /// At most `size` values; `None` for none, and for more than 1000.
    pub fn new(size: u64) -> Option<Self> {
        let size = u16::try_from(size).ok()?;
        (1..=Self::MAX.0).contains(&size).then_some(Self(size))
    }

    /// The number.
    pub fn get(self) -> usize {
        self.0.into()
    }
}

impl Quantile {
    /// The part `p`; `None` unless it lies between 0 and 1.
    pub fn new(p: f64) -> Option<Self> {
        let inside = Finite::new(p).filter(|p| 0.0 < p.get() && p.get() < 1.0);
        inside.map(Self)
    }

    /// The part.
    pub const fn get(self) -> f64 {
        self.0.get()
    }
}

impl fmt::Display for ListSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Quantile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl TryFrom<u64> for ListSize {
    type Error = BadParameter;

    fn try_from(size: u64) -> Result<Self, BadParameter> {
        Self::new(size).ok_or_else(|| BadParameter::ListSize {
            text: size.to_string(),
        })
    }
}

impl From<ListSize> for u64 {
    fn from(size: ListSize) -> Self {
        size.0.into()
    }
}

impl TryFrom<Finite> for Quantile {
    type Error = BadParameter;

    fn try_from(p: Finite) -> Result<Self, BadParameter> {
        Self::new(p.get()).ok_or_else(|| BadParameter::Quantile {
            text: p.to_string(),
        })
    }
}

impl From<Quantile> for Finite {
    fn from(p: Quantile) -> Self {
        p.0
    }
}

impl FromStr for ListSize {
    type Err = BadParameter;

    fn from_str(text: &str) -> Result<Self, BadParameter> {
        let size = text.trim().parse().ok().and_then(Self::new);
        size.ok_or_else(|| BadParameter::ListSize {
            text: text.to_owned(),
        })
    }
}

impl FromStr for Quantile {
    type Err = BadParameter;

    fn from_str(text: &str) -> Result<Self, BadParameter> {
        let p = text.trim().parse().ok().and_then(Self::new);
        p.ok_or_else(|| BadParameter::Quantile {
            text: text.to_owned(),
        })
    }
}
