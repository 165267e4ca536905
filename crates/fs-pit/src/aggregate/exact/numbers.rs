//! From numbers to exact sums, and back.

use super::round::round;
use super::{ExactSquares, ExactSum, limbs};

/// The fraction of a `float64`, without the bit that goes without saying.
const FRACTION: u64 = (1 << 52) - 1;

impl ExactSum {
    /// Adds a number that is neither infinite nor NaN.
    #[inline]
    pub(in crate::aggregate) fn add_number(&mut self, number: f64) {
        let (mantissa, exponent) = split(number);
        let mantissa = i128::from(if number < 0.0 { -mantissa } else { mantissa });
        if let Self::Near {
            limbs,
            exponent: at,
        } = self
        {
            let by = (exponent - i32::from(*at)).cast_unsigned();
            // 53 bits, shifted by 73, leave one for the sign and one for what is carried.
            if by <= 73 {
                let (sum, beyond) = join(*limbs).overflowing_add(mantissa << by);
                if !beyond {
                    *limbs = halves(sum);
                    return;
                }
            }
        }
        self.add(&halves(mantissa), exponent);
    }

    /// The sum, rounded once to the nearest number, ties to even.
    pub(in crate::aggregate) fn get(&self) -> f64 {
        match self {
            // Multiplying by a power of two is exact as long as the result is no subnormal.
            Self::Near { limbs, exponent } if exponent.unsigned_abs() < 800 => {
                #[expect(
                    clippy::cast_precision_loss,
                    reason = "it is rounded here, and only here"
                )]
                let integer = join(*limbs) as f64;
                integer * power_of_two(i32::from(*exponent))
            }
            _ => {
                let (limbs, exponent) = self.parts();
                round(limbs, exponent)
            }
        }
    }
}

impl ExactSquares {
    /// Adds the square of a number that is neither infinite nor NaN.
    #[inline]
    pub(in crate::aggregate) fn add_square(&mut self, number: f64) {
        let (mantissa, exponent) = split(number);
        let mantissa = u128::from(mantissa.unsigned_abs());
        let [low, high] = halves((mantissa * mantissa).cast_signed());
        let square = [low, high, 0, 0];
        if let Self::Near {
            limbs,
            exponent: at,
        } = self
        {
            let by = 2 * exponent - i32::from(*at);
            if (0..=146).contains(&by)
                && let Some(sum) = limbs::checked_add(limbs, &limbs::shift(&square, by))
            {
                *limbs = sum;
                return;
            }
        }
        self.add(&square, 2 * exponent);
    }
}

/// A number without its sign as an integer below 2^53 times a power of two. Zero is worth as much as a
/// near sum is at first, so that it takes the quick way.
#[inline]
pub(super) const fn split(number: f64) -> (i64, i32) {
    let bits = number.to_bits();
    let field = ((bits >> 52) & 0x7ff) as i32;
    let fraction = (bits & FRACTION).cast_signed();
    match (field, fraction) {
        (0, 0) => (0, -80),
        (0, _) => (fraction, -1074),
        _ => (fraction | (1 << 52), field - 1075),
    }
}

/// 2 to a power for which there is a normal number.
pub(super) const fn power_of_two(exponent: i32) -> f64 {
    f64::from_bits(((exponent + 1023).unsigned_abs() as u64) << 52)
}

#[inline]
#[expect(
    clippy::cast_possible_truncation,
    reason = "the halves are taken apart"
)]
pub(in crate::aggregate) const fn halves(integer: i128) -> [u64; 2] {
    let bits = integer.cast_unsigned();
    [bits as u64, (bits >> 64) as u64]
}

#[inline]
pub(in crate::aggregate) const fn join(halves: [u64; 2]) -> i128 {
    ((halves[1] as i128) << 64) | halves[0] as i128
}
