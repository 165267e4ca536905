//! [`spread`]: how far numbers are spread around their mean, from their exact sums.

use super::limbs;
use super::numbers::{halves, power_of_two};
use super::round::{Rounded, WIDEST};
use super::{Exact, ExactSquares, ExactSum};

/// Limbs for the products of near sums, each at most 5, with room to line them up.
const NEAR: usize = 24;
/// So many bits may lie between their lowest ones.
const ROOM: u32 = 64 * 18;

/// `count` times the sum of the squares, less the square of the sum: `count` squared times the variance.
///
/// It is exact until it is rounded to 53 bits, so nothing cancels, and it is never negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::aggregate) struct Spread(Rounded);

/// The spread of numbers whose sums are `sum` and `squares`.
pub(in crate::aggregate) fn spread(count: u64, sum: &ExactSum, squares: &ExactSquares) -> Spread {
    let near = matches!((sum, squares), (Exact::Near { .. }, Exact::Near { .. }));
    let ((integer, at), (product, from)) = (sum.parts(), squares.parts());
    if near && (2 * at - from).unsigned_abs() < ROOM {
        let magnitude: [u64; 2] = limbs::magnitude(integer);
        return difference::<NEAR>(count, &magnitude, at, product, from);
    }
    let (mut sum, mut squares) = (sum.clone(), squares.clone());
    sum.add_far(&[], 0);
    squares.add_far(&[], 0);
    let ((integer, at), (product, from)) = (sum.parts(), squares.parts());
    let magnitude: [u64; 34] = limbs::magnitude(integer);
    difference::<WIDEST>(count, &magnitude, at, product, from)
}

/// The spread of integers whose sums are `sum` and `squares`.
pub(in crate::aggregate) fn spread_of_integers(count: u64, sum: i128, squares: [u64; 3]) -> Spread {
    let magnitude = halves(sum.unsigned_abs().cast_signed());
    difference::<6>(count, &magnitude, 0, &squares, 0)
}

fn difference<const N: usize>(
    count: u64,
    sum: &[u64],
    at: i32,
    squares: &[u64],
    from: i32,
) -> Spread {
    let exponent = from.min(2 * at);
    let mut difference = [0; N];
    multiply_add(&mut difference, squares, &[count]);
    let mut difference = limbs::shift(&difference, from - exponent);
    let mut square = [0; N];
    multiply_add(&mut square, sum, sum);
    let square = limbs::shift(&square, 2 * at - exponent);
    let mut borrow = false;
    for (limb, square) in difference.iter_mut().zip(&square) {
        (*limb, borrow) = limb.borrowing_sub(*square, borrow);
    }
    Spread(Rounded::nearest(&difference, exponent, i32::MIN / 2))
}

/// Adds the product of two magnitudes to a third, which has room for it.
fn multiply_add(product: &mut [u64], one: &[u64], other: &[u64]) {
    for (at, limb) in one.iter().enumerate().filter(|(_, limb)| **limb != 0) {
        let mut carry = 0;
        for (place, factor) in product.iter_mut().skip(at).zip(other.iter().chain([&0])) {
            (*place, carry) = limb.carrying_mul_add(*factor, *place, carry);
        }
    }
}

impl Spread {
    /// The spread by `divisor`, which is `count` squared for the variance of all.
    pub(in crate::aggregate) fn over(self, divisor: u128) -> f64 {
        #[expect(
            clippy::cast_precision_loss,
            reason = "each is rounded once, to the nearest"
        )]
        let mut quotient = self.0.mantissa as f64 / divisor as f64;
        let mut exponent = self.0.exponent;
        while exponent.unsigned_abs() > 1000 {
            let step = exponent.signum() * 1000;
            quotient *= power_of_two(step);
            exponent -= step;
        }
        quotient * power_of_two(exponent)
    }
}
