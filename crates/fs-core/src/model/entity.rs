//! Entities: the things that features describe.

use serde::{Deserialize, Serialize};

use crate::{EntityName, KeyName, KeyType, Meta};

/// A thing that features describe, told apart by one or more join keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entity {
    /// Its name.
    pub name: EntityName,
    /// The columns that identify one, in order; at least one.
    pub join_keys: Vec<JoinKey>,
    /// Words for people.
    #[serde(default)]
    pub meta: Meta,
}

/// One named, typed column of an entity's key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JoinKey {
    /// The column.
    pub name: KeyName,
    /// Its type.
    #[serde(rename = "type")]
    pub key_type: KeyType,
}
