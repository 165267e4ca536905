//! `kind: source`.

use fs_core::{CsvOptions, FileFormat, Kind, Meta, Source, SourceKind, SourceName, Span};

use crate::decode::fields::Fields;
use crate::decode::values::Words;
use crate::decode::{Grammar, meta, open, values};
use crate::position::At;
use crate::problem::Sink;
use crate::tree::{Node, Value};

pub(crate) const SOURCE: Grammar = Grammar {
    fields: &[
        "kind",
        "name",
        "format",
        "path",
        "query",
        "timestamp_field",
        "created_timestamp_column",
        "field_mapping",
        "lateness",
        "delimiter",
        "description",
        "owner",
        "tags",
    ],
    later: &["expectations", "freshness"],
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Parquet,
    Csv,
    Json,
    Delta,
    Sql,
}

pub(crate) const FORMATS: Words<Format> = Words {
    noun: "format",
    known: &[
        ("parquet", Format::Parquet),
        ("csv", Format::Csv),
        ("json", Format::Json),
        ("delta", Format::Delta),
        ("sql", Format::Sql),
    ],
    later: &[
        "kafka",
        "kinesis",
        "push",
        "postgres",
        "postgresql",
        "mysql",
        "sqlite",
        "iceberg",
    ],
};

/// A source as far as it could be read.
#[derive(Debug)]
pub(crate) struct SourceDraft {
    pub(crate) name: At<SourceName>,
    kind: Option<SourceKind>,
    /// Its `path`.
    pub(crate) path: Option<At<String>>,
    /// Its `query`.
    pub(crate) query: Option<At<String>>,
    pub(crate) timestamp_field: Option<At<String>>,
    pub(crate) created_timestamp_column: Created,
    pub(crate) field_mapping: Vec<(At<String>, At<String>)>,
    lateness: Span,
    meta: Meta,
}

/// What is known about the created-time column of a source.
#[derive(Debug)]
pub(crate) enum Created {
    /// The source has none.
    None,
    /// It has this one.
    Column(At<String>),
    /// It has one, whose name is wrong.
    Unknown,
}

impl Created {
    /// Whether the source certainly has none.
    pub(crate) const fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }

    /// The column, where it is known.
    pub(crate) const fn column(&self) -> Option<&At<String>> {
        match self {
            Self::Column(column) => Some(column),
            Self::None | Self::Unknown => None,
        }
    }
}

impl SourceDraft {
    /// The source; `None` only if a problem was reported.
    pub(crate) fn finish(&self) -> Option<Source> {
        let created_timestamp_column = match &self.created_timestamp_column {
            Created::None => None,
            Created::Column(column) => Some(column.value.clone()),
            Created::Unknown => return None,
        };
        let mapping = self.field_mapping.iter();
        Some(Source {
            name: self.name.value.clone(),
            kind: self.kind.clone()?,
            timestamp_field: self.timestamp_field.as_ref()?.value.clone(),
            created_timestamp_column,
            field_mapping: mapping
                .map(|(from, to)| (from.value.clone(), to.value.clone()))
                .collect(),
            lateness: self.lateness,
            meta: self.meta.clone(),
        })
    }
}

pub(crate) fn decode(document: &Node, sink: &mut Sink) -> Option<SourceDraft> {
    let (fields, name) = open(document, Kind::Source, &SOURCE, sink)?;
    let format = fields
        .required("format", "parquet", sink)
        .and_then(|node| FORMATS.read(node, sink))
        .map(|format| format.value);
    let (kind, path, query) = content(&fields, format, sink);
    let timestamp_field = fields
        .required("timestamp_field", "event_timestamp", sink)
        .and_then(|node| values::text(node, "`timestamp_field`", sink));
    let created_timestamp_column = created(&fields, timestamp_field.as_ref(), sink);
    let field_mapping = field_mapping(&fields, sink);
    let lateness = fields
        .optional("lateness")
        .and_then(|node| values::parsed(node, "`lateness`", sink));
    let meta = meta(&fields, sink);
    Some(SourceDraft {
        name: name?,
        kind,
        path,
        query,
        timestamp_field,
        created_timestamp_column,
        field_mapping,
        lateness: lateness.map_or(Span::ZERO, |lateness| lateness.value),
        meta,
    })
}

