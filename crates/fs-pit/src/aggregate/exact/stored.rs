//! Exact sums as bytes: the same for equal sums, wherever their bits are.

use super::{Exact, limbs};
use crate::Error;
use crate::aggregate::bytes;

impl<const NEAR: usize, const FAR: usize> Exact<NEAR, FAR> {
    /// Appends the sum: how many bytes the integer has, what its lowest bit is worth, and the integer without the
    /// zeros at its end. Of zero only that it has no bytes.
    pub(in crate::aggregate) fn write(&self, out: &mut Vec<u8>) {
        let (limbs, exponent) = self.parts();
        let Some((low, high)) = limbs::span(limbs) else {
            return bytes::put_count(0, out);
        };
        let length = (high - low) / 8 + 1;
        bytes::put_count(u64::from(length.unsigned_abs()), out);
        bytes::put_signed(i64::from(exponent + low), out);
        for at in 0..length {
            out.push(limbs::window(limbs, low + 8 * at).to_le_bytes()[0]);
        }
    }

    /// Takes a sum off the front of `bytes`.
    pub(in crate::aggregate) fn read(bytes: &mut &[u8]) -> Result<Self, Error> {
        let length = bytes::length(bytes, 1)?;
        let mut sum = Self::zero();
        if length == 0 {
            return Ok(sum);
        }
        let beyond = || bytes::broken("a sum is beyond all numbers");
        let exponent = i32::try_from(bytes::signed(bytes)?).map_err(|_beyond| beyond())?;
        let (integer, rest) = bytes.split_at_checked(length).ok_or_else(beyond)?;
        let far = i64::from(exponent) - i64::from(Self::LEAST);
        if far < 0 || far.unsigned_abs() + 8 * length as u64 > 64 * FAR as u64 {
            return Err(beyond());
        }
        *bytes = rest;
        let negative = integer.last().is_some_and(|last| *last >= 0x80);
        let fill = if negative { 0xff } else { 0 };
        let limb = |at: usize| {
            let byte = |of: usize| integer.get(8 * at + of).copied().unwrap_or(fill);
            u64::from_le_bytes(std::array::from_fn(byte))
        };
        if length <= 8 * NEAR {
            sum.add(&std::array::from_fn(limb), exponent);
        } else {
            sum.add_far(
                &std::array::from_fn::<u64, FAR, _>(limb),
                exponent - Self::LEAST,
            );
        }
        Ok(sum)
    }
}
