//! SQL sources that select from each other in a circle.

use std::collections::{BTreeMap, BTreeSet};

use crate::decode::{Drafts, SourceDraft};
use crate::problem::Sink;
use crate::sql;

pub(super) fn check(drafts: &Drafts, sink: &mut Sink) {
    let mut graph = Graph::of(drafts);
    // By name, so that the same repo always names the same circle.
    let names: Vec<String> = graph.sources.keys().cloned().collect();
    for name in names {
        graph.walk_from(&name);
    }
    for cycle in &graph.cycles {
        let Some(first) = graph.sources.get(&cycle[0]) else {
            continue;
        };
        let Some(query) = &first.query else { continue };
        let mut path: Vec<&str> = cycle
            .iter()
            .filter_map(|name| graph.sources.get(name))
            .map(|source| source.name.value.as_str())
            .collect();
        path.push(first.name.value.as_str());
        sink.report_with_help(
            &query.at,
            format!(
                "sql sources select from each other in a circle: {}",
                path.join(" -> ")
            ),
            "one of them must read something else",
        );
    }
}

/// Which SQL source selects from which, by names in lower case.
struct Graph<'a> {
    sources: BTreeMap<String, &'a SourceDraft>,
    selects_from: BTreeMap<String, Vec<String>>,
    done: BTreeSet<String>,
    cycles: Vec<Vec<String>>,
}

impl<'a> Graph<'a> {
    fn of(drafts: &'a Drafts) -> Self {
        let sources: BTreeMap<String, &SourceDraft> = drafts
            .sources
            .iter()
            .filter(|source| source.query.is_some())
            .map(|source| (source.name.value.as_str().to_lowercase(), source))
            .collect();
        let selects_from = sources
            .iter()
            .map(|(name, source)| {
                let query = source.query.as_ref().map_or("", |query| &query.value);
                let tables = sql::tables(query).into_iter();
                let known = tables.filter(|table| sources.contains_key(table));
                (name.clone(), known.collect())
            })
            .collect();
        Self {
            sources,
            selects_from,
            done: BTreeSet::new(),
            cycles: Vec::new(),
        }
    }

    /// Walks depth first from `start`, on a stack of our own: chains may be long.
    fn walk_from(&mut self, start: &str) {
        if self.done.contains(start) {
            return;
        }
        // Each source on the way, and how many of those it selects from are behind us.
        let mut way: Vec<(String, usize)> = vec![(start.to_owned(), 0)];
        while let Some((name, behind)) = way.last_mut() {
            let next = self.selects_from.get(name).and_then(|all| all.get(*behind));
            *behind += 1;
            match next {
                None => {
                    self.done.insert(name.clone());
                    way.pop();
                }
                Some(next) => {
                    if let Some(at) = way.iter().position(|(name, _)| name == next) {
                        let cycle = way[at..].iter().map(|(name, _)| name.clone());
                        self.cycles.push(cycle.collect());
                    } else if !self.done.contains(next) {
                        way.push((next.clone(), 0));
                    }
                }
            }
        }
    }
}