/// `path`, `query` and `delimiter`, as the format has them.
fn content(
    fields: &Fields<'_>,
    format: Option<Format>,
    sink: &mut Sink,
) -> (Option<SourceKind>, Option<At<String>>, Option<At<String>>) {
    let Some(format) = format else {
        return (None, None, None);
    };
    if format == Format::Sql {
        refuse(
            fields,
            "path",
            "has `format: sql`, which reads other sources",
            sink,
        );
        refuse(fields, "delimiter", "is not a CSV source", sink);
        let query = fields
            .required("query", "SELECT … FROM other_source", sink)
            .and_then(|node| values::text(node, "`query`", sink));
        let kind = query.as_ref().map(|query| SourceKind::Sql {
            query: query.value.clone(),
        });
        return (kind, None, query);
    }
    refuse(fields, "query", "does not have `format: sql`", sink);
    let path = fields
        .required("path", "data/some_file", sink)
        .and_then(|node| values::text(node, "`path`", sink));
    let csv = if format == Format::Csv {
        delimiter(fields, sink)
    } else {
        refuse(fields, "delimiter", "is not a CSV source", sink);
        None
    };
    let files = |file_format: FileFormat, path: String| SourceKind::Files { file_format, path };
    let kind = path.as_ref().and_then(|path| {
        let path = path.value.clone();
        match format {
            Format::Parquet => Some(files(FileFormat::Parquet, path)),
            Format::Csv => Some(files(FileFormat::Csv(csv?), path)),
            Format::Json => Some(files(FileFormat::Json, path)),
            Format::Delta => Some(SourceKind::Delta { path }),
            Format::Sql => None,
        }
    });
    (kind, path, None)
}

/// Reports a field that does not belong to the format.
fn refuse(fields: &Fields<'_>, field: &str, why: &str, sink: &mut Sink) {
    if fields.optional(field).is_some()
        && let Some(at) = fields.key_at(field)
    {
        let message = format!("{} {why}, so it has no `{field}`", fields.called);
        sink.report(at, message);
    }
}

fn delimiter(fields: &Fields<'_>, sink: &mut Sink) -> Option<CsvOptions> {
    let Some(node) = fields.optional("delimiter") else {
        return Some(CsvOptions::default());
    };
    // Not through `text`, to which a tab is empty.
    let delimiter = match &node.value {
        Value::Scalar(scalar) => {
            let mut chars = scalar.text.chars();
            chars.next().filter(|_| chars.next().is_none())
        }
        Value::Broken => return None,
        _ => None,
    };
    let usable = |c: &char| c.is_ascii() && !matches!(c, '"' | '\n' | '\r');
    let delimiter = delimiter.filter(usable);
    if delimiter.is_none() {
        sink.report_with_help(
            &node.at,
            "`delimiter` must be one ASCII character, and no quote or line end",
            "for a tab, write `delimiter: \"\\t\"`",
        );
    }
    delimiter.map(|delimiter| CsvOptions { delimiter })
}

fn created(fields: &Fields<'_>, event: Option<&At<String>>, sink: &mut Sink) -> Created {
    let Some(node) = fields.optional("created_timestamp_column") else {
        return Created::None;
    };
    let Some(column) = values::text(node, "`created_timestamp_column`", sink) else {
        return Created::Unknown;
    };
    if event.is_some_and(|event| event.value == column.value) {
        sink.report_with_help(
            &column.at,
            format!("`{}` is the `timestamp_field` already", column.value),
            "leave `created_timestamp_column` out if the source does not say when a row became known",
        );
    }
    Created::Column(column)
}

fn field_mapping(fields: &Fields<'_>, sink: &mut Sink) -> Vec<(At<String>, At<String>)> {
    let Some(node) = fields.optional("field_mapping") else {
        return Vec::new();
    };
    let mapping = values::text_map(node, "`field_mapping`", "a column", sink);
    let mut seen = std::collections::BTreeMap::new();
    for (from, to) in &mapping {
        if let Some(first) = seen.insert(to.value.as_str(), from) {
            let message = format!(
                "the columns `{}` and `{}` would both be called `{}`",
                first.value, from.value, to.value
            );
            sink.report(&to.at, message);
        }
    }
    mapping
}
