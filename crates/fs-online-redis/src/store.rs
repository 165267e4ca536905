//! The store itself: the port, in terms of the modules beside it.

use async_trait::async_trait;
use bytes::Bytes;
use fs_core::Fence;
use fs_online::{
    Error, KeyCursor, KeyPage, OnlineStore, Published, RowLayout, RowWrite, StoreUsage, ViewId,
    ViewKeys, WriteOutcome,
};

use crate::connections::Connections;
use crate::page::{self, Keys};
use crate::state::State;
use crate::views::Views;
use crate::write::Target;
use crate::{RedisOptions, claim, fence, read, write};

/// An online store in Redis. See the [crate](crate) for what it keeps where.
#[derive(Debug)]
pub struct RedisStore {
    connections: Connections,
    views: Views,
}

impl RedisStore {
    /// The store at `url`: `redis://[USER:PASSWORD@]HOST[:PORT][/DB]`, `rediss://` for TLS, or
    /// `unix:///PATH`; for a cluster `redis://[USER:PASSWORD@]HOST[:PORT][,HOST[:PORT]…]`.
    ///
    /// Nothing is connected until the store is used, so the only errors are a malformed URL and
    /// certificates that cannot be read.
    pub fn connect(url: &str, options: RedisOptions) -> Result<Self, Error> {
        let connections = Connections::new(url, options)?;
        let views = Views::default();
        Ok(Self { connections, views })
    }

    fn state<'a>(&'a self, view: &'a ViewId) -> State<'a> {
        State::of(&self.connections, &self.views, view)
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

    async fn write(
        &self,
        view: &ViewId,
        rows: Vec<RowWrite>,
        fence: Option<Fence>,
    ) -> Result<WriteOutcome, Error> {
        if rows.is_empty() {
            return Ok(WriteOutcome::default());
        }
        let buckets = self.state(view).claim("write").await?;
        let target = Target {
            view,
            buckets: &buckets,
            expiry: self.connections.options.expiry,
            fence,
        };
        write::write(&self.connections, target, rows).await
    }

    async fn raise_fence(&self, view: &ViewId, fence: Fence) -> Result<(), Error> {
        let buckets = self.state(view).claim("write").await?;
        fence::raise(&self.connections, view, &buckets, fence).await
    }

    async fn read(&self, requests: &[ViewKeys<'_>]) -> Result<Vec<Vec<Option<Bytes>>>, Error> {
        read::read(&self.connections, &self.views, requests).await
    }

    async fn published(&self, view: &ViewId) -> Result<Option<Published>, Error> {
        self.state(view).published().await
    }

    async fn set_published(
        &self,
        view: &ViewId,
        before: Option<&Published>,
        after: Published,
        fence: Option<Fence>,
    ) -> Result<bool, Error> {
        let state = self.state(view);
        state.set_published(before, &after, fence).await
    }

    async fn once(&self, view: &ViewId, token: &str, value: &[u8]) -> Result<Option<Bytes>, Error> {
        claim::once(&self.connections, view, token, value).await
    }

    async fn keys(
        &self,
        view: &ViewId,
        from: Option<&KeyCursor>,
        limit: usize,
    ) -> Result<KeyPage, Error> {
        let Some(buckets) = self.state(view).buckets(page::OPERATION).await? else {
            return Ok(KeyPage::default());
        };
        let keys = Keys {
            connections: &self.connections,
            view,
            buckets: &buckets,
        };
        keys.page(from, limit).await
    }

    async fn drop_view(&self, view: &ViewId) -> Result<(), Error> {
        self.state(view).drop_view().await
    }

    async fn ping(&self) -> Result<(), Error> {
        self.connections.ping().await
    }

    fn usage(&self) -> Option<StoreUsage> {
        Some(self.connections.usage())
    }
}
