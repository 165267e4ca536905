//! `expectations` of a view.
//!
//! ```yaml
//! expectations:
//!   - { expect: not_null, column: temp }
//!   - { expect: between, column: temp, min: -80, max: 140, on_failure: quarantine }
//!   - { expect: sql, predicate: "wind_speed >= 0", name: wind_is_positive, on_failure: warn }
//! ```
//!
//! Which fields there are depends on the kind. Values that a column is compared with stay text here:
//! the type of the column is known only once all definitions are read.

mod draft;
mod kind;

use std::fmt::Display;
use std::str::FromStr;

use fs_core::{EntityName, Fraction, OnFailure, Span};

use crate::decode::fields::Fields;
use crate::decode::values;
use crate::position::At;
use crate::problem::Sink;
use crate::sql;
use crate::tree::{Node, Value};

pub(crate) use draft::{CheckDraft, ExpectationDraft};
#[cfg(test)]
pub(crate) use kind::GRAMMARS;
use kind::{ANY, Kind};
pub(crate) use kind::{EXPECT, ON_FAILURE};

/// Reads the list; `view` is what the view is called.
pub(crate) fn decode(view: &Fields<'_>, sink: &mut Sink) -> Vec<ExpectationDraft> {
    let nodes = view
        .optional("expectations")
        .and_then(|node| values::list(node, "`expectations`", sink));
    let nodes = nodes.into_iter().flatten();
    nodes
        .filter_map(|node| expectation(node, &view.called, sink))
        .collect()
}

fn expectation(node: &Node, view: &str, sink: &mut Sink) -> Option<ExpectationDraft> {
    let word = node.get("expect").filter(|word| !is_null(word));
    let Some(word) = word else {
        let fields = Fields::open(node, format!("an expectation of {view}"), &ANY, sink)?;
        fields.required("expect", "not_null", sink);
        return None;
    };
    let kind = EXPECT.read(word, sink)?;
    let called = format!("expectation `{}` of {view}", kind.value.as_str());
    let fields = Fields::open(node, called, kind.value.grammar(), sink)?;
    let name = fields
        .optional("name")
        .map(|node| values::checked(node, "`name`", name, sink));
    let on_failure = fields
        .optional("on_failure")
        .and_then(|node| ON_FAILURE.read(node, sink));
    let of_rows = kind.value.is_of_rows();
    if let Some(on_failure) = &on_failure
        && on_failure.value == OnFailure::Quarantine
        && !of_rows
    {
        let message = format!(
            "{} judges all rows of a window together, so there is no row to put into quarantine",
            fields.called
        );
        let help = "write `on_failure: fail` or `on_failure: warn`";
        sink.report_with_help(&on_failure.at, message, help);
    }
    let check = check(kind.value, &fields, sink);
    Some(ExpectationDraft {
        kind,
        name: name.flatten(),
        check: check?,
        on_failure: on_failure.map(|on_failure| on_failure.value),
    })
}

const fn is_null(node: &Node) -> bool {
    matches!(node.value, Value::Null)
}

/// The rule for names is the one of all names.
fn name(text: &str) -> Result<String, fs_core::name::NameError> {
    EntityName::new(text).map(|_| text.to_owned())
}

