//! The store itself: the port, in terms of the modules beside it.

use async_trait::async_trait;
use bytes::Bytes;
use fs_online::{
    Error, KeyCursor, KeyPage, OnlineStore, Published, RowLayout, RowWrite, ViewId, ViewKeys,
    WriteOutcome,
};
use redis::pipe;

use crate::connections::Connections;
use crate::reply::Replies;
use crate::state::State;
use crate::{RedisOptions, once, page, read, write};

/// An online store in Redis. See the [crate](crate) for what it keeps where.
#[derive(Debug)]
pub struct RedisStore {
    connections: Connections,
}

impl RedisStore {
    /// The store at `url`: `redis://[USER:PASSWORD@]HOST[:PORT][/DB]`, `rediss://` for TLS, or
    /// `unix:///PATH`.
    ///
    /// Nothing is connected until the store is used, so the only error is a malformed URL.
    pub fn connect(url: &str, options: RedisOptions) -> Result<Self, Error> {
        let connections = Connections::new(url, options)?;
        Ok(Self { connections })
    }

    fn state<'a>(&'a self, view: &'a ViewId) -> State<'a> {
        State::of(&self.connections, view)
    }
}

#[async_trait]
impl OnlineStore for RedisStore {
    fn describe(&self) -> String {
        self.connections.store.clone()
    }

    async fn prepare(&self, view: &ViewId, layout: &RowLayout) -> Result<(), Error> {
        self.state(view).prepare(layout).await
    }

    async fn layouts(&self, view: &ViewId) -> Result<Vec<RowLayout>, Error> {
        self.state(view).layouts("read").await
    }

    async fn write(&self, view: &ViewId, rows: Vec<RowWrite>) -> Result<WriteOutcome, Error> {
        if rows.is_empty() {
            return Ok(WriteOutcome::default());
        }
        self.state(view).check("write").await?;
        write::write(&self.connections, view, rows).await
    }

    async fn read(&self, requests: &[ViewKeys<'_>]) -> Result<Vec<Vec<Option<Bytes>>>, Error> {
        read::read(&self.connections, requests).await
    }

    async fn published(&self, view: &ViewId) -> Result<Option<Published>, Error> {
        self.state(view).published().await
    }

    async fn set_published(&self, view: &ViewId, published: Published) -> Result<(), Error> {
        self.state(view).set_published(&published).await
    }

    async fn once(&self, view: &ViewId, token: &str, value: &[u8]) -> Result<Option<Bytes>, Error> {
        once::once(&self.connections, view, token, value).await
    }

    async fn keys(
        &self,
        view: &ViewId,
        from: Option<&KeyCursor>,
        limit: usize,
    ) -> Result<KeyPage, Error> {
        page::page(&self.connections, view, from, limit).await
    }

    async fn drop_view(&self, view: &ViewId) -> Result<(), Error> {
        self.state(view).drop_view().await
    }

    async fn ping(&self) -> Result<(), Error> {
        let within = self.connections.options.read_timeout;
        let pong = self
            .connections
            .send("answer", within, pipe().cmd("PING"))
            .await?;
        let _pong: String = Replies::new(&self.connections, "answer", pong).next()?;
        Ok(())
    }
}
