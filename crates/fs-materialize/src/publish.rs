//! From the offline table to the online store.
//!
//! The online store holds, for every key, the newest row that is visible as of an instant: `N(key)`. Of a
//! [windowed view](windows) it holds something else, by a protocol of its own.
//!
//! It records [`Published`]: all of this is true for `table_version` of the table, as of `as_of`, by
//! the rule `visibility`.
//!
//! ```text
//!   1  V = newest version of the table            now = the clock, but never before P.as_of
//!   2  raise the fence of the lease               nobody who held it before writes after this
//!   3  P = what the online store has published
//!   4  prepare the row layout
//!   5  look for the winners                       keys and times alone
//!   6  read the winners, pack them, write them    all at once, each key atomically, newest wins
//!   7  published = (V, now, the view's rule), if it is P still; if not, somebody else published:
//!      once more, everything
//! ```
//!
//! **What is written.** With no `P`, or with one of another rule (the view's `delay`, `point_in_time` or
//! `ttl` was changed), everything (`full`): `N` of every key, and stored keys that have no `N` any more are
//! deleted. With a `P`, what differs since then (`delta`):
//!
//! * *fresh rows*: rows of ingests after `P.table_version` that are still in the table, and rows that
//!   became visible in `(P.as_of, now]` (by their delay or created time). The newest of a key is
//!   written, and the store keeps it only if it is newer than what it has.
//! * *rewritten rows*: the newest row of every key in a window that was backfilled since
//!   `P.table_version`. It is as new as before and has other values, so it is written in place of
//!   itself; a newer one stays.
//! * *gone rows*: rows that the commits since `P.table_version` took out of the table. Only where the
//!   stored row is one of them does it matter. If a fresh row is newer, it wins by itself. If not,
//!   `N` is looked for in the whole table and swapped in, or the key is deleted; both only if the
//!   store still holds the gone row (compare and set), so that a newer row that somebody writes at
//!   the same time stays.
//!
//! **A crash** between any two steps loses nothing, because `P` is recorded last:
//!
//! | After | The store has | The next run |
//! |---|---|---|
//! | the Delta commit | the rows of `P`, all true before | finds `V` newer than `P` |
//! | 2 | the same, and shuts out who came before | has a greater fence |
//! | some batches of 6 | some rows of `P`, some of `V` | does the same again: rows that are there are kept, and a row that went meanwhile is among the gone ones since `P` |
//! | 6 | the rows of `V` | finds nothing to change |
//! | 7 | the rows of `V`, and says so | begins at `V` |
//!
//! **A process that was frozen**, and wakes up anywhere in this after another has taken over its lease,
//! changes nothing: the other raised the fence of all keys and of `P` before it read `P`, so what the
//! sleeper sends is refused ([`fs_online::Error::Fenced`]), whenever it arrives. What it had written until
//! then is among what a crash leaves.
//!
//! When the log no longer reaches back to `P`, or the table was made anew, everything is published.
//! Rows that did not come from the table (their sequence is below the first ingest) are never taken
//! away, only outdone by newer ones.
//!
//! **Memory** does not depend on how wide rows are, or how many there are. Winners are known by their
//! `_sequence`, a bit or two bytes for each; their features are read when they are written, and are in
//! memory only on their way. To find them takes some 70 bytes for each key, up to
//! [`Options::publish_memory`]: a search that meets more keys is split by a hash of the key, and each
//! part looks through the keys of the table again, but not through its features.

mod delta;
mod full;
mod packing;
mod search;
mod sequences;
mod shard;
mod stored;
mod windows;
mod winners;
mod writing;

use datafusion::error::DataFusionError;
use fs_core::{Catalog, EventTime, FeatureView, Fence, Ttl};
use fs_offline::{OfflineStore, Scan, TableSchema, TableState};
use fs_online::{OnlineStore, Published, RowEncoder, RowLayout, ViewId, WriteOutcome};
use fs_pit::Rule;

use crate::events::EventReader;
use crate::rows::ViewColumns;
use crate::{Error, Options, Progress, Silent};
use shard::Shard;

/// How often everything is published again because somebody else published meanwhile.
const ATTEMPTS: usize = 3;

