//! An opened folder, shared by everybody in the process who opens it.
//!
//! LMDB forbids to open a folder twice in one process: closing one of them would release the locks
//! of the other. So the process keeps a list of what is open.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, PoisonError, RwLock, Weak};

use fs_online::{Error, ViewId};
use heed::CommitOrAbort;

use crate::LmdbOptions;
use crate::failure::{Failure, describe};
use crate::map::Map;
use crate::meta::Meta;
use crate::rows::Rows;

static OPEN: LazyLock<Mutex<HashMap<PathBuf, Weak<Environment>>>> = LazyLock::new(Mutex::default);

/// An opened folder.
#[derive(Debug)]
pub(crate) struct Environment {
    pub(crate) map: Map,
    pub(crate) meta: Meta,
    /// The tables that this process has opened. Tables are never removed, see [`Self::forget`].
    views: RwLock<HashMap<ViewId, Rows>>,
    /// Held from before the transaction begins that opens a table until after it ends: LMDB numbers
    /// the tables of a process, and two transactions would take the same number.
    opening: Mutex<()>,
}

impl Environment {
    /// Opens the folder, making it if need be, or joins those who have it open.
    pub(crate) fn open(path: &Path, options: &LmdbOptions) -> Result<Arc<Self>, Error> {
        let canonical = make_folder(path)?;
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(environment) = open.get(&canonical).and_then(Weak::upgrade) {
            return Ok(environment);
        }
        let opened = Map::open(&canonical, options).and_then(|map| {
            let meta = Meta::open(&map)?;
            Ok(Self {
                map,
                meta,
                views: RwLock::default(),
                opening: Mutex::default(),
            })
        });
        let environment = Arc::new(opened.map_err(|error| error.while_opening(path))?);
        open.retain(|_, environment| environment.strong_count() > 0);
        open.insert(canonical, Arc::downgrade(&environment));
        Ok(environment)
    }

    /// The rows of a view whose table this process has opened already.
    pub(crate) fn opened(&self, view: &ViewId) -> Option<Rows> {
        let views = self.views.read().unwrap_or_else(PoisonError::into_inner);
        views.get(view).copied()
    }

    /// The rows of a view, if any process has made a table for them. Blocks.
    pub(crate) fn existing(&self, view: &ViewId) -> Result<Option<Rows>, Failure> {
        if let Some(rows) = self.opened(view) {
            return Ok(Some(rows));
        }
        let name = table_name(view);
        let opening = self.opening.lock().unwrap_or_else(PoisonError::into_inner);
        let opened = self.map.transact(|env| {
            env.open_databases_and_commit(env.read_txn()?, |opener, txn| {
                Ok::<_, Failure>(match opener.open_database(txn, Some(&name))? {
                    Some(table) => CommitOrAbort::Commit(table),
                    None => CommitOrAbort::Abort(()),
                })
            })
        })?;
        drop(opening);
        Ok(opened
            .commit()
            .map(|table| self.remember(view, Rows(table))))
    }

    /// The rows of a view, whose table is made if there is none. Blocks.
    pub(crate) fn create(&self, view: &ViewId) -> Result<Rows, Failure> {
        if let Some(rows) = self.existing(view)? {
            return Ok(rows);
        }
        let name = table_name(view);
        let opening = self.opening.lock().unwrap_or_else(PoisonError::into_inner);
        let created = self.map.transact(|env| {
            env.create_databases_and_commit(env.write_txn()?, |opener, txn| {
                let table = opener.create_database(txn, Some(&name))?;
                Ok::<_, Failure>(CommitOrAbort::<_, ()>::Commit(table))
            })
        })?;
        drop(opening);
        let table = created
            .commit()
            .ok_or(heed::Error::Mdb(heed::MdbError::Problem))?;
        Ok(self.remember(view, Rows(table)))
    }

    /// Forgets a view in one transaction. Blocks.
    ///
    /// Its table is emptied, which gives its pages back without looking at its rows, and stays: a
    /// process that has a table open could neither use nor make it again after its removal.
    pub(crate) fn forget(&self, view: &ViewId) -> Result<(), Failure> {
        let rows = self.existing(view)?;
        self.map.transact(|env| {
            let mut txn = env.write_txn()?;
            if let Some(rows) = rows {
                rows.0.clear(&mut txn)?;
            }
            self.meta.forget(&mut txn, view)?;
            Ok(txn.commit()?)
        })
    }

    fn remember(&self, view: &ViewId, rows: Rows) -> Rows {
        let mut views = self.views.write().unwrap_or_else(PoisonError::into_inner);
        views.insert(view.clone(), rows);
        rows
    }
}

fn table_name(view: &ViewId) -> String {
    format!("rows {view}")
}

fn make_folder(path: &Path) -> Result<PathBuf, Error> {
    let made = fs::create_dir_all(path).and_then(|()| fs::canonicalize(path));
    made.map_err(|error| {
        let hint = if path.is_file() {
            "it is a file; name a folder"
        } else {
            "the folder cannot be made"
        };
        Error::CannotOpen {
            store: describe(path),
            hint,
            source: error.into(),
        }
    })
}
