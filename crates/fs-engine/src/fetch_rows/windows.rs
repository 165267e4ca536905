//! When the payload does not fit: the output in windows, each with its payload on disk.
//!
//! ```text
//!   input     window 1 │ window 2 │ window 3
//!   wanted    a b c    │ b d      │ a e          sorted addresses, per table
//!   table     a b c d e                          read once, in the order of addresses
//!   on disk   a b c    │ b d      │ a e          one file per window and table
//!   output    window 1, then window 2, then window 3: its file is loaded, its rows are put together
//! ```

use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch, UInt32Array};
use arrow::compute::take_record_batch;
use arrow::datatypes::UInt64Type;
use datafusion::common::utils::memory::RecordBatchMemoryCounter;
use datafusion::error::DataFusionError;
use datafusion::execution::memory_pool::MemoryReservation;
use futures::{StreamExt, TryStreamExt};

use super::directory::Directory;
use super::input::Cursor;
use super::lookup::Loaded;
use super::marks::{Marks, address, ones};
use super::payload::{Payload, Piece, Pieces};
use super::read::Wanted;
use super::run::{Charged, Rows, Run, estimate};
use super::words::WordColumns;
use crate::{Spool, Spooled};

/// At most so many windows, and files per table.
const MOST_WINDOWS: usize = 64;

/// A stretch of the input.
struct Window {
    rows: usize,
    tables: Vec<WindowTable>,
}

/// The wanted rows of one table in a window.
struct WindowTable {
    wanted: Arc<Wanted>,
    /// Sorted, each once.
    addresses: Vec<u64>,
    payload: Spooled,
}

/// The output in windows.
pub(super) async fn rows(
    run: Run,
    input: Spooled,
    wanted: Vec<Arc<Wanted>>,
    charged: Charged,
) -> Result<Rows, DataFusionError> {
    let stretches = stretches(&run, &input, &wanted, &charged).await?;
    run.counts.windows.add(stretches.len());
    let mut windows: Vec<Window> = stretches
        .iter()
        .map(|(rows, _)| Window {
            rows: *rows,
            tables: Vec::new(),
        })
        .collect();
    let mut addresses: Vec<_> = stretches.into_iter().map(|(_, tables)| tables).collect();
    for (table, wanted) in wanted.into_iter().enumerate() {
        let of_table: Vec<Vec<u64>> = addresses
            .iter_mut()
            .map(|tables| std::mem::take(&mut tables[table]))
            .collect();
        let payloads = distribute(&run, &wanted, &of_table, &charged.payload).await?;
        for ((window, addresses), payload) in windows.iter_mut().zip(of_table).zip(payloads) {
            run.counts.spilled_bytes.add(payload.spilled_bytes());
            window.tables.push(WindowTable {
                wanted: Arc::clone(&wanted),
                addresses,
                payload,
            });
        }
    }
    let cursor = Cursor::new(input.read()?);
    let state = Emitting {
        run,
        cursor,
        windows: windows.into_iter(),
        left: 0,
        tables: Vec::new(),
        charged,
        input,
    };
    let rows = futures::stream::try_unfold(state, |mut state| async move {
        let batch = state.next().await?;
        Ok::<_, DataFusionError>(batch.map(|batch| (batch, state)))
    });
    Ok(rows.boxed())
}

/// Cuts the input into stretches of rows, with the addresses in each, per table.
async fn stretches(
    run: &Run,
    input: &Spooled,
    wanted: &[Arc<Wanted>],
    charged: &Charged,
) -> Result<Vec<(usize, Vec<Vec<u64>>)>, DataFusionError> {
    let bytes = estimate(wanted);
    let mut count = 2;
    while count < MOST_WINDOWS && charged.payload.try_grow(bytes / count).is_err() {
        count *= 2;
    }
    charged.payload.free();
    let length = input.rows().div_ceil(count).max(1);
    let mut cursor = Cursor::new(input.read()?);
    let mut stretches = Vec::new();
    loop {
        let mut rows = 0;
        let mut tables = vec![Vec::new(); run.tables.len()];
        while rows < length
            && let Some(batch) = cursor.next(length - rows).await?
        {
            rows += batch.num_rows();
            for (table, addresses) in run.tables.iter().zip(&mut tables) {
                for column in &table.addresses {
                    let column = batch.column(*column).as_primitive::<UInt64Type>();
                    addresses.extend(column.iter().flatten());
                }
            }
        }
        if rows == 0 {
            return Ok(stretches);
        }
        for addresses in &mut tables {
            addresses.sort_unstable();
            addresses.dedup();
            addresses.shrink_to_fit();
            charged.marks.grow(size_of_val(addresses.as_slice()));
        }
        stretches.push((rows, tables));
    }
}

