//! What one commit of the log did to the rows of a table.

use std::collections::HashSet;

use deltalake::kernel::Action;
use deltalake::logstore::get_actions;
use fs_core::TimeRange;
use serde_json::Value;

use crate::append::{PUSH, first_pushed};
use crate::backfill::BACKFILL;
use crate::data_file::DataFile;
use crate::fence::RAISED;
use crate::optimize::OPTIMIZE;
use crate::replace::{WINDOW, window_of};
use crate::store::INGEST_APP;
use crate::table::Table;
use crate::{Error, TableSchema};

/// One commit.
#[derive(Debug)]
pub(crate) struct LogEntry {
    pub(crate) version: i64,
    /// What it says about itself; `None` if it was not made by this store.
    pub(crate) made_by: Option<MadeBy>,
    /// The files that it added, and whose rows are new.
    pub(crate) added: Vec<DataFile>,
    /// The files that it removed, and whose rows are gone, or written again.
    pub(crate) removed: Vec<DataFile>,
    /// The files whose rows it moved into others.
    moved: Vec<String>,
    /// The ingest number, if it took one.
    ingest: Option<i64>,
    /// Whether it changed anything about the table as a whole.
    is_of_table: bool,
    /// Whether it said nothing but who made it.
    is_silent: bool,
}

/// What this store does to a table.
#[derive(Debug, Clone, Copy)]
pub(crate) enum MadeBy {
    /// A window was replaced.
    Window(TimeRange),
    /// Rows were pushed, from this `_sequence` on.
    Push(i64),
    /// Columns were filled in rows of a window, which stayed otherwise.
    Backfill(TimeRange),
    /// A fence was raised; no row came or went.
    Fence,
    /// Rows were moved between files; none came or went.
    Optimize,
}

impl LogEntry {
    /// Reads the commit `version` of `table`.
    pub(crate) async fn read(
        schema: &TableSchema,
        table: &Table,
        version: i64,
    ) -> Result<Self, Error> {
        let gone = |reason| Error::LogGone {
            view: schema.view().clone(),
            version,
            reason,
        };
        let failed = table.error("read the log of");
        let bytes = table.log.read_commit_entry(version.cast_unsigned()).await;
        let bytes = bytes
            .map_err(&failed)?
            .ok_or_else(|| gone("its log entry was cleaned up"))?;
        let actions = get_actions(version.cast_unsigned(), &bytes).map_err(&failed)?;
        let mut entry = Self {
            version,
            made_by: None,
            added: Vec::new(),
            removed: Vec::new(),
            moved: Vec::new(),
            ingest: None,
            is_of_table: false,
            is_silent: true,
        };
        for action in &actions {
            entry.is_silent &= matches!(action, Action::CommitInfo(_));
            match action {
                Action::CommitInfo(info) => {
                    let says = |what: &str| -> Option<&Value> { info.info.get(what) };
                    let window = says(WINDOW).and_then(window_of).map(MadeBy::Window);
                    let push = says(PUSH).and_then(first_pushed).map(MadeBy::Push);
                    let backfill = says(BACKFILL).and_then(window_of).map(MadeBy::Backfill);
                    let fence = says(RAISED).map(|_fence| MadeBy::Fence);
                    let optimize = says(OPTIMIZE).map(|_files| MadeBy::Optimize);
                    entry.made_by = window.or(push).or(backfill).or(fence).or(optimize);
                }
                Action::Txn(txn) if txn.app_id == INGEST_APP => entry.ingest = Some(txn.version),
                Action::Add(add) if add.data_change => entry.added.push(DataFile::of_add(add)),
                Action::Remove(remove) if remove.data_change => {
                    let file = DataFile::of_remove(remove);
                    let file = file.ok_or_else(|| gone("a removed file has no size"))?;
                    entry.removed.push(file);
                }
                Action::Remove(remove) => entry.moved.push(remove.path.clone()),
                Action::Txn(_) | Action::Add(_) => {}
                _ => entry.is_of_table = true,
            }
        }
        Ok(entry)
    }

    /// Whether a commit that was prepared before this one, and removes the files `removed`, may be
    /// committed after it as it is.
    pub(crate) fn is_harmless_to(&self, removed: &HashSet<&str>) -> bool {
        let only_moves = self.added.is_empty() && self.ingest.is_none();
        let moves_others = self
            .moved
            .iter()
            .all(|path| !removed.contains(path.as_str()));
        let harmless = match self.made_by {
            Some(MadeBy::Push(_)) => self.ingest.is_none() && self.moved.is_empty(),
            Some(MadeBy::Fence | MadeBy::Optimize) => only_moves && moves_others,
            Some(MadeBy::Window(_) | MadeBy::Backfill(_)) => false,
            None => self.is_silent,
        };
        harmless && self.removed.is_empty() && !self.is_of_table
    }

    /// The least `_sequence` of the rows that it brought.
    pub(crate) fn first_sequence(&self) -> Option<i64> {
        match self.made_by? {
            MadeBy::Push(first) => Some(first),
            MadeBy::Window(_) => self.ingest.map(crate::sequence::first_of_ingest),
            MadeBy::Backfill(_) | MadeBy::Fence | MadeBy::Optimize => None,
        }
    }
}
