//! Work that takes more than half a millisecond of processor time at a stretch.

use std::future::Future;

use tokio::runtime::Handle;
use tokio::task::spawn_blocking;

use crate::Error;

/// Runs `work` on a thread of its own, so that decoding and encoding megabytes at a time does not
/// hold up the threads that answer online requests.
pub(crate) async fn off_runtime<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> Result<T, Error> {
    let runtime = Handle::current();
    Ok(spawn_blocking(move || runtime.block_on(work)).await?)
}
