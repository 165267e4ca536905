//! Which tables a query may name, and what is said of those that nobody has.

use std::ops::ControlFlow;

use datafusion::catalog::SchemaProvider;
use datafusion::common::TableReference;
use datafusion::sql::planner::object_name_to_table_reference;
use datafusion::sql::sqlparser::ast::{Query, Spanned, TableFactor, Visit, Visitor};
use fs_core::suggest::{did_you_mean, hint};

use super::VIEWS;
use super::problem::position;
use crate::Error;
use crate::tables::{SCHEMA, Tables};

/// What there is to select from.
pub(super) struct Names {
    sources: Vec<String>,
    views: Vec<String>,
}

impl Names {
    pub(super) fn new(sources: &Tables, views: &dyn SchemaProvider) -> Self {
        Self {
            sources: sources.table_names(),
            views: views.table_names(),
        }
    }

    /// Every table of `query` has to be one of these. `named` are the names that mean tables, and
    /// not what a `WITH` calls so.
    pub(super) fn check(&self, query: &Query, named: &[TableReference]) -> Result<(), Error> {
        let mut check = Check { names: self, named };
        match query.visit(&mut check) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(error) => Err(error),
        }
    }

    /// What is wrong with naming this table.
    fn problem(&self, name: &TableReference) -> Option<String> {
        let has = |names: &[String], name: &str| names.iter().any(|known| known == name);
        match name {
            TableReference::Bare { table } => {
                match (has(&self.sources, table), has(&self.views, table)) {
                    (true, true) => Some(format!(
                        "`{table}` is a source and a view: write `{SCHEMA}.{table}` or `{VIEWS}.{table}`"
                    )),
                    (false, false) => {
                        let known = self.sources.iter().chain(&self.views);
                        let near = did_you_mean(table, known.map(String::as_str));
                        Some(format!(
                            "there is no source or view `{table}`{}",
                            hint(near)
                        ))
                    }
                    _ => None,
                }
            }
            TableReference::Partial { schema, table } => {
                let (kind, names) = match schema.as_ref() {
                    SCHEMA => ("source", &self.sources),
                    VIEWS => ("view", &self.views),
                    _ => return Some(unknown_schema(schema)),
                };
                let near = did_you_mean(table, names.iter().map(String::as_str));
                (!has(names, table)).then(|| format!("there is no {kind} `{table}`{}", hint(near)))
            }
            TableReference::Full { catalog, .. } => Some(unknown_schema(catalog)),
        }
    }
}

fn unknown_schema(name: &str) -> String {
    let near = did_you_mean(name, [SCHEMA, VIEWS]);
    format!(
        "there is no schema `{name}`{}; tables are `{SCHEMA}.NAME` and `{VIEWS}.NAME`",
        hint(near)
    )
}

struct Check<'a> {
    names: &'a Names,
    named: &'a [TableReference],
}

impl Visitor for Check<'_> {
    type Break = Error;

    fn pre_visit_table_factor(&mut self, table: &TableFactor) -> ControlFlow<Error> {
        // With arguments it is a function, such as `generate_series(1, 3)`.
        let TableFactor::Table {
            name, args: None, ..
        } = table
        else {
            return ControlFlow::Continue(());
        };
        let Ok(reference) = object_name_to_table_reference(name.clone(), false) else {
            // Planning says what is wrong with it.
            return ControlFlow::Continue(());
        };
        if !self.named.contains(&reference) {
            return ControlFlow::Continue(());
        }
        match self.names.problem(&reference) {
            Some(problem) => ControlFlow::Break(Error::BadSql {
                position: position(name.span().start.line, name.span().start.column),
                problem,
            }),
            None => ControlFlow::Continue(()),
        }
    }
}
