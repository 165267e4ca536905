//! Rows that were checked once and are read where they lie.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::ArrayRef;
use bytes::Bytes;

use super::cell::Cell;
use super::decode::{Known, RowDecoder};
use super::shape::bit;
use super::to_arrow::to_arrow;
use crate::Error;

/// Rows of one view, opened for the features that a decoder wants.
///
/// | Reads | Costs |
/// |---|---|
/// | [`cell`](Self::cell), [`bytes`](Self::bytes) | no allocation and no copy |
/// | [`gather`](Self::gather) | one copy of 1, 4 or 8 bytes a row |
/// | [`is_full`](Self::is_full) | nothing for each row: the null bits of all rows were put together |
///
/// Opening finds whatever could be wrong with a wanted value, so that reading cannot fail.
#[derive(Debug, Clone)]
pub struct OpenRows {
    decoder: Arc<RowDecoder>,
    /// No bytes where there is no row.
    rows: Vec<Bytes>,
    layouts: Layouts,
    all_full: bool,
}

/// Which layouts the rows have.
#[derive(Debug, Clone)]
enum Layouts {
    /// None: there are no rows.
    None,
    /// The same for all, as mostly.
    Same(Used),
    /// Different ones: those that are used, and which of them each row has.
    Mixed(Vec<Used>, Vec<usize>),
}

/// A layout of the decoder, by number, and what its rows have in common.
#[derive(Debug, Clone)]
struct Used {
    layout: usize,
    /// One bit for each of its features: 1 where every row has a value.
    full: Vec<u8>,
}

/// Rows that could not be opened, given back.
#[derive(Debug)]
pub struct Unopened {
    /// Why not.
    pub error: Error,
    /// The rows as they were.
    pub rows: Vec<Option<Bytes>>,
}

impl OpenRows {
    /// Opens rows. Errors as [`RowDecoder::decode`]; the rows come back, so that they can be opened
    /// again with a decoder that knows newer layouts.
    pub fn open(decoder: Arc<RowDecoder>, rows: Vec<Option<Bytes>>) -> Result<Self, Box<Unopened>> {
        match Layouts::of(&decoder, &rows) {
            Ok(layouts) => Ok(Self {
                all_full: layouts.are_full(&decoder),
                decoder,
                rows: rows.into_iter().map(Option::unwrap_or_default).collect(),
                layouts,
            }),
            Err(error) => Err(Box::new(Unopened { error, rows })),
        }
    }