fn check(kind: Kind, fields: &Fields<'_>, sink: &mut Sink) -> Option<CheckDraft> {
    Some(match kind {
        Kind::NotNull => CheckDraft::NotNull {
            column: column(fields, sink)?,
        },
        Kind::Between => {
            let column = column(fields, sink);
            let [min, max] = limits(fields, literal, sink)?;
            CheckDraft::Between {
                column: column?,
                min,
                max,
            }
        }
        Kind::InSet => {
            let column = column(fields, sink);
            let values = set(fields, sink);
            CheckDraft::InSet {
                column: column?,
                values: values?,
            }
        }
        Kind::Unique => CheckDraft::Unique,
        Kind::RowCount => {
            let [min, max] = limits(fields, rows, sink)?;
            if let (Some(min), Some(max)) = (&min, &max)
                && min.value > max.value
            {
                report_crossed(min, max, sink);
                return None;
            }
            CheckDraft::RowCount { min, max }
        }
        Kind::NullFraction => {
            let column = column(fields, sink);
            let max = required_value::<Fraction>(fields, "max", "0.05", sink);
            CheckDraft::NullFraction {
                column: column?,
                max: max?,
            }
        }
        Kind::MaxAge => {
            let max = required_value::<Span>(fields, "max", "1d", sink)?;
            if max.value.is_zero() {
                let message = "no window has rows of its very end: `max` must be longer than that";
                sink.report(&max.at, message);
                return None;
            }
            CheckDraft::MaxAge { max }
        }
        Kind::Sql => {
            let node = fields.required("predicate", "\"some_column >= 0\"", sink)?;
            let parse = |text: &str| sql::check_predicate(text).map(|()| text.to_owned());
            CheckDraft::Sql {
                predicate: values::checked(node, "`predicate`", parse, sink)?,
            }
        }
    })
}

/// Reports limits that leave nothing between them.
pub(crate) fn report_crossed<T: Display>(min: &At<T>, max: &At<T>, sink: &mut Sink) {
    let message = format!("`min` {} is greater than `max` {}", min.value, max.value);
    sink.report_with_help(&min.at, message, "nothing lies between them: swap them");
}

fn column(fields: &Fields<'_>, sink: &mut Sink) -> Option<At<String>> {
    let node = fields.required("column", "some_column", sink)?;
    values::text(node, "`column`", sink)
}

fn required_value<T: FromStr<Err: Display>>(
    fields: &Fields<'_>,
    field: &str,
    example: &str,
    sink: &mut Sink,
) -> Option<At<T>> {
    let node = fields.required(field, example, sink)?;
    values::parsed(node, &format!("`{field}`"), sink)
}

/// `min` and `max`, of which at least one is there; `None` if one of them is wrong.
fn limits<T>(
    fields: &Fields<'_>,
    read: impl Fn(&Node, &str, &mut Sink) -> Option<At<T>>,
    sink: &mut Sink,
) -> Option<[Option<At<T>>; 2]> {
    let [min, max] = ["min", "max"].map(|field| {
        let node = fields.optional(field)?;
        Some(read(node, &format!("`{field}`"), sink))
    });
    if min.is_none() && max.is_none() && !fields.misspells(&["min", "max"]) {
        let message = format!("{} needs `min`, `max` or both", fields.called);
        sink.report(fields.at, message);
        return None;
    }
    match (min, max) {
        (Some(None), _) | (_, Some(None)) | (None, None) => None,
        (min, max) => Some([min.flatten(), max.flatten()]),
    }
}

/// A value that a column is compared with. Empty text is a value too.
fn literal(node: &Node, what: &str, sink: &mut Sink) -> Option<At<String>> {
    match &node.value {
        Value::Scalar(scalar) => Some(At {
            value: scalar.text.clone(),
            at: node.at.clone(),
        }),
        _ => values::text(node, what, sink),
    }
}

fn rows(node: &Node, what: &str, sink: &mut Sink) -> Option<At<u64>> {
    let parse = |text: &str| {
        let number = text.parse::<u64>();
        number.map_err(|_not_a_number| format!("`{text}` is not a number of rows"))
    };
    values::checked(node, what, parse, sink)
}

fn set(fields: &Fields<'_>, sink: &mut Sink) -> Option<Vec<At<String>>> {
    let node = fields.required("values", "[some_value]", sink)?;
    let nodes = values::list(node, "`values`", sink)?;
    if nodes.is_empty() {
        let message = format!("{} needs at least one value", fields.called);
        sink.report(&node.at, message);
        return None;
    }
    let items: Vec<At<String>> = nodes
        .iter()
        .filter_map(|node| {
            if is_null(node) {
                let message = "a null passes anyway, and is no value of the set";
                let help = "leave it out; `expect: not_null` refuses nulls";
                sink.report_with_help(&node.at, message, help);
            }
            literal(node, "a value", sink).filter(|_| !is_null(node))
        })
        .collect();
    (items.len() == nodes.len()).then_some(items)
}