/// What a publication did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Publication {
    /// The version of the offline table that is published now.
    pub version: i64,
    /// Keys whose row was stored.
    pub written: u64,
    /// Keys that were deleted.
    pub deleted: u64,
    /// Whether everything was looked at, and not only what changed.
    pub full: bool,
}

/// Publishes one view.
pub(crate) struct Publisher<'a> {
    offline: &'a OfflineStore,
    online: &'a dyn OnlineStore,
    view: &'a FeatureView,
    id: ViewId,
    catalog: &'a Catalog,
    schema: TableSchema,
    columns: ViewColumns,
    rule: Rule,
    encoder: RowEncoder,
    now: EventTime,
    /// Whether that is the time of the world, by which the store may forget rows.
    is_real: bool,
    /// The ttl by which the store may forget rows.
    forget_by: Option<Ttl>,
    /// What is shown with every write.
    fence: Option<Fence>,
    options: Options,
    progress: &'a dyn Progress,
}

/// One attempt: which version, as of when.
#[derive(Debug, Clone, Copy)]
struct Attempt {
    version: i64,
    as_of: EventTime,
}

/// What an attempt begins with.
struct Begun {
    attempt: Attempt,
    table: TableState,
    before: Option<Published>,
}

/// What a publication has done so far.
#[derive(Debug, Default)]
struct Tally {
    /// Rows of the table whose keys were looked at, some of them more than once.
    looked_at: u64,
    outcome: WriteOutcome,
}

impl Tally {
    /// Keys that were sent to the store.
    const fn keys(&self) -> u64 {
        self.outcome.written + self.outcome.kept + self.outcome.deleted
    }
}

impl<'a> Publisher<'a> {
    pub(crate) fn new(
        offline: &'a OfflineStore,
        online: &'a dyn OnlineStore,
        catalog: &'a Catalog,
        view: &'a FeatureView,
        now: EventTime,
    ) -> Self {
        Self {
            offline,
            online,
            view,
            id: ViewId::new(catalog.project.clone(), view.name.clone()),
            catalog,
            schema: TableSchema::of(catalog, view),
            columns: ViewColumns::of(catalog, view),
            rule: Rule::of(view),
            encoder: RowEncoder::new(&RowLayout::of_view(view)),
            now,
            is_real: false,
            forget_by: None,
            fence: None,
            options: Options::default(),
            progress: &Silent,
        }
    }

    /// The same; the store may forget rows by the ttl of the view, if `now` is the time of the world.
    pub(crate) const fn forgetting(mut self, is_real: bool) -> Self {
        self.is_real = is_real;
        self.forget_by = if is_real { self.view.ttl } else { None };
        self
    }

    /// The same, for whoever holds the lease of the view: shows its fence with every write, and shuts
    /// out those who held it before.
    pub(crate) const fn fenced(mut self, fence: Option<Fence>) -> Self {
        self.fence = fence;
        self
    }

