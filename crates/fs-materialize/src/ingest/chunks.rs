//! Where a long window is cut, so that its parts commit one by one.
//!
//! ```text
//!   pieces of the source   ├──── 1 M ────┤├──── 1 M ────┤
//!   (files, row groups)           ├─ 10 k ─┤             ├──── 1 M ────┤├──── 1 M ────┤
//!   window              [ ────────────────────────────────────────────────────────────── )
//!   chunks, of 2 M      [                               )[                               )
//! ```
//!
//! A piece that lies on both sides of a cut is read twice, once for each chunk. So the window is cut
//! where few rows do, at most a quarter of a chunk; a source that is not sorted by event time, whose
//! every piece reaches across the window, is not cut at all. That costs no memory: rows are sorted
//! with what memory there is, and the rest on disk. It only means that a run which is killed begins
//! again.
//!
//! | Promise | |
//! |---|---|
//! | the chunks are the window | in order, without gap and overlap |
//! | no more cuts than useful | every chunk has at least half of what a chunk should have |
//! | little is read twice | at most half a row for every row there is |
//!
//! How many rows there are before an instant is guessed from the pieces, as if the rows of a piece
//! were spread evenly over it. A wrong guess makes chunks of uneven size, never a wrong table.

use fs_core::{EventTime, TimeRange};

/// Rows of a source that lie together, and within which event times they do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Piece {
    /// The least event time.
    pub(super) low: EventTime,
    /// The greatest event time.
    pub(super) high: EventTime,
    /// How many rows.
    pub(super) rows: u64,
}

/// An instant at which the window could be cut.
#[derive(Debug, Clone, Copy)]
struct Cut {
    at: EventTime,
    /// Rows of the window before it, as far as that can be told.
    before: f64,
    /// Rows of pieces that lie on both sides.
    across: u64,
}

/// Cuts `window` into chunks of about `rows_per_chunk` rows; into one where it cannot be cut well.
pub(super) fn chunks(window: &TimeRange, pieces: &[Piece], rows_per_chunk: u64) -> Vec<TimeRange> {
    let target = rows_per_chunk.max(1);
    let (cuts, total) = possible_cuts(window, pieces);
    let mut chunks = Vec::new();
    let mut start = window.start();
    for cut in chosen(&cuts, total, target) {
        chunks.extend(between(start, cut));
        start = Some(cut);
    }
    chunks.extend(between(start, window.end()));
    chunks
}

fn between(start: Option<EventTime>, end: EventTime) -> Option<TimeRange> {
    match start {
        None => Some(TimeRange::until(end)),
        Some(start) => TimeRange::new(start, end).ok(),
    }
}

/// The best of the cuts, in order, so that every chunk has enough rows.
#[expect(
    clippy::cast_precision_loss,
    reason = "rows of a chunk are far below 2^52, and only compared"
)]
fn chosen(cuts: &[Cut], total: f64, target: u64) -> Vec<EventTime> {
    let goal = target as f64;
    let mut chosen = Vec::new();
    let (mut next, mut from) = (0, 0.0);
    while total - from > goal * 1.5 {
        let mut best: Option<(usize, &Cut)> = None;
        for (at, cut) in cuts.iter().enumerate().skip(next) {
            let (rows, left) = (cut.before - from, total - cut.before);
            if left < goal / 2.0 || (rows > goal * 1.5 && best.is_some()) {
                break;
            }
            if rows < goal / 2.0 || cut.across > target / 4 {
                continue;
            }
            let worth = |cut: &Cut| (cut.across, (cut.before - from - goal).abs());
            // Of cuts that are equally good the later: where the next piece begins.
            if best.is_none_or(|(_, best)| worth(cut) <= worth(best)) {
                best = Some((at, cut));
            }
        }
        let Some((at, cut)) = best else { break };
        chosen.push(cut.at);
        (next, from) = (at + 1, cut.before);
    }
    chosen
}

/// Where a piece begins or ends, within the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Edge {
    /// First, so that a piece that ends where another begins lies on one side of the cut.
    End,
    Begin,
}

/// The instants inside of the window at which pieces begin and end, and how many rows the window has.
#[expect(
    clippy::cast_precision_loss,
    reason = "a guess, and rows and spans of a window are far below 2^52"
)]
fn possible_cuts(window: &TimeRange, pieces: &[Piece]) -> (Vec<Cut>, f64) {
    let mut edges = Vec::with_capacity(pieces.len() * 2);
    for piece in pieces.iter().filter(|piece| piece.rows > 0) {
        let low = piece.low.as_micros();
        let after = piece.high.as_micros().saturating_add(1);
        // Only the part in the window counts, and its share of the rows.
        let first = window
            .start()
            .map_or(low, |start| low.max(start.as_micros()));
        let last = after.min(window.end().as_micros());
        if first >= last || after <= low {
            continue;
        }
        let pace = piece.rows as f64 / (i128::from(after) - i128::from(low)) as f64;
        edges.push((first, Edge::Begin, pace, piece.rows));
        edges.push((last, Edge::End, pace, piece.rows));
    }
    edges.sort_by_key(|(at, edge, ..)| (*at, *edge));
    let mut cuts: Vec<Cut> = Vec::new();
    let (mut before, mut pace, mut open, mut last) = (0.0, 0.0, 0_u64, 0_i64);
    for (index, (at, edge, of_piece, rows)) in edges.iter().enumerate() {
        if open > 0 {
            before += pace * (i128::from(*at) - i128::from(last)) as f64;
        }
        last = *at;
        match edge {
            Edge::End => {
                open = open.saturating_sub(*rows);
                // What rounding leaves of the pace of pieces that are over is forgotten.
                pace = if open == 0 { 0.0 } else { pace - of_piece };
            }
            Edge::Begin => {
                open = open.saturating_add(*rows);
                pace += of_piece;
            }
        }
        let next = edges.get(index + 1);
        let is_last_end =
            *edge == Edge::End && next.is_none_or(|next| (next.0, next.1) != (*at, Edge::End));
        let is_first_begin =
            *edge == Edge::Begin && cuts.last().is_none_or(|cut| cut.at.as_micros() != *at);
        if is_last_end || is_first_begin {
            let across = if is_first_begin { open - rows } else { open };
            cuts.push(Cut {
                at: EventTime::from_micros(*at),
                before,
                across,
            });
        }
    }
    cuts.retain(|cut| window.start().is_none_or(|start| start < cut.at) && cut.at < window.end());
    (cuts, before)
}

#[cfg(test)]
mod tests;
