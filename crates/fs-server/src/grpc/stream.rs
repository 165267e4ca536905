//! `GetOnlineFeaturesStream`: many lookups of one client, answered in order.
//!
//! ```text
//!   messages   features + entities   entities   entities   …      at most AHEAD are worked on
//!   answers                    vectors    vectors    vectors      in the same order
//! ```
//! Each message is a call of its own: admitted, within a deadline, counted. The first that fails
//! ends the stream, after the answers to those before it; its status says which it was.

use std::future::ready;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use fs_serving::Plan;
use futures::stream::{self, Stream, StreamExt};
use tokio_util::sync::CancellationToken;
use tonic::codegen::BoxStream;
use tonic::metadata::{MetadataMap, MetadataValue};
use tonic::{Request, Status, Streaming};

use super::codec::Outgoing;
use super::lookup::{Lookup, plan};
use super::message::OnlineRequest;
use crate::Error;
use crate::call::CallContext;
use crate::shared::Shared;

/// How many messages of one stream are answered at the same time.
const AHEAD: usize = 4;

/// Where a status says which message it is about.
const POSITION: &str = "fs-stream-message";

/// Answers until the client has no more messages, or the server stops.
pub(super) fn get_online_features_stream(
    shared: Arc<Shared>,
    request: Request<Streaming<OnlineRequest>>,
) -> BoxStream<Outgoing> {
    let (metadata, _, messages) = request.into_parts();
    let messages = until_drained(messages, shared.draining.clone());
    let begun = Begun {
        shared,
        metadata: Arc::new(metadata),
        plan: None,
    };
    let mut answers = messages
        .enumerate()
        .scan(begun, |begun, (position, message)| {
            ready(Some(begun.next(position, message)))
        })
        .buffered(AHEAD)
        .boxed();
    let mut is_over = false;
    stream::poll_fn(move |context| {
        if is_over {
            return Poll::Ready(None);
        }
        let next = answers.poll_next_unpin(context);
        is_over = matches!(next, Poll::Ready(Some(Err(_))));
        next
    })
    .boxed()
}

/// The messages up to the moment at which nothing new should come; then an error, if there might have
/// been more.
fn until_drained<M: Send>(
    messages: impl Stream<Item = Result<M, Status>> + Send,
    draining: CancellationToken,
) -> impl Stream<Item = Result<M, Status>> + Send {
    let is_drained = Arc::new(AtomicBool::new(false));
    let drained = {
        let is_drained = Arc::clone(&is_drained);
        async move {
            draining.cancelled().await;
            is_drained.store(true, Ordering::Relaxed);
        }
    };
    let end = stream::once(async move {
        let is_drained = is_drained.load(Ordering::Relaxed);
        is_drained.then(|| Err(Status::from(Error::Stopping)))
    });
    let end = end.filter_map(ready);
    messages.take_until(drained).chain(end)
}

/// A stream and what it has said so far.
struct Begun {
    shared: Arc<Shared>,
    metadata: Arc<MetadataMap>,
    /// What the last message that selected anything selected.
    plan: Option<Arc<Plan>>,
}

impl Begun {
    /// Answers a message. What it selects is found at once, for the sake of those that follow.
    fn next(
        &mut self,
        position: usize,
        message: Result<OnlineRequest, Status>,
    ) -> impl Future<Output = Result<Outgoing, Status>> + Send + use<> {
        let shared = Arc::clone(&self.shared);
        let metadata = Arc::clone(&self.metadata);
        let lookup = message.map(|message| {
            let plan = match plan(&shared, &message) {
                Ok(Some(plan)) => self.plan.insert(plan),
                Ok(None) => self.plan.as_ref().ok_or(Error::Selection)?,
                Err(error) => return Err(error),
            };
            Lookup::new(Arc::clone(plan), message)
        });
        async move {
            let outcome = match lookup {
                Ok(lookup) => {
                    let context = CallContext::from_metadata(&metadata);
                    let work = async { lookup?.answer(&shared).await };
                    let outcome = shared.call("GetOnlineFeaturesStream", &context, work).await;
                    outcome.map_err(Status::from)
                }
                Err(unreadable) => Err(unreadable),
            };
            outcome.map_err(|status| at(position, &status))
        }
    }
}

/// The status, with the position of its message.
fn at(position: usize, status: &Status) -> Status {
    let message = format!("message {position} of the stream: {}", status.message());
    let mut metadata = status.metadata().clone();
    metadata.insert(POSITION, MetadataValue::from(position as u64));
    Status::with_metadata(status.code(), message, metadata)
}
