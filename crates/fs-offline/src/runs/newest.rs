//! Listing runs, the newest first, without reading all that ever ran.
//!
//! The log says of every file between which instants its runs started, and of which views they are. Files
//! are read from the newest on, until as many runs as wanted are newer than whatever the others may hold.

use std::collections::HashMap;

use deltalake::kernel::LogicalFileView;
use fs_core::ViewName;
use futures::TryStreamExt;
use serde::Deserialize;
use serde_json::Value;

use super::{RUNS, RunRecord, STARTED, rows};
use crate::data_file::DataFile;
use crate::rewrite::reading;
use crate::table::Table;
use crate::{Error, OfflineStore, plans};

/// How many files are read at first, at least.
const FEW_FILES: usize = 16;

/// A file of runs.
struct RunFile {
    file: DataFile,
    /// The least and the greatest name of a view of its runs, where the log says so.
    views: Option<(String, String)>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Stats {
    min_values: HashMap<String, Value>,
    max_values: HashMap<String, Value>,
}

impl RunFile {
    fn of(view: &LogicalFileView) -> Self {
        let stats: Stats = view
            .stats()
            .and_then(|stats| serde_json::from_str(&stats).ok())
            .unwrap_or_default();
        let name = |values: &HashMap<String, Value>| {
            let name = values.get("view").and_then(Value::as_str);
            name.map(str::to_owned)
        };
        Self {
            file: DataFile::by(view, STARTED),
            views: name(&stats.min_values).zip(name(&stats.max_values)),
        }
    }

    /// Whether a run of `view` may be in it. Delta cuts off long texts, and then says the next greater
    /// one for the greatest.
    fn may_have(&self, view: &ViewName) -> bool {
        let view = view.as_str();
        let views = self.views.as_ref();
        views.is_none_or(|(least, greatest)| least.as_str() <= view && view <= greatest.as_str())
    }
}

impl OfflineStore {
    /// The newest runs, newest first: at most `limit`, of one view if given.
    pub async fn list_runs(
        &self,
        view: Option<&ViewName>,
        limit: usize,
    ) -> Result<Vec<RunRecord>, Error> {
        let Some(table) = Table::open(self, RUNS, None).await? else {
            return Ok(Vec::new());
        };
        let mut files = files(&table)?;
        files.retain(|file| view.is_none_or(|view| file.may_have(view)));
        files.sort_by_key(|file| std::cmp::Reverse(file.file.event.max));
        let mut runs: Vec<RunRecord> = Vec::new();
        let mut some = limit.max(FEW_FILES);
        while !files.is_empty() {
            let rest = files.split_off(some.min(files.len()));
            let more = self.runs_of(&table, files).await?;
            runs.extend(
                more.into_iter()
                    .filter(|run| view.is_none_or(|view| run.view == *view)),
            );
            runs.sort_by(|a, b| (b.started, &b.id).cmp(&(a.started, &a.id)));
            runs.truncate(limit);
            let newest_left = rest.first().map(|file| file.file.event.max);
            let is_done =
                runs.len() == limit && runs.last().map(|run| run.started.as_micros()) > newest_left;
            if is_done {
                break;
            }
            files = rest;
            some *= 2;
        }
        Ok(runs)
    }

    /// The run called `id`.
    pub async fn show_run(&self, id: &str) -> Result<RunRecord, Error> {
        let absent = || Error::NoSuchRun { id: id.to_owned() };
        let table = Table::open(self, RUNS, None).await?.ok_or_else(absent)?;
        let started = started_of(id);
        // Most likely it started when its id says.
        let (likely, others) = files(&table)?.into_iter().partition(|file| {
            let event = file.file.event;
            started.is_some_and(|started| event.min <= started && started <= event.max)
        });
        for files in [likely, others] {
            let runs = self.runs_of(&table, files).await?;
            if let Some(run) = runs.into_iter().find(|run| run.id == id) {
                return Ok(run);
            }
        }
        Err(absent())
    }

    async fn runs_of(&self, table: &Table, files: Vec<RunFile>) -> Result<Vec<RunRecord>, Error> {
        let read = |error| reading(&RUNS, error);
        let context = plans::context(self, &table.log);
        let files: Vec<DataFile> = files.into_iter().map(|file| file.file).collect();
        let plan = plans::files(&table.log, &rows::schema(), &files, None, &[]).map_err(read)?;
        let batches: Vec<_> = plans::stream(plan, &context)
            .map_err(read)?
            .try_collect()
            .await
            .map_err(read)?;
        let mut runs = Vec::new();
        for batch in &batches {
            let some = rows::from_batch(batch);
            runs.extend(
                some.map_err(|problem| {
                    read(datafusion::error::DataFusionError::Execution(problem))
                })?,
            );
        }
        Ok(runs)
    }
}

fn files(table: &Table) -> Result<Vec<RunFile>, Error> {
    let views = table.snapshot.try_log_data();
    let views = views.map_err(table.error("read the log of"))?;
    Ok(views.iter().map(|view| RunFile::of(&view)).collect())
}

/// When the run with this id started, which is what ids begin with.
fn started_of(id: &str) -> Option<i64> {
    let (micros, _) = id.split_once('-')?;
    micros.parse().ok()
}
