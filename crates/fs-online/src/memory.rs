//! A store in memory: for tests, and as the plainest reading of what a store promises.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::{PoisonError, RwLock};

use async_trait::async_trait;
use bytes::Bytes;
use fs_core::Fence;

use crate::{
    Decision, EncodedKey, Error, KeyCursor, KeyPage, OnlineStore, Published, RowLayout, RowWrite,
    ViewId, ViewKeys, WriteOutcome, row,
};

/// An online store that forgets everything when it is dropped.
#[derive(Debug, Default)]
pub struct MemoryStore {
    views: RwLock<HashMap<ViewId, View>>,
}

#[derive(Debug, Default)]
struct View {
    rows: BTreeMap<EncodedKey, Bytes>,
    layouts: BTreeMap<u32, RowLayout>,
    published: Option<Published>,
    claims: HashMap<String, Bytes>,
    fence: Option<Fence>,
}

/// How many rows are written under one lock, so that a large batch does not hold up the readers.
const ROWS_PER_LOCK: usize = 256;

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn get<T>(&self, view: &ViewId, read: impl FnOnce(&View) -> T) -> Option<T> {
        // A panic elsewhere leaves no view half-written: every change is a single insert or remove.
        let views = self.views.read().unwrap_or_else(PoisonError::into_inner);
        views.get(view).map(read)
    }

    fn change<T>(&self, view: &ViewId, change: impl FnOnce(&mut View) -> T) -> T {
        let mut views = self.views.write().unwrap_or_else(PoisonError::into_inner);
        change(views.entry(view.clone()).or_default())
    }
}

impl View {
    /// An error if a greater fence than `shown` was seen.
    fn check(&self, view: &ViewId, shown: Option<Fence>) -> Result<(), Error> {
        match (shown, self.fence) {
            (Some(shown), Some(seen)) if seen > shown => Err(Error::Fenced {
                view: view.clone(),
                shown,
                seen,
            }),
            _ => Ok(()),
        }
    }

    fn apply(&mut self, write: &RowWrite) -> Result<Decision, Error> {
        let stored = self.rows.get(&write.key);
        let decision = write.decide(stored.map(AsRef::as_ref))?;
        match (decision, &write.row) {
            (Decision::Store, Some(row)) => {
                // Copied: rows that came in a batch share its buffer, as keys do.
                let row = Bytes::copy_from_slice(row);
                self.rows.insert(write.key.detached(), row);
            }
            (Decision::Delete, _) => {
                self.rows.remove(&write.key);
            }
            _ => {}
        }
        Ok(decision)
    }

    fn page(&self, from: Option<&KeyCursor>, limit: usize) -> Result<KeyPage, Error> {
        let after = from.map(|cursor| EncodedKey::from_bytes(cursor.0.clone()));
        let start = after.as_ref().map_or(Bound::Unbounded, Bound::Excluded);
        let mut keys = Vec::new();
        for (key, row) in self.rows.range((start, Bound::Unbounded)).take(limit) {
            keys.push((key.clone(), row::order(row)?));
        }
        let next = keys
            .last()
            .filter(|_| keys.len() == limit)
            .map(|(key, _)| KeyCursor(key.clone().into_bytes()));
        Ok(KeyPage { keys, next })
    }
}

#[async_trait]
impl OnlineStore for MemoryStore {
    fn describe(&self) -> String {
        "in memory".to_owned()
    }

    async fn prepare(&self, view: &ViewId, layout: &RowLayout) -> Result<(), Error> {
        self.change(view, |stored| {
            let known = stored
                .layouts
                .entry(layout.id())
                .or_insert_with(|| layout.clone());
            if known == layout {
                return Ok(());
            }
            Err(Error::LayoutClash {
                view: view.clone(),
                layout: layout.id(),
            })
        })
    }

    async fn layouts(&self, view: &ViewId) -> Result<Vec<RowLayout>, Error> {
        let layouts = self.get(view, |view| view.layouts.values().cloned().collect());
        Ok(layouts.unwrap_or_default())
    }

    async fn write(
        &self,
        view: &ViewId,
        rows: Vec<RowWrite>,
        fence: Option<Fence>,
    ) -> Result<WriteOutcome, Error> {
        let mut outcome = WriteOutcome::default();
        for rows in rows.chunks(ROWS_PER_LOCK) {
            self.change(view, |stored| {
                stored.check(view, fence)?;
                for write in rows {
                    outcome.count(stored.apply(write)?);
                }
                Ok::<(), Error>(())
            })?;
            tokio::task::yield_now().await;
        }
        Ok(outcome)
    }

    async fn raise_fence(&self, view: &ViewId, fence: Fence) -> Result<(), Error> {
        self.change(view, |stored| {
            stored.check(view, Some(fence))?;
            stored.fence = Some(fence);
            Ok(())
        })
    }

    async fn read(&self, requests: &[ViewKeys<'_>]) -> Result<Vec<Vec<Option<Bytes>>>, Error> {
        let read = |request: &ViewKeys<'_>| {
            let rows = self.get(request.view, |view| {
                let row = |key| view.rows.get(key).cloned();
                request.keys.iter().map(row).collect()
            });
            rows.unwrap_or_else(|| vec![None; request.keys.len()])
        };
        Ok(requests.iter().map(read).collect())
    }

    async fn published(&self, view: &ViewId) -> Result<Option<Published>, Error> {
        Ok(self.get(view, |view| view.published.clone()).flatten())
    }

    async fn set_published(
        &self,
        view: &ViewId,
        before: Option<&Published>,
        after: Published,
        fence: Option<Fence>,
    ) -> Result<bool, Error> {
        self.change(view, |stored| {
            stored.check(view, fence)?;
            let found = stored.published.as_ref();
            let is_set = found == before || found == Some(&after);
            if is_set {
                stored.published = Some(after);
            }
            Ok(is_set)
        })
    }

    async fn once(&self, view: &ViewId, token: &str, value: &[u8]) -> Result<Option<Bytes>, Error> {
        Ok(self.change(view, |view| {
            let claim = view.claims.entry(token.to_owned());
            let held = claim.or_insert_with(|| Bytes::copy_from_slice(value));
            (held.as_ref() != value).then(|| held.clone())
        }))
    }

    async fn keys(
        &self,
        view: &ViewId,
        from: Option<&KeyCursor>,
        limit: usize,
    ) -> Result<KeyPage, Error> {
        let page = self.get(view, |view| view.page(from, limit.max(1)));
        page.unwrap_or_else(|| Ok(KeyPage::default()))
    }

    async fn drop_view(&self, view: &ViewId) -> Result<(), Error> {
        let mut views = self.views.write().unwrap_or_else(PoisonError::into_inner);
        views.remove(view);
        Ok(())
    }

    async fn ping(&self) -> Result<(), Error> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::conformance;

    #[tokio::test]
    async fn the_memory_store_keeps_every_promise() {
        let outcome = conformance::run_all(async || Arc::new(MemoryStore::new()) as _).await;
        assert_eq!(outcome, Ok(()));
    }
}
