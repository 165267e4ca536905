//! `fs vacuum`: remove files of the offline tables that only old versions need.

use std::path::Path;

use fs_offline::vacuum::{Retention, Vacuumed};
use serde_json::{Value, json};

use crate::args::VacuumArgs;
use crate::commands::views;
use crate::failure::Failure;
use crate::output::{Output, counted, kibibytes, table};
use crate::project::Project;
use crate::wall_clock;

pub(super) async fn run(repo: &Path, args: &VacuumArgs, output: Output) -> Result<(), Failure> {
    let project = Project::open(repo)?;
    let (_, catalog) = project.applied().await?;
    let offline = project.offline();
    let retention = Retention {
        now: wall_clock::clock(None).now(),
        keep: args.retention,
    };
    let mut done: Vec<(String, Vacuumed)> = Vec::new();
    for view in views::asked(&catalog, &args.views)? {
        let removed = offline.vacuum(&view.name, retention, args.dry_run).await?;
        done.push((view.name.to_string(), removed));
    }
    if args.views.is_empty() {
        let removed = offline.vacuum_shared(retention, args.dry_run).await?;
        done.push(("runs and datasets".to_owned(), removed));
    }
    let mut all = Vacuumed::default();
    for (_, removed) in &done {
        all += *removed;
    }
    let tables: Vec<Value> = done.iter().map(to_json).collect();
    let answer = json!({ "dry_run": args.dry_run, "tables": tables });
    output.answer(&answer, || told(args.dry_run, &done, all));
    Ok(())
}

fn told(dry_run: bool, done: &[(String, Vacuumed)], all: Vacuumed) -> String {
    let removed = if dry_run { "Would remove" } else { "Removed" };
    let (files, size) = (counted(all.files, "data file"), kibibytes(all.bytes));
    let log = match all.log_files {
        0 => String::new(),
        log_files => format!(" and {} of logs", counted(log_files, "file")),
    };
    let rows = done
        .iter()
        .filter(|(_, of_table)| *of_table != Vacuumed::default());
    let rows = rows.map(|(name, of_table)| {
        [
            name.clone(),
            of_table.files.to_string(),
            kibibytes(of_table.bytes),
        ]
    });
    let rows: Vec<[String; 3]> = rows.collect();
    let sum = format!("{removed} {files}{log}, {size}.");
    if rows.is_empty() {
        return sum;
    }
    format!("{}\n{sum}", table(["table", "files", "size"], rows))
}

fn to_json((name, removed): &(String, Vacuumed)) -> Value {
    json!({
        "table": name,
        "files": removed.files,
        "bytes": removed.bytes,
        "log_files": removed.log_files,
    })
}
