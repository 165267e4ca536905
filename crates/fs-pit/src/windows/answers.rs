//! [`WindowAnswers`]: what the windows of each spine row make.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, BooleanBufferBuilder};
use arrow::buffer::BooleanBuffer;
use arrow::compute::interleave;
use fs_core::ScalarType;

use super::join::WindowJoin;
use super::places::{Late, Places};
use super::plan::WindowPlan;
use super::records::{self, Records};
use super::sweep::{Answers, Asked, Sweeper};
use super::time_line::TimeLine;
use super::touched::{Touched, late_of};
use crate::spine_index::{in_parallel, narrow};
use crate::{Error, SpineIndex};

/// Answers are cut after so many slots, because the offsets of lists and texts have 32 bits.
const CHUNK_SLOTS: usize = 1 << 20;

/// The features of each spine row, in spine order.
///
/// A row whose key is null or has no events gets what the functions make of no values: counts of 0,
/// empty lists, and null.
#[derive(Debug, Clone)]
pub struct WindowAnswers {
    index: Arc<SpineIndex>,
    outputs: Outputs,
    /// In the order of slots, and in the end that of no key; at least one.
    chunks: Vec<Chunk>,
}

/// Where the answers of each output are.
#[derive(Debug, Clone, Default)]
struct Outputs {
    /// For each output its word in a record, or its column.
    places: Vec<Result<usize, usize>>,
    /// The types of the words.
    words: Vec<ScalarType>,
    columns: usize,
}

/// The answers of some slots.
#[derive(Debug, Clone)]
struct Chunk {
    /// The slot after the last one.
    end: usize,
    records: Records,
    columns: Vec<ArrayRef>,
    /// Whether any event counts in any window.
    matched: BooleanBuffer,
}

impl Outputs {
    fn of(plan: &WindowPlan) -> Self {
        let mut outputs = Self::default();
        for output in plan.outputs() {
            let place = if let Some(scalar) = records::fixed(output.data_type) {
                outputs.words.push(scalar);
                Ok(outputs.words.len() - 1)
            } else {
                outputs.columns += 1;
                Err(outputs.columns - 1)
            };
            outputs.places.push(place);
        }
        outputs
    }

    /// One sweep for each lane, of all that is asked of it.
    fn sweepers<'a>(
        &self,
        joins: &'a [WindowJoin],
        plan: &'a WindowPlan,
    ) -> Vec<Box<dyn Sweeper<'a> + 'a>> {
        let asked = |lane: usize, window: usize| {
            let outputs = plan.outputs().iter().enumerate();
            let outputs = outputs.filter(|(_, o)| (o.lane, o.window) == (lane, window));
            let answers = outputs.map(|(at, output)| {
                let word = self.places[at].unwrap_or_default();
                Answers::new(at, output, word)
            });
            Asked {
                window,
                answers: answers.collect(),
            }
        };
        let sweeper = |lane: usize| {
            let windows = plan.windows_of(lane).into_iter();
            let lanes: Vec<_> = joins.iter().map(|join| join.lane(lane)).collect();
            lanes[0].sweep(&lanes, windows.map(|window| asked(lane, window)).collect())
        };
        (0..plan.lanes().len()).map(sweeper).collect()
    }
}

impl WindowAnswers {
    /// Bytes that the answers over `line` take, lists and texts apart.
    pub fn bytes_over(line: &TimeLine) -> usize {
        let outputs = Outputs::of(line.plan());
        let slots = line.index().slots() + 1;
        Records::bytes_of(slots, outputs.words.len()) + slots * (8 * outputs.columns + 1)
    }

    pub(super) fn new(joins: &[WindowJoin], line: &Arc<TimeLine>) -> Result<Self, Error> {
        // A join without events stands for none at all.
        let nothing;
        let joins = if joins.is_empty() {
            nothing = [WindowJoin::over(Arc::clone(line))?];
            &nothing
        } else {
            joins
        };
        let outputs = Outputs::of(line.plan());
        let late: Vec<Vec<Late>> = joins.iter().map(|join| join.places().late()).collect();
        let of_keys = |keys: Range<usize>| of_keys(&outputs, joins, &late, line, keys);
        let parts = in_parallel(line.index().starts(), of_keys);
        let mut chunks = Vec::new();
        for part in parts {
            chunks.extend(part?);
        }
        chunks.push(nothing_of(&outputs, joins, line)?);
        Ok(Self {
            index: Arc::clone(line.index()),
            outputs,
            chunks,
        })
    }

    /// How many spine rows there are.
    pub fn len(&self) -> usize {
        self.index.rows()
    }

    /// Whether the spine has no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One column per [output](WindowPlan::outputs), for these rows of the spine.
    pub fn columns(&self, rows: Range<usize>) -> Result<Vec<ArrayRef>, Error> {
        let places: Vec<(usize, usize)> = rows.map(|row| self.place(row)).collect();
        let records: Vec<&Records> = self.chunks.iter().map(|chunk| &chunk.records).collect();
        let words = records::columns(&records, &places, &self.outputs.words);
        let column = |place: &Result<usize, usize>| match *place {
            Ok(word) => Ok(Arc::clone(&words[word])),
            Err(column) => {
                let chunks = self.chunks.iter();
                let chunks: Vec<&dyn Array> = chunks.map(|c| c.columns[column].as_ref()).collect();
                Ok(interleave(&chunks, &places)?)
            }
        };
        self.outputs.places.iter().map(column).collect()
    }

