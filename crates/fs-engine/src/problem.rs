//! What is wrong between a catalog and the real sources, and where in the definitions to say so.

use fs_core::{Code, FeatureName, KeyName, SourceName, ViewName};

/// One thing that is wrong between a definition and the real source.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SourceProblem {
    /// The field of the definition that it belongs to.
    pub place: Place,
    /// What kind of failure it is; `Unavailable` for a store that did not answer.
    pub code: Code,
    /// What is wrong and what to do about it.
    pub message: String,
}

/// A field of a definition.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// A field of a source.
    Source {
        /// The source.
        source: SourceName,
        /// Its field.
        field: SourceField,
    },
    /// A field of a feature view.
    View {
        /// The view.
        view: ViewName,
        /// Its field.
        field: ViewField,
    },
}

/// The fields of a source that the real source can contradict.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SourceField {
    /// `path:`.
    Path,
    /// `query:`.
    Query,
    /// `timestamp_field:`.
    TimestampField,
    /// `created_timestamp_column:`.
    CreatedTimestampColumn,
    /// The entry of `field_mapping:` for this column of the files.
    FieldMapping(String),
}

/// The fields of a feature view that the real source can contradict.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ViewField {
    /// `query:`.
    Query,
    /// `entities:`; the source lacks this join key, or has it with another type.
    JoinKey(KeyName),
    /// The entry of `schema:` for this feature, or for this input of a windowed view; of an input without
    /// one, where it is read.
    Feature(FeatureName),
    /// The `column:` of the aggregation that this feature is made by.
    FeatureColumn(FeatureName),
    /// The `filter:` of the aggregation that this feature is made by.
    FeatureFilter(FeatureName),
    /// The entry of `expectations:` with this name.
    Expectation(String),
}

impl SourceProblem {
    /// Whether the columns of the source cannot be known because of this.
    pub(crate) fn hides_columns(&self) -> bool {
        matches!(
            &self.place,
            Place::Source {
                field: SourceField::Path | SourceField::Query | SourceField::FieldMapping(_),
                ..
            }
        )
    }
}