    pub(crate) fn with_options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }

    pub(crate) fn with_progress(mut self, progress: &'a dyn Progress) -> Self {
        self.progress = progress;
        self
    }

    /// Publishes what changed since the last time; `None` if the view was never materialized.
    pub(crate) async fn changes(&self) -> Result<Option<Publication>, Error> {
        self.publish(false).await
    }

    /// Publishes everything; `None` if the view was never materialized.
    pub(crate) async fn everything(&self) -> Result<Option<Publication>, Error> {
        self.publish(true).await
    }

    async fn publish(&self, everything: bool) -> Result<Option<Publication>, Error> {
        match EventReader::of(self.catalog, self.view, &self.schema)? {
            Some(events) => self.publish_windows(&events, everything).await,
            None => self.publish_newest(everything).await,
        }
    }

    /// Looks where the table and the store are, and shuts out who came before; `None` if the view was never
    /// materialized.
    async fn begin(&self) -> Result<Option<Begun>, Error> {
        let Some(table) = self.state().await? else {
            return Ok(None);
        };
        if let Some(fence) = self.fence {
            self.store(self.online.raise_fence(&self.id, fence).await)?;
        }
        let before = self.published().await?;
        let known = before.as_ref();
        let attempt = Attempt {
            version: table.version,
            as_of: known.map_or(self.now, |before| self.now.max(before.as_of)),
        };
        Ok(Some(Begun {
            attempt,
            table,
            before,
        }))
    }

    async fn publish_newest(&self, mut everything: bool) -> Result<Option<Publication>, Error> {
        let mut total = Publication::default();
        let mut tally = Tally::default();
        for _ in 0..ATTEMPTS {
            let Some(Begun {
                attempt, before, ..
            }) = self.begin().await?
            else {
                return Ok(None);
            };
            let after = Published {
                table_version: attempt.version,
                as_of: attempt.as_of,
                visibility: self.visibility(),
            };
            total.version = attempt.version;
            if !everything && before.as_ref() == Some(&after) {
                return Ok(Some(total));
            }
            self.store(self.online.prepare(&self.id, self.encoder.layout()).await)?;
            // A table that is behind what was published of it is another table. Under another rule,
            // rows that did not change may have to come or go.
            let known = before.as_ref().filter(|before| {
                before.table_version <= attempt.version && before.visibility == after.visibility
            });
            let full = if let Some(known) = known.filter(|_| !everything) {
                self.since(&attempt, known, &mut tally).await?
            } else {
                self.full(&attempt, &mut tally).await?;
                true
            };
            total.written = tally.outcome.written;
            total.deleted = tally.outcome.deleted;
            total.full |= full;
            let recorded = self
                .online
                .set_published(&self.id, before.as_ref(), after, self.fence);
            if self.store(recorded.await)? {
                return Ok(Some(total));
            }
            everything = true;
        }
        Err(self.contended())
    }

    fn contended(&self) -> Error {
        Error::Contended {
            view: self.view.name.clone(),
        }
    }

    /// Publishes what changed since `known`, or everything where that cannot be told any more: then
    /// the answer is true.
    async fn since(
        &self,
        attempt: &Attempt,
        known: &Published,
        tally: &mut Tally,
    ) -> Result<bool, Error> {
        match self.delta(attempt, known, tally).await {
            Err(Error::Offline { source, .. })
                if matches!(*source, fs_offline::Error::LogGone { .. }) =>
            {
                tracing::info!(view = %self.view.name, reason = %source, "publishing everything");
                self.full(attempt, tally).await.map(|()| true)
            }
            done => done.map(|()| false),
        }
    }

    /// What decides which rows are published, and for how long they are kept. Under another rule, other
    /// rows may be visible; under another ttl, rows may have been forgotten that are wanted.
    fn visibility(&self) -> String {
        let visibility = self.rule.visibility();
        match self.rule.ttl {
            Some(ttl) => format!("{visibility} ttl {ttl}"),
            None => visibility,
        }
    }

    /// All rows that are visible as of `attempt`, and nothing that could not be.
    fn visible(&self, attempt: &Attempt) -> Scan {
        let (_, latest) = self.rule.event_range(0, attempt.as_of.as_micros());
        Scan {
            version: Some(attempt.version),
            event: Some(fs_offline::Between {
                low: i64::MIN,
                high: latest,
            }),
            ..Scan::default()
        }
    }

    async fn state(&self) -> Result<Option<TableState>, Error> {
        self.table(self.offline.state(&self.view.name).await)
    }

    async fn published(&self) -> Result<Option<Published>, Error> {
        self.store(self.online.published(&self.id).await)
    }

    fn table<T>(&self, result: Result<T, fs_offline::Error>) -> Result<T, Error> {
        result.map_err(|source| Error::Offline {
            view: self.view.name.clone(),
            source: Box::new(source),
        })
    }

    fn store<T>(&self, result: Result<T, fs_online::Error>) -> Result<T, Error> {
        result.map_err(|source| Error::Online {
            view: self.view.name.clone(),
            store: self.online.describe(),
            source: Box::new(source),
        })
    }

    fn batch<T>(&self, batch: Result<T, DataFusionError>) -> Result<T, Error> {
        self.table(batch.map_err(|source| fs_offline::Error::Read {
            table: self.view.name.to_string(),
            source: Box::new(source),
        }))
    }

    fn states<T>(&self, result: Result<T, fs_pit::Error>) -> Result<T, Error> {
        result.map_err(|source| Error::State {
            view: self.view.name.clone(),
            source,
        })
    }

    fn ranked<T>(&self, result: Result<T, fs_pit::Error>) -> Result<T, Error> {
        result.map_err(|source| Error::Rank {
            view: self.view.name.clone(),
            source,
        })
    }
}

#[cfg(test)]
mod tests;
