//! [`Sweep`]: the answers of one lane, key by key.

use arrow::array::ArrayRef;
use fs_core::Function;

use super::plan::Output;
use super::touched::{Source, Touched};
use super::tree::Tree;
use crate::Error;
use crate::aggregate::{Aggregate, AnswerBuilder, Unanswered};

/// What is asked of a lane in one window.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    /// The window among those of the plan.
    pub(super) window: usize,
    /// The outputs and their positions among those of the plan.
    pub(super) outputs: Vec<(usize, &'a Output)>,
}

/// Answers what is asked of a lane, whatever it keeps.
pub(super) trait Sweeper {
    /// Answers for every slot of a key.
    fn key(&mut self, touched: &Touched) -> Result<(), Error>;

    /// Answers for a key without events.
    fn no_key(&mut self) -> Result<(), Error>;

    /// The answers so far, and the positions of their outputs; the next ones go to new columns of
    /// about `rows`.
    fn take(&mut self, rows: usize) -> Result<Vec<(usize, ArrayRef)>, Error>;
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
    windows: Vec<Columns<'a>>,
    tree: Tree<A::State>,
}

/// The columns that answers in one window go to.
#[derive(Debug)]
struct Columns<'a> {
    window: usize,
    columns: Vec<Answers<'a>>,
}

#[derive(Debug)]
struct Answers<'a> {
    position: usize,
    output: &'a Output,
    function: &'a Function,
    builder: AnswerBuilder,
}

impl<'a, A: Aggregate> Sweep<'a, A> {
    pub(super) fn new(aggregate: &'a A, joins: Vec<&'a [A::State]>, asked: Vec<Asked<'a>>) -> Self {
        let windows = asked.into_iter().map(|asked| Columns {
            window: asked.window,
            columns: asked
                .outputs
                .into_iter()
                .map(|(position, output)| Answers {
                    position,
                    output,
                    function: &output.function,
                    builder: AnswerBuilder::new(output.data_type, 0),
                })
                .collect(),
        });
        let mut windows: Vec<Columns<'a>> = windows.collect();
        windows.sort_by_key(|columns| columns.window);
        Self {
            aggregate,
            joins,
            windows,
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
            match leaves.get_mut(at) {
                Some(leaf) => self.aggregate.merge(leaf, state),
                None => {
                    // Between them are leaves of which nothing is known yet.
                    leaves.resize_with(at, || self.aggregate.init());
                    leaves.push(state.clone());
                }
            }
        }
        leaves.resize_with(touched.leaves, || self.aggregate.init());
        *self.tree.leaves() = leaves;
        self.tree.grow(self.aggregate);
    }
}

impl<A: Aggregate> Sweeper for Sweep<'_, A> {
    fn key(&mut self, touched: &Touched) -> Result<(), Error> {
        if touched.leaves == 0 {
            for _ in 0..touched.slots() {
                self.no_key()?;
            }
            return Ok(());
        }
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
            for columns in &mut self.windows {
                if let Some(begin) = begins.get(columns.window) {
                    let begin = *begin as usize;
                    self.tree.merge(self.aggregate, begin..at, &mut state);
                    at = begin;
                    columns.append(self.aggregate, &state)?;
                } else {
                    self.tree.merge(self.aggregate, grown..end, &mut lifetime);
                    grown = end;
                    columns.append(self.aggregate, &lifetime)?;
                }
            }
        }
        Ok(())
    }

    fn no_key(&mut self) -> Result<(), Error> {
        let nothing = self.aggregate.init();
        let mut windows = self.windows.iter_mut();
        windows.try_for_each(|columns| columns.append(self.aggregate, &nothing))
    }

    fn take(&mut self, rows: usize) -> Result<Vec<(usize, ArrayRef)>, Error> {
        let answers = self.windows.iter_mut().flat_map(|w| &mut w.columns);
        let taken = answers.map(|answers| {
            let next = AnswerBuilder::new(answers.output.data_type, rows);
            let builder = std::mem::replace(&mut answers.builder, next);
            Ok((answers.position, builder.finish()?))
        });
        taken.collect()
    }
}

impl Columns<'_> {
    #[inline]
    fn append<A: Aggregate>(&mut self, aggregate: &A, state: &A::State) -> Result<(), Error> {
        for answers in &mut self.columns {
            let answer = aggregate.answer(state, answers.function);
            let answer = answer.map_err(|unanswered| match unanswered {
                Unanswered::Overflow => Error::Overflow {
                    feature: answers.output.feature.clone(),
                },
                Unanswered::NotKept => Error::NotThatType { found: None },
            })?;
            answers.builder.append(&answer)?;
        }
        Ok(())
    }
}
