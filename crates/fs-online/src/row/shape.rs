//! Where each feature of a layout lies in a row.

use fs_core::{DataType, ScalarType};

use super::HEADER_BYTES;
use crate::{RowLayout, RowProblem};

/// Where the parts of a row begin.
#[derive(Debug)]
pub(super) struct Shape {
    slots: Vec<Slot>,
    /// Where the values that have a width begin, and the null bits end.
    pub(super) fixed_at: usize,
    /// How many features have no fixed width.
    variable: usize,
    /// Where the ends of the variable features begin.
    pub(super) ends_at: usize,
    /// Where the values of the variable features begin.
    pub(super) data_at: usize,
}

/// Where one feature lies.
#[derive(Debug, Clone, Copy)]
pub(super) enum Slot {
    /// At this place in the row.
    Fixed { at: usize, width: usize },
    /// The variable feature with this number.
    Variable { index: usize },
}

/// How many bytes a value of a scalar type takes; `None` for strings and bytes.
pub(super) const fn width(scalar: ScalarType) -> Option<usize> {
    match scalar {
        ScalarType::Bool => Some(1),
        ScalarType::Int32 | ScalarType::Float32 => Some(4),
        ScalarType::Int64 | ScalarType::Float64 | ScalarType::Timestamp => Some(8),
        ScalarType::String | ScalarType::Bytes => None,
    }
}

/// How many bytes the bits of `count` values take.
pub(super) const fn bitmap_bytes(count: usize) -> usize {
    count.div_ceil(8)
}

/// Whether bit `index` is set; bits beyond the end are not.
pub(super) fn bit(bitmap: &[u8], index: usize) -> bool {
    bitmap
        .get(index / 8)
        .is_some_and(|byte| byte & (1 << (index % 8)) != 0)
}

pub(super) fn set_bit(bitmap: &mut [u8], index: usize) {
    if let Some(byte) = bitmap.get_mut(index / 8) {
        *byte |= 1 << (index % 8);
    }
}

/// The little-endian u32 with number `index` in `numbers`.
pub(super) fn u32_at(numbers: &[u8], index: usize) -> Option<usize> {
    let four = numbers.get(index.checked_mul(4)?..)?.first_chunk()?;
    usize::try_from(u32::from_le_bytes(*four)).ok()
}

impl Shape {
    pub(super) fn of(layout: &RowLayout) -> Self {
        let features = layout.features();
        let fixed_at = HEADER_BYTES + bitmap_bytes(features.len());
        let mut at = fixed_at;
        let mut variable = 0;
        let mut slots = Vec::with_capacity(features.len());
        for (_, data_type) in features {
            let width = match data_type {
                DataType::Scalar(scalar) => width(*scalar),
                DataType::Array(_) => None,
            };
            if let Some(width) = width {
                slots.push(Slot::Fixed { at, width });
                at += width;
            } else {
                slots.push(Slot::Variable { index: variable });
                variable += 1;
            }
        }
        Self {
            slots,
            fixed_at,
            variable,
            ends_at: at,
            data_at: at + 4 * variable,
        }
    }

    pub(super) fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// Checks that `row` is as long as its header and its last end say.
    pub(super) fn check_length(&self, row: &[u8]) -> Result<(), RowProblem> {
        let length = row.len();
        let data = match self.variable.checked_sub(1) {
            Some(last) => row
                .get(self.ends_at..self.data_at)
                .and_then(|ends| u32_at(ends, last))
                .ok_or(RowProblem::TooShort {
                    length,
                    needed: self.data_at,
                })?,
            None => 0,
        };
        let needed = self.data_at.saturating_add(data);
        if length < needed {
            return Err(RowProblem::TooShort { length, needed });
        }
        if length > needed {
            let extra = length - needed;
            return Err(RowProblem::TrailingBytes { extra });
        }
        Ok(())
    }

    /// The bytes of a feature's value in a row whose length was checked; `None` for null.
    pub(super) fn value<'a>(
        &self,
        row: &'a [u8],
        feature: usize,
    ) -> Result<Option<&'a [u8]>, RowProblem> {
        let bad_bounds = RowProblem::BadBounds { feature };
        if !bit(row.get(HEADER_BYTES..).unwrap_or_default(), feature) {
            return Ok(None);
        }
        let value = match self.slots.get(feature) {
            Some(Slot::Fixed { at, width }) => row.get(*at..at + width),
            Some(Slot::Variable { index }) => {
                let ends = row.get(self.ends_at..self.data_at).unwrap_or_default();
                let data = row.get(self.data_at..).unwrap_or_default();
                part(ends, data, *index)
            }
            None => None,
        };
        value.map(Some).ok_or(bad_bounds)
    }
}

/// The value with number `index` of those that end at `ends` in `data`.
pub(super) fn part<'a>(ends: &[u8], data: &'a [u8], index: usize) -> Option<&'a [u8]> {
    let start = match index.checked_sub(1) {
        Some(before) => u32_at(ends, before)?,
        None => 0,
    };
    data.get(start..u32_at(ends, index)?)
}
