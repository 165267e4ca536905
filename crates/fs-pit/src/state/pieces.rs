//! [`Pieces`]: what lies in each window at one instant, found once for all lanes.

use super::State;
use super::block::Block;
use super::part::Part;
use super::schema::Schema;
use super::segment::Segment;
use crate::Error;
use crate::windows::covers::start;
use crate::windows::plan::WindowPlan;

/// What lies in each window at one instant.
///
/// Windows are nested, so each piece counts from one window on, and in all that are longer.
#[derive(Debug)]
pub(super) struct Pieces<'a> {
    /// By the shortest window that they are in.
    pub(super) found: Vec<Piece<'a>>,
    /// Whether a window cuts through events that are merged.
    pub(super) withheld: Vec<bool>,
    /// Which columns each part has.
    pub(super) columns: Vec<Columns>,
    /// The lanes of the segments that have some, one after the other.
    lanes: Vec<Option<&'a [u8]>>,
    /// The event time of the newest event that is visible.
    pub(super) newest: Option<i64>,
}

/// Events that count from one window on.
#[derive(Debug)]
pub(super) struct Piece<'a> {
    /// The shortest window that has them.
    pub(super) window: usize,
    pub(super) part: usize,
    /// The events, if they were kept apart, and which of them.
    pub(super) block: Option<(Block<'a>, u64)>,
    /// Where the lanes of all events of the segment begin; none if they are not all of them, or the segment has no
    /// lanes.
    lanes_at: Option<usize>,
}

/// Where a part has what a plan reads.
#[derive(Debug)]
pub(super) struct Columns {
    /// The schema of the part; none if it is the reader's own.
    pub(super) schema: Option<Schema>,
    lanes: Vec<Option<usize>>,
    inputs: Vec<Option<usize>>,
    filters: Vec<Option<usize>>,
}

impl Columns {
    /// Where a part of the schema `theirs` has what is in `own`.
    fn of(own: &Schema, theirs: Schema) -> Self {
        let place = |ids: &[u32], id: &u32| ids.iter().position(|other| other == id);
        let inputs = own.inputs.iter().map(|input| {
            let is_it = |other: &super::schema::StoredInput| other == input;
            theirs.inputs.iter().position(is_it)
        });
        Self {
            lanes: own
                .lanes
                .iter()
                .map(|it| place(&theirs.lanes, it))
                .collect(),
            inputs: inputs.collect(),
            filters: own
                .filters
                .iter()
                .map(|it| place(&theirs.filters, it))
                .collect(),
            schema: Some(theirs),
        }
    }

    /// The same schema.
    const fn own() -> Self {
        Self {
            schema: None,
            lanes: Vec::new(),
            inputs: Vec::new(),
            filters: Vec::new(),
        }
    }

    fn place(&self, places: &[Option<usize>], own: usize) -> Option<usize> {
        match self.schema {
            None => Some(own),
            Some(_) => places.get(own).copied().flatten(),
        }
    }

    pub(super) fn lane(&self, lane: usize) -> Option<usize> {
        self.place(&self.lanes, lane)
    }

    pub(super) fn input(&self, input: usize) -> Option<usize> {
        self.place(&self.inputs, input)
    }

    pub(super) fn filter(&self, filter: usize) -> Option<usize> {
        self.place(&self.filters, filter)
    }
}

impl<'a> Pieces<'a> {
    /// What lies in each window of `plan` at `now`; `schema` is that of the plan.
    pub(super) fn of(
        state: Option<&State<'a>>,
        plan: &WindowPlan,
        schema: &Schema,
        now: i64,
    ) -> Result<Self, Error> {
        let windows = plan.windows().iter();
        let search = Search {
            starts: windows.map(|window| start(*window, now)).collect(),
            now,
        };
        let mut pieces = Self {
            found: Vec::new(),
            withheld: vec![false; search.starts.len()],
            columns: Vec::new(),
            lanes: Vec::new(),
            newest: None,
        };
        for part in state.map_or(&[][..], |state| state.parts.as_slice()) {
            pieces.add_part(part, schema, &search)?;
        }
        pieces.found.sort_by_key(|piece| piece.window);
        Ok(pieces)
    }

