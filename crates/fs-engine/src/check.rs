//! The definitions held against the real sources: metadata and schemas only, no rows.

use arrow::datatypes::{DataType as ArrowType, Schema};
use fs_core::suggest::{did_you_mean, hint};
use fs_core::{Catalog, Code, Coded, FeatureView, Source, SourceKind, SourceName};

use crate::convert::{Slack, fits, is_time, type_name};
use crate::problem::{Place, SourceField, SourceProblem, ViewField};
use crate::tables::Tables;
use crate::view_inputs::filter_problems;
use crate::view_plan::ViewPlan;
use crate::{Error, expectations};

/// What is wrong with a source.
pub(crate) async fn source(tables: &Tables, source: &Source) -> Vec<SourceProblem> {
    let at = |field: SourceField| Place::Source {
        source: source.name.clone(),
        field,
    };
    let opened = match tables.open_unmapped(source).await {
        Ok(opened) => opened,
        Err(error) => {
            let field = match source.kind {
                SourceKind::Sql { .. } => SourceField::Query,
                _ => SourceField::Path,
            };
            return vec![problem(at(field), &error)];
        }
    };
    let schema = opened.table.schema();
    let mut problems = mapping(source, &schema);
    if !problems.is_empty() {
        return problems;
    }
    let Ok(mapped) = tables.open(source).await else {
        return problems;
    };
    let schema = mapped.table.schema();
    let times = [
        (Some(&source.timestamp_field), SourceField::TimestampField),
        (
            source.created_timestamp_column.as_ref(),
            SourceField::CreatedTimestampColumn,
        ),
    ];
    for (name, field) in times {
        if let Some(message) = name.and_then(|name| time_column(&source.name, &schema, name)) {
            problems.push(wrong(at(field), message));
        }
    }
    problems
}

fn mapping(source: &Source, schema: &Schema) -> Vec<SourceProblem> {
    let mut problems = Vec::new();
    for (from, to) in &source.field_mapping {
        let message = if schema.field_with_name(from).is_err() {
            format!(
                "source `{}` has no column `{from}` to rename{}",
                source.name,
                nearest(from, schema)
            )
        } else if schema.field_with_name(to).is_ok() && !source.field_mapping.contains_key(to) {
            format!(
                "source `{}` already has a column `{to}`; rename `{from}` to something else, or \
                 map `{to}` too",
                source.name
            )
        } else if let Some((other, _)) = source
            .field_mapping
            .iter()
            .find(|(other, name)| *name == to && *other != from)
        {
            format!("both `{from}` and `{other}` are renamed to `{to}`; choose two names")
        } else {
            continue;
        };
        let place = Place::Source {
            source: source.name.clone(),
            field: SourceField::FieldMapping(from.clone()),
        };
        problems.push(wrong(place, message));
    }
    problems
}

fn time_column(source: &SourceName, schema: &Schema, name: &str) -> Option<String> {
    let Ok(field) = schema.field_with_name(name) else {
        return Some(format!(
            "source `{source}` has no column `{name}`{}",
            nearest(name, schema)
        ));
    };
    (!is_time(field.data_type())).then(|| {
        format!(
            "column `{name}` of source `{source}` is {}, which is no time; use a timestamp, a \
             date or a string such as 2013-03-31T23:00:00Z (a sql source can convert it, with \
             to_timestamp_micros for instance)",
            type_name(field.data_type())
        )
    })
}

/// What is wrong with a view, given its source.
pub(crate) async fn view(tables: &Tables, view: &FeatureView) -> Vec<SourceProblem> {
    match ViewPlan::sampled(tables, view).await {
        Ok(plan) => {
            let with_created = plan.created().is_some();
            let mut problems = plan.problems();
            let more = expectations::problems(&tables.catalog, view, &tables.shared, with_created);
            problems.extend(more);
            if problems.is_empty() {
                problems.extend(filter_problems(&tables.catalog, view));
            }
            problems
        }
        Err(Error::Mismatch { problems }) => problems,
        Err(error) => {
            let place = Place::View {
                view: view.name.clone(),
                field: ViewField::Query,
            };
            vec![problem(place, &error)]
        }
    }
}

/// What is wrong between a view and the columns that it is to be read from.
pub(crate) fn columns(
    catalog: &Catalog,
    view: &FeatureView,
    source: &Source,
    schema: &Schema,
    slack: Slack,
) -> Vec<SourceProblem> {
    let reader = Reader {
        view,
        schema,
        slack,
    };
    let keys = catalog.join_keys(view).filter_map(|key| {
        let message = reader.column(
            "join key",
            key.name.as_str(),
            &key.key_type.to_string(),
            &key.key_type.to_arrow(),
        )?;
        Some((ViewField::JoinKey(key.name.clone()), message))
    });
    let features = view.stored().iter().filter_map(|feature| {
        let message = reader.column(
            "feature",
            feature.name.as_str(),
            &feature.data_type.to_string(),
            &feature.data_type.to_arrow(),
        )?;
        Some((ViewField::Feature(feature.name.clone()), message))
    });
    let query = view.query.as_ref().and_then(|_| {
        let message = reader.event_time(&source.timestamp_field)?;
        Some((ViewField::Query, message))
    });
    query
        .into_iter()
        .chain(keys)
        .chain(features)
        .map(|(field, message)| {
            let view = view.name.clone();
            wrong(Place::View { view, field }, message)
        })
        .collect()
}

struct Reader<'a> {
    view: &'a FeatureView,
    schema: &'a Schema,
    slack: Slack,
}

impl Reader<'_> {
    /// What the columns come from, in words.
    fn origin(&self) -> String {
        match self.view.query {
            Some(_) => format!("the query of view `{}`", self.view.name),
            None => format!("source `{}`", self.view.source),
        }
    }

    fn column(&self, role: &str, name: &str, declared: &str, wanted: &ArrowType) -> Option<String> {
        let view = &self.view.name;
        let Ok(field) = self.schema.field_with_name(name) else {
            return Some(format!(
                "view `{view}`: {role} `{name}` has no column in {}{}",
                self.origin(),
                nearest(name, self.schema)
            ));
        };
        let found = field.data_type();
        (!fits(found, wanted, self.slack)).then(|| {
            let fix = match fs_core::DataType::from_arrow(found) {
                Some(ours) => format!("declare it as {ours}, or CAST it in a `query:`"),
                None => "CAST it in a `query:`".to_owned(),
            };
            format!(
                "view `{view}`: {role} `{name}` is declared {declared}, but its column in {} is \
                 {}; {fix}",
                self.origin(),
                type_name(found)
            )
        })
    }

    fn event_time(&self, name: &str) -> Option<String> {
        match self.schema.field_with_name(name) {
            Err(_) => Some(format!(
                "{} yields no column `{name}`, the timestamp_field of its source; select it too{}",
                self.origin(),
                nearest(name, self.schema)
            )),
            Ok(field) if !is_time(field.data_type()) => Some(format!(
                "column `{name}` of {} is {}, which is no time; make it a timestamp",
                self.origin(),
                type_name(field.data_type())
            )),
            Ok(_) => None,
        }
    }
}

fn nearest(name: &str, schema: &Schema) -> String {
    let columns = schema.fields().iter().map(|field| field.name().as_str());
    hint(did_you_mean(name, columns))
}

fn wrong(place: Place, message: String) -> SourceProblem {
    SourceProblem {
        place,
        code: Code::InvalidArgument,
        message,
    }
}

fn problem(place: Place, error: &Error) -> SourceProblem {
    SourceProblem {
        place,
        code: error.code(),
        message: fs_core::code::report(error),
    }
}
