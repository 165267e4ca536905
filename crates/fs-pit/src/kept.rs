//! The columns of the rows that may still win.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, UInt32Array, new_null_array};
use arrow::compute::{concat_batches, interleave, take_record_batch};
use arrow::datatypes::{Field, Schema, SchemaRef};

use crate::{Error, RowId};

/// Rows are gathered into pieces of up to this many, so that there are few pieces and none is huge.
const PIECE_ROWS: usize = 65_536;
/// Fewer rows than this are not worth cleaning up.
const FEW_ROWS: usize = 8_192;

/// Keeps the columns of candidate rows, and of no others for long.
///
/// It is fed beside a kernel: for every batch offered there, [`Self::keep`] is called once with the
/// rows that `offer` returned. When [`Self::wants_compaction`] says that more than half of what is
/// kept lost its race, [`Self::compact`] drops it, so memory stays proportional to the candidates.
#[derive(Debug)]
pub struct KeptRows {
    schema: SchemaRef,
    batches: u32,
    /// Ascending, also from one piece to the next.
    pieces: Vec<Piece>,
    rows: usize,
}

#[derive(Debug)]
struct Piece {
    ids: Vec<RowId>,
    columns: RecordBatch,
}

impl KeptRows {
    /// Keeps rows with the columns of `schema`.
    pub const fn new(schema: SchemaRef) -> Self {
        Self {
            schema,
            batches: 0,
            pieces: Vec::new(),
            rows: 0,
        }
    }

    /// The same, for a kernel whose first batch has the number `first`.
    #[must_use]
    pub const fn numbered_from(mut self, first: u32) -> Self {
        self.batches = first;
        self
    }

    /// Takes over what `later` keeps, all of whose batches have greater numbers.
    pub fn append(&mut self, later: Self) {
        self.batches = later.batches;
        self.rows += later.rows;
        self.pieces.extend(later.pieces);
    }

    /// Bytes on the heap.
    pub fn bytes(&self) -> usize {
        let pieces = self.pieces.iter();
        pieces
            .map(|piece| size_of_val(piece.ids.as_slice()) + piece.columns.get_array_memory_size())
            .sum()
    }

    /// How many rows are kept, those that lost meanwhile included.
    pub const fn rows(&self) -> usize {
        self.rows
    }

    /// Copies `rows`, ascending, of the next batch. `convert` may change the copied columns; its
    /// result must have the schema that was given at first.
    pub fn keep<E: From<Error>>(
        &mut self,
        batch: &RecordBatch,
        rows: &[u32],
        convert: impl FnOnce(RecordBatch) -> Result<RecordBatch, E>,
    ) -> Result<(), E> {
        let number = self.batches;
        self.batches = number.checked_add(1).ok_or(Error::TooMany)?;
        if rows.is_empty() {
            return Ok(());
        }
        let indices = UInt32Array::from(rows.to_vec());
        let columns = convert(take_record_batch(batch, &indices).map_err(Error::from)?)?;
        let ids = rows.iter().map(|row| RowId {
            batch: number,
            row: *row,
        });
        self.rows += rows.len();
        self.pieces.push(Piece {
            ids: ids.collect(),
            columns,
        });
        self.merge_small_pieces()?;
        Ok(())
    }

    /// Whether more than half of the rows kept are no longer among `candidates`.
    pub const fn wants_compaction(&self, candidates: usize) -> bool {
        self.rows > FEW_ROWS && self.rows / 2 > candidates
    }

    /// Forgets every row that is not in `live`, which is ascending.
    pub fn compact(&mut self, live: &[RowId]) -> Result<(), Error> {
        let mut live = live.iter().copied().peekable();
        self.rows = 0;
        for mut piece in std::mem::take(&mut self.pieces) {
            let mut indices = Vec::new();
            for (at, id) in (0_u32..).zip(&piece.ids) {
                while live.next_if(|next| next < id).is_some() {}
                if live.next_if_eq(id).is_some() {
                    indices.push(at);
                }
            }
            if indices.is_empty() {
                continue;
            }
            piece.ids = indices.iter().map(|at| piece.ids[*at as usize]).collect();
            piece.columns = take_record_batch(&piece.columns, &UInt32Array::from(indices))?;
            self.rows += piece.ids.len();
            self.pieces.push(piece);
            self.merge_small_pieces()?;
        }
        Ok(())
    }

    /// The columns of `ids`, in their order; a row of nulls for `None`.
    ///
    /// The columns of the result are nullable, whatever the schema says.
    pub fn gather(&self, ids: &[Option<RowId>]) -> Result<RecordBatch, Error> {
        // Piece 0 of each column is a single null.
        let places: Vec<(usize, usize)> = ids
            .iter()
            .map(|id| id.map_or(Ok((0, 0)), |id| self.place(id)))
            .collect::<Result<_, _>>()?;
        let columns: Vec<ArrayRef> = (0..self.schema.fields().len())
            .map(|column| {
                let null = new_null_array(self.schema.field(column).data_type(), 1);
                let pieces = self.pieces.iter().map(|piece| piece.columns.column(column));
                let arrays: Vec<&dyn Array> = std::iter::once(&null)
                    .chain(pieces)
                    .map(AsRef::as_ref)
                    .collect();
                interleave(&arrays, &places)
            })
            .collect::<Result<_, _>>()?;
        let fields = self.schema.fields().iter();
        let schema = Schema::new(
            fields
                .map(|field| Field::clone(field).with_nullable(true))
                .collect::<Vec<Field>>(),
        );
        batch(Arc::new(schema), columns, ids.len())
    }

    fn place(&self, id: RowId) -> Result<(usize, usize), Error> {
        let piece = self.pieces.partition_point(|piece| {
            // Pieces are never empty.
            piece.ids.last().is_some_and(|last| *last < id)
        });
        self.pieces
            .get(piece)
            .and_then(|found| found.ids.binary_search(&id).ok())
            .map(|at| (piece + 1, at))
            .ok_or(Error::NotKept {
                batch: id.batch,
                row: id.row,
            })
    }

    /// Merges the last pieces while they are of similar size, so that their number stays small and
    /// each row is copied a logarithmic number of times.
    fn merge_small_pieces(&mut self) -> Result<(), Error> {
        while let [.., before, last] = self.pieces.as_slice() {
            let rows = before.ids.len() + last.ids.len();
            if before.ids.len() > 2 * last.ids.len() || rows > PIECE_ROWS {
                break;
            }
            let columns = concat_batches(&self.schema, [&before.columns, &last.columns])?;
            let last = self.pieces.pop().map(|piece| piece.ids);
            if let Some(before) = self.pieces.last_mut() {
                before.ids.extend(last.into_iter().flatten());
                before.columns = columns;
            }
        }
        Ok(())
    }
}

/// A batch of `rows` rows, which may have no columns at all.
pub fn batch(schema: SchemaRef, columns: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch, Error> {
    let rows = RecordBatchOptions::new().with_row_count(Some(rows));
    Ok(RecordBatch::try_new_with_options(schema, columns, &rows)?)
}

#[cfg(test)]
mod tests;
