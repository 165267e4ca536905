//! [`Function`]: what an aggregation makes of the values in a window.

mod fits;
mod parameters;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use fits::DoesNotFit;
pub use parameters::{BadParameter, ListSize, Quantile};

/// What an aggregation makes of the values in a window.
///
/// | Function | Of | Gives | Of no values |
/// |---|---|---|---|
/// | `count` | anything, or `*`: all rows | `int64` | 0 |
/// | `sum` | integers | `int64`; beyond it is an error | null |
/// | `sum` | floats | `float64`, exact and rounded once | null |
/// | `avg` | numbers; `bool`: the share of true | `float64` | null |
/// | `min`, `max` | scalars; NaN is the greatest number | the column's type | null |
/// | `stddev_samp`, `var_samp` | numbers | `float64`; null of one value | null |
/// | `stddev_pop`, `var_pop` | numbers | `float64` | null |
/// | `first`, `last` | scalars, by event and created time | the column's type | null |
/// | `first_n` | scalars, oldest first | `array<T>` of at most `n` | `[]` |
/// | `last_n` | scalars, newest first | `array<T>` of at most `n` | `[]` |
/// | `count_distinct` | scalars | `int64`, exact | 0 |
/// | `approx_count_distinct` | scalars | `int64`, standard error 1.6 % | 0 |
/// | `approx_percentile` | numbers | `float64`, at most 1 % off the value at `p` | null |
/// | `top_k` | scalars, most frequent first | `array<T>` of at most `k` | `[]` |
///
/// Nulls are skipped, except by the `count` of `*`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Function {
    /// How many values, or rows.
    Count,
    /// Their sum.
    Sum,
    /// Their mean.
    Avg,
    /// The least.
    Min,
    /// The greatest.
    Max,
    /// The standard deviation of what they are a sample of.
    StddevSamp,
    /// Their standard deviation.
    StddevPop,
    /// The variance of what they are a sample of.
    VarSamp,
    /// Their variance.
    VarPop,
    /// The oldest.
    First,
    /// The newest.
    Last,
    /// The newest few, newest first.
    LastN {
        /// At most so many.
        n: ListSize,
    },
    /// The oldest few, oldest first.
    FirstN {
        /// At most so many.
        n: ListSize,
    },
    /// How many different values.
    CountDistinct,
    /// About how many different values, in little memory.
    ApproxCountDistinct,
    /// About the value below which the part `p` of them lies.
    ApproxPercentile {
        /// The part.
        p: Quantile,
    },
    /// The most frequent values, most frequent first, equally frequent ones ascending.
    TopK {
        /// At most so many.
        k: ListSize,
    },
}

impl Function {
    /// The words of all functions, as definitions write them.
    pub const NAMES: [&'static str; 17] = [
        "count",
        "sum",
        "avg",
        "min",
        "max",
        "stddev_samp",
        "stddev_pop",
        "var_samp",
        "var_pop",
        "first",
        "last",
        "last_n",
        "first_n",
        "count_distinct",
        "approx_count_distinct",
        "approx_percentile",
        "top_k",
    ];

    /// The word that definitions use.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Sum => "sum",
            Self::Avg => "avg",
            Self::Min => "min",
            Self::Max => "max",
            Self::StddevSamp => "stddev_samp",
            Self::StddevPop => "stddev_pop",
            Self::VarSamp => "var_samp",
            Self::VarPop => "var_pop",
            Self::First => "first",
            Self::Last => "last",
            Self::LastN { .. } => "last_n",
            Self::FirstN { .. } => "first_n",
            Self::CountDistinct => "count_distinct",
            Self::ApproxCountDistinct => "approx_count_distinct",
            Self::ApproxPercentile { .. } => "approx_percentile",
            Self::TopK { .. } => "top_k",
        }
    }

    /// The parameter that it takes beside its column, if it takes one, as people write it: `3`, `0.99`.
    pub fn parameter(&self) -> Option<String> {
        match self {
            Self::LastN { n: size } | Self::FirstN { n: size } | Self::TopK { k: size } => {
                Some(size.to_string())
            }
            Self::ApproxPercentile { p } => Some(p.to_string()),
            _ => None,
        }
    }

    /// Prints it over `column`, or over `*`: `last_n(arr_delay, 3)`, `count(*)`.
    pub fn over(self, column: Option<&str>) -> impl fmt::Display {
        fmt::from_fn(move |f| {
            write!(f, "{}({}", self.name(), column.unwrap_or("*"))?;
            if let Some(parameter) = self.parameter() {
                write!(f, ", {parameter}")?;
            }
            f.write_str(")")
        })
    }
}

#[cfg(test)]
mod tests;
