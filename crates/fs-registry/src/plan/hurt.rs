//! Who is hurt: services whose callers would lose something that they read today.

use std::collections::BTreeMap;
use std::fmt;

use fs_core::{
    Catalog, DataType, FeatureRef, FeatureRequest, FeatureSet, KeyBinding, Naming, OutputColumn,
    ServiceName, ViewName, ViewSelection,
};
use serde::Serialize;

use crate::Error;

/// Every service of a catalog, resolved.
pub(super) type Services = BTreeMap<ServiceName, FeatureSet>;

/// A service whose callers would lose something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Hurt {
    /// The service.
    pub service: ServiceName,
    /// What they would lose, in the order of the service.
    pub lost: Vec<Lost>,
}

/// A feature that callers of a service read today and would not get as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lost {
    /// The feature, under the name that its view has in the service.
    pub feature: FeatureRef,
    /// What becomes of it.
    #[serde(flatten)]
    pub reason: LostReason,
}

/// What becomes of a feature that is lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum LostReason {
    /// The whole service goes.
    ServiceRemoved,
    /// Its view goes.
    ViewRemoved,
    /// Its view no longer has it.
    FeatureRemoved,
    /// Its view has it, but the service no longer takes it.
    LeftTheService,
    /// Its name now stands for a feature of another view.
    ViewReplaced {
        /// The view that it came from.
        before: ViewName,
        /// The view that it would come from.
        after: ViewName,
    },
    /// Its values get another type.
    TypeChanged {
        /// The type it has.
        before: DataType,
        /// The type it would have.
        after: DataType,
    },
    /// It is looked up by other key columns, so that today's requests fail.
    JoinKeyChanged {
        /// The key columns that requests have.
        before: String,
        /// The key columns that they would need.
        after: String,
    },
}

impl fmt::Display for LostReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ServiceRemoved => f.write_str("service removed"),
            Self::ViewRemoved => f.write_str("view removed"),
            Self::FeatureRemoved => f.write_str("removed"),
            Self::LeftTheService => f.write_str("no longer in the service"),
            Self::ViewReplaced { before, after } => {
                write!(f, "view changed {before} -> {after}")
            }
            Self::TypeChanged { before, after } => write!(f, "type changed {before} -> {after}"),
            Self::JoinKeyChanged { before, after } => {
                write!(f, "join key changed {before} -> {after}")
            }
        }
    }
}

/// Resolves every service of `catalog`.
pub(super) fn resolve_services(catalog: &Catalog) -> Result<Services, Error> {
    catalog
        .feature_services
        .keys()
        .map(|service| match resolve(catalog, service) {
            Ok(set) => Ok((service.clone(), set)),
            Err(source) => Err(Error::Unresolvable {
                service: service.clone(),
                source: Box::new(source),
            }),
        })
        .collect()
}

/// The services of `old` whose callers would lose something; `services` are those of `new`.
pub(super) fn find(old: &Catalog, new: &Catalog, services: &Services) -> Vec<Hurt> {
    old.feature_services
        .keys()
        .filter_map(|service| {
            // What does not resolve today has no callers to hurt.
            let before = resolve(old, service).ok()?;
            let after = services.get(service);
            let lost: Vec<Lost> = before
                .columns
                .iter()
                .filter_map(|column| {
                    let reason = match after {
                        Some(after) => reason_lost(&before, column, after, new)?,
                        None => LostReason::ServiceRemoved,
                    };
                    let feature = before.feature_ref(column);
                    Some(Lost { feature, reason })
                })
                .collect();
            (!lost.is_empty()).then(|| Hurt {
                service: service.clone(),
                lost,
            })
        })
        .collect()
}

/// Full names, because a short name may clash without anybody being hurt.
pub(super) fn resolve(
    catalog: &Catalog,
    service: &ServiceName,
) -> Result<FeatureSet, fs_core::SelectionError> {
    let request = FeatureRequest::Service(service.clone());
    FeatureSet::resolve(catalog, &request, Naming::Full)
}

fn reason_lost(
    before: &FeatureSet,
    column: &OutputColumn,
    after: &FeatureSet,
    new: &Catalog,
) -> Option<LostReason> {
    let was = &before.views[column.view];
    let feature = &was.view.schema[column.feature].name;
    let Some(found) = after.columns.iter().find(|found| found.name == column.name) else {
        return Some(match new.feature_views.get(&was.view.name) {
            None => LostReason::ViewRemoved,
            Some(view) if view.feature_index(feature.as_str()).is_none() => {
                LostReason::FeatureRemoved
            }
            Some(_) => LostReason::LeftTheService,
        });
    };
    let is = &after.views[found.view];
    if was.view.name != is.view.name {
        return Some(LostReason::ViewReplaced {
            before: was.view.name.clone(),
            after: is.view.name.clone(),
        });
    }
    if column.data_type != found.data_type {
        return Some(LostReason::TypeChanged {
            before: column.data_type,
            after: found.data_type,
        });
    }
    (sorted_keys(was) != sorted_keys(is)).then(|| LostReason::JoinKeyChanged {
        before: key_text(was),
        after: key_text(is),
    })
}

fn sorted_keys(selection: &ViewSelection) -> Vec<&KeyBinding> {
    let mut keys: Vec<&KeyBinding> = selection.keys.iter().collect();
    keys.sort_by(|a, b| a.key.cmp(&b.key));
    keys
}

fn key_text(selection: &ViewSelection) -> String {
    let keys: Vec<String> = selection
        .keys
        .iter()
        .map(|binding| {
            let KeyBinding {
                key,
                column,
                key_type,
            } = binding;
            if key.as_str() == column {
                format!("{column} {key_type}")
            } else {
                format!("{key} from {column} {key_type}")
            }
        })
        .collect();
    if keys.is_empty() {
        "(none)".to_owned()
    } else {
        format!("({})", keys.join(", "))
    }
}
