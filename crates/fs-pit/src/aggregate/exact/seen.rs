//! [`Seen`]: how many numbers there were, and which of them no sum can hold.

use crate::Error;
use crate::aggregate::bytes;

/// How many numbers there were, and whether some were NaN or infinite.
///
/// One word: three bits for these, the rest for the number, which no time suffices to exhaust.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::aggregate) struct Seen(u64);

const NAN: u64 = 1 << 63;
const INFINITE: u64 = 1 << 62;
const MINUS_INFINITE: u64 = 1 << 61;
const COUNT: u64 = MINUS_INFINITE - 1;

impl Seen {
    /// No numbers.
    pub(in crate::aggregate) const NONE: Self = Self(0);

    /// How many numbers, those that are none included.
    #[inline]
    pub(in crate::aggregate) const fn count(self) -> u64 {
        self.0 & COUNT
    }

    /// Adds a number; says whether it can be added to a sum.
    #[inline]
    pub(in crate::aggregate) fn add(&mut self, number: f64) -> bool {
        self.0 = self.0.wrapping_add(1);
        let finite = number.is_finite();
        if !finite {
            self.0 |= match number {
                f64::INFINITY => INFINITE,
                f64::NEG_INFINITY => MINUS_INFINITE,
                _ => NAN,
            };
        }
        finite
    }

    #[inline]
    pub(in crate::aggregate) const fn merge(&mut self, other: Self) {
        let count = (self.count() + other.count()) & COUNT;
        self.0 = ((self.0 | other.0) & !COUNT) | count;
    }

    /// What the sum is, whatever the finite numbers are, as additions would have it; `None` if only these count.
    #[inline]
    pub(in crate::aggregate) const fn sum(self) -> Option<f64> {
        match self.0 & !COUNT {
            0 => None,
            INFINITE => Some(f64::INFINITY),
            MINUS_INFINITE => Some(f64::NEG_INFINITY),
            _ => Some(f64::NAN),
        }
    }

    pub(in crate::aggregate) fn write(self, out: &mut Vec<u8>) {
        bytes::put_count(self.0.rotate_left(3), out);
    }

    pub(in crate::aggregate) fn read(bytes: &mut &[u8]) -> Result<Self, Error> {
        bytes::count(bytes).map(|word| Self(word.rotate_right(3)))
    }
}
