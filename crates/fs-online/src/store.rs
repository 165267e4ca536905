//! What every online store promises.

use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;
use fs_core::{EventTime, Fence, ProjectName, ViewName};
use serde::{Deserialize, Serialize};

use crate::{EncodedKey, Error, RowLayout, RowOrder, row};

/// A view of a project: the namespace of its rows in a store that projects share.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ViewId {
    /// The project.
    pub project: ProjectName,
    /// The view.
    pub view: ViewName,
}

impl ViewId {
    /// The view `view` of `project`.
    pub const fn new(project: ProjectName, view: ViewName) -> Self {
        Self { project, view }
    }
}

impl fmt::Display for ViewId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.project, self.view)
    }
}

/// What to do with one key.
///
/// ```text
///   stored                     row            replaces     then
///   order 5                    any or none    order 5      the row is stored; without one, the key is deleted
///   nothing, or order < row's  order 7        any or none  the row is stored
///   anything else                                          the stored row is kept
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowWrite {
    /// The key.
    pub key: EncodedKey,
    /// The packed row, as [`RowEncoder`](crate::RowEncoder) makes it.
    pub row: Option<Bytes>,
    /// The order of a row that is no longer true, and must not stay.
    pub replaces: Option<RowOrder>,
    /// From when on the store may forget `row`, in microseconds UTC; `None`: never.
    ///
    /// A store need not forget it at once, or at all (those in memory and in LMDB do not), and a row
    /// that is kept stays for as long as the write that stored it said.
    pub keep_until: Option<i64>,
}

/// What a [`RowWrite`] comes to, given what is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Store the row of the write.
    Store,
    /// Delete the key.
    Delete,
    /// Change nothing.
    Keep,
}

impl RowWrite {
    /// Publishes `row` unless a newer one is stored.
    pub const fn newest(key: EncodedKey, row: Bytes) -> Self {
        Self {
            key,
            row: Some(row),
            replaces: None,
            keep_until: None,
        }
    }

    /// Takes away the row with order `replaces`, in favour of `row` if there is one.
    pub const fn replace(key: EncodedKey, row: Option<Bytes>, replaces: RowOrder) -> Self {
        Self {
            key,
            row,
            replaces: Some(replaces),
            keep_until: None,
        }
    }

    /// The same write of a row that may be forgotten from `keep_until` on, in microseconds UTC.
    #[must_use]
    pub const fn kept_until(mut self, keep_until: Option<i64>) -> Self {
        self.keep_until = keep_until;
        self
    }

    /// Decides by the table above. Orders are compared as bytes.
    pub fn decide(&self, stored: Option<&[u8]>) -> Result<Decision, Error> {
        let new = self.row.as_deref().map(row::order_bytes).transpose()?;
        let stored = stored.map(row::order_bytes).transpose()?;
        if let (Some(stored), Some(replaced)) = (stored, self.replaces)
            && *stored == replaced.to_bytes()
        {
            return Ok(new.map_or(Decision::Delete, |_| Decision::Store));
        }
        match (new, stored) {
            (Some(_), None) => Ok(Decision::Store),
            (Some(new), Some(stored)) if new > stored => Ok(Decision::Store),
            _ => Ok(Decision::Keep),
        }
    }
}

/// What became of a batch of writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WriteOutcome {
    /// Keys whose row was stored.
    pub written: u64,
    /// Keys that were left as they were.
    pub kept: u64,
    /// Keys that were deleted.
    pub deleted: u64,
}

impl WriteOutcome {
    /// Counts one decision.
    pub const fn count(&mut self, decision: Decision) {
        match decision {
            Decision::Store => self.written += 1,
            Decision::Keep => self.kept += 1,
            Decision::Delete => self.deleted += 1,
        }
    }
}

impl std::ops::AddAssign for WriteOutcome {
    fn add_assign(&mut self, other: Self) {
        self.written += other.written;
        self.kept += other.kept;
        self.deleted += other.deleted;
    }
}

/// Keys of one view that are read together.
#[derive(Debug, Clone, Copy)]
pub struct ViewKeys<'a> {
    /// The view.
    pub view: &'a ViewId,
    /// Its keys, in any order; a key may appear twice.
    pub keys: &'a [EncodedKey],
}

/// How far the online side of a view has come; recorded after the rows, never before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Published {
    /// The version of the offline table whose rows are all published.
    pub table_version: i64,
    /// The instant as of which they are the newest visible rows.
    pub as_of: EventTime,
    /// The rule that said which rows are visible, such as `event_time` or `known_at+1h`: under
    /// another rule, other rows would have been published. A store only keeps it.
    pub visibility: String,
}

impl Published {
    /// The state as a store keeps it, the time in microseconds UTC:
    ///
    /// ```text
    ///   {"table_version":7,"as_of":1356998400000000,"visibility":"event_time"}
    /// ```
    pub fn to_json(&self) -> String {
        format!(
            r#"{{"table_version":{},"as_of":{},"visibility":{}}}"#,
            self.table_version,
            self.as_of.as_micros(),
            serde_json::Value::from(self.visibility.as_str())
        )
    }

    /// Reads what [`to_json`](Self::to_json) wrote.
    pub fn from_json(json: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(json)
    }
}

/// Where the next page of keys starts; only the store that made it can read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyCursor(pub Bytes);

/// The connections of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StoreUsage {
    /// Connections that are open.
    pub open: usize,
    /// Those of them that somebody waits for an answer on.
    pub busy: usize,
}

