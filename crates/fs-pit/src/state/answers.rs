//! [`StateReader`]: from the state of a key to the answers at `now`.

use std::sync::Arc;

use fs_core::Function;

use super::State;
use super::mask;
use super::pieces::{Piece, Pieces};
use super::schema::Schema;
use crate::aggregate::{Aggregate, Answer, Input, Unanswered, Visitor};
use crate::windows::plan::{Lane, WindowPlan};
use crate::{Error, RowRank};

/// Reads some features of a windowed view from the states of its keys.
///
/// Made once for a view and a list of features, and used for every read.
#[derive(Debug)]
pub struct StateReader {
    plan: Arc<WindowPlan>,
    schema: Schema,
    /// The lanes that are needed, and what is asked of each, the shortest window first.
    lanes: Vec<(usize, Vec<Asked>)>,
}

/// A feature that is asked for.
#[derive(Debug)]
struct Asked {
    /// Which of the features that are asked for.
    position: usize,
    /// Which of the outputs of the plan.
    output: usize,
    /// Which of its windows.
    window: usize,
    function: Function,
}

/// Takes the answers for one key, each with the position of its feature among those that were asked for; no
/// answer where it is withheld, because the state cannot give it exactly at that instant.
pub trait Tell {
    /// Takes one answer.
    fn tell(&mut self, position: usize, answer: Option<&Answer<'_>>) -> Result<(), Error>;
}

impl<F: FnMut(usize, Option<&Answer<'_>>) -> Result<(), Error>> Tell for F {
    fn tell(&mut self, position: usize, answer: Option<&Answer<'_>>) -> Result<(), Error> {
        self(position, answer)
    }
}

impl StateReader {
    /// A reader of the outputs `wanted` of `plan`, which is that of the whole view.
    pub fn new(plan: Arc<WindowPlan>, wanted: &[usize]) -> Self {
        let mut lanes: Vec<(usize, Vec<Asked>)> = Vec::new();
        for (position, number) in wanted.iter().enumerate() {
            let Some(output) = plan.outputs().get(*number) else {
                continue;
            };
            let asked = Asked {
                position,
                output: *number,
                window: output.window,
                function: output.function,
            };
            match lanes.iter_mut().find(|(lane, _)| *lane == output.lane) {
                Some((_, all)) => all.push(asked),
                None => lanes.push((output.lane, vec![asked])),
            }
        }
        for (_, asked) in &mut lanes {
            asked.sort_by_key(|asked| asked.window);
        }
        Self {
            schema: Schema::of(&plan),
            plan,
            lanes,
        }
    }

    /// Tells what the state of a key, or none, answers at `now`. Returns the event time of the newest event that
    /// was visible then.
    ///
    /// Costs one look at every segment, and per lane one merge for each segment that lies in a window and one
    /// update for each event near its ends: windows are nested, so nothing is looked at twice. Errors:
    /// a broken state; integers whose sum is beyond `int64`.
    pub fn answer(
        &self,
        state: Option<&State<'_>>,
        now: i64,
        tell: &mut dyn Tell,
    ) -> Result<Option<i64>, Error> {
        let pieces = Pieces::of(state, &self.plan, &self.schema, now)?;
        for (number, asked) in &self.lanes {
            let Some(lane) = self.plan.lanes().get(*number) else {
                continue;
            };
            let fold = Fold {
                reader: self,
                number: *number,
                lane,
                asked,
                pieces: &pieces,
                tell,
            };
            lane.visit(fold)??;
        }
        Ok(pieces.newest)
    }
}

/// One lane, folded over its windows from the shortest to the longest.
struct Fold<'f, 'a> {
    reader: &'f StateReader,
    number: usize,
    lane: &'f Lane,
    asked: &'f [Asked],
    pieces: &'f Pieces<'a>,
    tell: &'f mut dyn Tell,
}

/// For aggregates that do not look at it.
const NO_RANK: RowRank = RowRank {
    event: 0,
    created: None,
    sequence: None,
};

impl Visitor for Fold<'_, '_> {
    type Output = Result<(), Error>;

    fn visit<A: Aggregate>(self, aggregate: A) -> Result<(), Error> {
        let mut state = aggregate.init();
        let mut pieces = self.pieces.found.as_slice();
        let mut is_known = true;
        for asked in self.asked {
            let here = pieces.partition_point(|piece| piece.window <= asked.window);
            let (next, rest) = pieces.split_at(here);
            pieces = rest;
            for piece in next {
                // Without one piece, no longer window is known either.
                is_known = is_known && self.add(&aggregate, &mut state, piece)?;
            }
            if !is_known || self.pieces.withheld[asked.window] {
                self.tell.tell(asked.position, None)?;
                continue;
            }
            let answer = aggregate.answer(&state, &asked.function);
            let answer = answer.map_err(|error| self.unanswered(asked, error))?;
            self.tell.tell(asked.position, Some(&answer))?;
        }
        Ok(())
    }
}

impl Fold<'_, '_> {
    /// Adds a piece; false if what the lane needs of it was not kept.
    fn add<A: Aggregate>(
        &self,
        aggregate: &A,
        state: &mut A::State,
        piece: &Piece<'_>,
    ) -> Result<bool, Error> {
        if let Some(mut bytes) = self.pieces.lane(piece, self.number) {
            let other = aggregate.read(&mut bytes)?;
            aggregate.merge(state, &other);
            return Ok(true);
        }
        let Some((block, mask)) = &piece.block else {
            return Ok(false);
        };
        let columns = &self.pieces.columns[piece.part];
        let schema = columns.schema.as_ref().unwrap_or(&self.reader.schema);
        if A::RANKED && !schema.ranked {
            return Ok(false);
        }
        let mut mask = *mask;
        if let Some(filter) = self.lane.filter {
            let Some(filter) = columns.filter(filter) else {
                return Ok(false);
            };
            mask &= block.filter(filter)?;
        }
        let rank = |at: usize| if A::RANKED { block.rank(at) } else { NO_RANK };
        let Some(input) = self.lane.input else {
            if let Some(row) = A::Input::of(crate::aggregate::Scalar::Row) {
                mask::each(mask).for_each(|at| aggregate.update(state, row, rank(at)));
            }
            return Ok(true);
        };
        let Some(input) = columns.input(input) else {
            return Ok(false);
        };
        let values = block.values(schema, input)?;
        for at in mask::each(mask & values.there) {
            if let Some(value) = values.get(at).and_then(A::Input::of) {
                aggregate.update(state, value, rank(at));
            }
        }
        Ok(true)
    }

    fn unanswered(&self, asked: &Asked, error: Unanswered) -> Error {
        let output = self.reader.plan.outputs().get(asked.output);
        match (error, output) {
            (Unanswered::Overflow, Some(output)) => Error::Overflow {
                feature: output.feature.clone(),
            },
            _ => Error::NotThatType { found: None },
        }
    }
}
