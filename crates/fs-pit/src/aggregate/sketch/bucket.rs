//! [`Bucket`]: numbers that have their sign, their magnitude and their first bits in common.

/// The bits after the first that tell buckets apart: 64 buckets between a number and its double.
const BITS: u32 = 6;
/// The bits that do not.
const SHIFT: u32 = 52 - BITS;
/// Infinity.
const INFINITE: i32 = 0x7ff << BITS;
/// NaN, beyond infinity.
const NAN: i32 = INFINITE + 1;

/// The numbers from one to the next that has few bits, without the latter: 64 of them from one power of two to
/// the next.
///
/// ```text
///   65 .. 66   128 .. 130   1.5 .. 1.515625   -65 .. -66   0: all that have no normal magnitude
/// ```
///
/// The middle of a bucket is at most 1/128 of any of its numbers away. Finding the bucket of a number takes no
/// logarithm, only bits, so it is the same on every machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Bucket(i32);

impl Bucket {
    /// The bucket of a number.
    pub(super) fn of(number: f64) -> Self {
        if number.is_nan() {
            return Self(NAN);
        }
        let magnitude = number.abs();
        if magnitude < f64::MIN_POSITIVE {
            return Self(0);
        }
        let bucket = (magnitude.to_bits() >> SHIFT) as i32;
        Self(if number < 0.0 { -bucket } else { bucket })
    }

    /// The bucket with a number; `None` if there is none.
    pub(super) fn numbered(number: i64) -> Option<Self> {
        let number = i32::try_from(number).ok()?;
        let there = (-INFINITE..=NAN).contains(&number);
        // Below the least normal number there is nothing but zero.
        (there && !(1..1 << BITS).contains(&number.abs())).then_some(Self(number))
    }

    /// Its number; the buckets of greater numbers have greater ones.
    pub(super) fn number(self) -> i64 {
        i64::from(self.0)
    }

    /// The number in its middle.
    pub(super) fn middle(self) -> f64 {
        let bucket = u64::from(self.0.unsigned_abs());
        let magnitude = match self.0 {
            NAN => return f64::NAN,
            0 => return 0.0,
            INFINITE.. => f64::INFINITY,
            _ if self.0 == -INFINITE => f64::INFINITY,
            _ => f64::from_bits((bucket << SHIFT) | (1 << (SHIFT - 1))),
        };
        if self.0 < 0 { -magnitude } else { magnitude }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn whole_numbers_up_to_127_have_a_bucket_each() {
        let buckets: Vec<Bucket> = (-127..=127).map(|n| Bucket::of(f64::from(n))).collect();
        assert!(buckets.is_sorted_by(|a, b| a < b));
        for (number, bucket) in (-127..=127).zip(buckets) {
            let middle = bucket.middle().abs();
            let number = f64::from(number).abs();
            assert!(number <= middle && middle < number + 1.0);
        }
    }

    proptest! {
        #[test]
        fn the_middle_of_a_bucket_is_at_most_1_in_128_away(number: f64) {
            let bucket = Bucket::of(number);
            prop_assert_eq!(Bucket::numbered(bucket.number()), Some(bucket));
            if number.is_normal() {
                let off = (bucket.middle() - number).abs() / number.abs();
                prop_assert!(off <= 1.0 / 128.0, "{off}");
                prop_assert_eq!(Bucket::of(bucket.middle()), bucket);
            }
        }

        #[test]
        fn greater_numbers_have_no_lesser_buckets(one: f64, other: f64) {
            if one <= other {
                prop_assert!(Bucket::of(one) <= Bucket::of(other));
            }
        }
    }
}
