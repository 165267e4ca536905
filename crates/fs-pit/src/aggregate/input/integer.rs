//! Integers, kept as they are.

use arrow::array::{Array, PrimitiveArray};
use arrow::datatypes::{Int32Type, Int64Type, TimestampMicrosecondType};

use super::{Input, Integer, Number};
use crate::Error;
use crate::aggregate::{Scalar, bytes, hash};

/// `int32`.
#[derive(Debug, Clone, Copy)]
pub struct Int32;

/// `int64`.
#[derive(Debug, Clone, Copy)]
pub struct Int64;

/// `timestamp`: microseconds UTC.
#[derive(Debug, Clone, Copy)]
pub struct Micros;

/// An input of integers of one width, which are kept as they are.
macro_rules! integers {
    ($input:ty, $native:ty, $arrow:ty, $scalar:ident) => {
        impl Input for $input {
            type Value<'v> = $native;
            type Column<'c> = &'c [$native];
            type Kept = $native;

            fn column(array: &dyn Array) -> Option<&[$native]> {
                let array = array.as_any().downcast_ref::<PrimitiveArray<$arrow>>()?;
                Some(array.values())
            }

            #[inline]
            fn value(column: Self::Column<'_>, row: usize) -> Self::Value<'_> {
                column[row]
            }

            fn of(scalar: Scalar<'_>) -> Option<$native> {
                match scalar {
                    Scalar::$scalar(value) => Some(value),
                    _ => None,
                }
            }

            #[inline]
            fn keep(value: $native) -> $native {
                value
            }

            #[inline]
            fn order(value: $native, kept: &$native) -> std::cmp::Ordering {
                value.cmp(kept)
            }

            fn scalar(kept: &$native) -> Scalar<'_> {
                Scalar::$scalar(*kept)
            }

            fn hash(value: $native) -> u64 {
                hash::word(i64::from(value).cast_unsigned())
            }

            fn write(kept: &$native, out: &mut Vec<u8>) {
                bytes::put_signed(i64::from(*kept), out);
            }

            fn read(bytes: &mut &[u8]) -> Result<$native, Error> {
                let number = bytes::signed(bytes)?;
                number
                    .try_into()
                    .map_err(|_too_great| bytes::broken("an integer is too great for its type"))
            }
        }

        impl Number for $input {
            const WHOLE: bool = true;

            #[expect(clippy::cast_precision_loss, reason = "the nearest will do")]
            fn number(value: $native) -> f64 {
                Self::widen(value) as f64
            }
        }

        impl Integer for $input {
            #[inline]
            fn widen(value: $native) -> i64 {
                i64::from(value)
            }
        }
    };
}

integers!(Int32, i32, Int32Type, Int32);
integers!(Int64, i64, Int64Type, Int64);
integers!(Micros, i64, TimestampMicrosecondType, Timestamp);
