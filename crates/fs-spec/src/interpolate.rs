//! `${NAME}` and `${NAME:-default}` in values.
//!
//! | Written | `NAME` is `x` | `NAME` is empty | `NAME` is not set |
//! |---|---|---|---|
//! | `${NAME}` | `x` | nothing | a problem |
//! | `${NAME:-y}` | `x` | `y` | `y` |
//! | `$${NAME}` | `${NAME}` | `${NAME}` | `${NAME}` |
//!
//! A `$` that no `{` follows stands for itself. What a variable holds is never read as YAML, nor
//! interpolated again.

use crate::position::Position;
use crate::problem::Sink;
use crate::tree::{Node, Scalar, Value};

/// Looks up an environment variable.
pub(crate) type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Interpolates every value below `node`; what cannot be interpolated becomes [`Value::Broken`].
pub(crate) fn interpolate(node: &mut Node, environment: Environment<'_>, sink: &mut Sink) {
    match &mut node.value {
        Value::Scalar(scalar) if scalar.text.contains("${") => {
            node.value = match replace(&scalar.text, environment) {
                // Quotes around `${…}` are often there only because YAML wants them.
                Ok(text) => Value::Scalar(Scalar { text, plain: true }),
                Err(error) => {
                    error.report(&node.at, sink);
                    Value::Broken
                }
            };
        }
        Value::Scalar(_) | Value::Null | Value::Broken => {}
        Value::List(items) => {
            for item in items {
                interpolate(item, environment, sink);
            }
        }
        Value::Map(pairs) => {
            for pair in pairs {
                interpolate(&mut pair.value, environment, sink);
            }
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum InterpolationError {
    Unset { name: String },
    Unclosed,
    BadName { inside: String },
}

impl InterpolationError {
    fn report(&self, at: &Position, sink: &mut Sink) {
        match self {
            Self::Unset { name } => sink.report_with_help(
                &at.narrowed_to(&format!("${{{name}}}")),
                format!("the environment variable `{name}` is not set"),
                format!("set it, or give it a default: `${{{name}:-default}}`"),
            ),
            Self::Unclosed => sink.report_with_help(
                &at.narrowed_to("${"),
                "`${` has no `}`",
                "write `${NAME}`, or `$${` for the text `${` itself",
            ),
            Self::BadName { inside } => sink.report_with_help(
                &at.narrowed_to(&format!("${{{inside}}}")),
                format!("`${{{inside}}}` names no environment variable"),
                "write `${NAME}` or `${NAME:-default}`, or `$${` for the text `${` itself",
            ),
        }
    }
}

fn replace(text: &str, environment: Environment<'_>) -> Result<String, InterpolationError> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let (before, after) = (&rest[..at], &rest[at + 2..]);
        if let Some(before) = before.strip_suffix('$') {
            out.push_str(before);
            out.push_str("${");
            rest = after;
            continue;
        }
        out.push_str(before);
        let (inside, after) = after.split_once('}').ok_or(InterpolationError::Unclosed)?;
        out.push_str(&look_up(inside, environment)?);
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

fn look_up(inside: &str, environment: Environment<'_>) -> Result<String, InterpolationError> {
    let (name, default) = match inside.split_once(":-") {
        Some((name, default)) => (name, Some(default)),
        None => (inside, None),
    };
    let starts_well = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if !starts_well || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Err(InterpolationError::BadName {
            inside: inside.to_owned(),
        });
    }
    match (environment(name), default) {
        (Some(value), _) if !value.is_empty() => Ok(value),
        (_, Some(default)) => Ok(default.to_owned()),
        (Some(value), None) => Ok(value),
        (None, None) => Err(InterpolationError::Unset {
            name: name.to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_environment(text: &str) -> Result<String, InterpolationError> {
        replace(text, &|name| match name {
            "HOST" => Some("db".to_owned()),
            "EMPTY" => Some(String::new()),
            "SLY" => Some("${HOST}".to_owned()),
            _ => None,
        })
    }

    #[test]
    fn a_variable_is_replaced_wherever_it_stands() {
        let text = with_environment("redis://${HOST}:${PORT:-6379}/${EMPTY}");
        assert_eq!(text.unwrap(), "redis://db:6379/");
    }

    #[test]
    fn a_default_stands_in_for_an_empty_variable_too() {
        assert_eq!(with_environment("${EMPTY:-x}").unwrap(), "x");
        assert_eq!(with_environment("${NONE:-}").unwrap(), "");
    }

    #[test]
    fn two_dollars_escape_and_one_alone_stands_for_itself() {
        assert_eq!(with_environment("$${HOST} $5 $").unwrap(), "${HOST} $5 $");
    }

    #[test]
    fn what_a_variable_holds_is_not_interpolated_again() {
        assert_eq!(with_environment("${SLY}").unwrap(), "${HOST}");
    }

    #[test]
    fn a_missing_variable_an_open_brace_and_a_bad_name_are_told_apart() {
        let name = "NONE".to_owned();
        assert_eq!(
            with_environment("${NONE}"),
            Err(InterpolationError::Unset { name })
        );
        assert_eq!(
            with_environment("${HOST"),
            Err(InterpolationError::Unclosed)
        );
        let inside = "a b".to_owned();
        assert_eq!(
            with_environment("${a b}"),
            Err(InterpolationError::BadName { inside })
        );
    }
}
