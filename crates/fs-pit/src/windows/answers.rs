//! [`WindowAnswers`]: what the windows of each spine row make.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, BooleanBufferBuilder};
use arrow::buffer::BooleanBuffer;
use arrow::compute::interleave;
use fs_core::{DataType, ScalarType};

use super::join::WindowJoin;
use super::places::{Late, Places};
use super::plan::WindowPlan;
use super::sweep::{Asked, Sweeper};
use super::time_line::TimeLine;
use super::touched::{Touched, late_of};
use crate::spine_index::{in_parallel, narrow};
use crate::{Error, SpineIndex};

/// Columns of answers are cut after so many slots, because the offsets of lists and texts have 32
/// bits.
const CHUNK_SLOTS: usize = 1 << 20;

/// The features of each spine row, in spine order.
///
/// A row whose key is null or has no events gets what the functions make of no values: counts of 0,
/// empty lists, and null.
#[derive(Debug, Clone)]
pub struct WindowAnswers {
    index: Arc<SpineIndex>,
    /// In the order of slots, and in the end that of no key; at least one.
    chunks: Vec<Chunk>,
}

/// The answers of some slots.
#[derive(Debug, Clone)]
struct Chunk {
    /// The slot after the last one.
    end: usize,
    /// In the order of the outputs of the plan.
    columns: Vec<ArrayRef>,
    /// Whether any event counts in any window.
    matched: BooleanBuffer,
}

impl WindowAnswers {
    /// Bytes that the answers over `line` take, lists and texts apart.
    pub fn bytes_over(line: &TimeLine) -> usize {
        let outputs = line.plan().outputs().iter();
        let bytes: usize = outputs.map(|output| width(output.data_type)).sum();
        (line.index().slots() + 1) * bytes
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
        let late: Vec<Vec<Late>> = joins.iter().map(|join| join.places().late()).collect();
        let of_keys = |keys: Range<usize>| of_keys(joins, &late, line, keys);
        let parts = in_parallel(line.index().starts(), of_keys);
        let mut chunks = Vec::new();
        for part in parts {
            chunks.extend(part?);
        }
        let last = line.index().slots();
        let mut sweepers = sweepers(joins, line.plan());
        for sweeper in &mut sweepers {
            sweeper.no_key()?;
        }
        chunks.push(Chunk::new(
            &mut sweepers,
            last + 1,
            0,
            &BooleanBuffer::new_unset(1),
        )?);
        Ok(Self {
            index: Arc::clone(line.index()),
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
        let column = |column: usize| {
            let chunks = self.chunks.iter();
            let chunks: Vec<&dyn Array> = chunks.map(|c| c.columns[column].as_ref()).collect();
            interleave(&chunks, &places)
        };
        let columns = self.chunks.first().map_or(0, |chunk| chunk.columns.len());
        Ok((0..columns).map(column).collect::<Result<_, _>>()?)
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
        let columns = self.chunks.iter().flat_map(|chunk| &chunk.columns);
        columns.map(|column| column.get_array_memory_size()).sum()
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

impl Chunk {
    /// Takes what the sweepers answered so far.
    fn new(
        sweepers: &mut [Box<dyn Sweeper + '_>],
        end: usize,
        next: usize,
        matched: &BooleanBuffer,
    ) -> Result<Self, Error> {
        let mut columns = Vec::new();
        for sweeper in sweepers {
            columns.extend(sweeper.take(next)?);
        }
        columns.sort_by_key(|(position, _)| *position);
        Ok(Self {
            end,
            columns: columns.into_iter().map(|(_, column)| column).collect(),
            matched: matched.clone(),
        })
    }
}

/// The answers of a range of keys.
fn of_keys(
    joins: &[WindowJoin],
    late: &[Vec<Late>],
    line: &TimeLine,
    keys: Range<usize>,
) -> Result<Vec<Chunk>, Error> {
    let mut sweepers = sweepers(joins, line.plan());
    let places: Vec<&Places> = joins.iter().map(WindowJoin::places).collect();
    let intervals = line.of_key(narrow(keys.start)).start..line.of_key(narrow(keys.end - 1)).end;
    let mut late: Vec<&[Late]> = late.iter().map(|l| late_of(l, intervals.clone())).collect();
    let starts = line.index().starts();
    let slots = |from: usize| (starts[keys.end] as usize - from).min(CHUNK_SLOTS);
    let mut start = starts[keys.start] as usize;
    for sweeper in &mut sweepers {
        sweeper.take(slots(start))?;
    }
    let mut chunks = Vec::new();
    let mut touched = Touched::default();
    let mut matched = BooleanBufferBuilder::new(slots(start));
    for key in keys.clone() {
        touched.go(line, &places, &mut late, narrow(key));
        for sweeper in &mut sweepers {
            sweeper.key(&touched)?;
        }
        for slot in 0..touched.slots() {
            matched.append(touched.is_matched(slot, line.windows()));
        }
        let end = starts[key + 1] as usize;
        if end - start >= CHUNK_SLOTS || key + 1 == keys.end {
            let chunk = Chunk::new(&mut sweepers, end, slots(end), &matched.finish())?;
            chunks.push(chunk);
            start = end;
        }
    }
    Ok(chunks)
}

/// One for each lane that anything is asked of.
fn sweepers<'a>(joins: &'a [WindowJoin], plan: &'a WindowPlan) -> Vec<Box<dyn Sweeper + 'a>> {
    let sweeper = |lane: usize| {
        let mut asked: Vec<Asked<'a>> = Vec::new();
        let outputs = plan.outputs().iter().enumerate();
        for (position, output) in outputs.filter(|(_, output)| output.lane == lane) {
            match asked.iter_mut().find(|asked| asked.window == output.window) {
                Some(asked) => asked.outputs.push((position, output)),
                None => asked.push(Asked {
                    window: output.window,
                    outputs: vec![(position, output)],
                }),
            }
        }
        let lanes: Vec<_> = joins.iter().map(|join| join.lane(lane)).collect();
        lanes[0].sweep(&lanes, asked)
    };
    (0..plan.lanes().len()).map(sweeper).collect()
}

/// About how many bytes an answer takes.
const fn width(data_type: DataType) -> usize {
    match data_type {
        DataType::Scalar(ScalarType::Bool) => 1,
        DataType::Scalar(ScalarType::Int32 | ScalarType::Float32) => 5,
        DataType::Scalar(_) | DataType::Array(_) => 9,
    }
}
