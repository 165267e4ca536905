//! `kind: entity`.

use fs_core::{Entity, EntityName, JoinKey, KeyName, KeyType, Kind, Meta};

use crate::decode::fields::Fields;
use crate::decode::{Grammar, Items, meta, open, values};
use crate::position::At;
use crate::problem::Sink;
use crate::tree::Node;

pub(crate) const ENTITY: Grammar = Grammar {
    fields: &["kind", "name", "join_keys", "description", "owner", "tags"],
    later: &[],
};
pub(crate) const JOIN_KEY: Grammar = Grammar {
    fields: &["name", "type"],
    later: &[],
};

/// An entity as far as it could be read.
#[derive(Debug)]
pub(crate) struct EntityDraft {
    pub(crate) name: At<EntityName>,
    pub(crate) join_keys: Items<KeyDraft>,
    meta: Meta,
}

/// A join key as far as it could be read.
#[derive(Debug)]
pub(crate) struct KeyDraft {
    pub(crate) name: At<KeyName>,
    pub(crate) key_type: Option<KeyType>,
}

impl EntityDraft {
    /// The entity; `None` only if a problem was reported.
    pub(crate) fn finish(&self) -> Option<Entity> {
        let join_keys = self.join_keys.items.iter().map(|key| {
            Some(JoinKey {
                name: key.name.value.clone(),
                key_type: key.key_type?,
            })
        });
        Some(Entity {
            name: self.name.value.clone(),
            join_keys: join_keys.collect::<Option<_>>()?,
            meta: self.meta.clone(),
        })
    }
}

pub(crate) fn decode(document: &Node, sink: &mut Sink) -> Option<EntityDraft> {
    let (fields, name) = open(document, Kind::Entity, &ENTITY, sink)?;
    let join_keys = join_keys(&fields, sink).unwrap_or_default();
    let meta = meta(&fields, sink);
    Some(EntityDraft {
        name: name?,
        join_keys,
        meta,
    })
}

fn join_keys(fields: &Fields<'_>, sink: &mut Sink) -> Option<Items<KeyDraft>> {
    let node = fields.required("join_keys", "[{ name: user_id, type: int64 }]", sink)?;
    let nodes = values::list(node, "`join_keys`", sink)?;
    if nodes.is_empty() {
        let message = format!("{} needs at least one join key", fields.called);
        let help = "a view of one global row has `entities: []` and no entity";
        sink.report_with_help(&node.at, message, help);
    }
    let keys: Vec<KeyDraft> = nodes
        .iter()
        .filter_map(|node| join_key(node, fields, sink))
        .collect();
    Some(Items {
        complete: keys.len() == nodes.len(),
        items: keys,
    })
}

fn join_key(node: &Node, entity: &Fields<'_>, sink: &mut Sink) -> Option<KeyDraft> {
    let called = format!("a join key of {}", entity.called);
    let fields = Fields::open(node, called, &JOIN_KEY, sink)?;
    let name = fields
        .required("name", "user_id", sink)
        .and_then(|node| values::parsed(node, "`name`", sink));
    let key_type = fields
        .required("type", "int64", sink)
        .and_then(|node| values::parsed(node, "`type`", sink));
    Some(KeyDraft {
        name: name?,
        key_type: key_type.map(|key_type| key_type.value),
    })
}
