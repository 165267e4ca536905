//! Windowed views: from stored states to rows of the features that are asked for, as they are now.
//!
//! ```text
//!   stored                    now     state of the key ──► features        then as if it had been stored
//!   state of AA, state of UA  10:02   delay_avg_1h 12.5, arrivals_1h 3     a packed row, a null where there is none
//!                                     delay_avg_30d withheld               and a mark where it is withheld
//! ```
//!
//! | A key has | its view was | then |
//! |---|---|---|
//! | a state, or none | never published with windows | [`Status::NotFound`](crate::Status::NotFound) for every feature |
//! | a state | published | what the state answers at `now`; what it cannot answer exactly is [`Status::OutsideMaxAge`](crate::Status::OutsideMaxAge) |
//! | no state, or a null part | published | the answer of a window without events: 0, an empty list, or null |
//!
//! Whether a view was published is asked before its rows are read, so that a publication in between cannot
//! make keys look empty; and it is asked until it is so. From then on it is asked again only where a key has no
//! state that a publication made: the store may have lost everything, or the view may have been dropped.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use bytes::Bytes;
use fs_core::{DataType, EventTime, FeatureName, FeatureView, SchemaError};
use fs_online::{
    OnlineStore, Published, RowDecoder, RowEncoder, RowLayout, RowOrder, StateRow, ViewId,
    state_row,
};
use fs_pit::aggregate::{Answer, AnswerBuilder};
use fs_pit::state::{State, StateReader};
use fs_pit::windows::WindowPlan;

use crate::Error;

/// How one lookup of a windowed view is answered.
#[derive(Debug)]
pub(crate) struct Windowed {
    reader: StateReader,
    types: Vec<DataType>,
    encoder: RowEncoder,
    decoder: Arc<RowDecoder>,
    /// What was found to be published, with windows.
    published: ArcSwapOption<Published>,
}

/// The rows of a lookup, computed.
pub(crate) struct Computed {
    /// One packed row for each entity, with the wanted features.
    pub(crate) rows: Vec<Option<Bytes>>,
    /// The event time of the newest event that each entity has.
    pub(crate) events: Vec<Option<i64>>,
    pub(crate) withheld: Withheld,
}

/// Which values are withheld, by entity and wanted feature.
#[derive(Debug, Default)]
pub(crate) struct Withheld {
    /// How many features there are for each entity.
    width: usize,
    /// Empty if there are none.
    values: Vec<bool>,
}

impl Withheld {
    /// Whether a value is.
    pub(crate) fn has(&self, row: usize, wanted: usize) -> bool {
        let value = self.values.get(row * self.width + wanted);
        value.copied().unwrap_or_default()
    }

    fn mark(&mut self, row: usize, rows: usize, wanted: usize) {
        if self.values.is_empty() {
            self.values = vec![false; rows * self.width];
        }
        if let Some(value) = self.values.get_mut(row * self.width + wanted) {
            *value = true;
        }
    }
}

/// Rows that are computed are the newest there are.
const ORDER: RowOrder = RowOrder {
    event: EventTime::from_micros(0),
    created: None,
    sequence: 0,
};

impl Windowed {
    /// How `wanted` of `view` is answered; none if the view has no windows.
    pub(crate) fn of(
        view: &FeatureView,
        wanted: &[(FeatureName, DataType)],
    ) -> Result<Option<Self>, SchemaError> {
        let Some(plan) = WindowPlan::of(view)? else {
            return Ok(None);
        };
        // What is not there is told of by nobody, and missed when its column is made.
        let output = |(name, _): &(FeatureName, DataType)| {
            let mut outputs = plan.outputs().iter();
            let position = outputs.position(|output| output.feature == *name);
            position.unwrap_or(usize::MAX)
        };
        let positions: Vec<usize> = wanted.iter().map(output).collect();
        let layout = RowLayout::new(wanted.to_vec());
        Ok(Some(Self {
            reader: StateReader::new(Arc::new(plan), &positions),
            types: wanted.iter().map(|(_, data_type)| *data_type).collect(),
            decoder: Arc::new(RowDecoder::new(std::slice::from_ref(&layout), wanted)),
            encoder: RowEncoder::new(&layout),
            published: ArcSwapOption::empty(),
        }))
    }

