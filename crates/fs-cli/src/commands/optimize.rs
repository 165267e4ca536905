//! `fs optimize`: put small data files of the offline tables together.

use std::path::Path;

use fs_offline::optimize::Optimized;
use serde_json::{Value, json};

use crate::args::OptimizeArgs;
use crate::commands::views;
use crate::failure::Failure;
use crate::output::{Output, grouped, kibibytes, table};
use crate::project::Project;

/// A table, and what became of it.
type Done = (String, Optimized);

pub(super) async fn run(repo: &Path, args: &OptimizeArgs, output: Output) -> Result<(), Failure> {
    let project = Project::open(repo)?;
    let (_, catalog) = project.applied().await?;
    let offline = project.offline();
    let mut done: Vec<Done> = Vec::new();
    for view in views::asked(&catalog, &args.views)? {
        let name = &view.name;
        let table = offline.optimize(name).await?;
        done.extend(table.map(|table| (name.to_string(), table)));
        let aside = offline.optimize_quarantine(name).await?;
        done.extend(aside.map(|aside| (format!("quarantine of {name}"), aside)));
    }
    if args.views.is_empty() {
        let runs = offline.optimize_runs().await?;
        done.extend(runs.map(|runs| ("runs".to_owned(), runs)));
    }
    let answer: Vec<Value> = done.iter().map(to_json).collect();
    output.answer(&answer, || {
        if done.is_empty() {
            return "There are no offline tables yet.".to_owned();
        }
        let header = ["table", "files", "now", "size", "now"];
        table(header, done.iter().map(row))
    });
    Ok(())
}

fn row((name, done): &Done) -> [String; 5] {
    let count = |files: usize| grouped(u64::try_from(files).unwrap_or(u64::MAX));
    [
        name.clone(),
        count(done.files_before),
        count(done.files_after),
        kibibytes(done.bytes_before),
        kibibytes(done.bytes_after),
    ]
}

fn to_json((name, done): &Done) -> Value {
    json!({
        "table": name,
        "files_before": done.files_before,
        "files_after": done.files_after,
        "bytes_before": done.bytes_before,
        "bytes_after": done.bytes_after,
        "version": done.version,
    })
}
