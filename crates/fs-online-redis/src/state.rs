//! What is known about a view besides its rows: format, buckets, layouts, published state.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use fs_core::Fence;
use fs_online::{Error, Published, RowLayout, ViewId};
use redis::Value;
use serde::de::Error as _;

use crate::connections::{Command, Connections};
use crate::fence;
use crate::keyspace::{Buckets, FORMAT, slot, state_key};
use crate::lane::Lane;
use crate::reply::Replies;
use crate::scripts::{Argument, Call, PUBLISH};
use crate::views::Views;

const FORMAT_FIELD: &str = "format";
const BUCKETS_FIELD: &str = "buckets";
const PUBLISHED_FIELD: &str = "published";
const LAYOUT_FIELD: &str = "layout:";

/// How many keys are unlinked in one round trip.
const UNLINKS_PER_BATCH: usize = 256;

type Field = Option<Vec<u8>>;

/// The buckets of every one of `asked`, and remembers them; `None` for a view that is not there.
pub(crate) async fn buckets(
    connections: &Connections,
    views: &Views,
    operation: &'static str,
    lane: Lane,
    asked: &[&ViewId],
) -> Result<Vec<Option<Arc<Buckets>>>, Error> {
    let get = |view: &&ViewId| {
        let get = Command::on("HMGET", &state_key(view));
        get.arg(FORMAT_FIELD).arg(BUCKETS_FIELD)
    };
    let sent = connections.send(operation, lane, asked.iter().map(get).collect());
    let mut replies = sent.await?;
    let mut found = Vec::with_capacity(asked.len());
    for view in asked {
        let (format, count): (Field, Field) = replies.next()?;
        let state = State::of(connections, views, view);
        state.check(format.as_deref())?;
        found.push(state.learn(count.as_deref())?);
    }
    Ok(found)
}

/// The state of one view.
pub(crate) struct State<'a> {
    connections: &'a Connections,
    views: &'a Views,
    view: &'a ViewId,
    key: String,
}

impl<'a> State<'a> {
    pub(crate) fn of(connections: &'a Connections, views: &'a Views, view: &'a ViewId) -> Self {
        Self {
            connections,
            views,
            view,
            key: state_key(view),
        }
    }

    /// The buckets of the view, if it is there.
    pub(crate) async fn buckets(
        &self,
        operation: &'static str,
    ) -> Result<Option<Arc<Buckets>>, Error> {
        let mut found = self.look(operation).await?;
        Ok(found.pop().flatten())
    }

    /// The buckets of the view, which is there from now on.
    pub(crate) async fn claim(&self, operation: &'static str) -> Result<Arc<Buckets>, Error> {
        if let Some(found) = self.buckets(operation).await? {
            return Ok(found);
        }
        let mut replies = self.send(operation, Lane::Write, self.begun()).await?;
        let (_format, _buckets): (i64, i64) = (replies.next()?, replies.next()?);
        // What is there now, should somebody else have been faster.
        let found = self.buckets(operation).await?;
        found.ok_or_else(|| self.corrupt(BUCKETS_FIELD, serde_json::Error::custom("it is gone")))
    }

    pub(crate) async fn layouts(&self, operation: &'static str) -> Result<Vec<RowLayout>, Error> {
        let get = vec![Command::on("HGETALL", &self.key)];
        let mut replies = self.send(operation, Lane::Read, get).await?;
        let mut fields: HashMap<String, Vec<u8>> = replies.next()?;
        let format = fields.remove(FORMAT_FIELD);
        self.check(format.as_deref())?;
        self.learn(fields.get(BUCKETS_FIELD).map(Vec::as_slice))?;
        fields
            .iter()
            .filter(|(field, _)| field.starts_with(LAYOUT_FIELD))
            .map(|(_, json)| {
                RowLayout::from_json(json).map_err(|source| self.corrupt("layout", source))
            })
            .collect()
    }

    /// Remembers `layout`, unless it is remembered.
    pub(crate) async fn prepare(&self, layout: &RowLayout) -> Result<(), Error> {
        const OPERATION: &str = "prepare";
        let known = self.layouts(OPERATION).await?;
        let mut of_its_id = known.into_iter().filter(|known| known.id() == layout.id());
        let known = if let Some(known) = of_its_id.next() {
            known
        } else {
            let field = format!("{LAYOUT_FIELD}{:08x}", layout.id());
            let mut commands = self.begun();
            let set = Command::on("HSETNX", &self.key);
            commands.push(set.arg(&field).arg(layout.to_json()));
            commands.push(Command::on("HGET", &self.key).arg(&field));
            let mut replies = self.send(OPERATION, Lane::Write, commands).await?;
            for _ in 0..3 {
                let _set: i64 = replies.next()?;
            }
            // What is there now, should somebody else have been faster.
            let json: Vec<u8> = replies.next()?;
            RowLayout::from_json(&json).map_err(|source| self.corrupt("layout", source))?
        };
        if known == *layout {
            return Ok(());
        }
        Err(Error::LayoutClash {
            view: self.view.clone(),
            layout: layout.id(),
        })
    }

    pub(crate) async fn published(&self) -> Result<Option<Published>, Error> {
        let found = self.read_published(Lane::Read).await?;
        Ok(found.map(|(_json, published)| published))
    }

