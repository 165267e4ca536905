//! [`Sweep`]: the answers of one lane, key by key.

use arrow::array::ArrayRef;

use super::plan::Output;
use super::records::{self, Records};
use super::touched::{Source, Touched};
use super::tree::Tree;
use crate::Error;
use crate::aggregate::{Aggregate, Answer, AnswerBuilder, Unanswered};

/// What is asked of a lane in one window.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    /// The window among those of the plan.
    pub(super) window: usize,
    /// Where the answers go; at least one.
    pub(super) answers: Vec<Answers<'a>>,
}

/// Where the answers of an output go.
#[derive(Debug)]
pub(super) struct Answers<'a> {
    /// The output among those of the plan.
    position: usize,
    output: &'a Output,
    place: Place,
}

#[derive(Debug)]
enum Place {
    /// This word of the record.
    Record(usize),
    /// A column of its own.
    Column(AnswerBuilder),
}

/// Answers what is asked of a lane, whatever it keeps.
pub(super) trait Sweeper<'a> {
    /// Answers for every slot of a key, the first of them in record `first`.
    fn key(&mut self, touched: &Touched, records: &mut Records, first: usize) -> Result<(), Error>;

    /// Answers for a slot without events.
    fn nothing(&mut self, records: &mut Records, record: usize) -> Result<(), Error>;

    /// What is asked of the lane.
    fn asked(&mut self) -> &mut [Asked<'a>];
}

/// The answers of one lane.
///
/// All windows of a slot end where it is, and each contains the shorter ones. So one walk back from
/// the slot answers all of them: each window adds the leaves from its start to that of the one
/// before. Long stretches are merged by a [`Tree`].
#[derive(Debug)]
pub(super) struct Sweep<'a, A: Aggregate> {
    aggregate: &'a A,
    /// The partials of each join.
    joins: Vec<&'a [A::State]>,
    /// Shortest first.
    asked: Vec<Asked<'a>>,
    tree: Tree<A::State>,
}

impl<'a> Answers<'a> {
    /// Of the output at `position`; those that fit go to `word` of the record.
    pub(super) fn new(position: usize, output: &'a Output, word: usize) -> Self {
        let place = match records::fixed(output.data_type) {
            Some(_) => Place::Record(word),
            None => Place::Column(AnswerBuilder::new(output.data_type, 0)),
        };
        Self {
            position,
            output,
            place,
        }
    }

    #[inline]
    fn put(
        &mut self,
        answer: Result<Answer<'_>, Unanswered>,
        records: &mut Records,
        record: usize,
    ) -> Result<(), Error> {
        match (answer, &mut self.place) {
            (Ok(Answer::Null), Place::Record(_)) => Ok(()),
            (Ok(Answer::One(value)), Place::Record(at)) => {
                if let Some(word) = records::word(value) {
                    records.set(record, *at, word);
                }
                Ok(())
            }
            (Ok(answer), Place::Column(column)) => column.append(&answer),
            (Err(Unanswered::Overflow), _) => Err(Error::Overflow {
                feature: self.output.feature.clone(),
            }),
            (Ok(Answer::Many(_)) | Err(Unanswered::NotKept), _) => {
                Err(Error::NotThatType { found: None })
            }
        }
    }

    /// The column so far, and the position of its output, if it has one of its own; the next
    /// answers go to a new one of about `rows`.
    pub(super) fn take(&mut self, rows: usize) -> Option<Result<(usize, ArrayRef), Error>> {
        let Place::Column(column) = &mut self.place else {
            return None;
        };
        let next = AnswerBuilder::new(self.output.data_type, rows);
        let column = std::mem::replace(column, next).finish();
        Some(column.map(|column| (self.position, column)))
    }
}

impl<'a, A: Aggregate> Sweep<'a, A> {
    /// Over the partials of each of `joins`; `asked` has the shortest window first.
    pub(super) fn new(aggregate: &'a A, joins: Vec<&'a [A::State]>, asked: Vec<Asked<'a>>) -> Self {
        Self {
            aggregate,
            joins,
            asked,
            tree: Tree::new(),
        }
    }

    fn state(&self, source: &Source) -> &'a A::State {
        &self.joins[source.join as usize][source.place as usize]
    }

    /// Makes the leaves of a key of what the joins have.
    fn plant(&mut self, touched: &Touched) {
        let mut leaves = std::mem::take(self.tree.leaves());
        for source in &touched.sources {
            let state = self.state(source);
            let at = source.leaf as usize;
            if let Some(leaf) = leaves.get_mut(at) {
                self.aggregate.merge(leaf, state);
            } else {
                // Between them are leaves of which nothing is known yet.
                leaves.resize_with(at, || self.aggregate.init());
                leaves.push(state.clone());
            }
        }
        leaves.resize_with(touched.leaves, || self.aggregate.init());
        *self.tree.leaves() = leaves;
        self.tree.grow(self.aggregate);
    }
}

impl<'a, A: Aggregate> Sweeper<'a> for Sweep<'a, A> {
    fn key(&mut self, touched: &Touched, records: &mut Records, first: usize) -> Result<(), Error> {
        self.plant(touched);
        let mut late = touched.late.iter().peekable();
        // Everything before `grown`, for windows without a start.
        let mut lifetime = self.aggregate.init();
        let mut grown = 0;
        for slot in 0..touched.slots() {
            while let Some((_, source)) = late.next_if(|(from, _)| *from as usize <= slot) {
                let (at, state) = (source.leaf as usize, self.state(source));
                self.tree.add(self.aggregate, at, state);
                if at < grown {
                    self.aggregate.merge(&mut lifetime, state);
                }
            }
            let (begins, end) = (touched.begins(slot), touched.ends[slot] as usize);
            let mut state = self.aggregate.init();
            let mut at = end;
            for asked in &mut self.asked {
                let state = if let Some(begin) = begins.get(asked.window) {
                    let begin = *begin as usize;
                    self.tree.merge(self.aggregate, begin..at, &mut state);
                    at = begin;
                    &state
                } else {
                    self.tree.merge(self.aggregate, grown..end, &mut lifetime);
                    grown = end;
                    &lifetime
                };
                asked.put(self.aggregate, state, records, first + slot)?;
            }
        }
        Ok(())
    }

    fn nothing(&mut self, records: &mut Records, record: usize) -> Result<(), Error> {
        let nothing = self.aggregate.init();
        let mut asked = self.asked.iter_mut();
        asked.try_for_each(|asked| asked.put(self.aggregate, &nothing, records, record))
    }

    fn asked(&mut self) -> &mut [Asked<'a>] {
        &mut self.asked
    }
}

impl Asked<'_> {
    #[inline]
    fn put<A: Aggregate>(
        &mut self,
        aggregate: &A,
        state: &A::State,
        records: &mut Records,
        record: usize,
    ) -> Result<(), Error> {
        for answers in &mut self.answers {
            let answer = aggregate.answer(state, &answers.output.function);
            answers.put(answer, records, record)?;
        }
        Ok(())
    }
}
