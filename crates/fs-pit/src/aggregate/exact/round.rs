//! An integer times a power of two as the nearest `float64`.

use super::limbs;

/// The limbs of the greatest magnitude there is: of squares that are far, times 2^64.
pub(super) const WIDEST: usize = 72;

/// An integer of at most 53 bits, or 2^53, times a power of two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rounded {
    /// The integer.
    pub(super) mantissa: u64,
    /// What its lowest bit is worth, as a power of two.
    pub(super) exponent: i32,
}

impl Rounded {
    /// The magnitude times 2 to the power of `exponent`, rounded to 53 bits, ties to even, and to no bit
    /// that is worth less than 2 to the power of `least`. The highest bit must not be set.
    pub(super) fn nearest(magnitude: &[u64], exponent: i32, least: i32) -> Self {
        let zero = Self {
            mantissa: 0,
            exponent: 0,
        };
        let Some(top) = magnitude.iter().rposition(|limb| *limb != 0) else {
            return zero;
        };
        let Ok(limbs) = i32::try_from(top) else {
            return zero;
        };
        let length = 64 * limbs + 64 - magnitude[top].leading_zeros().cast_signed();
        let dropped = (length - 53).max(least - exponent);
        let mantissa = limbs::window(magnitude, dropped) & ((1 << 53) - 1);
        let half = dropped > 0 && limbs::window(magnitude, dropped - 1) & 1 == 1;
        let more = half && lowest(magnitude).is_some_and(|lowest| lowest < dropped - 1);
        let up = half && (more || mantissa & 1 == 1);
        Self {
            mantissa: mantissa + u64::from(up),
            exponent: exponent + dropped,
        }
    }
}

/// The integer, in two's complement, times 2 to the power of `exponent`, rounded once to the nearest
/// number, ties to even; infinite beyond all numbers.
pub(super) fn round(limbs: &[u64], exponent: i32) -> f64 {
    let magnitude: [u64; WIDEST] = limbs::magnitude(limbs);
    let Rounded { mantissa, exponent } = Rounded::nearest(&magnitude, exponent, -1074);
    if mantissa == 0 {
        return 0.0;
    }
    // The bit that goes without saying adds one to the exponent, and so does what rounding carries.
    let field = u64::try_from(exponent + 1074).unwrap_or(0);
    let bits = (field.min(0x7ff) << 52) + mantissa;
    let number = f64::from_bits(bits.min(f64::INFINITY.to_bits()));
    if limbs::is_negative(limbs) {
        -number
    } else {
        number
    }
}

/// The lowest bit that is set.
fn lowest(magnitude: &[u64]) -> Option<i32> {
    let limb = magnitude.iter().position(|limb| *limb != 0)?;
    Some(64 * i32::try_from(limb).ok()? + magnitude[limb].trailing_zeros().cast_signed())
}