    /// The partial aggregate of a lane of a piece; none if it is not kept.
    pub(super) fn lane(&self, piece: &Piece<'a>, lane: usize) -> Option<&'a [u8]> {
        let lane = self.columns.get(piece.part)?.lane(lane)?;
        self.lanes.get(piece.lanes_at? + lane).copied().flatten()
    }

    fn add_part(&mut self, part: &Part<'a>, own: &Schema, search: &Search) -> Result<(), Error> {
        if part.count == 0 {
            return Ok(());
        }
        let number = self.columns.len();
        if part.fingerprint == own.fingerprint {
            self.columns.push(Columns::own());
            return self.add_segments(part, number, own, search);
        }
        let theirs = part.schema()?;
        if theirs.rule != own.rule {
            // What was merged was merged by when it counted then.
            self.columns.push(Columns::of(own, theirs));
            self.withheld.fill(true);
            return Ok(());
        }
        self.columns.push(Columns::of(own, theirs.clone()));
        self.add_segments(part, number, &theirs, search)
    }

    fn add_segments(
        &mut self,
        part: &Part<'a>,
        number: usize,
        schema: &Schema,
        search: &Search,
    ) -> Result<(), Error> {
        for segment in part.segments(schema) {
            self.add_segment(&segment?, number, schema, search)?;
        }
        Ok(())
    }

    fn add_segment(
        &mut self,
        segment: &Segment<'a>,
        part: usize,
        schema: &Schema,
        search: &Search,
    ) -> Result<(), Error> {
        let (first, last) = segment.reach.arrives(&schema.rule);
        let (seen_from, seen_to) = segment.reach.visible;
        if seen_from > search.now {
            return Ok(());
        }
        let all_seen = seen_to <= search.now;
        let touched = search.shortest_with(last);
        let contains = search.shortest_with(first);
        if let Some(block) = segment.block
            && !(all_seen && touched == contains)
        {
            self.add_some(block, part, schema, search);
            return Ok(());
        }
        if all_seen {
            self.newest = self.newest.max(Some(segment.reach.event.1));
        }
        let cut = if all_seen {
            contains
        } else {
            self.withheld.len()
        };
        self.withheld
            .iter_mut()
            .take(cut)
            .skip(touched)
            .for_each(|it| *it = true);
        if !all_seen || contains >= self.withheld.len() {
            return Ok(());
        }
        let lanes_at = self.lanes.len();
        for lane in segment.lanes() {
            self.lanes.push(lane?);
        }
        let block = segment.block;
        self.found.push(Piece {
            window: contains,
            part,
            block: block.map(|block| (block, super::mask::first(block.len()))),
            lanes_at: (self.lanes.len() > lanes_at).then_some(lanes_at),
        });
        Ok(())
    }

    /// Adds those events of a block that are in some window.
    fn add_some(&mut self, block: Block<'a>, part: usize, schema: &Schema, search: &Search) {
        let mut masks = vec![0_u64; search.starts.len() + 1];
        for at in 0..block.len() {
            let rank = block.rank(at);
            if schema.rule.visible_from(rank.event, rank.created) > search.now {
                continue;
            }
            self.newest = self.newest.max(Some(rank.event));
            let window = search.shortest_with(schema.rule.arrives(rank.event));
            masks[window] |= 1 << at;
        }
        let masks = masks.iter().take(search.starts.len()).enumerate();
        for (window, mask) in masks.filter(|(_, mask)| **mask != 0) {
            self.found.push(Piece {
                window,
                part,
                block: Some((block, *mask)),
                lanes_at: None,
            });
        }
    }
}

/// The starts of all windows at one instant, the shortest window first: the latest start first.
struct Search {
    starts: Vec<Option<i64>>,
    now: i64,
}

impl Search {
    /// The shortest window that starts before `arrives`; how many there are, if none does.
    fn shortest_with(&self, arrives: i64) -> usize {
        self.starts
            .partition_point(|start| start.is_some_and(|start| start >= arrives))
    }
}
