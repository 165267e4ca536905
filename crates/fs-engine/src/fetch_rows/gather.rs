//! Putting the payload of rows side by side, in the order of the rows that ask for it.

use std::cell::OnceCell;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, PrimitiveArray, UInt64Array, downcast_primitive,
    new_null_array,
};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::compute::interleave;
use arrow::datatypes::DataType;
use datafusion::error::DataFusionError;

use super::directory::{Directory, NOTHING};
use super::payload::PIECE_ROWS;

/// Where the payload of some rows lies: computed once, used for every column.
pub(super) struct Slots {
    places: Vec<usize>,
    /// The rows that have any; `None` if all have.
    found: Option<NullBuffer>,
    pairs: OnceCell<Vec<(usize, usize)>>,
}

impl Slots {
    pub(super) fn new(directory: &Directory, addresses: &UInt64Array) -> Self {
        let found = addresses.nulls().filter(|nulls| nulls.null_count() > 0);
        let places = match found {
            None => addresses
                .values()
                .iter()
                .map(|at| directory.slot(*at))
                .collect(),
            Some(_) => addresses
                .iter()
                .map(|at| at.map_or(NOTHING, |at| directory.slot(at)))
                .collect(),
        };
        Self {
            places,
            found: found.cloned(),
            pairs: OnceCell::new(),
        }
    }

    /// Where the payload of each row is, [`NOTHING`] where there is none.
    pub(super) fn places(&self) -> &[usize] {
        &self.places
    }

    /// Piece and row; the first row of the piece `nothing` for rows without payload.
    fn pairs(&self, nothing: usize) -> &[(usize, usize)] {
        self.pairs.get_or_init(|| {
            let pair = |slot: &usize| match *slot {
                NOTHING => (nothing, 0),
                slot => (slot / PIECE_ROWS, slot % PIECE_ROWS),
            };
            self.places.iter().map(pair).collect()
        })
    }
}

/// The values of a column at `slots`; `pieces` are those of a table, the same for every call.
pub(super) fn gather(
    data_type: &DataType,
    pieces: &[ArrayRef],
    slots: &Slots,
) -> Result<ArrayRef, DataFusionError> {
    let rows = slots.places.len();
    if pieces.is_empty()
        || slots
            .found
            .as_ref()
            .is_some_and(|found| found.null_count() == rows)
    {
        return Ok(new_null_array(data_type, rows));
    }
    macro_rules! primitive {
        ($t:ty) => {
            return Ok(gather_primitive::<$t>(data_type, pieces, slots))
        };
    }
    downcast_primitive! {
        data_type => (primitive),
        _ => {}
    }
    let nothing = new_null_array(data_type, 1);
    let mut arrays: Vec<&dyn Array> = pieces.iter().map(AsRef::as_ref).collect();
    if slots.found.is_some() {
        arrays.push(nothing.as_ref());
    }
    Ok(interleave(&arrays, slots.pairs(pieces.len()))?)
}

fn gather_primitive<T: ArrowPrimitiveType>(
    data_type: &DataType,
    pieces: &[ArrayRef],
    slots: &Slots,
) -> ArrayRef {
    let pieces: Vec<&PrimitiveArray<T>> = pieces.iter().map(AsArray::as_primitive).collect();
    let parts: Vec<&[T::Native]> = pieces.iter().map(|piece| &**piece.values()).collect();
    let value = |slot: usize| parts[slot / PIECE_ROWS][slot % PIECE_ROWS];
    let values: Vec<T::Native> = if slots.found.is_none() {
        slots.places.iter().map(|slot| value(*slot)).collect()
    } else {
        let value = |slot: &usize| match *slot {
            NOTHING => T::Native::default(),
            slot => value(slot),
        };
        slots.places.iter().map(value).collect()
    };
    let nulls = if pieces.iter().any(|piece| piece.null_count() > 0) {
        let is_valid = |at: usize| match slots.places[at] {
            NOTHING => false,
            slot => pieces[slot / PIECE_ROWS].is_valid(slot % PIECE_ROWS),
        };
        Some(NullBuffer::new(BooleanBuffer::collect_bool(
            values.len(),
            is_valid,
        )))
    } else {
        slots.found.clone()
    };
    let array = PrimitiveArray::<T>::new(values.into(), nulls);
    Arc::new(array.with_data_type(data_type.clone()))
}
