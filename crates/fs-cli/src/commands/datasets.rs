//! `fs datasets list|show NAME|drop NAME`: training sets that were saved under a name.

use std::path::Path;

use fs_offline::Dataset;
use fs_training::Record;
use serde_json::{Value, json};

use crate::args::DatasetsCommand;
use crate::commands::confirm;
use crate::failure::Failure;
use crate::output::{Output, grouped, kibibytes, table};
use crate::project::Project;

pub(super) async fn run(
    repo: &Path,
    command: &DatasetsCommand,
    output: Output,
) -> Result<(), Failure> {
    let offline = Project::open(repo)?.offline();
    match command {
        DatasetsCommand::List => {
            let datasets = offline.list_datasets().await?;
            let answer: Vec<Value> = datasets.iter().map(summary).collect();
            output.answer(&answer, || {
                if datasets.is_empty() {
                    return "No training set is saved.".to_owned();
                }
                let header = ["dataset", "rows", "size", "registry version", "saved at"];
                table(header, datasets.iter().map(row))
            });
        }
        DatasetsCommand::Show { name } => {
            let dataset = offline.show_dataset(name).await?;
            output.answer(&whole(&dataset), || described(&dataset));
        }
        DatasetsCommand::Drop { name, yes } => {
            let dataset = offline.show_dataset(name).await?;
            if !yes {
                let rows = grouped(dataset.rows);
                let what = format!("the {rows} rows of dataset `{name}`");
                confirm::removal(&what, "dataset", name.as_str())?;
            }
            offline.drop_dataset(name).await?;
            let answer = json!({ "name": name, "rows": dataset.rows });
            output.answer(&answer, || {
                format!(
                    "Removed dataset `{name}` of {} rows.",
                    grouped(dataset.rows)
                )
            });
        }
    }
    Ok(())
}

fn recorded(dataset: &Dataset) -> Option<Record> {
    let json = dataset.record.as_deref()?;
    // One of a newer fs can be listed and dropped, if not read.
    Record::parse(json, "the dataset").ok()
}

fn row(dataset: &Dataset) -> [String; 5] {
    let version = recorded(dataset).map(|record| record.versions.registry.to_string());
    [
        dataset.name.to_string(),
        grouped(dataset.rows),
        kibibytes(dataset.bytes),
        version.unwrap_or_default(),
        saved_at(dataset).unwrap_or_default(),
    ]
}

fn summary(dataset: &Dataset) -> Value {
    json!({
        "name": dataset.name,
        "rows": dataset.rows,
        "files": dataset.files,
        "bytes": dataset.bytes,
        "registry_version": recorded(dataset).map(|record| record.versions.registry),
        "saved_at": saved_at(dataset),
    })
}

fn whole(dataset: &Dataset) -> Value {
    let columns = dataset
        .columns
        .fields()
        .iter()
        .map(|field| json!({ "name": field.name(), "type": type_word(field.data_type()) }));
    let mut whole = summary(dataset);
    whole["location"] = json!(dataset.location);
    whole["columns"] = columns.collect();
    // As it was written, also where this fs cannot read it.
    let record = dataset.record.as_deref();
    whole["record"] = record.map_or(Value::Null, |json| {
        serde_json::from_str(json).unwrap_or_else(|_text| json!(json))
    });
    whole
}

fn described(dataset: &Dataset) -> String {
    let fact = |name: &str, value: String| [name.to_owned(), value];
    let mut facts = vec![
        fact("rows", grouped(dataset.rows)),
        fact("size", kibibytes(dataset.bytes)),
        fact("saved at", saved_at(dataset).unwrap_or_default()),
        fact("table", dataset.location.clone()),
    ];
    if let Some(record) = recorded(dataset) {
        facts.extend(of_record(&record).map(|(name, value)| fact(name, value)));
    }
    let columns = dataset.columns.fields().iter();
    let columns = columns.map(|field| [field.name().clone(), type_word(field.data_type())]);
    let facts = table(["dataset", dataset.name.as_str()], facts);
    format!("{facts}\n{}", table(["column", "type"], columns))
}

/// What a record says, in words.
fn of_record(record: &Record) -> impl Iterator<Item = (&'static str, String)> {
    use fs_core::FeatureRequest;
    use fs_training::SpineOrigin;

    let listed = |values: Vec<String>| values.join(", ");
    let tables = record.versions.tables.iter();
    let tables = tables.map(|(view, table)| format!("{view} {}", table.version));
    let mut said = vec![
        ("registry version", record.versions.registry.to_string()),
        ("table versions", listed(tables.collect())),
    ];
    if let FeatureRequest::Service(service) = record.request() {
        said.push(("feature service", service.to_string()));
    }
    let features = record.features.iter().map(ToString::to_string);
    said.push(("features", listed(features.collect())));
    if let Some(column) = &record.query.timestamp_field {
        said.push(("timestamp field", column.clone()));
    }
    said.push(("spine", listed(record.spine_columns.clone())));
    match record.origin() {
        SpineOrigin::Given => {}
        SpineOrigin::Sql(query) => said.push(("spine SQL", query.clone())),
        SpineOrigin::AsOf(at) => said.push(("as of", at.to_string())),
    }
    said.push(("made by", format!("fs {}", record.fs)));
    said.into_iter()
}

fn saved_at(dataset: &Dataset) -> Option<String> {
    dataset.saved_at.map(|at| at.to_string())
}

/// A type as definitions write it, where they have it.
fn type_word(data_type: &arrow::datatypes::DataType) -> String {
    let known = fs_core::DataType::from_arrow(data_type);
    known.map_or_else(|| data_type.to_string(), |known| known.to_string())
}
