//! Which columns a [`Function`] takes, and what it gives.

use crate::{DataType, ScalarType};

use super::Function;

use ScalarType::{Bool, Float32, Float64, Int32, Int64};

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
        let refused = |takes| DoesNotFit::Type {
            function,
            found,
            takes,
        };
        match (self, found) {
            (Self::Count, _) => Ok(DataType::Scalar(Int64)),
            (Self::Sum, DataType::Scalar(Int32 | Int64)) => Ok(DataType::Scalar(Int64)),
            (Self::Sum, DataType::Scalar(Float32 | Float64)) => Ok(DataType::Scalar(Float64)),
            (Self::Sum, DataType::Scalar(Bool)) => Err(refused(
                "numbers; `avg` gives the share of true, `count` with a filter their number",
            )),
            (Self::Avg, DataType::Scalar(Bool | Int32 | Int64 | Float32 | Float64))
            | (
                Self::StddevSamp
                | Self::StddevPop
                | Self::VarSamp
                | Self::VarPop
                | Self::ApproxPercentile { .. },
                DataType::Scalar(Int32 | Int64 | Float32 | Float64),
            ) => Ok(DataType::Scalar(Float64)),
            (Self::Avg, _) => Err(refused("int32, int64, float32, float64 and bool")),
            (
                Self::Sum
                | Self::StddevSamp
                | Self::StddevPop
                | Self::VarSamp
                | Self::VarPop
                | Self::ApproxPercentile { .. },
                _,
            ) => Err(refused("int32, int64, float32 and float64")),
            (Self::CountDistinct | Self::ApproxCountDistinct, DataType::Scalar(_)) => {
                Ok(DataType::Scalar(Int64))
            }
            (Self::Min | Self::Max | Self::First | Self::Last, DataType::Scalar(scalar)) => {
                Ok(DataType::Scalar(scalar))
            }
            (
                Self::LastN { .. } | Self::FirstN { .. } | Self::TopK { .. },
                DataType::Scalar(scalar),
            ) => Ok(DataType::Array(scalar)),
            (
                Self::CountDistinct
                | Self::ApproxCountDistinct
                | Self::Min
                | Self::Max
                | Self::First
                | Self::Last
                | Self::LastN { .. }
                | Self::FirstN { .. }
                | Self::TopK { .. },
                DataType::Array(_),
            ) => Err(refused("everything but arrays")),
        }
    }
}
