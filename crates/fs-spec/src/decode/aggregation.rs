//! `aggregations` of a view.
//!
//! ```yaml
//! aggregations:
//!   - { column: arr_delay, function: avg, windows: [1h, 1d, 7d, 30d] }
//!   - { column: "*", function: count, windows: [1h, lifetime], name: arrivals }
//!   - { column: arr_delay, function: last_n, n: 3, windows: [7d], name: last_delays, filter: "NOT diverted" }
//! ```
//! A feature is `<name>_<window as written>`. Whether the function fits the type of its column is found out
//! once that is known: it may be declared in `schema`, or stand in the source only.

mod function;
mod windows;

use fs_core::name::NameError;
use fs_core::{Aggregation, AggregationWindow, FeatureName, Function};

use crate::decode::fields::Fields;
use crate::decode::{Grammar, Items, values};
use crate::position::At;
use crate::problem::Sink;
use crate::sql;
use crate::tree::Node;

pub(crate) use windows::WindowDraft;

pub(crate) const AGGREGATION: Grammar = Grammar {
    fields: &[
        "column",
        "function",
        "n",
        "k",
        "p",
        "windows",
        "name",
        "filter",
        "description",
    ],
    later: &[],
};

/// Stands for every row where a column is expected.
const EVERY_ROW: &str = "*";

/// An aggregation as far as it could be read.
#[derive(Debug)]
pub(crate) struct AggregationDraft {
    pub(crate) column: Option<At<Column>>,
    pub(crate) function: Option<At<Function>>,
    pub(crate) filter: Option<At<String>>,
    pub(crate) windows: Items<WindowDraft>,
    description: Option<String>,
}

/// What an aggregation is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Column {
    /// `*`: the rows.
    EveryRow,
    /// The values of this column.
    Named(FeatureName),
}

impl Column {
    /// The column, if it is one.
    pub(crate) const fn name(&self) -> Option<&FeatureName> {
        match self {
            Self::EveryRow => None,
            Self::Named(name) => Some(name),
        }
    }
}

impl AggregationDraft {
    /// The column that it reads, with its place, if it reads one.
    pub(crate) fn named_column(&self) -> Option<At<&FeatureName>> {
        let column = self.column.as_ref()?;
        Some(At {
            value: column.value.name()?,
            at: column.at.clone(),
        })
    }

    /// The aggregation; `None` only if a problem was reported.
    pub(crate) fn finish(&self) -> Option<Aggregation> {
        let windows = self.windows.items.iter().map(|window| AggregationWindow {
            window: window.window,
            feature: window.feature.value.clone(),
        });
        Some(Aggregation {
            column: self.column.as_ref()?.value.name().cloned(),
            function: self.function.as_ref()?.value,
            filter: self.filter.as_ref().map(|filter| filter.value.clone()),
            windows: windows.collect(),
            description: self.description.clone(),
        })
    }
}

/// Reads the list; `view` is what the view is called. `None` if there is none.
pub(crate) fn decode(view: &Fields<'_>, sink: &mut Sink) -> Option<Items<AggregationDraft>> {
    let at = view.key_at("aggregations")?;
    let Some(node) = view.optional("aggregations") else {
        sink.report(
            at,
            format!("{} needs at least one aggregation", view.called),
        );
        return Some(Items::default());
    };
    let Some(nodes) = values::list(node, "`aggregations`", sink) else {
        return Some(Items::default());
    };
    if nodes.is_empty() {
        let message = format!("{} needs at least one aggregation", view.called);
        let example = "write `- { column: some_column, function: avg, windows: [1h, 7d] }`";
        sink.report_with_help(&node.at, message, example);
    }
    let items: Vec<AggregationDraft> = nodes
        .iter()
        .filter_map(|node| aggregation(node, &view.called, sink))
        .collect();
    Some(Items {
        complete: items.len() == nodes.len() && items.iter().all(|item| item.windows.complete),
        items,
    })
}

fn aggregation(node: &Node, view: &str, sink: &mut Sink) -> Option<AggregationDraft> {
    let fields = Fields::open(node, called(node, view), &AGGREGATION, sink)?;
    let column = column(&fields, sink);
    let function = function::decode(&fields, sink);
    if let (Some(column), Some(function)) = (&column, &function)
        && column.value == Column::EveryRow
        && let Err(error) = function.value.output(None)
    {
        let help = "name the column, or write `function: count`";
        sink.report_with_help(&column.at, error.to_string(), help);
    }
    let name = fields
        .optional("name")
        .map(|node| values::parsed::<FeatureName>(node, "`name`", sink));
    let name = match name {
        Some(given) => given.map(|name| name.value.to_string()),
        None => column.as_ref().zip(function.as_ref()).map(default_name),
    };
    let windows = windows::decode(&fields, name.as_deref(), sink);
    let filter = fields.optional("filter").and_then(|node| {
        let parse = |text: &str| sql::check_predicate(text).map(|()| text.to_owned());
        values::checked(node, "`filter`", parse, sink)
    });
    let description = fields
        .optional("description")
        .and_then(|node| values::text(node, "`description`", sink));
    Some(AggregationDraft {
        column,
        function,
        filter,
        windows,
        description: description.map(|text| text.value),
    })
}

fn default_name((column, function): (&At<Column>, &At<Function>)) -> String {
    Aggregation::default_name(column.value.name(), &function.value)
}

/// What people call it: by its name if it has one, or else by what it says.
fn called(node: &Node, view: &str) -> String {
    let text = |field: &str| match &node.get(field)?.value {
        crate::tree::Value::Scalar(scalar) => Some(scalar.text.as_str()),
        _ => None,
    };
    match (text("name"), text("function"), text("column")) {
        (Some(name), ..) => format!("aggregation `{name}` of {view}"),
        (None, Some(function), Some(column)) => {
            format!("aggregation `{function}({column})` of {view}")
        }
        _ => format!("an aggregation of {view}"),
    }
}

fn column(fields: &Fields<'_>, sink: &mut Sink) -> Option<At<Column>> {
    let node = fields.required("column", "some_column`, or `column: \"*\"", sink)?;
    let text = values::text(node, "`column`", sink)?;
    if text.value == EVERY_ROW {
        return Some(At {
            value: Column::EveryRow,
            at: text.at,
        });
    }
    match FeatureName::new(text.value.clone()) {
        Ok(name) => Some(At {
            value: Column::Named(name),
            at: text.at,
        }),
        Err(error) => {
            let help = match error {
                NameError::Reserved { .. } => format!(
                    "give it another name: `query: SELECT *, {} AS some_name FROM …`",
                    text.value
                ),
                _ => {
                    "give it a name with the `field_mapping` of the source, or in a `query`".into()
                }
            };
            sink.report_with_help(&text.at, error.to_string(), help);
            None
        }
    }
}
