//! An object store that goes away and comes back, and loses answers.

use std::fmt;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use async_trait::async_trait;
use futures::stream::BoxStream;
use futures::{StreamExt, stream};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

/// What a store does with what it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    Well = 0,
    /// Every call fails.
    Away = 1,
    /// Every call waits for ever.
    Silent = 2,
    /// The next write is done, but its answer does not come back; then it is well.
    LosesAnAnswer = 3,
}

/// A store in memory with moods.
#[derive(Debug, Default)]
pub(crate) struct UnsteadyStore {
    inner: InMemory,
    mood: AtomicU8,
    writes: AtomicU64,
}

impl UnsteadyStore {
    pub(crate) fn set(&self, mood: Mood) {
        self.mood.store(mood as u8, Ordering::SeqCst);
    }

    /// Objects that were created.
    pub(crate) fn writes(&self) -> u64 {
        self.writes.load(Ordering::SeqCst)
    }

    fn is(&self, mood: Mood) -> bool {
        self.mood.load(Ordering::SeqCst) == mood as u8
    }

    async fn ready(&self) -> Result<()> {
        if self.is(Mood::Silent) {
            futures::future::pending::<()>().await;
        }
        if self.is(Mood::Away) {
            return Err(away());
        }
        Ok(())
    }
}

fn away() -> Error {
    Error::Generic {
        store: "Unsteady",
        source: "connection refused".into(),
    }
}

impl fmt::Display for UnsteadyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("unsteady")
    }
}

#[async_trait]
impl ObjectStore for UnsteadyStore {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        self.ready().await?;
        let done = self.inner.put_opts(location, payload, options).await?;
        self.writes.fetch_add(1, Ordering::SeqCst);
        if self.is(Mood::LosesAnAnswer) {
            self.set(Mood::Well);
            return Err(away());
        }
        Ok(done)
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.ready().await?;
        self.inner.get_opts(location, options).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        if self.is(Mood::Well) {
            self.inner.delete_stream(locations)
        } else {
            stream::once(async { Err(away()) }).boxed()
        }
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        if self.is(Mood::Silent) {
            stream::pending().boxed()
        } else if self.is(Mood::Away) {
            stream::once(async { Err(away()) }).boxed()
        } else {
            self.inner.list(prefix)
        }
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.ready().await?;
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}
