//! [`Freshness`]: how far a view has come for its readers, and how far it should have.

use fs_core::{Catalog, EventTime, FeatureView, Span};
use fs_offline::{OfflineStore, TableState};
use fs_online::{OnlineStore, Published, ViewId};

use crate::Error;

/// How far a view has come for its readers, and how far it should have.
///
/// ```text
///   offline  ──────────────────────► watermark          what a run has brought in
///   online   ────────────────► published as of          what a publication has shown
///                              until                   now
///                                └──────── age ─────────┘  fresh while it is at most the objective
/// ```
///
/// Until which instant a view has everything is told by its watermark; of a view that is online also by the
/// instant as of which it was published, whichever is earlier. Rows that are pushed do not count: they
/// come one by one, and nobody knows of those that did not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Freshness {
    /// Everything that happened before is there; `None` if the view was never brought up to any instant.
    pub until: Option<EventTime>,
    /// The greatest age that is fine, if there is an objective.
    pub objective: Option<Span>,
}

impl Freshness {
    /// Asks the stores how far `view` has come.
    pub async fn of(
        offline: &OfflineStore,
        online: &dyn OnlineStore,
        catalog: &Catalog,
        view: &FeatureView,
    ) -> Result<Self, Error> {
        let state = offline.state(&view.name).await;
        let state = state.map_err(|source| Error::Offline {
            view: view.name.clone(),
            source: Box::new(source),
        })?;
        // A view without a table has nothing to publish.
        let published = if view.online && state.is_some() {
            let id = ViewId::new(catalog.project.clone(), view.name.clone());
            let published = online.published(&id).await;
            published.map_err(|source| Error::Online {
                view: view.name.clone(),
                store: online.describe(),
                source: Box::new(source),
            })?
        } else {
            None
        };
        Ok(Self::from_states(view, state.as_ref(), published.as_ref()))
    }

    /// The same, from what the stores have said.
    pub fn from_states(
        view: &FeatureView,
        offline: Option<&TableState>,
        online: Option<&Published>,
    ) -> Self {
        let watermark = offline.and_then(|state| state.watermark);
        let until = if view.online {
            let as_of = online.map(|published| published.as_of);
            watermark
                .zip(as_of)
                .map(|(watermark, as_of)| watermark.min(as_of))
        } else {
            watermark
        };
        Self {
            until,
            objective: view.freshness,
        }
    }

    /// How old the newest of what is complete is at `now`; `None` if nothing is.
    pub fn age(&self, now: EventTime) -> Option<Span> {
        let age = now.as_micros().saturating_sub(self.until?.as_micros());
        Some(Span::from_micros(age).unwrap_or(Span::ZERO))
    }

    /// Whether the objective is met at `now`; `None` if there is none. A view that was never brought up to
    /// any instant does not meet it.
    pub fn is_met(&self, now: EventTime) -> Option<bool> {
        let objective = self.objective?;
        Some(self.age(now).is_some_and(|age| age <= objective))
    }
}

#[cfg(test)]
mod tests {
    use fs_testkit::catalog;

    use super::*;

    const HOUR: i64 = 3_600_000_000;

    fn at(hours: i64) -> EventTime {
        EventTime::from_micros(hours * HOUR)
    }

    fn view(online: bool) -> FeatureView {
        let mut view = catalog::view("weather").feature("temp", "float64").build();
        view.online = online;
        view.freshness = Some("2h".parse().unwrap());
        view
    }

    fn table(watermark: Option<i64>) -> TableState {
        TableState {
            id: "a".to_owned(),
            version: 1,
            watermark: watermark.map(at),
            ingest: 1,
            next_sequence: 1 << 32,
            fence: None,
            source_version: None,
            rows: 0,
            files: 0,
            bytes: 0,
        }
    }

    fn published(as_of: i64) -> Published {
        Published {
            table_version: 1,
            as_of: at(as_of),
            visibility: "event_time".to_owned(),
        }
    }

    #[test]
    fn a_view_is_as_old_as_its_watermark_or_as_what_was_published_of_it() {
        let until = |online: bool, watermark, as_of: Option<i64>| {
            let published = as_of.map(published);
            let state = table(watermark);
            Freshness::from_states(&view(online), Some(&state), published.as_ref()).until
        };
        assert_eq!(until(true, Some(8), Some(9)), Some(at(8)));
        assert_eq!(until(true, Some(10), Some(9)), Some(at(9)));
        assert_eq!(until(false, Some(10), None), Some(at(10)));
        assert_eq!(until(true, Some(10), None), None);
        assert_eq!(until(true, None, Some(9)), None);
    }

    #[test]
    fn an_objective_is_met_up_to_its_last_microsecond() {
        let state = table(Some(8));
        let fresh = Freshness::from_states(&view(false), Some(&state), None);
        assert_eq!(fresh.is_met(at(10)), Some(true));
        let later = EventTime::from_micros(at(10).as_micros() + 1);
        assert_eq!(fresh.is_met(later), Some(false));
        assert_eq!(fresh.age(at(7)), Some(Span::ZERO));
    }

    #[test]
    fn a_view_that_never_came_anywhere_misses_its_objective_and_one_without_has_none_to_miss() {
        let never = Freshness::from_states(&view(true), None, None);
        assert_eq!((never.age(at(1)), never.is_met(at(1))), (None, Some(false)));
        let mut careless = view(true);
        careless.freshness = None;
        let never = Freshness::from_states(&careless, None, None);
        assert_eq!(never.is_met(at(1)), None);
    }
}
