//! [`Values`]: the values that the events of a block have of one input.

use fs_core::{DataType, ScalarType};

use super::block::bits;
use super::event::utf8;
use super::mask;
use super::packed::{self, Packed};
use crate::Error;
use crate::aggregate::Scalar;
use crate::aggregate::bytes::{broken, byte};

/// The values of an input.
#[derive(Debug, Clone, Copy)]
pub(super) struct Values<'a> {
    /// Which events have one.
    pub(super) there: u64,
    form: Form<'a>,
}

#[derive(Debug, Clone, Copy)]
enum Form<'a> {
    Rows,
    Bool(u64),
    Int32(Packed<'a>),
    Int64(Packed<'a>),
    Timestamp(Packed<'a>),
    Whole32(Packed<'a>),
    Whole64(Packed<'a>),
    Float32(&'a [[u8; 4]]),
    Narrow64(&'a [[u8; 4]]),
    Float64(&'a [[u8; 8]]),
    String(Packed<'a>, &'a [u8]),
    Bytes(Packed<'a>, &'a [u8]),
}

const WHOLE: u8 = 1;
const FOUR: u8 = 2;
const EIGHT: u8 = 4;

impl<'a> Values<'a> {
    /// Takes the values of `count` events off the front of `bytes`.
    pub(super) fn read(
        data_type: DataType,
        bytes: &mut &'a [u8],
        count: usize,
    ) -> Result<Self, Error> {
        let there = mask::read(bytes, count)?;
        let length = there.count_ones() as usize;
        let form = match data_type {
            DataType::Scalar(scalar) if length > 0 => Form::read(scalar, bytes, length)?,
            _ => Form::Rows,
        };
        Ok(Self { there, form })
    }

    /// The value of an event that has one.
    #[inline]
    pub(super) fn get(&self, event: usize) -> Option<Scalar<'a>> {
        let bit = 1_u64 << event;
        if self.there & bit == 0 {
            return None;
        }
        // How many of the events before it have a value.
        self.form
            .get((self.there & (bit - 1)).count_ones() as usize)
    }
}

impl<'a> Form<'a> {
    fn read(scalar: ScalarType, bytes: &mut &'a [u8], length: usize) -> Result<Self, Error> {
        let float = matches!(scalar, ScalarType::Float32 | ScalarType::Float64);
        let width = if float { byte(bytes)? } else { WHOLE };
        let is_32 = scalar == ScalarType::Float32;
        Ok(match (scalar, width) {
            (ScalarType::Bool, _) => Self::Bool(mask::read(bytes, length)?),
            (ScalarType::Int32, _) => Self::Int32(Packed::read(bytes, length)?),
            (ScalarType::Int64, _) => Self::Int64(Packed::read(bytes, length)?),
            (ScalarType::Timestamp, _) => Self::Timestamp(Packed::read(bytes, length)?),
            (ScalarType::Float32 | ScalarType::Float64, WHOLE) => {
                let numbers = Packed::read(bytes, length)?;
                if is_32 {
                    Self::Whole32(numbers)
                } else {
                    Self::Whole64(numbers)
                }
            }
            (ScalarType::Float32 | ScalarType::Float64, FOUR) => {
                let numbers = numbers::<4>(bytes, length)?;
                if is_32 {
                    Self::Float32(numbers)
                } else {
                    Self::Narrow64(numbers)
                }
            }
            (ScalarType::Float64, EIGHT) => Self::Float64(numbers::<8>(bytes, length)?),
            (ScalarType::Float32 | ScalarType::Float64, _) => {
                return Err(broken("numbers of a block are of no known width"));
            }
            (ScalarType::String | ScalarType::Bytes, _) => {
                let ends = Packed::read(bytes, length)?;
                let end = usize::try_from(ends.get(length - 1)).ok();
                let split = end.and_then(|end| bytes.split_at_checked(end));
                let (texts, rest) = split.ok_or(broken("the texts of a block end too early"))?;
                *bytes = rest;
                if scalar == ScalarType::String {
                    Self::String(ends, texts)
                } else {
                    Self::Bytes(ends, texts)
                }
            }
        })
    }

    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "only numbers that are exact were written so"
    )]
    #[inline]
    fn get(&self, at: usize) -> Option<Scalar<'a>> {
        Some(match self {
            Self::Rows => Scalar::Row,
            Self::Bool(bits) => Scalar::Bool(bits & (1 << at) != 0),
            Self::Int32(numbers) => Scalar::Int32(numbers.get(at) as i32),
            Self::Int64(numbers) => Scalar::Int64(numbers.get(at)),
            Self::Timestamp(numbers) => Scalar::Timestamp(numbers.get(at)),
            Self::Whole32(numbers) => Scalar::Float32(numbers.get(at) as f32),
            Self::Whole64(numbers) => Scalar::Float64(numbers.get(at) as f64),
            Self::Float32(numbers) => Scalar::Float32(f32::from_le_bytes(*numbers.get(at)?)),
            Self::Narrow64(numbers) => {
                Scalar::Float64(f32::from_le_bytes(*numbers.get(at)?).into())
            }
            Self::Float64(numbers) => Scalar::Float64(f64::from_le_bytes(*numbers.get(at)?)),
            Self::String(ends, texts) => Scalar::String(utf8(text(ends, texts, at)?).ok()?),
            Self::Bytes(ends, texts) => Scalar::Bytes(text(ends, texts, at)?),
        })
    }
}

fn text<'a>(ends: &Packed<'a>, texts: &'a [u8], at: usize) -> Option<&'a [u8]> {
    let before = at.checked_sub(1).map_or(0, |before| ends.get(before));
    let range = usize::try_from(before).ok()?..usize::try_from(ends.get(at)).ok()?;
    texts.get(range)
}

fn numbers<'a, const W: usize>(
    bytes: &mut &'a [u8],
    length: usize,
) -> Result<&'a [[u8; W]], Error> {
    let split = bytes.split_at_checked(W * length);
    let (taken, rest) = split.ok_or(broken("the numbers of a block end too early"))?;
    *bytes = rest;
    Ok(taken.as_chunks().0)
}

/// Appends values that are there, of one type; at least one.
pub(super) fn put_values(scalar: ScalarType, values: &[Scalar<'_>], out: &mut Vec<u8>) {
    let number = |value: &Scalar<'_>| match value {
        Scalar::Int32(value) => Some(i64::from(*value)),
        Scalar::Int64(value) | Scalar::Timestamp(value) => Some(*value),
        Scalar::Float32(value) => whole(f64::from(*value)),
        Scalar::Float64(value) => whole(*value),
        _ => None,
    };
    let is_float = matches!(scalar, ScalarType::Float32 | ScalarType::Float64);
    match scalar {
        ScalarType::Bool => {
            let set = values.iter().map(|value| *value == Scalar::Bool(true));
            mask::put(bits(set), values.len(), out);
        }
        ScalarType::String | ScalarType::Bytes => put_texts(values, out),
        _ => {
            if let Some(numbers) = values.iter().map(number).collect::<Option<Vec<_>>>() {
                if is_float {
                    out.push(WHOLE);
                }
                packed::put(&numbers, out);
            } else {
                put_floats(values, out);
            }
        }
    }
}

/// The whole number that `number` is, exactly; none for a zero that is negative.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "the bits are compared"
)]
fn whole(number: f64) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let whole = number as i64;
    let same = (whole as f64).to_bits() == number.to_bits();
    (same && number.abs() <= EXACT).then_some(whole)
}

