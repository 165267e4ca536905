//! How many different values made the registers what they are: algorithm 6 of Ertl, "New cardinality
//! estimation algorithms for `HyperLogLog` sketches", 2017.
//!
//! Only additions, multiplications, divisions and square roots are used, which are the same on every
//! machine.

use super::{GREATEST, REGISTERS};

/// 1 / (2 ln 2).
const ALPHA: f64 = 0.721_347_520_444_481_7;

/// About how many different values there were, where so many registers have each value.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it is a whole number, not negative, and stops at 64 bits"
)]
pub(super) fn different(histogram: &[u32; GREATEST as usize + 1]) -> u64 {
    let [unused, used @ .., full] = histogram.map(f64::from);
    let registers = f64::from(1 << super::INDEX_BITS);
    debug_assert_eq!(REGISTERS, 1 << super::INDEX_BITS);
    let mut sum = registers * high(1.0 - full / registers);
    for count in used.iter().rev() {
        sum = 0.5 * (sum + count);
    }
    sum += registers * low(unused / registers);
    (ALPHA * registers * registers / sum).round() as u64
}

/// The part of registers that are not in use: x + x^2 + 2 x^4 + 4 x^8 …
fn low(part: f64) -> f64 {
    if part >= 1.0 {
        return f64::INFINITY;
    }
    let (mut power, mut factor, mut sum) = (part, 1.0, part);
    loop {
        power *= power;
        let before = sum;
        sum += power * factor;
        factor += factor;
        if sum <= before {
            return sum;
        }
    }
}

/// The part of registers that are not full: (1 - x - (1 - x^(1/2))^2 / 2 - (1 - x^(1/4))^2 / 4 …) / 3.
fn high(part: f64) -> f64 {
    if part <= 0.0 || part >= 1.0 {
        return 0.0;
    }
    let (mut root, mut factor, mut sum) = (part, 1.0, 1.0 - part);
    loop {
        root = root.sqrt();
        let before = sum;
        factor *= 0.5;
        sum -= (1.0 - root).powi(2) * factor;
        if sum >= before {
            return sum / 3.0;
        }
    }
}
