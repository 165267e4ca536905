//! States of windowed views as rows, and how they change hands without being lost.
//!
//! What a windowed view stores for a key is opaque here: bytes that windows are computed from. They
//! lie in an ordinary row, of a [layout] with one feature of type `bytes`, so every store can hold them.
//! What is different is the order of the row. A state has no event time by which one wins over another;
//! it is read, changed and written back, and the order counts how often:
//!
//! ```text
//!   stored                          is read as          the next one is written with
//!   nothing                         no state            event i64::MIN, created null, sequence 0
//!   event i64::MIN, sequence 7      its bytes           event i64::MIN, created null, sequence 8
//!   any other row (of the view      no state            event i64::MIN, created null, sequence 0,
//!   before it had windows)                              in place of that row
//! ```
//! A [`RowWrite`] is stored only over a smaller order, or over the very one it replaces. So of two that
//! read the same and write at once, the first is stored and the other is kept out
//! ([`Decision::Keep`](crate::Decision::Keep)): it reads again. A state that was read is never
//! overwritten by somebody who has not seen it.
//!
//! A state that a store has forgotten ([`RowWrite::keep_until`]) starts to count from 0 again; whoever
//! read it before it was forgotten may then write over the new one. So states are kept for far longer
//! than any write takes.

use bytes::{BufMut, Bytes, BytesMut};
use fs_core::{DataType, EventTime, FeatureName, ScalarType};

use crate::row::{self, FORMAT, HEADER_BYTES};
use crate::{EncodedKey, Error, Published, RowLayout, RowOrder, RowProblem, RowWrite};

/// The name of the only feature of the [layout].
const FEATURE: &str = "windows__state";

/// Where the state begins: after the header, one byte of null bits, and the end of the only value.
const STATE_AT: usize = HEADER_BYTES + 1 + 4;

/// The layout of every state: one feature of type `bytes`.
pub fn layout() -> RowLayout {
    let name = FeatureName::new(FEATURE).ok();
    let features = name.map(|name| (name, DataType::Scalar(ScalarType::Bytes)));
    RowLayout::new(features.into_iter().collect())
}

/// Whether a view was published as a windowed one: with states, and not with rows of before it had windows.
///
/// Whoever publishes a windowed view says so in what makes rows visible, as in
/// `event_time+15m windows 00f3a4c19b2d7e55`, by the word `windows`.
pub fn is_published(published: &Published) -> bool {
    let mut words = published.visibility.split(' ');
    words.any(|word| word == "windows")
}

/// What is stored for one key of a windowed view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateRow {
    /// The order of the row that was read; none where there was none.
    order: Option<RowOrder>,
    state: Option<Bytes>,
}

impl StateRow {
    /// Reads what a store gave for a key. Errors: a damaged row.
    pub fn read(row: Option<&Bytes>) -> Result<Self, Error> {
        let Some(row) = row else {
            return Ok(Self {
                order: None,
                state: None,
            });
        };
        let order = row::order(row)?;
        Ok(Self {
            order: Some(order),
            state: is_state(row, order).then(|| state(row)).transpose()?,
        })
    }

    /// The state, sharing the bytes of the row; none if nothing is stored, or a row without windows.
    pub const fn state(&self) -> Option<&Bytes> {
        self.state.as_ref()
    }

    /// The write that puts `state` in the place of what was read here, and only of that.
    ///
    /// Errors: a state of more than 4 GiB.
    pub fn write(&self, key: EncodedKey, state: &[u8]) -> Result<RowWrite, Error> {
        let is_state = self.state.is_some();
        let sequence = match self.order {
            Some(order) if is_state => order.sequence.saturating_add(1),
            _ => 0,
        };
        let row = pack(sequence, state)?;
        Ok(match self.order {
            Some(other) if !is_state => RowWrite::replace(key, Some(row), other),
            _ => RowWrite::newest(key, row),
        })
    }
}

fn order(sequence: u64) -> RowOrder {
    RowOrder {
        event: EventTime::from_micros(i64::MIN),
        created: None,
        sequence,
    }
}

/// A row of format 1 whose only feature is `state`.
fn pack(sequence: u64, state: &[u8]) -> Result<Bytes, Error> {
    let length = u32::try_from(state.len()).map_err(|_overflow| Error::RowTooLarge { row: 0 })?;
    let mut row = BytesMut::with_capacity(STATE_AT + state.len());
    row.put_u8(FORMAT);
    row.put_u32_le(layout().id());
    row.put_slice(&order(sequence).to_bytes());
    row.put_u8(1);
    row.put_u32_le(length);
    row.put_slice(state);
    Ok(row.freeze())
}

/// Whether a row is a state: its layout says so, and its order counts.
fn is_state(row: &[u8], found: RowOrder) -> bool {
    let id = layout().id().to_le_bytes();
    found == order(found.sequence) && row.get(1..5) == Some(&id[..])
}

fn state(row: &Bytes) -> Result<Bytes, Error> {
    let length = row.len();
    let end = row
        .get(STATE_AT - 4..STATE_AT)
        .and_then(<[u8]>::first_chunk)
        .and_then(|end| usize::try_from(u32::from_le_bytes(*end)).ok());
    let needed = STATE_AT.saturating_add(end.unwrap_or_default());
    if end.is_none() || length < needed {
        return Err(RowProblem::TooShort { length, needed }.into());
    }
    if length > needed {
        let extra = length - needed;
        return Err(RowProblem::TrailingBytes { extra }.into());
    }
    Ok(row.slice(STATE_AT..))
}

#[cfg(test)]
mod tests;
