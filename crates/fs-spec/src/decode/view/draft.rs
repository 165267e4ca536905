//! A feature view as far as it could be read.

use std::collections::BTreeSet;

use fs_core::model::{WantedColumn, WantedFilter};
use fs_core::{
    Catalog, DataType, EntityName, Feature, FeatureName, FeatureView, Meta, PointInTime,
    SourceName, Span, Ttl, ViewName, WantedInputs, Windows,
};

use crate::decode::Items;
use crate::decode::aggregation::AggregationDraft;
use crate::decode::expectation::ExpectationDraft;
use crate::position::{At, Position};

/// A feature view as far as it could be read.
#[derive(Debug)]
pub(crate) struct ViewDraft {
    pub(crate) name: At<ViewName>,
    pub(crate) entities: Items<At<EntityName>>,
    pub(crate) source: Option<At<SourceName>>,
    pub(super) ttl: Option<Ttl>,
    pub(super) delay: Span,
    pub(crate) point_in_time: Option<At<PointInTime>>,
    /// What its rows hold beside keys and times: its features, or the inputs of its aggregations.
    pub(crate) stored: Items<FeatureDraft>,
    /// What makes it windowed.
    pub(crate) aggregations: Option<Items<AggregationDraft>>,
    pub(crate) query: Option<At<String>>,
    pub(super) schedule: Option<String>,
    pub(super) freshness: Option<Span>,
    pub(crate) expectations: Vec<ExpectationDraft>,
    pub(super) online: bool,
    pub(super) meta: Meta,
}

/// A feature, or an input of a windowed view, as far as it could be read.
#[derive(Debug)]
pub(crate) struct FeatureDraft {
    pub(crate) name: At<FeatureName>,
    pub(crate) data_type: Option<At<DataType>>,
    pub(super) description: Option<String>,
}

impl ViewDraft {
    /// The aggregations; none of a plain view.
    pub(crate) fn aggregations(&self) -> impl Iterator<Item = &AggregationDraft> {
        self.aggregations.iter().flat_map(|list| &list.items)
    }

    /// Whether it has aggregations.
    pub(crate) const fn is_windowed(&self) -> bool {
        self.aggregations.is_some()
    }

    /// The names of its features, and whether these are all.
    pub(crate) fn features(&self) -> (Vec<&At<FeatureName>>, bool) {
        match &self.aggregations {
            None => {
                let names = self.stored.items.iter().map(|feature| &feature.name);
                (names.collect(), self.stored.complete)
            }
            Some(aggregations) => {
                let windows = self.aggregations().flat_map(|item| &item.windows.items);
                let names = windows.map(|window| &window.feature);
                (names.collect(), aggregations.complete)
            }
        }
    }

    /// What a look at its source has to tell before this is a view; `None` if nothing has.
    ///
    /// That is so for aggregated columns that are not declared, and for filters, because only who reads SQL
    /// knows which columns they look at.
    pub(crate) fn wanted(&self) -> Option<WantedInputs> {
        let (mut columns, mut filters) = (Vec::new(), Vec::new());
        let mut seen: BTreeSet<&FeatureName> = BTreeSet::new();
        for aggregation in self.aggregations() {
            let Some(feature) = aggregation.windows.items.first() else {
                continue;
            };
            let feature = || feature.feature.value.clone();
            if let Some(column) = aggregation.named_column()
                && !self.declares(column.value)
                && seen.insert(column.value)
            {
                columns.push(WantedColumn {
                    column: column.value.clone(),
                    feature: feature(),
                });
            }
            if let Some(filter) = &aggregation.filter {
                filters.push(WantedFilter {
                    filter: filter.value.clone(),
                    feature: feature(),
                });
            }
        }
        if columns.is_empty() && filters.is_empty() {
            return None;
        }
        let declared = self.stored.items.iter().filter_map(FeatureDraft::finish);
        Some(WantedInputs {
            view: self.name.value.clone(),
            entities: self.entity_names(),
            source: self.source.as_ref()?.value.clone(),
            query: self.query.as_ref().map(|query| query.value.clone()),
            declared: declared.collect(),
            columns,
            filters,
        })
    }

    /// Takes the inputs that were found in the source: now its columns are known.
    pub(crate) fn take_inputs(&mut self, found: Vec<Feature>) {
        for input in found {
            if self.declares(&input.name) {
                continue;
            }
            let at = self.read_at(&input.name);
            self.stored.items.push(FeatureDraft {
                data_type: Some(At {
                    value: input.data_type,
                    at: at.clone(),
                }),
                name: At {
                    value: input.name,
                    at,
                },
                description: input.description,
            });
        }
        self.stored.complete = true;
    }

    fn declares(&self, column: &FeatureName) -> bool {
        let mut declared = self.stored.items.iter();
        declared.any(|input| input.name.value == *column)
    }

    /// Where an input that is not declared is read: aggregated, or in a filter.
    fn read_at(&self, input: &FeatureName) -> Position {
        let aggregated = self
            .aggregations()
            .filter_map(AggregationDraft::named_column)
            .find(|column| column.value == input);
        let filters = self.aggregations().filter_map(|item| item.filter.as_ref());
        let mut filters = filters.filter(|filter| filter.value.contains(input.as_str()));
        match (aggregated, filters.next()) {
            (Some(column), _) => column.at,
            (None, Some(filter)) => filter.at.clone(),
            (None, None) => self.name.at.clone(),
        }
    }

    fn entity_names(&self) -> Vec<EntityName> {
        let entities = self.entities.items.iter();
        entities.map(|entity| entity.value.clone()).collect()
    }

    /// The view, whose entities `catalog` has; `None` only if a problem was reported, or if it still
    /// [wants](Self::wanted) something.
    pub(crate) fn finish(&self, catalog: &Catalog) -> Option<FeatureView> {
        let stored = self.stored.items.iter().map(FeatureDraft::finish);
        let stored: Vec<Feature> = stored.collect::<Option<_>>()?;
        let (schema, windows) = match &self.aggregations {
            None => (stored, None),
            Some(aggregations) => {
                let windows = windows(&aggregations.items, stored)?;
                (windows.schema().ok()?, Some(windows))
            }
        };
        let mut view = FeatureView {
            name: self.name.value.clone(),
            entities: self.entity_names(),
            source: self.source.as_ref()?.value.clone(),
            ttl: self.ttl,
            delay: self.delay,
            point_in_time: self
                .point_in_time
                .as_ref()
                .map(|at| at.value)
                .unwrap_or_default(),
            schema,
            windows,
            query: self.query.as_ref().map(|query| query.value.clone()),
            schedule: self.schedule.clone(),
            freshness: self.freshness,
            expectations: Vec::new(),
            online: self.online,
            meta: self.meta.clone(),
        };
        let expectations = self.expectations.iter();
        view.expectations = expectations
            .map(|expectation| expectation.finish(catalog, &view))
            .collect::<Option<_>>()?;
        Some(view)
    }
}

/// The inputs by name: their order says nothing, so that it does not change with that of the aggregations.
fn windows(aggregations: &[AggregationDraft], mut inputs: Vec<Feature>) -> Option<Windows> {
    inputs.sort_by(|a, b| a.name.cmp(&b.name));
    let aggregations = aggregations.iter().map(AggregationDraft::finish);
    Some(Windows {
        inputs,
        aggregations: aggregations.collect::<Option<_>>()?,
    })
}

impl FeatureDraft {
    fn finish(&self) -> Option<Feature> {
        Some(Feature {
            name: self.name.value.clone(),
            data_type: self.data_type.as_ref()?.value,
            description: self.description.clone(),
        })
    }
}
