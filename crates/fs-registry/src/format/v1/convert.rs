//! Between format 1 and the model.
//!
//! Every struct is taken apart field by field, so that a field that is added to the model and not to
//! the format does not compile.

use std::collections::BTreeMap;
use std::fmt::Display;

use fs_core::{self as core, CsvOptions, FileFormat, Kind, ProjectName, Selected, Span, Ttl};

use super::{
    Catalog, Entity, Feature, FeatureService, FeatureView, JoinKey, Meta, PointInTime,
    ServiceEntry, Source, SourceKind,
};

impl Catalog {
    /// The model; an error tells which name is there twice.
    pub(crate) fn into_catalog(self, project: ProjectName) -> Result<core::Catalog, String> {
        let Self {
            entities,
            sources,
            feature_views,
            feature_services,
        } = self;
        Ok(core::Catalog {
            project,
            entities: by_name(Kind::Entity, entities, |item| item.name.clone())?,
            sources: by_name(Kind::Source, sources, |item| item.name.clone())?,
            feature_views: by_name(Kind::FeatureView, feature_views, |item| item.name.clone())?,
            feature_services: by_name(Kind::FeatureService, feature_services, |item| {
                item.name.clone()
            })?,
        })
    }
}

fn by_name<Frozen, Model: From<Frozen>, Name: Ord + Display>(
    kind: Kind,
    items: Vec<Frozen>,
    name: impl Fn(&Frozen) -> Name,
) -> Result<BTreeMap<Name, Model>, String> {
    let mut map = BTreeMap::new();
    for item in items {
        let name = name(&item);
        if map.contains_key(&name) {
            return Err(format!("{kind} `{name}` is there twice"));
        }
        map.insert(name, Model::from(item));
    }
    Ok(map)
}

impl From<&core::Catalog> for Catalog {
    fn from(catalog: &core::Catalog) -> Self {
        let core::Catalog {
            project: _,
            entities,
            sources,
            feature_views,
            feature_services,
        } = catalog.clone();
        Self {
            entities: entities.into_values().map(Entity::from).collect(),
            sources: sources.into_values().map(Source::from).collect(),
            feature_views: feature_views.into_values().map(FeatureView::from).collect(),
            feature_services: feature_services
                .into_values()
                .map(FeatureService::from)
                .collect(),
        }
    }
}

/// Conversions both ways between a struct of the model and the frozen one with the same fields.
///
/// A field is moved, or converted where `into` (one value) or `each` (a list) follows it.
macro_rules! same_fields {
    ($($name:ident { $($field:ident $($how:ident)?),* $(,)? })*) => {$(
        impl From<core::$name> for $name {
            fn from(model: core::$name) -> Self {
                let core::$name { $($field),* } = model;
                Self { $($field: same_fields!(@ $field $($how)?)),* }
            }
        }

        impl From<$name> for core::$name {
            fn from(frozen: $name) -> Self {
                let $name { $($field),* } = frozen;
                Self { $($field: same_fields!(@ $field $($how)?)),* }
            }
        }
    )*};
    (@ $field:ident) => { $field };
    (@ $field:ident into) => { $field.into() };
    (@ $field:ident each) => { $field.into_iter().map(Into::into).collect() };
}
pub(super) use same_fields;

same_fields! {
    Meta { description, owner, tags }
    Entity { name, join_keys each, meta into }
    JoinKey { name, key_type }
    Source {
        name,
        kind into,
        timestamp_field,
        created_timestamp_column,
        field_mapping,
        lateness,
        meta into,
    }
    Feature { name, data_type, description }
    FeatureService { name, features each, meta into }
}

impl From<core::SourceKind> for SourceKind {
    fn from(kind: core::SourceKind) -> Self {
        match kind {
            core::SourceKind::Files { file_format, path } => match file_format {
                FileFormat::Parquet => Self::Parquet { path },
                FileFormat::Csv(CsvOptions { delimiter }) => Self::Csv { path, delimiter },
                FileFormat::Json => Self::Json { path },
            },
            core::SourceKind::Delta { path } => Self::Delta { path },
            core::SourceKind::Sql { query } => Self::Sql { query },
        }
    }
}

impl From<SourceKind> for core::SourceKind {
    fn from(kind: SourceKind) -> Self {
        let files = |file_format, path| Self::Files { file_format, path };
        match kind {
            SourceKind::Parquet { path } => files(FileFormat::Parquet, path),
            SourceKind::Csv { path, delimiter } => {
                files(FileFormat::Csv(CsvOptions { delimiter }), path)
            }
            SourceKind::Json { path } => files(FileFormat::Json, path),
            SourceKind::Delta { path } => Self::Delta { path },
            SourceKind::Sql { query } => Self::Sql { query },
        }
    }
}

impl From<core::FeatureView> for FeatureView {
    fn from(view: core::FeatureView) -> Self {
        let core::FeatureView {
            name,
            entities,
            source,
            ttl,
            delay,
            point_in_time,
            schema,
            windows,
            query,
            schedule,
            freshness,
            expectations,
            online,
            meta,
        } = view;
        Self {
            name,
            entities,
            source,
            ttl: ttl
                .and_then(|ttl| Span::from_micros(ttl.as_micros()))
                .unwrap_or_default(),
            delay,
            point_in_time: match point_in_time {
                core::PointInTime::EventTime => PointInTime::EventTime,
                core::PointInTime::KnownAt => PointInTime::KnownAt,
            },
            schema: schema.into_iter().map(Into::into).collect(),
            windows: windows.map(Into::into),
            query,
            schedule,
            freshness,
            expectations: expectations.into_iter().map(Into::into).collect(),
            online,
            meta: meta.into(),
        }
    }
}

impl From<FeatureView> for core::FeatureView {
    fn from(view: FeatureView) -> Self {
        let FeatureView {
            name,
            entities,
            source,
            ttl,
            delay,
            point_in_time,
            schema,
            windows,
            query,
            schedule,
            freshness,
            expectations,
            online,
            meta,
        } = view;
        Self {
            name,
            entities,
            source,
            ttl: Ttl::new(ttl),
            delay,
            point_in_time: match point_in_time {
                PointInTime::EventTime => core::PointInTime::EventTime,
                PointInTime::KnownAt => core::PointInTime::KnownAt,
            },
            schema: schema.into_iter().map(Into::into).collect(),
            windows: windows.map(Into::into),
            query,
            schedule,
            freshness,
            expectations: expectations.into_iter().map(Into::into).collect(),
            online,
            meta: meta.into(),
        }
    }
}

impl From<core::ServiceEntry> for ServiceEntry {
    fn from(entry: core::ServiceEntry) -> Self {
        let core::ServiceEntry {
            view,
            alias,
            join_keys,
            features,
        } = entry;
        Self {
            view,
            alias,
            join_keys,
            features: match features {
                Selected::All => None,
                Selected::Only(names) => Some(names),
            },
        }
    }
}

impl From<ServiceEntry> for core::ServiceEntry {
    fn from(entry: ServiceEntry) -> Self {
        let ServiceEntry {
            view,
            alias,
            join_keys,
            features,
        } = entry;
        Self {
            view,
            alias,
            join_keys,
            features: features.map_or(Selected::All, Selected::Only),
        }
    }
}
