//! The function of an aggregation, with `n`, `k` or `p` where it takes one.

use std::fmt::Display;
use std::str::FromStr;

use fs_core::Function;

use crate::Problem;
use crate::decode::fields::Fields;
use crate::decode::values;
use crate::position::At;
use crate::problem::{Sink, nearest_or_all};

/// The fields that only some functions take, each with the functions and an example.
const PARAMETERS: [(&str, &[&str], &str); 3] = [
    ("n", &["last_n", "first_n"], "3"),
    ("k", &["top_k"], "5"),
    ("p", &["approx_percentile"], "0.95"),
];

/// Words of other systems for our functions.
const SYNONYMS: [(&str, &str); 17] = [
    ("mean", "avg"),
    ("average", "avg"),
    ("total", "sum"),
    ("std", "stddev_samp"),
    ("stddev", "stddev_samp"),
    ("stdev", "stddev_samp"),
    ("var", "var_samp"),
    ("variance", "var_samp"),
    ("latest", "last"),
    ("newest", "last"),
    ("oldest", "first"),
    ("nunique", "count_distinct"),
    ("approx_distinct", "approx_count_distinct"),
    ("median", "approx_percentile"),
    ("percentile", "approx_percentile"),
    ("quantile", "approx_percentile"),
    ("mode", "top_k"),
];

/// The function with its parameter; `None` if either is missing or wrong, which is reported.
pub(super) fn decode(fields: &Fields<'_>, sink: &mut Sink) -> Option<At<Function>> {
    let node = fields.required("function", "avg", sink)?;
    let word = values::text(node, "`function`", sink)?;
    let name = word.value.as_str();
    if !Function::NAMES.contains(&name) {
        sink.push(unknown(&word));
        return None;
    }
    report_foreign(fields, name, sink);
    let function = match name {
        "count" => Function::Count,
        "sum" => Function::Sum,
        "avg" => Function::Avg,
        "min" => Function::Min,
        "max" => Function::Max,
        "stddev_samp" => Function::StddevSamp,
        "stddev_pop" => Function::StddevPop,
        "var_samp" => Function::VarSamp,
        "var_pop" => Function::VarPop,
        "first" => Function::First,
        "last" => Function::Last,
        "count_distinct" => Function::CountDistinct,
        "approx_count_distinct" => Function::ApproxCountDistinct,
        "last_n" => Function::LastN {
            n: parameter(fields, "n", name, sink)?,
        },
        "first_n" => Function::FirstN {
            n: parameter(fields, "n", name, sink)?,
        },
        "top_k" => Function::TopK {
            k: parameter(fields, "k", name, sink)?,
        },
        "approx_percentile" => Function::ApproxPercentile {
            p: parameter(fields, "p", name, sink)?,
        },
        // Every word of `Function::NAMES` stands above, which a test proves.
        _ => return None,
    };
    Some(At {
        value: function,
        at: word.at,
    })
}

fn unknown(word: &At<String>) -> Problem {
    let message = format!("`{}` is not a function", word.value);
    let synonym = SYNONYMS
        .iter()
        .find(|(theirs, _)| theirs.eq_ignore_ascii_case(&word.value));
    let mut problem = Problem::new(&word.at, message);
    problem.help = match synonym {
        Some((_, ours)) => Some(format!("did you mean `{ours}`?")),
        None => nearest_or_all(&word.value, Function::NAMES, "functions are"),
    };
    problem
}

/// Reports parameters that go with other functions.
fn report_foreign(fields: &Fields<'_>, function: &str, sink: &mut Sink) {
    for (field, functions, _) in PARAMETERS {
        if let Some(at) = fields.key_at(field)
            && !functions.contains(&function)
        {
            let message = format!("`{field}` is nothing that `{function}` takes");
            let help = format!("it goes with {}; leave it out", functions.join(" and "));
            sink.report_with_help(at, message, help);
        }
    }
}

fn parameter<T: FromStr<Err: Display>>(
    fields: &Fields<'_>,
    field: &str,
    function: &str,
    sink: &mut Sink,
) -> Option<T> {
    let Some(node) = fields.optional(field) else {
        if !fields.misspells(&[field]) {
            let known = PARAMETERS.iter().find(|(name, ..)| *name == field);
            let example = known.map_or("", |(_, _, example)| example);
            let at = fields.key_at(field).unwrap_or(fields.at);
            let message = format!("{} needs `{field}` for `{function}`", fields.called);
            sink.report_with_help(at, message, format!("add `{field}: {example}`"));
        }
        return None;
    };
    values::parsed(node, &format!("`{field}`"), sink).map(|parameter| parameter.value)
}
