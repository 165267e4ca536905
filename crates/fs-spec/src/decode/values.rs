//! Values: text, words, names, booleans, lists and maps of text.

use std::fmt::Display;
use std::str::FromStr;

use crate::Problem;
use crate::position::{At, Position};
use crate::problem::{Sink, nearest_or_all};
use crate::tree::{Node, Value};

/// The message about grammar that belongs to a later version.
pub(crate) fn not_yet(thing: &str) -> String {
    format!("{thing} is not supported by this version of fs yet")
}

/// Reports that `node` is not what `what` must be.
fn report_kind(node: &Node, what: &str, wanted: &str, sink: &mut Sink) {
    if !matches!(node.value, Value::Broken) {
        let message = format!("{what} must be {wanted}, and this is {}", node.kind());
        sink.report(&node.at, message);
    }
}

/// Text that is not empty. Numbers and booleans count as the text that they are written with.
pub(crate) fn text(node: &Node, what: &str, sink: &mut Sink) -> Option<At<String>> {
    let Value::Scalar(scalar) = &node.value else {
        report_kind(node, what, "text", sink);
        return None;
    };
    if scalar.text.trim().is_empty() {
        sink.report(&node.at, format!("{what} must not be empty"));
        return None;
    }
    Some(At {
        value: scalar.text.clone(),
        at: node.at.clone(),
    })
}

/// Text that parses as a `T`.
pub(crate) fn parsed<T>(node: &Node, what: &str, sink: &mut Sink) -> Option<At<T>>
where
    T: FromStr<Err: Display>,
{
    checked(node, what, T::from_str, sink)
}

/// Text that `parse` accepts.
pub(crate) fn checked<T, E: Display>(
    node: &Node,
    what: &str,
    parse: impl FnOnce(&str) -> Result<T, E>,
    sink: &mut Sink,
) -> Option<At<T>> {
    text(node, what, sink).and_then(|text| checked_text(text, parse, sink))
}

/// A key of a map that parses as a `T`.
pub(crate) fn parsed_key<T>(key: &str, at: &Position, sink: &mut Sink) -> Option<At<T>>
where
    T: FromStr<Err: Display>,
{
    let text = At {
        value: key.to_owned(),
        at: at.clone(),
    };
    checked_text(text, T::from_str, sink)
}

fn checked_text<T, E: Display>(
    At { value, at }: At<String>,
    parse: impl FnOnce(&str) -> Result<T, E>,
    sink: &mut Sink,
) -> Option<At<T>> {
    match parse(&value) {
        Ok(value) => Some(At { value, at }),
        Err(error) => {
            // The messages of fs-core carry their hint along; people look for it below the line.
            let message = error.to_string();
            match message.split_once("; did you mean ") {
                Some((message, rest)) => {
                    let nearest = rest.split_inclusive('?').next().unwrap_or(rest);
                    sink.report_with_help(&at, message, format!("did you mean {nearest}"));
                }
                None => sink.report(&at, message),
            }
            None
        }
    }
}

/// `true` or `false`, as YAML 1.2 writes them.
pub(crate) fn boolean(node: &Node, what: &str, sink: &mut Sink) -> Option<bool> {
    match &node.value {
        Value::Scalar(scalar) if scalar.plain => match scalar.text.as_str() {
            "true" | "True" | "TRUE" => return Some(true),
            "false" | "False" | "FALSE" => return Some(false),
            _ => {}
        },
        Value::Broken => return None,
        _ => {}
    }
    sink.report(&node.at, format!("{what} must be true or false"));
    None
}

/// The words that a field may have.
pub(crate) struct Words<T: 'static> {
    /// What one of them is called: "format".
    pub(crate) noun: &'static str,
    pub(crate) known: &'static [(&'static str, T)],
    /// Those that a later version will know.
    pub(crate) later: &'static [&'static str],
}

impl<T: Copy> Words<T> {
    #[cfg(test)]
    pub(crate) fn names(&self) -> std::collections::BTreeSet<String> {
        let names = self.known.iter().map(|(name, _)| (*name).to_owned());
        names.collect()
    }

    /// One of the words.
    pub(crate) fn read(&self, node: &Node, sink: &mut Sink) -> Option<At<T>> {
        let word = text(node, &format!("the {}", self.noun), sink)?;
        if let Some((_, value)) = self.known.iter().find(|(name, _)| *name == word.value) {
            return Some(At {
                value: *value,
                at: word.at,
            });
        }
        let noun = self.noun;
        if self.later.contains(&word.value.as_str()) {
            let thing = format!("the {noun} `{}`", word.value);
            sink.report(&word.at, not_yet(&thing));
        } else {
            let message = format!("`{}` is not a {noun}", word.value);
            let names = self.known.iter().map(|(name, _)| *name);
            report_word(&word, message, names, "write one of", sink);
        }
        None
    }
}

/// Reports `message` about a word, with the nearest of `candidates`, or all of them.
pub(crate) fn report_word<'a>(
    word: &At<impl AsRef<str>>,
    message: String,
    candidates: impl IntoIterator<Item = &'a str, IntoIter: Clone>,
    introduction: &str,
    sink: &mut Sink,
) {
    let mut problem = Problem::new(&word.at, message);
    problem.help = nearest_or_all(word.value.as_ref(), candidates, introduction);
    sink.push(problem);
}

/// The items of a list.
pub(crate) fn list<'a>(node: &'a Node, what: &str, sink: &mut Sink) -> Option<&'a [Node]> {
    if let Value::List(items) = &node.value {
        return Some(items);
    }
    report_kind(node, what, "a list", sink);
    None
}

/// A map from text to text.
pub(crate) fn text_map(
    node: &Node,
    what: &str,
    item: &str,
    sink: &mut Sink,
) -> Vec<(At<String>, At<String>)> {
    let Value::Map(pairs) = &node.value else {
        report_kind(node, what, "a map", sink);
        return Vec::new();
    };
    pairs
        .iter()
        .filter_map(|pair| {
            let value = text(&pair.value, &format!("the value of {item}"), sink)?;
            let key = At {
                value: pair.key.clone(),
                at: pair.key_at.clone(),
            };
            Some((key, value))
        })
        .collect()
}
