//! `fs entities|sources|feature-views|feature-services list|describe NAME`.

mod feature_views;
mod windows;

use std::path::Path;

use fs_core::suggest::{did_you_mean, hint};
use fs_core::{Catalog, Code, Kind, Meta, Selected, Source, SourceKind};
use serde_json::{Value, json};

use crate::args::CatalogueCommand;
use crate::failure::Failure;
use crate::output::{Output, lines, table};
use crate::project::Project;

pub(super) async fn run(
    repo: &Path,
    kind: Kind,
    command: &CatalogueCommand,
    output: Output,
) -> Result<(), Failure> {
    let project = Project::open(repo)?;
    let (_, catalog) = project.applied().await?;
    match command {
        CatalogueCommand::List => list(&project, &catalog, kind, output).await,
        CatalogueCommand::Describe { name } => {
            describe(&project, &catalog, kind, name, output).await?;
        }
    }
    Ok(())
}

async fn list(project: &Project, catalog: &Catalog, kind: Kind, output: Output) {
    match kind {
        Kind::Entity => output.answer(&values(catalog.entities.values()), || {
            let rows = catalog.entities.values().map(|entity| {
                let keys = entity
                    .join_keys
                    .iter()
                    .map(|key| format!("{} {}", key.name, key.key_type));
                [entity.name.to_string(), join(keys), said(&entity.meta)]
            });
            table(["entity", "join keys", "description"], rows)
        }),
        Kind::Source => output.answer(&values(catalog.sources.values()), || {
            let rows = catalog.sources.values().map(|source| {
                [
                    source.name.to_string(),
                    format_of(source),
                    place_of(source),
                    said(&source.meta),
                ]
            });
            table(["source", "format", "from", "description"], rows)
        }),
        Kind::FeatureView => feature_views::list(project, catalog, output).await,
        Kind::FeatureService => output.answer(&values(catalog.feature_services.values()), || {
            let rows = catalog.feature_services.values().map(|service| {
                let views = service
                    .features
                    .iter()
                    .map(|entry| entry.label().to_string());
                [service.name.to_string(), join(views), said(&service.meta)]
            });
            table(["feature service", "views", "description"], rows)
        }),
    }
}

async fn describe(
    project: &Project,
    catalog: &Catalog,
    kind: Kind,
    name: &str,
    output: Output,
) -> Result<(), Failure> {
    match kind {
        Kind::Entity => {
            let entity = found(
                catalog.entities.get(name),
                catalog.entities.keys(),
                kind,
                name,
            )?;
            output.answer(entity, || {
                let mut text = head(kind, name, &entity.meta);
                let keys = entity.join_keys.iter();
                let rows = keys.map(|key| [key.name.to_string(), key.key_type.to_string()]);
                text.push_str(&table(["join key", "type"], rows));
                text
            });
        }
        Kind::Source => {
            let source = found(
                catalog.sources.get(name),
                catalog.sources.keys(),
                kind,
                name,
            )?;
            output.answer(source, || describe_source(source));
        }
        Kind::FeatureView => {
            let views = &catalog.feature_views;
            let view = found(views.get(name), views.keys(), kind, name)?;
            feature_views::describe(project, catalog, view, output).await;
        }
        Kind::FeatureService => {
            let services = &catalog.feature_services;
            let service = found(services.get(name), services.keys(), kind, name)?;
            output.answer(service, || {
                let rows = service.features.iter().map(|entry| {
                    let features = match &entry.features {
                        Selected::All => "all".to_owned(),
                        Selected::Only(names) => join(names.iter().map(ToString::to_string)),
                    };
                    let keys = entry
                        .join_keys
                        .iter()
                        .map(|(key, column)| format!("{key} from {column}"));
                    [
                        entry.label().to_string(),
                        entry.view.to_string(),
                        features,
                        join(keys),
                    ]
                });
                head(kind, name, &service.meta)
                    + &table(["as", "view", "features", "join keys"], rows)
            });
        }
    }
    Ok(())
}

fn describe_source(source: &Source) -> String {
    let mut text = head(Kind::Source, source.name.as_str(), &source.meta);
    let mut rows = vec![
        ["format".to_owned(), format_of(source)],
        ["from".to_owned(), place_of(source)],
        ["event time".to_owned(), source.timestamp_field.clone()],
    ];
    if let Some(created) = &source.created_timestamp_column {
        rows.push(["created time".to_owned(), created.clone()]);
    }
    if !source.lateness.is_zero() {
        rows.push(["lateness".to_owned(), source.lateness.to_string()]);
    }
    for (from, to) in &source.field_mapping {
        rows.push(["renamed".to_owned(), format!("{from} to {to}")]);
    }
    text.push_str(&table(["", ""], rows));
    text
}

fn found<'a, T, N: AsRef<str> + 'a>(
    item: Option<&'a T>,
    names: impl Iterator<Item = &'a N>,
    kind: Kind,
    name: &str,
) -> Result<&'a T, Failure> {
    item.ok_or_else(|| {
        let nearest = did_you_mean(name, names.map(AsRef::as_ref));
        let message = format!(
            "there is no {} `{name}` in the registry{}",
            words(kind),
            hint(nearest)
        );
        Failure::new(Code::NotFound, message)
    })
}

fn values<T: serde::Serialize>(items: impl Iterator<Item = T>) -> Value {
    json!(items.collect::<Vec<T>>())
}

fn join(texts: impl Iterator<Item = String>) -> String {
    texts.collect::<Vec<_>>().join(", ")
}

fn said(meta: &Meta) -> String {
    meta.description.clone().unwrap_or_default()
}

/// `feature view`, where definitions say `feature_view`.
fn words(kind: Kind) -> String {
    kind.to_string().replace('_', " ")
}

fn head(kind: Kind, name: &str, meta: &Meta) -> String {
    let mut about = vec![format!("{} {name}", words(kind))];
    about.extend(meta.description.clone());
    about.extend(meta.owner.iter().map(|owner| format!("owner: {owner}")));
    let tags = meta.tags.iter();
    about.extend(tags.map(|(tag, value)| format!("{tag}: {value}")));
    about.push(String::new());
    lines(about)
}

fn format_of(source: &Source) -> String {
    match &source.kind {
        SourceKind::Files { file_format, .. } => match file_format {
            fs_core::FileFormat::Parquet => "parquet",
            fs_core::FileFormat::Csv(_) => "csv",
            fs_core::FileFormat::Json => "json",
        },
        SourceKind::Delta { .. } => "delta",
        SourceKind::Sql { .. } => "sql",
    }
    .to_owned()
}

fn place_of(source: &Source) -> String {
    match &source.kind {
        SourceKind::Files { path, .. } | SourceKind::Delta { path } => path.clone(),
        SourceKind::Sql { query } => query.split_whitespace().collect::<Vec<_>>().join(" "),
    }
}
