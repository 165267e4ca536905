//! `fs registry history|show N|rollback N`.

use std::path::Path;

use fs_registry::{Applied, HistoryEntry};
use serde_json::{Value, json};

use crate::args::RegistryCommand;
use crate::commands::apply::force;
use crate::failure::Failure;
use crate::output::{Output, table};
use crate::project::Project;
use crate::wall_clock;

/// Versions that one `history` shows.
const PAGE: usize = 100;

pub(super) async fn run(
    repo: &Path,
    command: &RegistryCommand,
    output: Output,
) -> Result<(), Failure> {
    let registry = Project::open(repo)?.registry()?;
    match *command {
        RegistryCommand::History => {
            let history = registry.history(None, PAGE).await?;
            let answer: Vec<Value> = history.iter().map(entry_json).collect();
            output.answer(&answer, || {
                if history.is_empty() {
                    "Nothing was applied yet.".to_owned()
                } else {
                    table(
                        ["version", "applied at", "views", "services", "note"],
                        history.iter().map(entry_row),
                    )
                }
            });
        }
        RegistryCommand::Show { version } => {
            let version = registry.version(version).await?;
            let answer = json!({
                "version": version.number,
                "applied_at": version.applied_at.to_string(),
                "note": version.note,
                "catalog": *version.catalog,
            });
            // People read definitions as JSON, too: it is what the version holds.
            output.answer(&answer, || format!("{answer:#}"));
        }
        RegistryCommand::Rollback {
            version,
            force: forced,
        } => {
            let now = wall_clock::clock(None).now();
            let applied = registry.rollback(version, force(forced), now).await?;
            let (recorded, text) = match applied {
                Applied::Recorded { version: recorded } => (
                    Some(recorded),
                    format!("Version {recorded} has the definitions of version {version}."),
                ),
                Applied::NothingToDo => (
                    None,
                    format!("Nothing to change: the definitions are those of version {version}."),
                ),
            };
            output.answer(
                &json!({ "version": recorded, "changed": recorded.is_some() }),
                || text,
            );
        }
    }
    Ok(())
}

fn entry_json(entry: &HistoryEntry) -> Value {
    match &entry.version {
        Ok(version) => json!({
            "version": entry.number,
            "applied_at": version.applied_at.to_string(),
            "feature_views": version.catalog.feature_views.len(),
            "feature_services": version.catalog.feature_services.len(),
            "note": version.note,
        }),
        Err(error) => json!({ "version": entry.number, "error": error.to_string() }),
    }
}

fn entry_row(entry: &HistoryEntry) -> [String; 5] {
    let number = entry.number.to_string();
    match &entry.version {
        Ok(version) => [
            number,
            version.applied_at.to_string(),
            version.catalog.feature_views.len().to_string(),
            version.catalog.feature_services.len().to_string(),
            version.note.clone().unwrap_or_default(),
        ],
        Err(error) => [
            number,
            String::new(),
            String::new(),
            String::new(),
            error.to_string(),
        ],
    }
}
