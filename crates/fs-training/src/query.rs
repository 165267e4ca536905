//! What a training set is made of: what is asked for, and the versions that answer it.

use std::collections::BTreeMap;

use fs_core::{EventTime, FeatureRequest, Naming, ViewName};
use fs_offline::TableVersion;

/// What a training set is to hold, apart from its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrainingQuery {
    /// The features.
    pub request: FeatureRequest,
    /// How their columns are called.
    pub naming: Naming,
    /// The column of the spine that holds event time; if absent, `event_timestamp` or the only
    /// timestamp column.
    pub timestamp_field: Option<String>,
    /// Where the rows of the spine come from.
    pub origin: SpineOrigin,
}

/// Where the rows of a spine come from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum SpineOrigin {
    /// From whoever asks: a file, a stream.
    #[default]
    Given,
    /// From this SQL, over sources and tables.
    Sql(String),
    /// Every key, as of this instant.
    AsOf(EventTime),
}

/// The versions behind a training set. The same versions give the same answer for ever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versions {
    /// The version of the registry that has the definitions.
    pub registry: u64,
    /// The version of every offline table.
    pub tables: BTreeMap<ViewName, TableVersion>,
}

impl TrainingQuery {
    /// These features for the rows of a spine that is given, its time column found by itself.
    pub const fn new(request: FeatureRequest, naming: Naming) -> Self {
        Self {
            request,
            naming,
            timestamp_field: None,
            origin: SpineOrigin::Given,
        }
    }

    /// The same, with event time in this column of the spine.
    #[must_use]
    pub fn with_timestamp_field(mut self, column: Option<&str>) -> Self {
        self.timestamp_field = column.map(str::to_owned);
        self
    }
}
