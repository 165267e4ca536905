//! The fields of one map, checked against what it may have.

use fs_core::suggest::did_you_mean;

use crate::decode::{Grammar, values};
use crate::position::Position;
use crate::problem::{Sink, nearest_or_all};
use crate::tree::{Node, Pair, Value};

/// A map whose unknown fields are reported already.
#[derive(Debug)]
pub(crate) struct Fields<'a> {
    /// What the map is, for messages: "entity `route`".
    pub(crate) called: String,
    pub(crate) at: &'a Position,
    pairs: &'a [Pair],
    grammar: &'static Grammar,
}

impl<'a> Fields<'a> {
    /// Takes `node` as a map with the fields of `grammar`; `None` if it is no map.
    pub(crate) fn open(
        node: &'a Node,
        called: String,
        grammar: &'static Grammar,
        sink: &mut Sink,
    ) -> Option<Self> {
        let pairs = match &node.value {
            Value::Map(pairs) => pairs,
            Value::Broken => return None,
            _ => {
                let message = format!("{called} must be a map, and this is {}", node.kind());
                let help = format!("its fields are {}", grammar.fields.join(", "));
                sink.report_with_help(&node.at, message, help);
                return None;
            }
        };
        let fields = Self {
            called,
            at: &node.at,
            pairs,
            grammar,
        };
        fields.report_unknown(sink);
        Some(fields)
    }

    fn report_unknown(&self, sink: &mut Sink) {
        for Pair { key, key_at, .. } in self.pairs {
            let key = key.as_str();
            if self.grammar.later.contains(&key) {
                let thing = format!("`{key}` of {}", self.called);
                sink.report(key_at, values::not_yet(&thing));
            } else if !self.grammar.fields.contains(&key) {
                let message = format!("{} has no field `{key}`", self.called);
                let known = self.grammar.fields.iter().copied();
                let mut problem = crate::Problem::new(key_at, message);
                problem.help = nearest_or_all(key, known, "its fields are");
                sink.push(problem);
            }
        }
    }

    /// Whether `field` is there, with whatever value.
    pub(crate) fn has(&self, field: &str) -> bool {
        self.pair(field).is_some()
    }

    /// The key of `field`.
    pub(crate) fn key_at(&self, field: &str) -> Option<&'a Position> {
        self.pair(field).map(|pair| &pair.key_at)
    }

    /// The value of `field`; `None` if it is missing or null.
    pub(crate) fn optional(&self, field: &str) -> Option<&'a Node> {
        self.pair(field)
            .map(|pair| &pair.value)
            .filter(|node| !matches!(node.value, Value::Null))
    }

    /// The value of `field`; a problem if it is missing or null.
    pub(crate) fn required(&self, field: &str, example: &str, sink: &mut Sink) -> Option<&'a Node> {
        let node = self.optional(field);
        if node.is_none() && !self.misspells(&[field]) {
            let at = self.key_at(field).unwrap_or(self.at);
            let message = format!("{} needs `{field}`", self.called);
            sink.report_with_help(at, message, format!("add `{field}: {example}`"));
        }
        node
    }

    /// Whether an unknown field was meant to be one of `fields`, and is reported as that already.
    pub(crate) fn misspells(&self, fields: &[&str]) -> bool {
        let known = self.grammar.fields;
        self.pairs
            .iter()
            .map(|pair| pair.key.as_str())
            .filter(|key| !known.contains(key) && !self.grammar.later.contains(key))
            .filter_map(|key| did_you_mean(key, known.iter().copied()))
            .any(|meant| fields.contains(&meant))
    }

    fn pair(&self, field: &str) -> Option<&'a Pair> {
        let known = [self.grammar.fields, self.grammar.later];
        debug_assert!(
            known.iter().any(|fields| fields.contains(&field)),
            "`{field}` is read, and not in the grammar"
        );
        self.pairs.iter().find(|pair| pair.key == field)
    }
}
