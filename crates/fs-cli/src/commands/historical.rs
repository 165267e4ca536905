//! `fs get-historical-features`: features joined to the rows of a spine.

use std::path::Path;

use arrow::array::RecordBatch;
use fs_core::{FeatureSet, ViewName};
use fs_training::write::Format;
use fs_training::{Spine, TrainingQuery, TrainingSet};
use serde_json::json;

use crate::args::HistoricalArgs;
use crate::commands::online::wanted;
use crate::failure::Failure;
use crate::output::{Output, grouped, table};
use crate::project::Project;
use crate::remote::Remote;

pub(super) async fn run(repo: &Path, args: &HistoricalArgs, output: Output) -> Result<(), Failure> {
    // Found out now rather than after the join.
    Format::of(&args.out)?;
    let project = Project::open(repo)?;
    let (version, catalog) = project.applied().await?;
    let (request, naming) = wanted(&args.wanted);
    let features = FeatureSet::resolve(&catalog, &request, naming)?;
    let spine = Spine::read(&args.spine).await?;
    let timestamp_field = args.timestamp_field.as_deref();
    let set = if let Some(url) = &args.server {
        let remote = Remote::connect(url).await?;
        let (schema, batches) = spine.into_batches(&features).await?;
        let rows = batches.iter().map(RecordBatch::num_rows).sum();
        let stream = remote
            .training_set(&request, naming, timestamp_field, schema, batches)
            .await?;
        remote.received(stream, rows).await?
    } else {
        let query = TrainingQuery::new(request, naming).with_timestamp_field(timestamp_field);
        let training = project.training()?;
        training.get(&catalog, version, &query, spine, None).await?
    };
    let views = matches(&set);
    let written = set.write(&args.out).await?;
    let answer = json!({
        "rows": written.rows,
        "bytes": written.bytes,
        "features": features.columns.len(),
        "registry_version": version,
        "out": args.out,
        "views": views.iter().map(|view| json!({
            "view": view.label, "matched": view.matched, "rows_read": view.read, "table_version": view.version,
        })).collect::<Vec<_>>(),
    });
    output.answer(&answer, || {
        let mut text = format!(
            "Wrote {} rows with {} features to {}\n",
            grouped(written.rows),
            features.columns.len(),
            args.out.display()
        );
        if !views.is_empty() {
            let rows = views.iter().map(|view| {
                let numbers = [view.matched, view.read].map(grouped);
                let [matched, read] = numbers;
                [
                    view.label.to_string(),
                    matched,
                    read,
                    view.version.to_string(),
                ]
            });
            text.push_str(&table(
                ["feature view", "rows matched", "rows read", "table version"],
                rows,
            ));
        }
        text
    });
    Ok(())
}

struct Joined {
    label: ViewName,
    matched: u64,
    read: u64,
    version: i64,
}

fn matches(set: &TrainingSet) -> Vec<Joined> {
    let views = set.views().iter().map(|view| Joined {
        label: view.label.clone(),
        matched: view.rows_matched,
        read: view.rows_read,
        version: view.table_version,
    });
    views.collect()
}