    /// Compares and sets, as [`OnlineStore::set_published`](fs_online::OnlineStore::set_published)
    /// says.
    pub(crate) async fn set_published(
        &self,
        before: Option<&Published>,
        after: &Published,
        fence: Option<Fence>,
    ) -> Result<bool, Error> {
        const OPERATION: &str = "write";
        self.claim(OPERATION).await?;
        // The script compares bytes: those that are there, if they say what the caller has read.
        let found = self.read_published(Lane::Write).await?;
        let before = match (found, before) {
            (Some((json, found)), Some(before)) if found == *before => Bytes::from(json),
            (None, None) => Bytes::new(),
            // Nothing that is there: the script still has to look at the fence.
            _ => Bytes::from_static(b"?"),
        };
        let call = Call {
            slot: slot(self.key.as_bytes()),
            key: self.key.clone(),
            second_key: None,
            arguments: vec![
                Argument::fence(fence),
                Argument::Bytes(before),
                Argument::Bytes(Bytes::from(after.to_json())),
            ],
        };
        let sent = PUBLISH.call(self.connections, OPERATION, &[call]).await;
        let mut replies = sent?;
        let answer: Vec<Value> = replies.next()?;
        match answer.as_slice() {
            [Value::Int(is_set @ (0 | 1))] => Ok(*is_set == 1),
            [Value::Int(-1), seen] => Err(fence::refused(&replies, self.view, fence, seen)),
            _ => Err(replies.unexpected()),
        }
    }

    /// The published state, and the bytes that say it.
    async fn read_published(&self, lane: Lane) -> Result<Option<(Vec<u8>, Published)>, Error> {
        let get = Command::on("HMGET", &self.key);
        let get = vec![get.arg(FORMAT_FIELD).arg(PUBLISHED_FIELD)];
        let mut replies = self.send("read", lane, get).await?;
        let (format, published): (Field, Field) = replies.next()?;
        self.check(format.as_deref())?;
        published
            .map(|json| {
                let published = Published::from_json(&json);
                let published = published.map_err(|source| self.corrupt("published state", source));
                Ok((json, published?))
            })
            .transpose()
    }

    /// Forgets the view: first that it is published, then its rows, then its layouts, so that a drop
    /// that was cut short is seen and can be made again.
    pub(crate) async fn drop_view(&self) -> Result<(), Error> {
        const OPERATION: &str = "drop a view";
        let Some(buckets) = self.buckets(OPERATION).await? else {
            return Ok(());
        };
        let forget = vec![Command::on("HDEL", &self.key).arg(PUBLISHED_FIELD)];
        let _existed: i64 = self.send(OPERATION, Lane::Write, forget).await?.next()?;
        let rows = (0..buckets.count()).flat_map(|bucket| {
            let fence = buckets.fence_key(self.view, bucket);
            [buckets.key(self.view, bucket), fence]
        });
        let rows: Vec<String> = rows.collect();
        let state = vec![self.key.clone()];
        for keys in rows.chunks(UNLINKS_PER_BATCH).chain([state.as_slice()]) {
            let unlink = keys.iter().map(|key| Command::on("UNLINK", key)).collect();
            let mut replies = self.send(OPERATION, Lane::Write, unlink).await?;
            for _ in keys {
                let _existed: i64 = replies.next()?;
            }
        }
        self.views.learn(self.view, None);
        Ok(())
    }

    async fn look(&self, operation: &'static str) -> Result<Vec<Option<Arc<Buckets>>>, Error> {
        let asked = [self.view];
        buckets(self.connections, self.views, operation, Lane::Write, &asked).await
    }

    /// Commands that give the view a format and buckets, unless it has them.
    fn begun(&self) -> Vec<Command> {
        let buckets = self.connections.options.new_buckets();
        let set = |field: &str, value: u32| {
            let set = Command::on("HSETNX", &self.key);
            set.arg(field).arg(value)
        };
        vec![
            set(FORMAT_FIELD, FORMAT),
            set(BUCKETS_FIELD, buckets.into()),
        ]
    }

    /// An error if the view was written by a later release. A view without a format is empty.
    fn check(&self, format: Option<&[u8]>) -> Result<(), Error> {
        let Some(format) = format else {
            return Ok(());
        };
        let found =
            serde_json::from_slice(format).map_err(|source| self.corrupt(FORMAT_FIELD, source))?;
        if found > FORMAT {
            return Err(Error::NewerFormat {
                store: self.connections.store.clone(),
                found,
                known: FORMAT,
            });
        }
        Ok(())
    }

    /// Remembers the number of buckets that was found.
    fn learn(&self, count: Option<&[u8]>) -> Result<Option<Arc<Buckets>>, Error> {
        let found = match count {
            None => None,
            Some(count) => Some(self.parse_buckets(count)?),
        };
        self.views.learn(self.view, found.clone());
        Ok(found)
    }

    fn parse_buckets(&self, count: &[u8]) -> Result<Arc<Buckets>, Error> {
        let count = serde_json::from_slice(count);
        let count: u16 = count.map_err(|source| self.corrupt(BUCKETS_FIELD, source))?;
        if let Some(known) = self.views.buckets(self.view)
            && known.count() == count
        {
            return Ok(known);
        }
        let buckets = Buckets::new(count).ok_or_else(|| {
            let source = serde_json::Error::custom("it is no power of two up to 16,384");
            self.corrupt(BUCKETS_FIELD, source)
        })?;
        Ok(Arc::new(buckets))
    }

    async fn send(
        &self,
        operation: &'static str,
        lane: Lane,
        commands: Vec<Command>,
    ) -> Result<Replies<'a>, Error> {
        self.connections.send(operation, lane, commands).await
    }

    fn corrupt(&self, what: &'static str, source: serde_json::Error) -> Error {
        Error::CorruptState {
            store: self.connections.store.clone(),
            view: self.view.clone(),
            what,
            source,
        }
    }
}
