//! `delays` of airports, a windowed view, and hands to publish it.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, TimestampMicrosecondArray};
use fs_core::{
    Aggregation, EventTime, Feature, FeatureView, Function, ListSize, Span, Window, Windows,
};
use fs_online::{Cell, EncodedKey, OnlineStore, Published, StateRow, ViewId};
use fs_pit::FeatureRows;
use fs_pit::state::{Coverage, State, StateBuilder, StateEvents, StateShape};
use fs_pit::windows::{Events, WindowPlan};

use super::super::fixture::{HOUR, NOW, Shop, float64, string_key, strings, view};
use crate::FeatureVectors;
use crate::Status::{self, Present};

pub(super) const MINUTE: i64 = HOUR / 60;

/// `delays`: how many flights an airport had, and their mean delay and last three, in an hour and for ever.
pub(super) fn delays() -> FeatureView {
    let delay = || Some("delay".parse().unwrap());
    let hour = Window::last(Span::from_micros(HOUR).unwrap()).unwrap();
    let n = ListSize::new(3).unwrap();
    let windows = Windows {
        inputs: vec![Feature {
            name: "delay".parse().unwrap(),
            data_type: float64(),
            description: None,
        }],
        aggregations: vec![
            Aggregation::new(None, Function::Count, &[hour, Window::Lifetime]).unwrap(),
            Aggregation::new(delay(), Function::Avg, &[hour]).unwrap(),
            Aggregation::new(delay(), Function::LastN { n }, &[hour]).unwrap(),
        ],
    };
    FeatureView {
        schema: windows.schema().unwrap(),
        windows: Some(windows),
        ..view("delays", &["airport"], &[])
    }
}

pub(super) const ALL: [&str; 4] = [
    "delays:count_1h",
    "delays:count_lifetime",
    "delays:delay_avg_1h",
    "delays:delay_last_n_1h",
];

/// A shop with that view, which has not been published.
pub(super) struct Airport {
    pub(super) shop: Shop,
    pub(super) id: ViewId,
    pub(super) shape: Arc<StateShape>,
}

impl Airport {
    pub(super) fn new() -> Self {
        let mut shop = Shop::new();
        let view = delays();
        let plan = Arc::new(WindowPlan::of(&view).unwrap().unwrap());
        let horizon = Span::from_micros(2 * HOUR).unwrap();
        let coverage = Coverage::new(EventTime::from_micros(NOW), horizon);
        let id = ViewId::new(shop.catalog.project.clone(), view.name.clone());
        shop.catalog.feature_views.insert(view.name.clone(), view);
        Self {
            shop,
            id,
            shape: Arc::new(StateShape::new(plan, coverage)),
        }
    }

    pub(super) async fn published() -> Self {
        let airport = Self::new();
        airport.publish("event_time windows 00f3a4c19b2d7e55").await;
        airport
    }

    pub(super) async fn publish(&self, visibility: &str) {
        let store = self.shop.store.as_ref();
        let before = store.published(&self.id).await.unwrap();
        let after = Published {
            table_version: 1,
            as_of: EventTime::from_micros(NOW),
            visibility: visibility.to_owned(),
        };
        let before = before.as_ref();
        assert!(
            store
                .set_published(&self.id, before, after, None)
                .await
                .unwrap()
        );
    }

    /// Stores the state of events that were published: how long ago, and the delay.
    pub(super) async fn put(&self, airport: &str, events: &[(i64, f64)]) {
        let state = self.state_of(events, |batch| {
            let mut builder = StateBuilder::new(Arc::clone(&self.shape));
            (0..events.len()).for_each(|row| builder.add(batch, row).unwrap());
            builder.finish(0).unwrap()
        });
        self.put_bytes(string_key(airport), &state).await;
    }

    /// The same for events that were pushed.
    pub(super) async fn push(&self, airport: &str, events: &[(i64, f64)]) {
        let state = self.state_of(events, |batch| {
            let rows: Vec<usize> = (0..events.len()).collect();
            let state = State::push(None, &self.shape, batch, &rows);
            state.unwrap().unwrap()
        });
        self.put_bytes(string_key(airport), &state).await;
    }

    fn state_of(
        &self,
        events: &[(i64, f64)],
        make: impl FnOnce(&StateEvents<'_>) -> Vec<u8>,
    ) -> Vec<u8> {
        let ago = events.iter().map(|(ago, _)| NOW - ago);
        let event: TimestampMicrosecondArray = ago.map(Some).collect();
        let delays: ArrayRef =
            Arc::new(Float64Array::from_iter_values(events.iter().map(|it| it.1)));
        let inputs = [delays];
        let batch = Events {
            rows: FeatureRows {
                keys: &[],
                event: &event,
                created: None,
                sequence: None,
            },
            inputs: &inputs,
            filters: &[],
        };
        make(&StateEvents::new(self.shape.plan(), batch).unwrap())
    }

    pub(super) async fn put_bytes(&self, key: EncodedKey, state: &[u8]) {
        let write = StateRow::read(None).unwrap().write(key, state).unwrap();
        let store = self.shop.store.as_ref();
        assert_eq!(
            store
                .write(&self.id, vec![write], None)
                .await
                .unwrap()
                .written,
            1
        );
    }

    pub(super) async fn get<const N: usize>(
        &self,
        features: &[&str],
        airports: [&str; N],
    ) -> FeatureVectors {
        let entities = [("origin", strings(airports))];
        self.shop.get(features, &entities).await.unwrap()
    }
}

/// The statuses of every feature of one entity.
pub(super) fn statuses(vectors: &FeatureVectors, row: usize) -> Vec<Status> {
    let columns = vectors.columns();
    let statuses = columns.map(|column| {
        let status = column.status(row);
        assert_eq!(column.cell(row).is_some(), status == Present);
        let mut number = [0];
        column.put_statuses(row..row + 1, &mut number);
        assert_eq!(number[0], status.number());
        status
    });
    statuses.collect()
}

pub(super) fn count(vectors: &FeatureVectors, position: usize, row: usize) -> Option<i64> {
    match vectors.column(position).unwrap().cell(row) {
        Some(Cell::Int64(count)) => Some(count),
        other => {
            assert_eq!(other, None);
            None
        }
    }
}
