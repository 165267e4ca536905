//! The columns of the rows of a view, and those that they are read from.

use std::sync::Arc;

use arrow::datatypes::{Field, Schema, SchemaRef};
use fs_core::data_type::timestamp_type;
use fs_core::{CREATED_TIMESTAMP, Catalog, EVENT_TIMESTAMP, FeatureView, Source};

/// The columns of the rows of a view.
pub(crate) fn view_schema(catalog: &Catalog, view: &FeatureView) -> SchemaRef {
    schema(catalog, view, false)
}

/// The same, of rows that may lack a join key or the event time.
pub(crate) fn loose_schema(catalog: &Catalog, view: &FeatureView) -> SchemaRef {
    schema(catalog, view, true)
}

fn schema(catalog: &Catalog, view: &FeatureView, loose: bool) -> SchemaRef {
    let keys = catalog
        .join_keys(view)
        .map(|key| Field::new(key.name.as_str(), key.key_type.to_arrow(), loose));
    let times = [
        Field::new(EVENT_TIMESTAMP, timestamp_type(), loose),
        Field::new(CREATED_TIMESTAMP, timestamp_type(), true),
    ];
    let features = view
        .stored()
        .iter()
        .map(|feature| Field::new(feature.name.as_str(), feature.data_type.to_arrow(), true));
    let fields: Vec<Field> = keys.chain(times).chain(features).collect();
    Arc::new(Schema::new(fields))
}

/// The names of the raw columns for [`view_schema`], in its order; no created column if the
/// source has none.
pub(crate) fn raw_columns(
    catalog: &Catalog,
    view: &FeatureView,
    source: &Source,
    with_created: bool,
) -> Vec<String> {
    let keys = catalog.join_keys(view).map(|key| key.name.to_string());
    let event = [source.timestamp_field.clone()];
    let created = source.created_timestamp_column.clone();
    let created = created.filter(|_| with_created);
    let features = view.stored().iter().map(|feature| feature.name.to_string());
    keys.chain(event).chain(created).chain(features).collect()
}
