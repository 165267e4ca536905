//! A definition as a flat list of facts, `path = value`, so that two can be compared field by field.
//!
//! Two definitions of one name have the same facts only if they are equal: every struct is taken
//! apart field by field, so that a field nobody thought of here does not compile.

use std::collections::BTreeMap;

use fs_core::{
    Aggregation, AggregationWindow, CsvOptions, Entity, Expectation, Feature, FeatureName,
    FeatureService, FeatureView, FileFormat, JoinKey, Meta, Selected, ServiceEntry, Source,
    SourceKind, Span, Windows,
};

/// What a definition says.
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// From path to value, as people write it.
    pub(super) values: BTreeMap<String, String>,
    /// The lists whose order matters, by name, and the members of each in order.
    pub(super) order: BTreeMap<&'static str, Vec<String>>,
}

impl Facts {
    fn set(&mut self, path: impl Into<String>, value: &(impl ToString + ?Sized)) {
        self.values.insert(path.into(), value.to_string());
    }

    fn set_some(&mut self, path: impl Into<String>, value: Option<&(impl ToString + ?Sized)>) {
        if let Some(value) = value {
            self.set(path, value);
        }
    }

    fn set_span(&mut self, path: &str, span: Span) {
        if !span.is_zero() {
            self.set(path, &span);
        }
    }

    fn set_meta(&mut self, meta: &Meta) {
        let Meta {
            description,
            owner,
            tags,
        } = meta;
        self.set_some("description", description.as_ref());
        self.set_some("owner", owner.as_ref());
        for (tag, value) in tags {
            self.set(format!("tags.{tag}"), value);
        }
    }
}

impl Facts {
    fn set_features(&mut self, list: &'static str, features: &[Feature]) {
        for feature in features {
            let Feature {
                name,
                data_type,
                description,
            } = feature;
            self.set(format!("{list}.{name}"), data_type);
            self.set_some(format!("{list}.{name}.description"), description.as_ref());
        }
        let names = features.iter().map(|feature| feature.name.to_string());
        self.order.insert(list, names.collect());
    }

    /// Each column of the events, and for each feature what it is made of.
    fn set_windows(&mut self, schema: &[Feature], windows: &Windows) {
        let Windows {
            inputs,
            aggregations: _,
        } = windows;
        self.set_features("columns", inputs);
        let features = windows.features();
        for (aggregation, AggregationWindow { window, feature }) in features {
            let Aggregation {
                column,
                function,
                filter,
                windows: _,
                description,
            } = aggregation;
            let column = column.as_ref().map(FeatureName::as_str);
            let filter = filter.as_ref();
            let filter = filter.map_or_else(String::new, |filter| format!(" where {filter}"));
            let how = format!("{} over {window}{filter}", function.over(column));
            let path = format!("aggregations.{feature}");
            self.set_some(format!("{path}.description"), description.as_ref());
            self.set(path, &how);
        }
        for feature in schema {
            self.set(
                format!("aggregations.{}.type", feature.name),
                &feature.data_type,
            );
        }
        let names = schema.iter().map(|feature| feature.name.to_string());
        self.order.insert("aggregations", names.collect());
    }
}

impl From<&Entity> for Facts {
    fn from(entity: &Entity) -> Self {
        let Entity {
            name: _,
            join_keys,
            meta,
        } = entity;
        let mut facts = Self::default();
        let keys = join_keys
            .iter()
            .map(|JoinKey { name, key_type }| format!("{name} {key_type}"));
        facts.set("join_keys", &joined(keys));
        facts.set_meta(meta);
        facts
    }
}

impl From<&Source> for Facts {
    fn from(source: &Source) -> Self {
        let Source {
            name: _,
            kind,
            timestamp_field,
            created_timestamp_column,
            field_mapping,
            lateness,
            meta,
        } = source;
        let mut facts = Self::default();
        let (format, key, value) = match kind {
            SourceKind::Files { file_format, path } => match file_format {
                FileFormat::Parquet => ("parquet", "path", path),
                FileFormat::Csv(CsvOptions { delimiter }) => {
                    if *delimiter != CsvOptions::default().delimiter {
                        facts.set("delimiter", delimiter);
                    }
                    ("csv", "path", path)
                }
                FileFormat::Json => ("json", "path", path),
            },
            SourceKind::Delta { path } => ("delta", "path", path),
            SourceKind::Sql { query } => ("sql", "query", query),
        };
        facts.set("format", format);
        facts.set(key, value);
        facts.set("timestamp_field", timestamp_field);
        facts.set_some(
            "created_timestamp_column",
            created_timestamp_column.as_ref(),
        );
        for (from, to) in field_mapping {
            facts.set(format!("field_mapping.{from}"), to);
        }
        facts.set_span("lateness", *lateness);
        facts.set_meta(meta);
        facts
    }
}

impl From<&FeatureView> for Facts {
    fn from(view: &FeatureView) -> Self {
        let FeatureView {
            name: _,
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
        let mut facts = Self::default();
        facts.set("entities", &joined(entities));
        facts.set("source", source);
        facts.set_some("ttl", ttl.as_ref());
        facts.set_span("delay", *delay);
        facts.set("point_in_time", point_in_time);
        match windows {
            Some(windows) => facts.set_windows(schema, windows),
            None => facts.set_features("schema", schema),
        }
        facts.set_some("query", query.as_ref());
        facts.set_some("schedule", schedule.as_ref());
        facts.set_some("freshness", freshness.as_ref());
        let names = expectations
            .iter()
            .map(|expectation| expectation.name.clone());
        facts.order.insert("expectations", names.collect());
        for expectation in expectations {
            let Expectation {
                name,
                check,
                on_failure,
            } = expectation;
            let what = format!("{check}, or {on_failure}");
            facts.set(format!("expectations.{name}"), &what);
        }
        facts.set("online", online);
        facts.set_meta(meta);
        facts
    }
}

impl From<&FeatureService> for Facts {
    fn from(service: &FeatureService) -> Self {
        let FeatureService {
            name: _,
            features,
            meta,
        } = service;
        let mut facts = Self::default();
        let mut order = Vec::new();
        let mut labels = Vec::new();
        for entry in features {
            let ServiceEntry {
                view,
                alias,
                join_keys,
                features,
            } = entry;
            let label = entry.label();
            // A service may take from one view more than once.
            labels.push(label);
            let name = match labels.iter().filter(|other| **other == label).count() {
                1 => label.to_string(),
                nth => format!("{label}#{nth}"),
            };
            let selected = match features {
                Selected::All => "*".to_owned(),
                Selected::Only(names) => joined(names),
            };
            let path = format!("features.{name}");
            match alias {
                Some(_) => facts.set(&path, &format!("{selected} of {view}")),
                None => facts.set(&path, &selected),
            }
            for (key, column) in join_keys {
                facts.set(format!("{path}.join_keys.{key}"), column);
            }
            order.push(name);
        }
        facts.order.insert("features", order);
        facts.set_meta(meta);
        facts
    }
}

fn joined(items: impl IntoIterator<Item = impl ToString>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    items.join(", ")
}
