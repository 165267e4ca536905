//! The small parts of states as bytes.
//!
//! | Part | Bytes |
//! |---|---|
//! | a count | 1 to 10: seven bits each, lowest first, the eighth says that more follow |
//! | a signed number | the same of 0, -1, 1, -2, 2 … |
//! | a word | 8, little-endian |
//! | a text | its length as a count, and itself |

use crate::Error;

/// What is wrong with bytes that should hold a state.
pub(crate) const fn broken(problem: &'static str) -> Error {
    Error::BrokenState { problem }
}

pub(crate) fn put_count(mut count: u64, out: &mut Vec<u8>) {
    while count >= 0x80 {
        out.push(count.to_le_bytes()[0] | 0x80);
        count >>= 7;
    }
    out.push(count.to_le_bytes()[0]);
}

pub(crate) fn count(bytes: &mut &[u8]) -> Result<u64, Error> {
    let mut count = 0_u64;
    for shift in (0..64).step_by(7) {
        let byte = byte(bytes)?;
        let bits = u64::from(byte & 0x7f);
        if shift == 63 && bits > 1 {
            break;
        }
        count |= bits << shift;
        if byte & 0x80 == 0 {
            return Ok(count);
        }
    }
    Err(broken("a number is longer than 64 bits"))
}

pub(crate) fn put_signed(number: i64, out: &mut Vec<u8>) {
    put_count(((number << 1) ^ (number >> 63)).cast_unsigned(), out);
}

pub(crate) fn signed(bytes: &mut &[u8]) -> Result<i64, Error> {
    let folded = count(bytes)?;
    Ok((folded >> 1).cast_signed() ^ -(folded & 1).cast_signed())
}

pub(crate) fn byte(bytes: &mut &[u8]) -> Result<u8, Error> {
    let (first, rest) = bytes.split_first().ok_or_else(too_short)?;
    *bytes = rest;
    Ok(*first)
}

pub(crate) fn put_word(word: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(&word.to_le_bytes());
}

pub(crate) fn word(bytes: &mut &[u8]) -> Result<u64, Error> {
    array(bytes).map(u64::from_le_bytes)
}

pub(crate) fn array<const N: usize>(bytes: &mut &[u8]) -> Result<[u8; N], Error> {
    let (first, rest) = bytes.split_first_chunk().ok_or_else(too_short)?;
    *bytes = rest;
    Ok(*first)
}

pub(crate) fn put_text(text: &[u8], out: &mut Vec<u8>) {
    put_count(text.len() as u64, out);
    out.extend_from_slice(text);
}

pub(crate) fn text<'a>(bytes: &mut &'a [u8]) -> Result<&'a [u8], Error> {
    let length = usize::try_from(count(bytes)?).map_err(|_too_long| too_short())?;
    let (text, rest) = bytes.split_at_checked(length).ok_or_else(too_short)?;
    *bytes = rest;
    Ok(text)
}

/// How many things follow, each of at least `least` bytes: never more than there are bytes for.
pub(crate) fn length(bytes: &mut &[u8], least: usize) -> Result<usize, Error> {
    let length = usize::try_from(count(bytes)?).map_err(|_too_long| too_short())?;
    let fits = length.checked_mul(least).is_some_and(|n| n <= bytes.len());
    if fits { Ok(length) } else { Err(too_short()) }
}

fn too_short() -> Error {
    broken("it ends too early")
}

/// A signed number of 128 bits: its length in bytes, 0 to 16, and so many, little-endian, of which the
/// last is filled up with the sign.
pub(crate) fn put_wide(number: i128, out: &mut Vec<u8>) {
    let used = match number {
        0 => 0,
        _ => (128 - (number ^ (number >> 127)).leading_zeros()) as usize / 8 + 1,
    };
    out.push(used.to_le_bytes()[0]);
    out.extend_from_slice(&number.to_le_bytes()[..used]);
}

pub(crate) fn wide(bytes: &mut &[u8]) -> Result<i128, Error> {
    let used = usize::from(byte(bytes)?);
    let (number, rest) = bytes.split_at_checked(used).ok_or_else(too_short)?;
    let filled = number.last().is_some_and(|last| *last >= 0x80);
    let mut all = [if filled { 0xff } else { 0 }; 16];
    let place = all.get_mut(..used);
    place
        .ok_or_else(|| broken("a number is longer than 128 bits"))?
        .copy_from_slice(number);
    *bytes = rest;
    Ok(i128::from_le_bytes(all))
}
