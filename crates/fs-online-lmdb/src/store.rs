//! The store itself: blocking work in its place.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use fs_core::Fence;
use fs_online::{
    Decision, EncodedKey, Error, KeyCursor, KeyPage, OnlineStore, Published, RowLayout, RowWrite,
    ViewId, ViewKeys, WriteOutcome,
};

use crate::LmdbOptions;
use crate::environment::Environment;
use crate::failure::{Failure, describe};
use crate::meta;
use crate::rows::Rows;

/// An online store in a local folder.
///
/// Cheap to open again: all stores of one folder in a process share it. Keys may have any length.
#[derive(Debug, Clone)]
pub struct LmdbStore {
    environment: Arc<Environment>,
}

/// A transaction writes at most this many rows …
const ROWS_PER_TRANSACTION: usize = 4_096;
/// … and begins no other row after this many bytes.
const BYTES_PER_TRANSACTION: usize = 8 << 20;

/// Up to this many keys are read where the caller is: some hundred microseconds. More go to a
/// blocking thread.
const KEYS_READ_INLINE: usize = 512;

impl LmdbStore {
    /// Opens the folder `path`, making it if need be. Blocks for some milliseconds.
    ///
    /// Errors: the path is no folder, or may not be used by this user; its file is not LMDB's; a
    /// later release has written it.
    pub fn open(path: &Path, options: LmdbOptions) -> Result<Self, Error> {
        let environment = Environment::open(path, &options)?;
        Ok(Self { environment })
    }

    /// Runs `work` on a thread that may block.
    async fn blocking<T: Send + 'static>(
        &self,
        operation: &'static str,
        work: impl FnOnce(&Environment) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Error> {
        let environment = Arc::clone(&self.environment);
        match tokio::task::spawn_blocking(move || work(&environment)).await {
            Ok(outcome) => outcome.map_err(|error| self.failed(operation, error)),
            Err(error) => Err(Error::Failed {
                store: self.describe(),
                operation,
                source: error.into(),
            }),
        }
    }

    fn failed(&self, operation: &'static str, error: Failure) -> Error {
        error.during(operation, self.environment.map.path())
    }
}

#[async_trait]
impl OnlineStore for LmdbStore {
    fn describe(&self) -> String {
        describe(self.environment.map.path())
    }

    async fn prepare(&self, view: &ViewId, layout: &RowLayout) -> Result<(), Error> {
        // Every run prepares its views: mostly there is nothing to write.
        if self.layouts(view).await?.contains(layout) {
            return Ok(());
        }
        let (view, layout) = (view.clone(), layout.clone());
        self.blocking("prepare a view", move |on| {
            on.create(&view)?;
            on.map.transact(|env| {
                let mut txn = env.write_txn()?;
                on.meta.put_layout(&mut txn, &view, &layout)?;
                Ok(txn.commit()?)
            })
        })
        .await
    }

    async fn layouts(&self, view: &ViewId) -> Result<Vec<RowLayout>, Error> {
        let on = &self.environment;
        on.map
            .transact(|env| on.meta.layouts(&*env.read_txn()?, view))
            .map_err(|error| self.failed("read layouts", error))
    }

    async fn write(
        &self,
        view: &ViewId,
        mut rows: Vec<RowWrite>,
        fence: Option<Fence>,
    ) -> Result<WriteOutcome, Error> {
        // Neighbours in the file are written together. The sort is stable: the writes of one key
        // keep their order.
        rows.sort_by(|a, b| a.key.cmp(&b.key));
        let mut rows = rows.into_iter().peekable();
        let mut outcome = WriteOutcome::default();
        while rows.peek().is_some() {
            let (mut batch, mut bytes) = (Vec::new(), 0);
            while batch.len() < ROWS_PER_TRANSACTION && bytes < BYTES_PER_TRANSACTION {
                let Some(write) = rows.next() else { break };
                bytes += write.row.as_ref().map_or(0, Bytes::len);
                batch.push(write);
            }
            let view = view.clone();
            outcome += self
                .blocking("write", move |on| write_batch(on, &view, &batch, fence))
                .await?;
        }
        Ok(outcome)
    }

    async fn raise_fence(&self, view: &ViewId, fence: Fence) -> Result<(), Error> {
        let view = view.clone();
        self.blocking("shut out earlier writers", move |on| {
            on.map.transact(|env| {
                let mut txn = env.write_txn()?;
                on.meta.raise_fence(&mut txn, &view, fence)?;
                Ok(txn.commit()?)
            })
        })
        .await
    }

