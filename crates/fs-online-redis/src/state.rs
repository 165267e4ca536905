//! What is known about a view besides its rows: format, layouts, published state.

use std::collections::HashMap;

use fs_online::{Error, Published, RowLayout, ViewId};
use redis::{Pipeline, pipe};

use crate::connections::Connections;
use crate::keyspace::{BUCKETS, FORMAT, bucket_key, state_key};
use crate::reply::Replies;

/// The field that holds the format of the view.
pub(crate) const FORMAT_FIELD: &str = "format";
const PUBLISHED_FIELD: &str = "published";
const LAYOUT_FIELD: &str = "layout:";

/// How many keys are unlinked in one round trip.
const UNLINKS_PER_BATCH: usize = 256;

/// An error if the view was written by a later release. A view without a format is empty.
pub(crate) fn check_format(store: &str, view: &ViewId, format: Option<&[u8]>) -> Result<(), Error> {
    let Some(format) = format else {
        return Ok(());
    };
    let found = serde_json::from_slice(format).map_err(|source| Error::CorruptState {
        store: store.to_owned(),
        view: view.clone(),
        what: "format",
        source,
    })?;
    if found > FORMAT {
        return Err(Error::NewerFormat {
            store: store.to_owned(),
            found,
            known: FORMAT,
        });
    }
    Ok(())
}

/// The state of one view.
pub(crate) struct State<'a> {
    connections: &'a Connections,
    view: &'a ViewId,
    key: String,
}

impl<'a> State<'a> {
    pub(crate) fn of(connections: &'a Connections, view: &'a ViewId) -> Self {
        Self {
            connections,
            view,
            key: state_key(view),
        }
    }

    /// An error if the view was written by a later release.
    pub(crate) async fn check(&self, operation: &'static str) -> Result<(), Error> {
        let mut get = pipe();
        get.cmd("HGET").arg(&self.key).arg(FORMAT_FIELD);
        let format: Option<Vec<u8>> = self.send(operation, &get).await?.next()?;
        check_format(&self.connections.store, self.view, format.as_deref())
    }

    pub(crate) async fn layouts(&self, operation: &'static str) -> Result<Vec<RowLayout>, Error> {
        let mut get = pipe();
        get.cmd("HGETALL").arg(&self.key);
        let mut fields: HashMap<String, Vec<u8>> = self.send(operation, &get).await?.next()?;
        let format = fields.remove(FORMAT_FIELD);
        check_format(&self.connections.store, self.view, format.as_deref())?;
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
            let mut set = self.with_format();
            set.cmd("HSETNX")
                .arg(&self.key)
                .arg(&field)
                .arg(layout.to_json())
                .cmd("HGET")
                .arg(&self.key)
                .arg(&field);
            let mut replies = self.send(OPERATION, &set).await?;
            let (_format, _layout): (i64, i64) = (replies.next()?, replies.next()?);
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
        let mut get = pipe();
        get.cmd("HMGET")
            .arg(&self.key)
            .arg(FORMAT_FIELD)
            .arg(PUBLISHED_FIELD);
        let (format, published): (Option<Vec<u8>>, Option<Vec<u8>>) =
            self.send("read", &get).await?.next()?;
        check_format(&self.connections.store, self.view, format.as_deref())?;
        published
            .map(|json| Published::from_json(&json))
            .transpose()
            .map_err(|source| self.corrupt("published state", source))
    }

    pub(crate) async fn set_published(&self, published: &Published) -> Result<(), Error> {
        const OPERATION: &str = "write";
        self.check(OPERATION).await?;
        let mut set = self.with_format();
        set.cmd("HSET")
            .arg(&self.key)
            .arg(PUBLISHED_FIELD)
            .arg(published.to_json());
        let mut replies = self.send(OPERATION, &set).await?;
        let (_format, _published): (i64, i64) = (replies.next()?, replies.next()?);
        Ok(())
    }

    /// Forgets the view: first that it is published, then its rows, then its layouts, so that a drop
    /// that was cut short is seen and can be made again.
    pub(crate) async fn drop_view(&self) -> Result<(), Error> {
        const OPERATION: &str = "drop a view";
        self.check(OPERATION).await?;
        let mut forget = pipe();
        forget.cmd("HDEL").arg(&self.key).arg(PUBLISHED_FIELD);
        let _existed: i64 = self.send(OPERATION, &forget).await?.next()?;
        let buckets = (0..BUCKETS).map(|bucket| bucket_key(self.view, bucket));
        let keys: Vec<String> = buckets.chain([self.key.clone()]).collect();
        for keys in keys.chunks(UNLINKS_PER_BATCH) {
            let mut unlink = Pipeline::with_capacity(keys.len());
            for key in keys {
                unlink.cmd("UNLINK").arg(key);
            }
            let mut replies = self.send(OPERATION, &unlink).await?;
            for _ in keys {
                let _existed: i64 = replies.next()?;
            }
        }
        Ok(())
    }

    /// A pipeline that begins by giving the view its format.
    fn with_format(&self) -> Pipeline {
        let mut pipeline = pipe();
        pipeline
            .cmd("HSETNX")
            .arg(&self.key)
            .arg(FORMAT_FIELD)
            .arg(FORMAT);
        pipeline
    }

    async fn send(
        &self,
        operation: &'static str,
        pipeline: &Pipeline,
    ) -> Result<Replies<'a>, Error> {
        let within = self.connections.options.write_timeout;
        let replies = self.connections.send(operation, within, pipeline).await?;
        Ok(Replies::new(self.connections, operation, replies))
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