/// Some of the keys of a view.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeyPage {
    /// Keys and the orders of their rows, in no particular order.
    pub keys: Vec<(EncodedKey, RowOrder)>,
    /// Where to go on; `None` after the last page. A page before the last may be empty.
    pub next: Option<KeyCursor>,
}

/// The longest token of a claim, see [`OnlineStore::once`].
pub const TOKEN_BYTES: usize = 200;

/// The newest row of every key of every view.
///
/// Rows and keys are opaque bytes to a store, except for the order at a fixed place in a row
/// ([`row::order_bytes`]). Views and projects do not see each other. A view that was never prepared
/// reads as empty. Every sentence here and at the methods is a check in
/// [`conformance`](crate::conformance).
#[async_trait]
pub trait OnlineStore: Send + Sync + fmt::Debug {
    /// What this is and where, for people: `redis at 127.0.0.1:6379`, `lmdb at /x/y`.
    fn describe(&self) -> String;

    /// Remembers `layout` under its id, beside the layouts that the view has had before.
    /// Preparing again changes nothing.
    async fn prepare(&self, view: &ViewId, layout: &RowLayout) -> Result<(), Error>;

    /// Every layout that rows of the view may have, in no particular order.
    async fn layouts(&self, view: &ViewId) -> Result<Vec<RowLayout>, Error>;

    /// Applies every write as [`RowWrite`] says: atomically for each key, whoever else writes, and
    /// in the order given where a key appears twice. When it returns, the rows are there to stay.
    ///
    /// After an error some of the rows may be written; writing them again is harmless.
    ///
    /// A writer that holds a lease shows its `fence`: where a greater one was seen, the rest is refused
    /// with [`Error::Fenced`]. One without (a push) is never refused.
    ///
    /// ```text
    ///   seen by raise_fence     shown         then
    ///   nothing, 6 or 7         7             the rows are written
    ///   8                       7             Fenced
    ///   anything                none          the rows are written
    /// ```
    async fn write(
        &self,
        view: &ViewId,
        rows: Vec<RowWrite>,
        fence: Option<Fence>,
    ) -> Result<WriteOutcome, Error>;

    /// Shuts out all writers of the view with a smaller fence: once this returns, nothing that they
    /// write is applied, whenever they sent it.
    ///
    /// What was seen never gets smaller: a `fence` below it is [`Error::Fenced`], and raising it to the
    /// same again changes nothing.
    async fn raise_fence(&self, view: &ViewId, fence: Fence) -> Result<(), Error>;

    /// The rows of all keys of all requests, in their order; `None` for a key without a row.
    ///
    /// One round trip, however many views and keys.
    async fn read(&self, requests: &[ViewKeys<'_>]) -> Result<Vec<Vec<Option<Bytes>>>, Error>;

    /// What [`set_published`](Self::set_published) recorded last.
    async fn published(&self, view: &ViewId) -> Result<Option<Published>, Error>;

    /// Records how far the view has come, if nobody has recorded anything since `before` was read;
    /// whether `after` is what is recorded now. Of several at once with the same `before`, one succeeds.
    ///
    /// ```text
    ///   recorded     before      after     answer     recorded then
    ///   nothing      none        B         true       B
    ///   A            A           B         true       B
    ///   B            anything    B         true       B              doing it again is harmless
    ///   C            A or none   B         false      C
    /// ```
    /// The `fence` counts as in [`write`](Self::write).
    async fn set_published(
        &self,
        view: &ViewId,
        before: Option<&Published>,
        after: Published,
        fence: Option<Fence>,
    ) -> Result<bool, Error>;

    /// Claims `token` for `value`, unless somebody has claimed it: then that value, and nothing changes.
    ///
    /// ```text
    ///   the token holds      value     answer     holds then
    ///   nothing              "a"       None       "a"
    ///   "a"                  "a"       None       "a"          a claim that is made again is the same claim
    ///   "a"                  "b"       "a"        "a"
    /// ```
    /// Of several at once exactly one wins. A claim lasts for a day at least, whatever happens to the rows;
    /// dropping the view may forget it. A token has at most [`TOKEN_BYTES`].
    async fn once(&self, view: &ViewId, token: &str, value: &[u8]) -> Result<Option<Bytes>, Error>;

    /// A page of the view's keys: from the beginning, or from where another page ended.
    ///
    /// Pages hold about `limit` keys. While nobody writes, going from page to page meets every
    /// key exactly once; a key that is stored throughout is met in any case.
    async fn keys(
        &self,
        view: &ViewId,
        from: Option<&KeyCursor>,
        limit: usize,
    ) -> Result<KeyPage, Error>;

    /// Forgets the view: rows, layouts, published state and fence, without scanning the store. Dropping
    /// a view that is not there is fine.
    ///
    /// The fence goes too, so that a registry that is made anew, and counts from the beginning, is not
    /// shut out by what it knows nothing of. A writer that slept through the drop may write again:
    /// whoever publishes the view anew shuts it out, and publishes everything.
    async fn drop_view(&self, view: &ViewId) -> Result<(), Error>;

    /// Whether the store answers.
    async fn ping(&self) -> Result<(), Error>;

    /// How much of its connections is used, for people who watch; `None` where there are none.
    /// Answers at once, from what is known here.
    fn usage(&self) -> Option<StoreUsage> {
        None
    }
}
