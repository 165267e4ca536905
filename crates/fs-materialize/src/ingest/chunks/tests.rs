#![expect(
    clippy::cast_precision_loss,
    reason = "the rows of a test are few, and only compared"
)]

use proptest::prelude::*;

use super::*;

fn at(micros: i64) -> EventTime {
    EventTime::from_micros(micros)
}

fn range(start: i64, end: i64) -> TimeRange {
    TimeRange::new(at(start), at(end)).unwrap()
}

fn piece(low: i64, high: i64, rows: u64) -> Piece {
    Piece {
        low: at(low),
        high: at(high),
        rows,
    }
}

/// Row groups of a file that is sorted by time.
fn sorted(groups: i64, rows: u64) -> Vec<Piece> {
    (0..groups)
        .map(|n| piece(n * 100, n * 100 + 99, rows))
        .collect()
}

#[test]
fn a_sorted_source_is_cut_between_its_pieces() {
    let chunks = chunks(&range(0, 800), &sorted(8, 10), 20);
    let wanted = [
        range(0, 200),
        range(200, 400),
        range(400, 600),
        range(600, 800),
    ];
    assert_eq!(chunks, wanted);
}

#[test]
fn a_window_with_few_rows_is_one_chunk() {
    assert_eq!(chunks(&range(0, 800), &sorted(8, 10), 80), [range(0, 800)]);
    assert_eq!(chunks(&range(0, 800), &sorted(8, 10), 54), [range(0, 800)]);
    assert_eq!(chunks(&range(0, 800), &[], 1), [range(0, 800)]);
}

#[test]
fn a_source_whose_pieces_all_reach_across_the_window_is_not_cut() {
    let unsorted = vec![piece(0, 799, 100); 8];
    assert_eq!(chunks(&range(0, 800), &unsorted, 100), [range(0, 800)]);
}

#[test]
fn pieces_that_overlap_a_little_are_cut_where_the_fewest_rows_are_read_twice() {
    // A late row or two in each piece, and one piece that reaches far back.
    let pieces = [
        piece(0, 210, 100),
        piece(190, 400, 100),
        piece(401, 600, 100),
        piece(50, 780, 5),
        piece(590, 800, 100),
    ];
    let cut = chunks(&range(0, 801), &pieces, 200);
    assert_eq!(cut, [range(0, 401), range(401, 801)]);
}

#[test]
fn only_what_lies_in_the_window_counts() {
    // 1,000 rows, of which the window has 200.
    let chunks = chunks(&range(400, 600), &sorted(10, 100), 100);
    assert_eq!(chunks, [range(400, 500), range(500, 600)]);
}

#[test]
fn a_window_without_a_start_is_cut_as_well() {
    let chunks = chunks(&TimeRange::until(at(400)), &sorted(8, 10), 20);
    assert_eq!(chunks, [TimeRange::until(at(200)), range(200, 400)]);
}

#[test]
fn rows_of_one_instant_stay_together() {
    let pieces = vec![piece(5, 5, 1_000), piece(6, 6, 1_000)];
    assert_eq!(
        chunks(&range(0, 10), &pieces, 10),
        [range(0, 6), range(6, 10)]
    );
}

#[test]
fn instants_at_the_ends_of_time_are_counted_like_others() {
    let ends = [piece(i64::MIN, 0, 10), piece(1, i64::MAX, 10)];
    let all = TimeRange::until(at(i64::MAX));
    assert_eq!(
        chunks(&all, &ends, 10),
        [TimeRange::until(at(1)), range(1, i64::MAX)]
    );
}

fn any_pieces() -> impl Strategy<Value = Vec<Piece>> {
    let one = (0_i64..1_000, prop_oneof![0_i64..5, 0_i64..400], 0_u64..500);
    let one = one.prop_map(|(low, span, rows)| piece(low, low + span, rows));
    // Some sources are sorted but for a little.
    let nearly_sorted = (1_i64..60, 0_i64..30, 1_u64..200).prop_map(|(pieces, slack, rows)| {
        (0..pieces)
            .map(|n| piece(n * 20 - slack, n * 20 + 20, rows))
            .collect()
    });
    prop_oneof![proptest::collection::vec(one, 0..40), nearly_sorted]
}

/// What the chunks would read, as if rows were spread evenly over their piece.
fn rows_in(range: &TimeRange, pieces: &[Piece]) -> f64 {
    let rows = pieces.iter().map(|piece| {
        let (low, after) = (piece.low.as_micros(), piece.high.as_micros() + 1);
        let start = range
            .start()
            .map_or(low, |start| start.as_micros().max(low));
        let inside = (range.end().as_micros().min(after) - start).max(0);
        piece.rows as f64 * inside as f64 / (after - low) as f64
    });
    rows.sum()
}

proptest! {
    #[test]
    fn the_chunks_are_the_window_and_few_enough_and_read_little_twice(
        pieces in any_pieces(),
        start in proptest::option::of(-50_i64..600),
        span in 1_i64..1_200,
        target in 1_u64..2_000,
    ) {
        let end = at(start.unwrap_or(0) + span);
        let window = start.map_or_else(|| TimeRange::until(end), |start| range(start, end.as_micros()));
        let chunks = chunks(&window, &pieces, target);
        // The chunks are the window: each begins where the one before ends.
        prop_assert_eq!(chunks.first().unwrap().start(), window.start());
        prop_assert_eq!(chunks.last().unwrap().end(), window.end());
        for pair in chunks.windows(2) {
            prop_assert_eq!(Some(pair[0].end()), pair[1].start());
        }
        let total = rows_in(&window, &pieces);
        let mut twice = 0;
        for chunk in &chunks {
            let rows = rows_in(chunk, &pieces);
            prop_assert!(chunks.len() == 1 || rows > target as f64 * 0.499, "{} rows in {}", rows, chunk);
            let cut = chunk.end();
            let across = pieces.iter().filter(|piece| piece.low < cut && cut <= piece.high);
            if cut != window.end() {
                twice += across.map(|piece| piece.rows).sum::<u64>();
            }
        }
        prop_assert!(twice as f64 <= total / 2.0 + 1e-6, "{} of {} rows twice", twice, total);
    }

    #[test]
    fn a_source_that_is_sorted_has_no_chunk_much_larger_than_asked_for(
        groups in 1_i64..200,
        rows in 1_u64..100,
        target in 100_u64..2_000,
    ) {
        let window = range(0, groups * 100);
        for chunk in chunks(&window, &sorted(groups, rows), target) {
            let rows = rows_in(&chunk, &sorted(groups, rows));
            prop_assert!(rows <= target as f64 * 1.5 + 1e-6, "{} rows in {}", rows, chunk);
        }
    }
}