    /// How many rows were given, those that are not there included.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether no rows were given.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// A value; none where there is no row, or null.
    pub fn cell(&self, row: usize, wanted: usize) -> Option<Cell<'_>> {
        let data_type = *self.decoder.wanted().get(wanted)?;
        Cell::read(data_type, self.bytes(row, wanted)?)
    }

    /// The bytes of a value as the row has them: of a string its UTF-8, of bytes themselves.
    pub fn bytes(&self, row: usize, wanted: usize) -> Option<&[u8]> {
        let bytes = self.row(row)?;
        self.layout(row)?.value(bytes, wanted)
    }

    /// Whether there is a value.
    pub fn has(&self, row: usize, wanted: usize) -> bool {
        let found = self.row(row).zip(self.layout(row));
        found.is_some_and(|(bytes, layout)| layout.has(bytes, wanted))
    }

    /// Whether every row that is there has a value for every wanted feature.
    pub const fn are_all_full(&self) -> bool {
        self.all_full
    }

    /// Whether every row that is there has a value.
    pub fn is_full(&self, wanted: usize) -> bool {
        if self.all_full {
            return true;
        }
        let is_full = |used: &Used| {
            let layout = self.decoder.layout(used.layout);
            let place = layout.and_then(|layout| layout.place(wanted));
            place.is_some_and(|feature| bit(&used.full, feature))
        };
        match &self.layouts {
            Layouts::None => true,
            Layouts::Same(used) => is_full(used),
            Layouts::Mixed(used, _) => used.iter().all(is_full),
        }
    }

    /// Copies the values of `rows` side by side into `out`: little-endian, zeros where there is
    /// none. `out` has room for them; the feature has a width of `W` bytes.
    pub fn gather<const W: usize>(&self, wanted: usize, rows: Range<usize>, out: &mut [u8]) {
        let (places, _) = out.as_chunks_mut::<W>();
        let first = rows.start;
        let rows = self.rows.get(rows).unwrap_or_default();
        let each = places.iter_mut().zip(rows);
        let Layouts::Same(used) = &self.layouts else {
            for (row, (place, _)) in (first..).zip(each) {
                let value = self.bytes(row, wanted);
                *place = value.map_or([0; W], |value| value_at(value, 0));
            }
            return;
        };
        let Some(layout) = self.decoder.layout(used.layout) else {
            return each.for_each(|(place, _)| *place = [0; W]);
        };
        let begin = layout.begin(wanted);
        if self.is_full(wanted) {
            for (place, row) in each {
                *place = value_at(row, begin);
            }
        } else {
            for (place, row) in each {
                *place = if layout.has(row, wanted) {
                    value_at(row, begin)
                } else {
                    [0; W]
                };
            }
        }
    }

    /// The column of a wanted feature; null where there is no value.
    pub fn to_arrow(&self, wanted: usize) -> Option<ArrayRef> {
        let data_type = *self.decoder.wanted().get(wanted)?;
        let cells = (0..self.len()).map(|row| self.cell(row, wanted));
        Some(to_arrow(data_type, cells))
    }

    fn row(&self, row: usize) -> Option<&[u8]> {
        let bytes = self.rows.get(row)?;
        (!bytes.is_empty()).then_some(bytes)
    }

    fn layout(&self, row: usize) -> Option<&Known> {
        let used = match &self.layouts {
            Layouts::None => return None,
            Layouts::Same(used) => used,
            Layouts::Mixed(used, which) => used.get(*which.get(row)?)?,
        };
        self.decoder.layout(used.layout)
    }
}

/// The bytes of a value; zeros where the row has none.
fn value_at<const W: usize>(row: &[u8], begin: usize) -> [u8; W] {
    let value = row.get(begin..).and_then(<[u8]>::first_chunk);
    value.copied().unwrap_or([0; W])
}

impl Layouts {
    fn of(decoder: &RowDecoder, rows: &[Option<Bytes>]) -> Result<Self, Error> {
        let mut used: Vec<Used> = Vec::new();
        // Filled once a second layout appears.
        let mut which: Vec<usize> = Vec::new();
        for (number, row) in rows.iter().enumerate() {
            let Some(row) = row.as_deref() else {
                push(&mut which, 0);
                continue;
            };
            let layout = decoder.open(row)?;
            let bitmap = decoder.layout(layout).map(|layout| layout.bitmap(row));
            let bitmap = bitmap.unwrap_or_default();
            if let Some(at) = used.iter().position(|used| used.layout == layout) {
                for (full, here) in used[at].full.iter_mut().zip(bitmap) {
                    *full &= here;
                }
                push(&mut which, at);
            } else {
                if used.len() == 1 {
                    which = vec![0; number];
                    which.reserve(rows.len() - number);
                }
                let full = bitmap.to_vec();
                used.push(Used { layout, full });
                if used.len() > 1 {
                    which.push(used.len() - 1);
                }
            }
        }
        Ok(match used.len() {
            0 | 1 => used.pop().map_or(Self::None, Self::Same),
            _ => Self::Mixed(used, which),
        })
    }
}

impl Layouts {
    /// Whether every row has every wanted feature.
    fn are_full(&self, decoder: &RowDecoder) -> bool {
        let is_full = |used: &Used| {
            let layout = decoder.layout(used.layout);
            layout.is_some_and(|layout| layout.has_all(&used.full))
        };
        match self {
            Self::None => true,
            Self::Same(used) => is_full(used),
            Self::Mixed(used, _) => used.iter().all(is_full),
        }
    }
}

/// Notes the layout of a row, where layouts are noted.
fn push(which: &mut Vec<usize>, layout: usize) {
    if !which.is_empty() {
        which.push(layout);
    }
}