fn put_floats(values: &[Scalar<'_>], out: &mut Vec<u8>) {
    let narrow = |value: &Scalar<'_>| match value {
        Scalar::Float32(value) => Some(*value),
        Scalar::Float64(value) => narrow(*value),
        _ => None,
    };
    if let Some(numbers) = values.iter().map(narrow).collect::<Option<Vec<f32>>>() {
        out.push(FOUR);
        for number in numbers {
            out.extend_from_slice(&number.to_le_bytes());
        }
        return;
    }
    out.push(EIGHT);
    for value in values {
        if let Scalar::Float64(value) = value {
            out.extend_from_slice(&value.to_le_bytes());
        }
    }
}

/// The number in half the bytes, if that is the same number.
#[expect(clippy::cast_possible_truncation, reason = "the bits are compared")]
fn narrow(number: f64) -> Option<f32> {
    let narrow = number as f32;
    (f64::from(narrow).to_bits() == number.to_bits()).then_some(narrow)
}

fn put_texts(values: &[Scalar<'_>], out: &mut Vec<u8>) {
    let texts = values.iter().map(|value| match value {
        Scalar::String(text) => text.as_bytes(),
        Scalar::Bytes(bytes) => bytes,
        _ => &[],
    });
    let mut end = 0;
    let ends = texts.clone().map(|text| {
        end += text.len();
        i64::try_from(end).unwrap_or(i64::MAX)
    });
    packed::put(&ends.collect::<Vec<_>>(), out);
    texts.for_each(|text| out.extend_from_slice(text));
}
