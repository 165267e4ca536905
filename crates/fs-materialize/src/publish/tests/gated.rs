//! A store that stops answering at one of its calls, until it is told to go on.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use fs_core::Fence;
use fs_online::{
    Error, KeyCursor, KeyPage, OnlineStore, Published, RowLayout, RowWrite, ViewId, ViewKeys,
    WriteOutcome,
};
use tokio::sync::Semaphore;

#[derive(Debug)]
pub(super) struct Gated {
    inner: Arc<dyn OnlineStore>,
    /// Calls that pass before the one that waits.
    free: AtomicUsize,
    asleep: Semaphore,
    gate: Semaphore,
    writes: AtomicUsize,
    most_writes: AtomicUsize,
}

impl Gated {
    /// Whoever makes the call with this number waits in it.
    pub(super) fn asleep_at(inner: Arc<dyn OnlineStore>, call: usize) -> Self {
        Self {
            inner,
            free: AtomicUsize::new(call),
            asleep: Semaphore::new(0),
            gate: Semaphore::new(0),
            writes: AtomicUsize::new(0),
            most_writes: AtomicUsize::new(0),
        }
    }

    /// Nobody waits.
    pub(super) fn awake(inner: Arc<dyn OnlineStore>) -> Self {
        Self::asleep_at(inner, usize::MAX)
    }

    pub(super) async fn fell_asleep(&self) {
        self.asleep.acquire().await.unwrap().forget();
    }

    pub(super) fn wake(&self) {
        self.gate.close();
    }

    /// The most writes that were under way at once.
    pub(super) fn most_writes(&self) -> usize {
        self.most_writes.load(Ordering::SeqCst)
    }

    async fn pass(&self) {
        let order = Ordering::SeqCst;
        let spend = |free: usize| free.checked_sub(1);
        if self.free.fetch_update(order, order, spend).is_err() {
            self.asleep.add_permits(1);
            // It is never opened, only closed.
            self.gate.acquire().await.unwrap_err();
        }
    }
}

#[async_trait]
impl OnlineStore for Gated {
    fn describe(&self) -> String {
        self.inner.describe()
    }
    async fn prepare(&self, view: &ViewId, layout: &RowLayout) -> Result<(), Error> {
        self.pass().await;
        self.inner.prepare(view, layout).await
    }
    async fn layouts(&self, view: &ViewId) -> Result<Vec<RowLayout>, Error> {
        self.inner.layouts(view).await
    }
    async fn write(
        &self,
        view: &ViewId,
        rows: Vec<RowWrite>,
        fence: Option<Fence>,
    ) -> Result<WriteOutcome, Error> {
        let under_way = self.writes.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_writes.fetch_max(under_way, Ordering::SeqCst);
        self.pass().await;
        let outcome = self.inner.write(view, rows, fence).await;
        self.writes.fetch_sub(1, Ordering::SeqCst);
        outcome
    }
    async fn raise_fence(&self, view: &ViewId, fence: Fence) -> Result<(), Error> {
        self.pass().await;
        self.inner.raise_fence(view, fence).await
    }
    async fn read(&self, requests: &[ViewKeys<'_>]) -> Result<Vec<Vec<Option<Bytes>>>, Error> {
        self.pass().await;
        self.inner.read(requests).await
    }
    async fn published(&self, view: &ViewId) -> Result<Option<Published>, Error> {
        self.pass().await;
        self.inner.published(view).await
    }
    async fn set_published(
        &self,
        view: &ViewId,
        before: Option<&Published>,
        after: Published,
        fence: Option<Fence>,
    ) -> Result<bool, Error> {
        self.pass().await;
        self.inner.set_published(view, before, after, fence).await
    }
    async fn once(&self, view: &ViewId, token: &str, value: &[u8]) -> Result<Option<Bytes>, Error> {
        self.inner.once(view, token, value).await
    }
    async fn keys(
        &self,
        view: &ViewId,
        from: Option<&KeyCursor>,
        limit: usize,
    ) -> Result<KeyPage, Error> {
        self.pass().await;
        self.inner.keys(view, from, limit).await
    }
    async fn drop_view(&self, view: &ViewId) -> Result<(), Error> {
        self.inner.drop_view(view).await
    }
    async fn ping(&self) -> Result<(), Error> {
        self.inner.ping().await
    }
}
