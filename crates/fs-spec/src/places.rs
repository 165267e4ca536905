//! Where every part of a repo is written.
//!
//! A problem that shows only later, against the real source, is reported at the same place as if
//! the YAML itself were wrong.

use std::collections::BTreeMap;

use fs_core::{EntityName, FeatureName, KeyName, ServiceName, SourceName, ViewName};

use crate::decode::{Drafts, SettingsDraft, ViewDraft};
use crate::position::{At, Position};

/// A part of a repo that a problem can be about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// `feature_store.yaml` as a whole.
    Settings,
    /// `registry`.
    Registry,
    /// `offline_store`.
    OfflineStore,
    /// The path or URL of `online_store`.
    OnlineStore,
    /// The name of an entity.
    Entity(EntityName),
    /// The name of a join key.
    EntityKey(EntityName, KeyName),
    /// The name of a source.
    Source(SourceName),
    /// The `path` of a source.
    SourcePath(SourceName),
    /// The `query` of a SQL source.
    SourceQuery(SourceName),
    /// The `timestamp_field` of a source.
    SourceTimestampField(SourceName),
    /// The `created_timestamp_column` of a source.
    SourceCreatedTimestampColumn(SourceName),
    /// The key of `field_mapping` that names this column of the files.
    SourceMapping(SourceName, String),
    /// The name of a view.
    View(ViewName),
    /// An entity in the `entities` of a view.
    ViewEntity(ViewName, EntityName),
    /// The `source` of a view.
    ViewSource(ViewName),
    /// The `query` of a view; its name if it has none.
    ViewQuery(ViewName),
    /// The name of a feature in the `schema` of a view; of a windowed view, the window that gives it.
    ViewFeature(ViewName, FeatureName),
    /// The column that the aggregation behind a feature reads.
    ViewFeatureColumn(ViewName, FeatureName),
    /// The filter of the aggregation behind a feature.
    ViewFeatureFilter(ViewName, FeatureName),
    /// An input of a windowed view: its entry in `schema`, or else where it is read.
    ViewInput(ViewName, FeatureName),
    /// The type of a feature in the `schema` of a view.
    ViewFeatureType(ViewName, FeatureName),
    /// An expectation of a view, by its name.
    ViewExpectation(ViewName, String),
    /// The name of a feature service.
    Service(ServiceName),
}

impl Place {
    /// The place that stands in for this one where it is not written.
    fn around(&self) -> Self {
        match self {
            Self::Settings
            | Self::Registry
            | Self::OfflineStore
            | Self::OnlineStore
            | Self::Entity(_)
            | Self::Source(_)
            | Self::View(_)
            | Self::Service(_) => Self::Settings,
            Self::EntityKey(entity, _) => Self::Entity(entity.clone()),
            Self::SourcePath(source)
            | Self::SourceQuery(source)
            | Self::SourceTimestampField(source)
            | Self::SourceCreatedTimestampColumn(source)
            | Self::SourceMapping(source, _) => Self::Source(source.clone()),
            Self::ViewEntity(view, _)
            | Self::ViewSource(view)
            | Self::ViewQuery(view)
            | Self::ViewFeature(view, _)
            | Self::ViewInput(view, _)
            | Self::ViewExpectation(view, _) => Self::View(view.clone()),
            Self::ViewFeatureType(view, feature)
            | Self::ViewFeatureColumn(view, feature)
            | Self::ViewFeatureFilter(view, feature) => {
                Self::ViewFeature(view.clone(), feature.clone())
            }
        }
    }
}

/// The positions of all places of a repo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Positions {
    settings: Position,
    places: BTreeMap<Place, Position>,
}

impl Positions {
    /// Where `place` is written, or else what it belongs to.
    pub fn get(&self, place: &Place) -> &Position {
        let mut place = place.clone();
        loop {
            match self.places.get(&place) {
                Some(position) => return position,
                None if place == Place::Settings => return &self.settings,
                None => place = place.around(),
            }
        }
    }

    pub(crate) fn of(settings: &SettingsDraft, drafts: &Drafts) -> Self {
        let mut positions = Self {
            settings: settings.at.clone(),
            places: BTreeMap::new(),
        };
        positions.add(Place::Registry, settings.registry.as_ref());
        positions.add(Place::OfflineStore, settings.offline_store.as_ref());
        positions.add(Place::OnlineStore, settings.online_store.as_ref());
        positions.add_entities_and_sources(drafts);
        positions.add_views_and_services(drafts);
        positions
    }

    fn add<T>(&mut self, place: Place, written: Option<&At<T>>) {
        if let Some(written) = written {
            self.places.insert(place, written.at.clone());
        }
    }

    fn add_entities_and_sources(&mut self, drafts: &Drafts) {
        for entity in &drafts.entities {
            let name = &entity.name.value;
            self.add(Place::Entity(name.clone()), Some(&entity.name));
            for key in &entity.join_keys.items {
                let place = Place::EntityKey(name.clone(), key.name.value.clone());
                self.add(place, Some(&key.name));
            }
        }
        for source in &drafts.sources {
            let name = || source.name.value.clone();
            self.add(Place::Source(name()), Some(&source.name));
            self.add(Place::SourcePath(name()), source.path.as_ref());
            self.add(Place::SourceQuery(name()), source.query.as_ref());
            let event = source.timestamp_field.as_ref();
            self.add(Place::SourceTimestampField(name()), event);
            let created = source.created_timestamp_column.column();
            self.add(Place::SourceCreatedTimestampColumn(name()), created);
            for (from, _) in &source.field_mapping {
                let place = Place::SourceMapping(name(), from.value.clone());
                self.add(place, Some(from));
            }
        }
    }

    fn add_views_and_services(&mut self, drafts: &Drafts) {
        for view in &drafts.views {
            let name = || view.name.value.clone();
            self.add(Place::View(name()), Some(&view.name));
            self.add(Place::ViewSource(name()), view.source.as_ref());
            self.add(Place::ViewQuery(name()), view.query.as_ref());
            for entity in &view.entities.items {
                let place = Place::ViewEntity(name(), entity.value.clone());
                self.add(place, Some(entity));
            }
            self.add_columns_and_windows(view);
        }
        for view in &drafts.views {
            for expectation in &view.expectations {
                let place = Place::ViewExpectation(view.name.value.clone(), expectation.name());
                self.add(place, Some(&expectation.kind));
            }
        }
        for service in &drafts.services {
            let place = Place::Service(service.name.value.clone());
            self.add(place, Some(&service.name));
        }
    }

    fn add_columns_and_windows(&mut self, view: &ViewDraft) {
        let name = || view.name.value.clone();
        for column in &view.stored.items {
            let column_name = || column.name.value.clone();
            if view.is_windowed() {
                self.add(Place::ViewInput(name(), column_name()), Some(&column.name));
                continue;
            }
            let place = Place::ViewFeature(name(), column_name());
            self.add(place, Some(&column.name));
            let place = Place::ViewFeatureType(name(), column_name());
            self.add(place, column.data_type.as_ref());
        }
        for aggregation in view.aggregations() {
            for window in &aggregation.windows.items {
                let feature = || window.feature.value.clone();
                let place = Place::ViewFeature(name(), feature());
                self.add(place, Some(&window.feature));
                let place = Place::ViewFeatureColumn(name(), feature());
                self.add(place, aggregation.column.as_ref());
                let place = Place::ViewFeatureFilter(name(), feature());
                self.add(place, aggregation.filter.as_ref());
            }
        }
    }
}
