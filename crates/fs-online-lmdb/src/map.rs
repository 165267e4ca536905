//! The memory map of a folder: who may use it, and how it grows.
//!
//! LMDB maps a stretch of address space once. When a commit would not fit, or when another process
//! has committed beyond it, the map must be replaced, and no transaction of this process may be
//! active then. So every transaction holds `in_use` shared, and whoever replaces the map holds it
//! alone. That happens when the file has doubled; nobody waits for it in between.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use heed::{Env, EnvOpenOptions, MdbError};

use crate::LmdbOptions;
use crate::failure::Failure;

/// How often a transaction starts again because the map was too small. Sizes double, so more
/// attempts than bits of an address would mean that growing does not help.
const ATTEMPTS: u32 = 64;

/// How long to wait for a store of this process that is just being closed.
const CLOSING: Duration = Duration::from_secs(5);

/// Map sizes are whole pages, and no system has larger ones.
const PAGE: usize = 64 << 10;

pub(crate) struct Map {
    env: Env,
    in_use: RwLock<()>,
    max_bytes: usize,
}

impl fmt::Debug for Map {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Map")
            .field("path", &self.env.path())
            .field("bytes", &self.bytes())
            .finish_non_exhaustive()
    }
}

impl Map {
    /// Opens the folder `path`, which exists and is not open in this process.
    pub(crate) fn open(path: &Path, options: &LmdbOptions) -> Result<Self, Failure> {
        let env = open_env(path, options)?;
        // Readers that were killed would keep old pages from being used again.
        env.clear_stale_readers()?;
        Ok(Self {
            env,
            in_use: RwLock::new(()),
            max_bytes: options.max_map_bytes,
        })
    }

    pub(crate) fn path(&self) -> &Path {
        self.env.path()
    }

    /// How much is mapped.
    pub(crate) fn bytes(&self) -> usize {
        self.env.info().map_size
    }

    /// Runs `work`, one transaction, and runs it again whenever the map was too small for it.
    ///
    /// `work` must not call this in turn, and must have no effect unless it commits.
    pub(crate) fn transact<T>(
        &self,
        work: impl Fn(&Env) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let mut outcome = self.attempt(&work);
        for _ in 0..ATTEMPTS {
            let (bytes, error) = match outcome {
                Err((bytes, Failure::Lmdb(heed::Error::Mdb(error)))) => (bytes, error),
                Err((_, error)) => return Err(error),
                Ok(done) => return Ok(done),
            };
            match error {
                MdbError::MapFull => self.grow(bytes)?,
                MdbError::MapResized => self.follow()?,
                MdbError::ReadersFull if self.env.clear_stale_readers()? > 0 => {}
                other => return Err(heed::Error::Mdb(other).into()),
            }
            outcome = self.attempt(&work);
        }
        outcome.map_err(|(_, error)| error)
    }

    /// Runs `work` once; an error comes with the size that the map had.
    fn attempt<T>(&self, work: impl Fn(&Env) -> Result<T, Failure>) -> Result<T, (usize, Failure)> {
        let _shared = self.in_use.read().unwrap_or_else(PoisonError::into_inner);
        work(&self.env).map_err(|error| (self.bytes(), error))
    }

    /// Doubles the map, unless somebody has done so since it had `seen` bytes.
    fn grow(&self, seen: usize) -> Result<(), Failure> {
        let alone = self.in_use.write().unwrap_or_else(PoisonError::into_inner);
        if self.bytes() > seen {
            return Ok(());
        }
        let bytes = seen.saturating_mul(2).min(self.max_bytes) / PAGE * PAGE;
        if bytes <= seen {
            return Err(heed::Error::Mdb(MdbError::MapFull).into());
        }
        tracing::info!(path = %self.path().display(), bytes, "growing the online store");
        self.resize(bytes)?;
        drop(alone);
        Ok(())
    }

    /// Takes over the size that another process has given the map.
    fn follow(&self) -> Result<(), Failure> {
        let alone = self.in_use.write().unwrap_or_else(PoisonError::into_inner);
        self.resize(0)?;
        drop(alone);
        Ok(())
    }

    #[expect(
        unsafe_code,
        reason = "LMDB requires that no transaction is active; the caller holds `in_use` alone"
    )]
    fn resize(&self, bytes: usize) -> heed::Result<()> {
        // SAFETY: every transaction runs inside `attempt`, which holds `in_use` shared.
        unsafe { self.env.resize(bytes) }
    }
}

fn open_env(path: &Path, options: &LmdbOptions) -> heed::Result<Env> {
    let mut open = EnvOpenOptions::new();
    open.map_size(options.map_bytes.div_ceil(PAGE).saturating_mul(PAGE))
        .max_dbs(options.max_views.saturating_add(1))
        .max_readers(options.max_readers);
    match open_unchecked(&open, path) {
        // The last handle is gone, and its destructor still runs in another thread.
        Err(heed::Error::EnvAlreadyOpened) => {
            let canonical: PathBuf = fs::canonicalize(path)?;
            if let Some(closing) = heed::env_closing_event(canonical) {
                closing.wait_timeout(CLOSING);
            }
            open_unchecked(&open, path)
        }
        outcome => outcome,
    }
}

#[expect(
    unsafe_code,
    reason = "a memory map is undefined where others change the file; LMDB's lock file prevents it"
)]
fn open_unchecked(open: &EnvOpenOptions, path: &Path) -> heed::Result<Env> {
    // SAFETY: the flags that turn locking or syncing off are not set, and only LMDB writes the file.
    unsafe { open.open(path) }
}
