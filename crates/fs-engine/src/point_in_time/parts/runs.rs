//! What was found, on disk, read back in the order of the spine.

use std::ops::Range;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::interleave;
use arrow::datatypes::UInt64Type;
use datafusion::common::{Result, internal_datafusion_err};
use datafusion::execution::SendableRecordBatchStream;
use futures::StreamExt;

use crate::Spooled;

/// Findings as runs: each has numbers of spine rows, ascending, and beside them what the join takes.
pub(in crate::point_in_time) struct Runs {
    /// What the rows have that are in no run: one row of each column.
    absent: Vec<ArrayRef>,
    runs: Vec<Run>,
}

struct Run {
    rows: Spooled,
    reading: Option<Reading>,
}

struct Reading {
    stream: SendableRecordBatchStream,
    batch: Option<RecordBatch>,
    /// Rows of `batch` that have been taken.
    taken: usize,
}

impl Runs {
    pub(super) fn new(absent: Vec<ArrayRef>, runs: Vec<Spooled>) -> Self {
        let runs = runs.into_iter();
        let runs = runs.map(|rows| Run {
            rows,
            reading: None,
        });
        Self {
            absent,
            runs: runs.collect(),
        }
    }

    /// What the join adds to the next rows of the spine, and how many of them are in a run.
    pub(in crate::point_in_time) async fn columns(
        &mut self,
        rows: Range<usize>,
    ) -> Result<(Vec<ArrayRef>, usize)> {
        // Piece 0 of each column is what rows have that are in no run.
        let mut places = vec![(0, 0); rows.len()];
        let mut pieces: Vec<RecordBatch> = Vec::new();
        for run in &mut self.runs {
            run.take(&rows, &mut places, &mut pieces).await?;
        }
        let matched = places.iter().filter(|(piece, _)| *piece > 0).count();
        let absent = self.absent.iter().enumerate();
        let columns: Result<Vec<ArrayRef>> = absent
            .map(|(at, absent)| {
                let found = pieces.iter().map(|piece| piece.column(at + 1).as_ref());
                let first = std::iter::once(absent.as_ref());
                let arrays: Vec<&dyn Array> = first.chain(found).collect();
                Ok(interleave(&arrays, &places)?)
            })
            .collect();
        Ok((columns?, matched))
    }
}

impl Run {
    /// Notes where the findings of `rows` are that this run has.
    async fn take(
        &mut self,
        rows: &Range<usize>,
        places: &mut [(usize, usize)],
        pieces: &mut Vec<RecordBatch>,
    ) -> Result<()> {
        let reading = match &mut self.reading {
            Some(reading) => reading,
            none => none.insert(Reading {
                stream: self.rows.read()?,
                batch: None,
                taken: 0,
            }),
        };
        while let Some(batch) = reading.current().await? {
            let numbers = batch.column(0).as_primitive_opt::<UInt64Type>();
            let numbers =
                numbers.ok_or_else(|| internal_datafusion_err!("a run without row numbers"))?;
            let left = &numbers.values()[reading.taken..];
            let here = left.partition_point(|row| *row < rows.end as u64);
            if here == 0 {
                break;
            }
            pieces.push(batch.clone());
            for (at, row) in (reading.taken..).zip(&left[..here]) {
                let row = usize::try_from(*row).unwrap_or(usize::MAX);
                places[row - rows.start] = (pieces.len(), at);
            }
            reading.taken += here;
        }
        Ok(())
    }
}

impl Reading {
    /// The batch with the next rows; `None` at the end.
    async fn current(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            match &self.batch {
                Some(batch) if self.taken < batch.num_rows() => return Ok(Some(batch.clone())),
                _ => {}
            }
            self.taken = 0;
            self.batch = self.stream.next().await.transpose()?;
            if self.batch.is_none() {
                return Ok(None);
            }
        }
    }
}

impl std::fmt::Debug for Runs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runs")
            .field("runs", &self.runs.len())
            .finish_non_exhaustive()
    }
}