    /// What opens the rows that are computed.
    pub(crate) fn decoder(&self) -> Arc<RowDecoder> {
        Arc::clone(&self.decoder)
    }

    /// Whether the view was published with windows.
    pub(crate) async fn is_published(
        &self,
        store: &dyn OnlineStore,
        view: &ViewId,
    ) -> Result<bool, Error> {
        if self.published.load().is_some() {
            return Ok(true);
        }
        let published = published(store, view).await?;
        let is_published = published.is_some();
        self.published.store(published.map(Arc::new));
        Ok(is_published)
    }

    /// Whether `rows`, which were read after [`is_published`](Self::is_published), can be believed: where one was
    /// not published, the store must still have what it had published before they were read.
    ///
    /// If not, they have to be read again.
    pub(crate) async fn is_whole(
        &self,
        store: &dyn OnlineStore,
        view: &ViewId,
        rows: &[Option<Bytes>],
    ) -> Result<bool, Error> {
        let before = self.published.load_full();
        if before.is_none()
            || !rows.is_empty() && rows.iter().all(|row| was_published(row.as_ref()))
        {
            return Ok(true);
        }
        let now = published(store, view).await?;
        if now.as_ref() == before.as_deref() {
            return Ok(true);
        }
        self.published.store(now.map(Arc::new));
        Ok(false)
    }

    /// The wanted features at `now`, from what is stored for each entity.
    pub(crate) fn compute(
        &self,
        stored: &[Option<Bytes>],
        now: EventTime,
    ) -> Result<Computed, Problem> {
        let rows = stored.len();
        let columns = self.types.iter();
        let mut columns: Vec<AnswerBuilder> = columns
            .map(|data_type| AnswerBuilder::new(*data_type, rows))
            .collect();
        let mut events = Vec::with_capacity(rows);
        let mut withheld = Withheld {
            width: self.types.len(),
            values: Vec::new(),
        };
        for (row, stored) in stored.iter().enumerate() {
            let stored = StateRow::read(stored.as_ref())?;
            let state = stored.state().map(|bytes| State::open(bytes)).transpose()?;
            let mut tell = |wanted: usize, answer: Option<&Answer<'_>>| {
                if answer.is_none() {
                    withheld.mark(row, rows, wanted);
                }
                columns.get_mut(wanted).map_or(Ok(()), |column| {
                    column.append(answer.unwrap_or(&Answer::Null))
                })
            };
            events.push(
                self.reader
                    .answer(state.as_ref(), now.as_micros(), &mut tell)?,
            );
        }
        let columns = columns.into_iter().map(AnswerBuilder::finish);
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        let rows = self.encoder.encode(&columns, &vec![ORDER; rows])?;
        Ok(Computed {
            rows: rows.into_iter().map(Some).collect(),
            events,
            withheld,
        })
    }
}

/// Whether a publication made a state, and not pushes alone. What is broken is told of when it is computed.
fn was_published(stored: Option<&Bytes>) -> bool {
    let Ok(row) = StateRow::read(stored) else {
        return false;
    };
    let state = row.state().map(|bytes| State::open(bytes));
    state.is_some_and(|state| state.is_ok_and(|state| state.through().is_some()))
}

/// What the store has published of a view with windows.
async fn published(store: &dyn OnlineStore, view: &ViewId) -> Result<Option<Published>, Error> {
    let published = store.published(view).await.map_err(Error::Store)?;
    Ok(published.filter(state_row::is_published))
}

/// What is wrong with a stored state, or its row.
#[derive(Debug)]
pub(crate) enum Problem {
    Row(fs_online::Error),
    State(fs_pit::Error),
}

impl From<fs_online::Error> for Problem {
    fn from(error: fs_online::Error) -> Self {
        Self::Row(error)
    }
}

impl From<fs_pit::Error> for Problem {
    fn from(error: fs_pit::Error) -> Self {
        Self::State(error)
    }
}