    /// For which of these rows of the spine any event counts in any window, whatever the filters
    /// say.
    pub fn matched(&self, rows: Range<usize>) -> BooleanArray {
        let matched = rows.map(|row| {
            let (chunk, at) = self.place(row);
            self.chunks[chunk].matched.value(at)
        });
        BooleanArray::new(matched.collect(), None)
    }

    /// Bytes on the heap, those of the shared index apart.
    pub fn bytes(&self) -> usize {
        let of_chunk = |chunk: &Chunk| {
            let columns = chunk.columns.iter();
            let columns: usize = columns.map(Array::get_array_memory_size).sum();
            columns + chunk.records.bytes() + chunk.matched.inner().len()
        };
        self.chunks.iter().map(of_chunk).sum()
    }

    /// The chunk in which the answers of a spine row are, and where in it.
    fn place(&self, row: usize) -> (usize, usize) {
        let none = self.index.slots();
        let slot = self.index.slot_of_row(row).unwrap_or(none);
        let chunk = self.chunks.partition_point(|chunk| chunk.end <= slot);
        let start = chunk
            .checked_sub(1)
            .map_or(0, |before| self.chunks[before].end);
        (chunk, slot - start)
    }
}

/// What the outputs are of no events, as the chunk after all slots.
fn nothing_of(outputs: &Outputs, joins: &[WindowJoin], line: &TimeLine) -> Result<Chunk, Error> {
    let mut records = Records::new(1, outputs.words.len());
    let mut sweepers = outputs.sweepers(joins, line.plan());
    for sweeper in &mut sweepers {
        sweeper.nothing(&mut records, 0)?;
    }
    Ok(Chunk {
        end: line.index().slots() + 1,
        records,
        columns: columns(&mut sweepers, 0)?,
        matched: BooleanBuffer::new_unset(1),
    })
}

/// The answers of a range of keys.
fn of_keys(
    outputs: &Outputs,
    joins: &[WindowJoin],
    late: &[Vec<Late>],
    line: &TimeLine,
    keys: Range<usize>,
) -> Result<Vec<Chunk>, Error> {
    let mut sweepers = outputs.sweepers(joins, line.plan());
    let places: Vec<&Places> = joins.iter().map(WindowJoin::places).collect();
    let intervals = line.of_key(narrow(keys.start)).start..line.of_key(narrow(keys.end - 1)).end;
    let mut late: Vec<&[Late]> = late.iter().map(|l| late_of(l, intervals.clone())).collect();
    let mut touched = Touched::default();
    let mut chunks = Vec::new();
    for keys in chunks_of(keys, line.index().starts()) {
        let starts = &line.index().starts()[keys.start..=keys.end];
        let (first, end) = (starts[0] as usize, starts[keys.len()] as usize);
        let mut records = Records::new(end - first, outputs.words.len());
        let mut matched = BooleanBufferBuilder::new(end - first);
        // New columns for this chunk.
        columns(&mut sweepers, end - first)?;
        for (key, start) in keys.zip(starts) {
            touched.go(line, &places, &mut late, narrow(key));
            let record = *start as usize - first;
            for sweeper in &mut sweepers {
                sweeper.key(&touched, &mut records, record)?;
            }
            for slot in 0..touched.slots() {
                matched.append(touched.is_matched(slot, line.windows()));
            }
        }
        chunks.push(Chunk {
            end,
            records,
            columns: columns(&mut sweepers, 0)?,
            matched: matched.finish(),
        });
    }
    Ok(chunks)
}

/// Cuts a range of keys where there are enough slots for a chunk.
fn chunks_of(keys: Range<usize>, starts: &[u32]) -> Vec<Range<usize>> {
    let mut chunks = Vec::new();
    let mut first = keys.start;
    for key in keys.clone() {
        let slots = starts[key + 1] - starts[first];
        if slots as usize >= CHUNK_SLOTS || key + 1 == keys.end {
            chunks.push(first..key + 1);
            first = key + 1;
        }
    }
    chunks
}

/// The columns so far of those outputs that have one, in order; the next answers go to new ones.
fn columns(
    sweepers: &mut [Box<dyn Sweeper<'_> + '_>],
    rows: usize,
) -> Result<Vec<ArrayRef>, Error> {
    let mut columns = Vec::new();
    for sweeper in sweepers {
        for answers in sweeper
            .asked()
            .iter_mut()
            .flat_map(|asked| &mut asked.answers)
        {
            columns.extend(answers.take(rows).transpose()?);
        }
    }
    columns.sort_by_key(|(position, _)| *position);
    Ok(columns.into_iter().map(|(_, column)| column).collect())
}
