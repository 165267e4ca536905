//! Integers of many limbs in two's complement: 64 bits each, the lowest first, the last with the sign.

/// Sixty-four bits of an integer that goes on for ever, from bit `from` on: zeros below it, its sign
/// above it.
#[inline]
pub(super) fn window(limbs: &[u64], from: i32) -> u64 {
    let (limb, bit) = (from.div_euclid(64), from.rem_euclid(64));
    let low = at(limbs, limb) >> bit;
    match bit {
        0 => low,
        _ => low | (at(limbs, limb + 1) << (64 - bit)),
    }
}

#[inline]
fn at(limbs: &[u64], limb: i32) -> u64 {
    match usize::try_from(limb) {
        Ok(limb) => limbs.get(limb).copied().unwrap_or_else(|| fill(limbs)),
        Err(_below) => 0,
    }
}

/// The limb that goes on above: all bits the sign.
#[inline]
fn fill(limbs: &[u64]) -> u64 {
    if is_negative(limbs) { u64::MAX } else { 0 }
}

pub(super) fn is_negative(limbs: &[u64]) -> bool {
    limbs.last().is_some_and(|last| *last >> 63 == 1)
}

/// Where the bits of an integer that say something begin and end, the sign left out: it is a multiple of
/// 2^begin and lies from -2^end to below 2^end. `None` of zero.
pub(super) fn span(limbs: &[u64]) -> Option<(i32, i32)> {
    let fill = fill(limbs);
    let lowest = limbs.iter().position(|limb| *limb != 0)?;
    let begin = 64 * lowest + limbs[lowest].trailing_zeros() as usize;
    let end = limbs
        .iter()
        .rposition(|limb| *limb != fill)
        .map_or(0, |limb| {
            64 * limb + 64 - (limbs[limb] ^ fill).leading_zeros() as usize
        });
    Some((
        i32::try_from(begin).ok()?,
        i32::try_from(end.max(begin)).ok()?,
    ))
}

/// The integer times 2 to the power of `by`; bits that do not fit are lost at both ends.
#[inline]
pub(super) fn shift<const N: usize>(limbs: &[u64; N], by: i32) -> [u64; N] {
    let mut from = -by;
    limbs.map(|_| {
        let limb = window(limbs, from);
        from += 64;
        limb
    })
}

/// The sum; `None` if it does not fit.
#[inline]
pub(super) fn checked_add<const N: usize>(one: &[u64; N], other: &[u64; N]) -> Option<[u64; N]> {
    let mut sum = *one;
    let mut carry = false;
    for (limb, other) in sum.iter_mut().zip(other) {
        (*limb, carry) = limb.carrying_add(*other, carry);
    }
    // It overflows if both have a sign that the sum has not.
    let beyond = (sum[N - 1] ^ one[N - 1]) & (sum[N - 1] ^ other[N - 1]);
    (beyond >> 63 == 0).then_some(sum)
}

/// Adds `other` times 2 to the power of `by`, which must fit; bits below the first are zero.
pub(super) fn add_shifted(limbs: &mut [u64], other: &[u64], by: i32) {
    let first = usize::try_from(by / 64).unwrap_or(0);
    let mut carry = false;
    let mut from = i32::try_from(64 * first).unwrap_or(i32::MAX) - by;
    for limb in limbs.iter_mut().skip(first) {
        (*limb, carry) = limb.carrying_add(window(other, from), carry);
        from = from.saturating_add(64);
    }
}

/// The integer without its sign, in the limbs that it has; the rest are zero.
pub(super) fn magnitude<const N: usize>(limbs: &[u64]) -> [u64; N] {
    let mut magnitude = [0; N];
    let turned = fill(limbs);
    let mut carry = turned != 0;
    for (place, limb) in magnitude.iter_mut().zip(limbs) {
        (*place, carry) = (limb ^ turned).carrying_add(0, carry);
    }
    magnitude
}
