//! Columns of expectations, and values against the types of their columns.

use fs_core::suggest::did_you_mean;
use fs_core::{CREATED_TIMESTAMP, DataType, EVENT_TIMESTAMP, Literal, ScalarType};

use crate::check::Index;
use crate::decode::{CheckDraft, Drafts, ExpectationDraft, ViewDraft, report_crossed};
use crate::position::At;
use crate::problem::{Sink, nearest_or_all};

pub(super) fn check(drafts: &Drafts, index: &Index<'_>, sink: &mut Sink) {
    for view in &drafts.views {
        let columns = Columns::of(view, index);
        for expectation in &view.expectations {
            columns.check(expectation, sink);
        }
    }
}

/// What is known about the columns of a view.
struct Columns<'a> {
    view: &'a ViewDraft,
    index: &'a Index<'a>,
    /// By name, with the type where it is known; keys, times, features.
    known: Vec<(&'a str, Option<DataType>)>,
    /// Whether there are no others.
    complete: bool,
}

impl<'a> Columns<'a> {
    fn of(view: &'a ViewDraft, index: &'a Index<'a>) -> Self {
        let entities: Vec<_> = index.entities_of(view).collect();
        let keys = entities.iter().flat_map(|entity| &entity.join_keys.items);
        let keys = keys.map(|key| {
            let data_type = key
                .key_type
                .map(|key_type| DataType::Scalar(key_type.scalar()));
            (key.name.value.as_str(), data_type)
        });
        let times = [EVENT_TIMESTAMP, CREATED_TIMESTAMP]
            .map(|name| (name, Some(DataType::Scalar(ScalarType::Timestamp))));
        let features = view.stored.items.iter().map(|feature| {
            let data_type = feature.data_type.as_ref();
            (
                feature.name.value.as_str(),
                data_type.map(|data_type| data_type.value),
            )
        });
        let keys_complete = view.entities.complete
            && entities.len() == view.entities.items.len()
            && entities.iter().all(|entity| entity.join_keys.complete);
        Self {
            view,
            index,
            known: keys.chain(times).chain(features).collect(),
            complete: keys_complete && view.stored.complete,
        }
    }

    fn check(&self, expectation: &ExpectationDraft, sink: &mut Sink) {
        let Some(column) = expectation.check.column() else {
            return;
        };
        let known = self.known.iter().find(|(name, _)| *name == column.value);
        let Some((_, data_type)) = known else {
            self.report_unknown(column, sink);
            return;
        };
        let Some(data_type) = *data_type else { return };
        let values: Vec<&At<String>> = match &expectation.check {
            CheckDraft::Between { min, max, .. } => min.iter().chain(max).collect(),
            CheckDraft::InSet { values, .. } => values.iter().collect(),
            _ => return,
        };
        let kind = expectation.kind.value.as_str();
        let literals = literals(kind, column, data_type, &values, sink);
        match (&expectation.check, literals.as_slice()) {
            (CheckDraft::Between { .. }, [min, max]) if min.value > max.value => {
                report_crossed(min, max, sink);
            }
            (CheckDraft::InSet { .. }, all) => report_repeated(all, sink),
            _ => {}
        }
    }

    fn report_unknown(&self, column: &At<String>, sink: &mut Sink) {
        if !self.complete {
            return;
        }
        let name = column.value.as_str();
        let message = format!("view `{}` has no column `{name}`", self.view.name.value);
        let mut problem = crate::Problem::new(&column.at, message);
        let source = self.index.source_of(self.view);
        let is = |time: Option<&At<String>>| time.is_some_and(|time| time.value == name);
        problem.help = if is(source.and_then(|source| source.timestamp_field.as_ref())) {
            Some(format!("event time is called `{EVENT_TIMESTAMP}` here"))
        } else if is(source.and_then(|source| source.created_timestamp_column.column())) {
            Some(format!("created time is called `{CREATED_TIMESTAMP}` here"))
        } else if self.view.is_windowed() {
            Some(self.help_of_windowed(name))
        } else {
            let names = self.known.iter().map(|(name, _)| *name);
            nearest_or_all(name, names, "its columns are")
        };
        sink.push(problem);
    }
}

impl Columns<'_> {
    /// What to do about a column that a windowed view does not keep.
    fn help_of_windowed(&self, name: &str) -> String {
        let names = self.known.iter().map(|(name, _)| *name);
        let (features, _) = self.view.features();
        if features
            .iter()
            .any(|feature| feature.value.as_str() == name)
        {
            let all: Vec<&str> = names.collect();
            return format!(
                "expectations look at events before they are aggregated, whose columns are {}",
                all.join(", ")
            );
        }
        match did_you_mean(name, names) {
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None => "declare it in `schema:`, and it is kept without being aggregated".to_owned(),
        }
    }
}

/// The values as literals of the column's type; what is none is reported and left out.
fn literals(
    kind: &str,
    column: &At<String>,
    data_type: DataType,
    values: &[&At<String>],
    sink: &mut Sink,
) -> Vec<At<Literal>> {
    let scalar = match data_type {
        DataType::Scalar(scalar) if scalar != ScalarType::Bytes => scalar,
        other => {
            let message = format!(
                "`{kind}` cannot compare column `{}`, which is {other}",
                column.value
            );
            let help = "write the condition as `expect: sql`";
            sink.report_with_help(&column.at, message, help);
            return Vec::new();
        }
    };
    values
        .iter()
        .filter_map(|text| match Literal::parse(scalar, &text.value) {
            Ok(value) => Some(At {
                value,
                at: text.at.clone(),
            }),
            Err(error) => {
                let help = format!("column `{}` is {data_type}", column.value);
                sink.report_with_help(&text.at, error.to_string(), help);
                None
            }
        })
        .collect()
}

fn report_repeated(values: &[At<Literal>], sink: &mut Sink) {
    for (at, value) in values.iter().enumerate() {
        let first = values[..at].iter().find(|first| first.value == value.value);
        if let Some(first) = first {
            let message = format!("`{}` is in the set twice", value.value);
            let help = format!("the first is at {}", first.at);
            sink.report_with_help(&value.at, message, help);
        }
    }
}
