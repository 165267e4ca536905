//! Which columns a [`Function`] takes, and what it gives.

use super::Function;
use crate::ScalarType::{Bool, Float32, Float64, Int32, Int64};
use crate::{DataType, ScalarType};

/// A function over a column that it does not take.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DoesNotFit {
    /// Another type than it takes.
    #[error("`{function}` does not fit a column of type {found}: it takes {takes}")]
    Type {
        /// The word of the function.
        function: &'static str,
        /// The type of the column.
        found: DataType,
        /// What it takes, in words.
        takes: &'static str,
    },
    /// `*`, of anything but `count`.
    #[error("`{function}` needs a column: only `count` takes `*`")]
    NeedsColumn {
        /// The word of the function.
        function: &'static str,
    },
}

/// The columns that a function takes.
#[derive(Debug, Clone, Copy)]
enum Takes {
    Anything,
    Scalars,
    Numbers,
    NumbersAndBool,
}

impl Takes {
    const fn has(self, found: DataType) -> bool {
        match (self, found) {
            (Self::Anything, _) | (Self::Scalars, DataType::Scalar(_)) => true,
            (Self::Numbers, DataType::Scalar(scalar)) => is_number(scalar),
            (Self::NumbersAndBool, DataType::Scalar(scalar)) => {
                is_number(scalar) || matches!(scalar, Bool)
            }
            (_, DataType::Array(_)) => false,
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Anything => "anything",
            Self::Scalars => "everything but arrays",
            Self::Numbers => "int32, int64, float32 and float64",
            Self::NumbersAndBool => "int32, int64, float32, float64 and bool",
        }
    }
}

const fn is_number(scalar: ScalarType) -> bool {
    matches!(scalar, Int32 | Int64 | Float32 | Float64)
}

impl Function {
    /// The type of what it gives over a column of type `input`, or over `*` where there is none.
    pub fn output(&self, input: Option<DataType>) -> Result<DataType, DoesNotFit> {
        let function = self.name();
        let Some(found) = input else {
            return match self {
                Self::Count => Ok(DataType::Scalar(Int64)),
                _ => Err(DoesNotFit::NeedsColumn { function }),
            };
        };
        if !self.takes().has(found) {
            let takes = match (self, found) {
                (Self::Sum, DataType::Scalar(Bool)) => {
                    "numbers; `avg` gives the share of true, `count` with a filter their number"
                }
                _ => self.takes().words(),
            };
            return Err(DoesNotFit::Type {
                function,
                found,
                takes,
            });
        }
        Ok(self.over_fitting(found))
    }

    const fn takes(&self) -> Takes {
        match self {
            Self::Count => Takes::Anything,
            Self::Avg => Takes::NumbersAndBool,
            Self::Sum
            | Self::StddevSamp
            | Self::StddevPop
            | Self::VarSamp
            | Self::VarPop
            | Self::ApproxPercentile { .. } => Takes::Numbers,
            Self::Min
            | Self::Max
            | Self::First
            | Self::Last
            | Self::LastN { .. }
            | Self::FirstN { .. }
            | Self::CountDistinct
            | Self::ApproxCountDistinct
            | Self::TopK { .. } => Takes::Scalars,
        }
    }

    const fn over_fitting(&self, found: DataType) -> DataType {
        match self {
            Self::Count | Self::CountDistinct | Self::ApproxCountDistinct => {
                DataType::Scalar(Int64)
            }
            Self::Sum => match found {
                DataType::Scalar(Float32 | Float64) => DataType::Scalar(Float64),
                _ => DataType::Scalar(Int64),
            },
            Self::Avg
            | Self::StddevSamp
            | Self::StddevPop
            | Self::VarSamp
            | Self::VarPop
            | Self::ApproxPercentile { .. } => DataType::Scalar(Float64),
            Self::Min | Self::Max | Self::First | Self::Last => found,
            Self::LastN { .. } | Self::FirstN { .. } | Self::TopK { .. } => {
                let (DataType::Scalar(scalar) | DataType::Array(scalar)) = found;
                DataType::Array(scalar)
            }
        }
    }
}
