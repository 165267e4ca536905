//! [`Plan`]: which window a run replaces, in which chunks, from which state of the sources.

use fs_core::{EventTime, TimeRange};
use fs_engine::{SourceState, Spread};
use fs_offline::{RunProgress, TableState};

use super::Ingest;
use super::chunks::{Piece, chunks};
use super::run_key::run_key;
use crate::asked::Work;
use crate::window::{self, Late, Window};
use crate::{Error, Phase};

/// What a run is about to do.
pub(super) struct Plan {
    /// What is replaced, all in all.
    pub(super) window: Window,
    /// What is read, from first to last.
    pub(super) sources: SourceState,
    /// What is left of the window, in order; each commits by itself.
    pub(super) chunks: Vec<TimeRange>,
    /// Where an earlier run of the same was killed.
    pub(super) resumed: Option<EventTime>,
    /// How many windows the table has had replaced.
    pub(super) ingest: i64,
    /// The features that are filled, where rows stay as they are.
    pub(super) features: Option<Vec<String>>,
    /// Whether the run notes how far it has come: one over a range that has several chunks. What an
    /// incremental run has done the watermark says.
    notes_progress: bool,
    spread: Option<Spread>,
    late: Late,
    watermark: Option<EventTime>,
}

/// What a chunk says beside its rows.
#[derive(Debug, Clone)]
pub(super) struct ChunkCommit {
    pub(super) range: TimeRange,
    pub(super) watermark: Option<EventTime>,
    pub(super) source_version: Option<i64>,
    pub(super) progress: Option<RunProgress>,
}

impl Ingest<'_> {
    /// What there is to do; `None` if there is nothing to read.
    pub(super) async fn plan(
        &self,
        sources: SourceState,
        table: Option<TableState>,
    ) -> Result<Option<Plan>, Error> {
        let run = self.run;
        let watermark = table.as_ref().and_then(|table| table.watermark);
        let ingest = table.as_ref().map_or(0, |table| table.ingest);
        let late = self.late(&sources, table.as_ref()).await?;
        let mut features = None;
        let window = match &run.asked.work {
            Work::Range(range) => Some(window::chosen(range, watermark, self.now)),
            Work::UpTo(end) => window::incremental(*end, watermark, late),
            Work::Backfill(named) => self.lacking(named).await?.map(|lacking| {
                features = Some(lacking.features);
                Window::within(lacking.window)
            }),
        };
        let Some(window) = window else {
            return Ok(None);
        };
        let is_incremental = matches!(run.asked.work, Work::UpTo(_));
        let resumed = if is_incremental || ingest == 0 {
            None
        } else {
            let key = self.key(&window.range, features.as_deref(), &sources, ingest);
            self.resumed(&window.range, &key).await?
        };
        let rest = resumed.and_then(|at| TimeRange::new(at, window.range.end()).ok());
        let rest = rest.unwrap_or(window.range);
        let engine = &run.stores.engine;
        let spread = engine
            .spread(run.catalog, run.view, &window.range, &sources)
            .await
            .map_err(|source| run.source_error(source))?;
        let chunks = chunks(
            &rest,
            &pieces(spread.as_ref()),
            run.stores.options.chunk_rows,
        );
        Ok(Some(Plan {
            window,
            sources,
            notes_progress: !is_incremental && (chunks.len() > 1 || resumed.is_some()),
            chunks,
            resumed,
            ingest,
            features,
            spread,
            late,
            watermark,
        }))
    }

    pub(super) fn key(
        &self,
        range: &TimeRange,
        features: Option<&[String]>,
        sources: &SourceState,
        ingest: i64,
    ) -> String {
        let (catalog, view) = (self.run.catalog, self.run.view);
        run_key(
            range,
            catalog,
            view,
            features,
            sources.fingerprint(),
            ingest,
        )
    }

    /// Says how many rows there will be, where that is known.
    pub(super) fn tell_how_many(&self, plan: &Plan) {
        if let Some(spread) = &plan.spread {
            let rows = plan.chunks.iter().map(|chunk| spread.rows_in(chunk)).sum();
            let view = &self.run.view.name;
            self.run.progress.expect(view, Phase::Ingest, rows);
        }
    }
}

impl Plan {
    /// How many rows the whole window has, where that is known.
    pub(super) fn rows(&self) -> Option<u64> {
        let spread = self.spread.as_ref()?;
        Some(spread.rows_in(&self.window.range))
    }

    /// Whether the window is read in one go, so that it can be judged on the way.
    pub(super) const fn is_whole(&self) -> bool {
        self.chunks.len() == 1 && self.resumed.is_none()
    }

    /// What the commit of `chunk` says, after window number `ingest` of the table.
    pub(super) fn commit(&self, chunk: &TimeRange, ingest: i64, of: &Ingest<'_>) -> ChunkCommit {
        // A backfill replaces no window.
        let ingest = ingest + i64::from(self.features.is_none());
        let done = chunk.end();
        let settled = self.late.is_settled(&self.window, self.watermark, done);
        let (run, features) = (of.run, self.features.as_deref());
        let progress = self.notes_progress.then(|| RunProgress {
            key: of.key(&self.window.range, features, &self.sources, ingest),
            done,
            // By a clock that does not show the time of the world nothing is forgotten.
            at: run.stores.clock.is_real().then_some(of.now),
        });
        ChunkCommit {
            range: *chunk,
            watermark: self.window.watermark_at(done),
            source_version: self.sources.delta_version().filter(|_| settled),
            progress,
        }
    }
}

fn pieces(spread: Option<&Spread>) -> Vec<Piece> {
    let pieces = spread.map(|spread| spread.pieces.as_slice());
    let pieces = pieces.unwrap_or_default().iter();
    pieces
        .map(|piece| Piece {
            low: piece.low,
            high: piece.high,
            rows: piece.rows,
        })
        .collect()
}
