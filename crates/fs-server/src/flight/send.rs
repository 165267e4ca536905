//! A training set, as it goes out.

use arrow_flight::FlightData;
use arrow_flight::encode::{DictionaryHandling, FlightDataEncoderBuilder};
use arrow_flight::error::FlightError;
use fs_training::TrainingSet;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::Status;

use crate::Error;
use crate::off_runtime::off_runtime;

/// How many messages may wait for a client that reads slowly.
const MESSAGES_AHEAD: usize = 2;

/// Encodes `set` message by message, as fast as the client reads and no faster.
///
/// `turn` is given back with the last message. A client that goes away ends the work; so does
/// `cutoff`, with an error, so that nobody takes what came for the whole.
pub(super) fn send(
    set: TrainingSet,
    turn: OwnedSemaphorePermit,
    cutoff: CancellationToken,
) -> BoxStream<'static, Result<FlightData, Status>> {
    let (sender, messages) = mpsc::channel(MESSAGES_AHEAD);
    let schema = set.schema().clone();
    let batches = set
        .into_stream()
        .map_err(|error| FlightError::from_external_error(Box::new(Error::from(error))));
    let mut encoded = FlightDataEncoderBuilder::new()
        .with_schema(schema)
        // Columns of the spine come back with the types they came with.
        .with_dictionary_handling(DictionaryHandling::Resend)
        .build(batches);
    let work = async move {
        let _turn = turn;
        loop {
            let next = cutoff.run_until_cancelled(encoded.next()).await;
            let (message, last) = match next {
                Some(Some(message)) => {
                    let message = message.map_err(|error| Status::from(Error::from(error)));
                    let last = message.is_err();
                    (message, last)
                }
                Some(None) => return,
                None => (Err(Error::Stopping.into()), true),
            };
            if sender.send(message).await.is_err() || last {
                return;
            }
        }
    };
    // The thread ends with the stream: dropping the receiver ends the sending.
    tokio::spawn(off_runtime(work));
    ReceiverStream::new(messages).boxed()
}