/// Reads the wanted rows of a table once, and writes those of each window to a file of its own.
async fn distribute(
    run: &Run,
    wanted: &Arc<Wanted>,
    windows: &[Vec<u64>],
    reservation: &MemoryReservation,
) -> Result<Vec<Spooled>, DataFusionError> {
    let runtime = run.context.runtime_env();
    let schema = wanted.source.schema();
    let mut files = Vec::with_capacity(windows.len());
    for addresses in windows {
        let reservation = reservation.new_empty();
        let mut file = Spool::new(Arc::clone(schema), reservation, &runtime, "fetched rows");
        file.spill().await?;
        files.push((file, addresses.as_slice()));
    }
    let mut chunks = wanted.read(run.parallel(), true, &run.context, |piece| piece);
    while let Some((at, pieces)) = chunks.try_next().await? {
        let chunk = &wanted.chunks[at];
        let of_chunk: Vec<u64> = ones(wanted.words(chunk))
            .map(|row| address(chunk.file, chunk.rows.start + row))
            .collect();
        let mut first = 0;
        for piece in pieces {
            let of_piece = &of_chunk[first..first + piece.num_rows()];
            first += piece.num_rows();
            for (file, ahead) in &mut files {
                let places = places(of_piece, ahead);
                if !places.is_empty() {
                    file.push(take_record_batch(&piece, &places)?).await?;
                }
            }
        }
    }
    let mut spooled = Vec::with_capacity(files.len());
    for (file, _) in files {
        spooled.push(file.finish().await?);
    }
    Ok(spooled)
}

/// Where in `rows` the next of `ahead` are, which is moved past them; all are sorted.
fn places(rows: &[u64], ahead: &mut &[u64]) -> UInt32Array {
    let Some(last) = rows.last() else {
        return UInt32Array::new_null(0);
    };
    let (here, later) = ahead.split_at(ahead.partition_point(|at| at <= last));
    *ahead = later;
    let mut wanted = here.iter().peekable();
    (0_u32..)
        .zip(rows)
        .filter(|(_, row)| wanted.next_if_eq(row).is_some())
        .map(|(place, _)| place)
        .collect::<Vec<u32>>()
        .into()
}

/// The output on its way.
struct Emitting {
    run: Run,
    cursor: Cursor,
    windows: std::vec::IntoIter<Window>,
    /// Rows of the window that are still to come.
    left: usize,
    tables: Vec<Loaded>,
    charged: Charged,
    /// Holds the rows that the cursor reads.
    input: Spooled,
}

impl Emitting {
    async fn next(&mut self) -> Result<Option<RecordBatch>, DataFusionError> {
        if self.left == 0 {
            let Some(window) = self.windows.next() else {
                return Ok(None);
            };
            self.load(window).await?;
        }
        let limit = self
            .run
            .context
            .session_config()
            .batch_size()
            .min(self.left);
        let Some(batch) = self.cursor.next(limit).await? else {
            return Err(DataFusionError::Execution(format!(
                "{} rows were read back short",
                self.input.rows()
            )));
        };
        self.left -= batch.num_rows();
        let _timer = self.run.counts.elapsed.timer();
        self.run.layout.assemble(&batch, &self.tables).map(Some)
    }

    async fn load(&mut self, window: Window) -> Result<(), DataFusionError> {
        self.left = window.rows;
        self.tables.clear();
        self.charged.payload.free();
        let mut used = RecordBatchMemoryCounter::new();
        for table in window.tables {
            let source = &table.wanted.source;
            let mut pieces = Pieces::new(Arc::clone(source.schema()));
            let mut rows = table.payload.read()?;
            while let Some(batch) = rows.try_next().await? {
                pieces.push(batch)?;
            }
            let layout = WordColumns::of(source.schema());
            let pieces = pieces.finish()?.into_iter();
            let pieces = pieces.map(|piece| Piece::new(&layout, &piece));
            let pieces: Vec<Piece> = pieces.collect::<Result<_, _>>()?;
            for piece in &pieces {
                // It cannot do with less: there is no smaller window.
                self.charged.payload.grow(piece.bytes(&mut used));
            }
            let mut marks = Marks::none(source.files());
            for address in table.addresses {
                marks.set(address)?;
            }
            self.tables.push(Loaded {
                directory: Directory::dense(&marks),
                payload: Payload::new(layout, pieces),
            });
        }
        Ok(())
    }
}