    async fn read(&self, requests: &[ViewKeys<'_>]) -> Result<Vec<Vec<Option<Bytes>>>, Error> {
        let keys: usize = requests.iter().map(|request| request.keys.len()).sum();
        if keys <= KEYS_READ_INLINE {
            let opened = requests
                .iter()
                .map(|request| Some((Some(self.environment.opened(request.view)?), request.keys)));
            // A view that this process meets for the first time has to be opened first.
            if let Some(requests) = opened.collect::<Option<Vec<_>>>() {
                return read_rows(&self.environment, &requests)
                    .map_err(|error| self.failed("read", error));
            }
        }
        let requests: Vec<(ViewId, Vec<EncodedKey>)> = requests
            .iter()
            .map(|request| (request.view.clone(), request.keys.to_vec()))
            .collect();
        self.blocking("read", move |on| {
            let requests: Vec<_> = requests
                .iter()
                .map(|(view, keys)| Ok((on.existing(view)?, keys.as_slice())))
                .collect::<Result<_, Failure>>()?;
            read_rows(on, &requests)
        })
        .await
    }

    async fn published(&self, view: &ViewId) -> Result<Option<Published>, Error> {
        let on = &self.environment;
        on.map
            .transact(|env| on.meta.published(&*env.read_txn()?, view))
            .map_err(|error| self.failed("read the published state", error))
    }

    async fn set_published(
        &self,
        view: &ViewId,
        before: Option<&Published>,
        after: Published,
        fence: Option<Fence>,
    ) -> Result<bool, Error> {
        let (view, before) = (view.clone(), before.cloned());
        self.blocking("record the published state", move |on| {
            on.map.transact(|env| {
                let mut txn = env.write_txn()?;
                on.meta.check_fence(&txn, &view, fence)?;
                let found = on.meta.published(&txn, &view)?;
                if found != before {
                    return Ok(found.as_ref() == Some(&after));
                }
                on.meta.set_published(&mut txn, &view, &after)?;
                txn.commit()?;
                Ok(true)
            })
        })
        .await
    }

    async fn once(&self, view: &ViewId, token: &str, value: &[u8]) -> Result<Option<Bytes>, Error> {
        let (view, token, value) = (view.clone(), token.to_owned(), value.to_vec());
        self.blocking("claim a token", move |on| {
            on.map.transact(|env| {
                let mut txn = env.write_txn()?;
                let earlier = on
                    .meta
                    .claim(&mut txn, &view, &token, &value, meta::now())?;
                txn.commit()?;
                Ok(earlier.map(Bytes::from))
            })
        })
        .await
    }

    async fn keys(
        &self,
        view: &ViewId,
        from: Option<&KeyCursor>,
        limit: usize,
    ) -> Result<KeyPage, Error> {
        let (view, from) = (view.clone(), from.cloned());
        self.blocking("list keys", move |on| {
            let Some(rows) = on.existing(&view)? else {
                return Ok(KeyPage::default());
            };
            on.map
                .transact(|env| rows.page(&*env.read_txn()?, from.as_ref(), limit.max(1)))
        })
        .await
    }

    async fn drop_view(&self, view: &ViewId) -> Result<(), Error> {
        let view = view.clone();
        self.blocking("drop a view", move |on| on.forget(&view))
            .await
    }

    async fn ping(&self) -> Result<(), Error> {
        self.environment
            .map
            .transact(|env| {
                env.read_txn()?;
                Ok(())
            })
            .map_err(|error| self.failed("be read", error))
    }
}

fn write_batch(
    on: &Environment,
    view: &ViewId,
    batch: &[RowWrite],
    fence: Option<Fence>,
) -> Result<WriteOutcome, Failure> {
    let rows = on.create(view)?;
    on.map.transact(|env| {
        let mut outcome = WriteOutcome::default();
        let mut txn = env.write_txn()?;
        on.meta.check_fence(&txn, view, fence)?;
        for write in batch {
            let key = write.key.as_bytes();
            let decision = write.decide(rows.get(&txn, key)?)?;
            match (decision, &write.row) {
                (Decision::Store, Some(row)) => rows.put(&mut txn, key, row)?,
                (Decision::Delete, _) => rows.delete(&mut txn, key)?,
                _ => {}
            }
            outcome.count(decision);
        }
        txn.commit()?;
        Ok(outcome)
    })
}

/// Reads everything in one transaction, into one buffer that the rows share: they are found first,
/// so that the buffer has its size from the beginning and every row is copied once.
fn read_rows(
    on: &Environment,
    requests: &[(Option<Rows>, &[EncodedKey])],
) -> Result<Vec<Vec<Option<Bytes>>>, Failure> {
    let keys = requests.iter().map(|(_, keys)| keys.len()).sum();
    on.map.transact(|env| {
        let txn = env.read_txn()?;
        let mut found = Vec::with_capacity(keys);
        for (rows, keys) in requests {
            for key in *keys {
                found.push(match rows {
                    Some(rows) => rows.get(&txn, key.as_bytes())?,
                    None => None,
                });
            }
        }
        let bytes = found.iter().flatten().map(|row| row.len()).sum();
        let mut buffer = BytesMut::with_capacity(bytes);
        let mut lengths = Vec::with_capacity(keys);
        for row in found {
            buffer.extend_from_slice(row.unwrap_or_default());
            lengths.push(row.map(<[u8]>::len));
        }
        drop(txn);
        let mut buffer = buffer.freeze();
        let mut lengths = lengths.into_iter();
        let mut row = || Some(buffer.split_to(lengths.next()??));
        Ok(requests
            .iter()
            .map(|(_, keys)| keys.iter().map(|_| row()).collect())
            .collect())
    })
}

#[cfg(test)]
mod tests;
