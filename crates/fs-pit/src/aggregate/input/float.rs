//! Floating-point numbers, kept as bits that are in total order.

use std::num::{NonZeroU32, NonZeroU64};

use arrow::array::{Array, PrimitiveArray};
use arrow::datatypes::{Float32Type, Float64Type};

use super::{Float, Input, Number};
use crate::Error;
use crate::aggregate::{Scalar, bytes, hash};

/// `float32`.
#[derive(Debug, Clone, Copy)]
pub struct Float32;

/// `float64`.
#[derive(Debug, Clone, Copy)]
pub struct Float64;

/// A `float32` in total order: the bits, those of negative numbers turned around. There is one NaN.
///
/// No number has the key 0, so that an `Option` of it takes no more room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct F32(NonZeroU32);

/// A `float64` in total order: the bits, those of negative numbers turned around. There is one NaN.
///
/// No number has the key 0, so that an `Option` of it takes no more room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct F64(NonZeroU64);

macro_rules! floats {
    (
        $input:ty, $kept:ident, $native:ty, $arrow:ty, $scalar:ident,
        $nonzero:ty, $bits:ty, $bytes:literal
    ) => {
        impl $kept {
            const SIGN: $bits = 1 << (<$bits>::BITS - 1);
            const NAN: $nonzero = match <$nonzero>::new(<$native>::NAN.to_bits() ^ Self::SIGN) {
                Some(key) => key,
                None => <$nonzero>::MIN,
            };

            /// The key of a number.
            #[inline]
            pub fn new(number: $native) -> Self {
                let bits = number.to_bits();
                // All bits of a negative number are turned around, of another only the sign.
                let turn = (bits.cast_signed() >> (<$bits>::BITS - 1)).cast_unsigned();
                match <$nonzero>::new(bits ^ (turn | Self::SIGN)) {
                    Some(key) if !number.is_nan() => Self(key),
                    _ => Self(Self::NAN),
                }
            }

            /// The number.
            #[inline]
            pub const fn get(self) -> $native {
                let key = self.0.get();
                let bits = if key & Self::SIGN == 0 {
                    !key
                } else {
                    key ^ Self::SIGN
                };
                <$native>::from_bits(bits)
            }
        }

        impl Input for $input {
            type Value<'v> = $native;
            type Column<'c> = &'c [$native];
            type Kept = $kept;

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
            fn keep(value: $native) -> $kept {
                <$kept>::new(value)
            }

            #[inline]
            fn order(value: $native, kept: &$kept) -> std::cmp::Ordering {
                <$kept>::new(value).cmp(kept)
            }

            fn scalar(kept: &$kept) -> Scalar<'_> {
                Scalar::$scalar(kept.get())
            }

            fn hash(value: $native) -> u64 {
                hash::word(<$kept>::new(value).0.get().into())
            }

            fn write(kept: &$kept, out: &mut Vec<u8>) {
                out.extend_from_slice(&kept.get().to_le_bytes());
            }

            fn read(bytes: &mut &[u8]) -> Result<$kept, Error> {
                let number = bytes::array::<$bytes>(bytes)?;
                Ok(<$kept>::new(<$native>::from_le_bytes(number)))
            }
        }

        impl Number for $input {
            const WHOLE: bool = false;

            fn number(value: $native) -> f64 {
                f64::from(value)
            }
        }

        impl Float for $input {
            #[inline]
            fn widen(value: $native) -> f64 {
                f64::from(value)
            }
        }
    };
}

floats!(Float32, F32, f32, Float32Type, Float32, NonZeroU32, u32, 4);
floats!(Float64, F64, f64, Float64Type, Float64, NonZeroU64, u64, 8);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_in_total_order_with_one_nan_as_the_greatest() {
        let numbers = [
            f64::NEG_INFINITY,
            f64::MIN,
            -1.0,
            -5e-324,
            -0.0,
            0.0,
            5e-324,
            1.0,
            f64::MAX,
            f64::INFINITY,
            f64::NAN,
        ];
        assert!(numbers.map(F64::new).is_sorted_by(|a, b| a < b));
        for number in numbers {
            assert_eq!(F64::new(number).get().to_bits(), number.to_bits());
        }
        for bits in [u64::MAX, 0xfff0_0000_0000_0001, 0x7fff_ffff_ffff_ffff] {
            assert_eq!(F64::new(f64::from_bits(bits)), F64::new(f64::NAN));
        }
        assert_eq!(F32::new(-f32::NAN), F32::new(f32::NAN));
        assert_eq!(F32::new(-1.5).get().to_bits(), (-1.5_f32).to_bits());
    }

    #[test]
    fn a_number_that_may_be_missing_takes_eight_bytes() {
        assert_eq!(size_of::<Option<F64>>(), 8);
        assert_eq!(size_of::<Option<F32>>(), 4);
    }
}
