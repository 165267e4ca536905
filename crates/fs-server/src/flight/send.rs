//! A training set, as it goes out.

use std::time::Duration;

use arrow_flight::FlightData;
use arrow_flight::encode::{DictionaryHandling, FlightDataEncoderBuilder};
use arrow_flight::error::FlightError;
use fs_training::save::Saving;
use fs_training::{Record, TrainingSet};
use futures::stream::{self, BoxStream};
use futures::{Stream, StreamExt, TryStreamExt};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::Status;

use crate::Error;
use crate::off_runtime::off_runtime;
use crate::turn::Turn;

/// How many messages may wait for a client that reads slowly.
const MESSAGES_AHEAD: usize = 2;

/// Encodes `set` message by message, as fast as the client reads and no faster.
///
/// Where the set is being saved, its last message is followed by an end only once it is. `turn` is given back with the last message. The work ends before when the client goes away, takes
/// longer than `time` to make room for a message, or at `cutoff`. However it ends, if it was not the
/// end of the training set the stream ends with an error, so that nobody takes what came for the
/// whole.
pub(super) fn send(
    set: TrainingSet,
    saving: Option<Saving>,
    turn: Turn,
    time: Duration,
    cutoff: CancellationToken,
) -> BoxStream<'static, Result<FlightData, Status>> {
    let schema = set.schema().clone();
    let record = set.record().map(Record::to_json).unwrap_or_default();
    let batches = set
        .into_stream()
        .map_err(|error| FlightError::from_external_error(Box::new(Error::from(error))));
    let encoded = FlightDataEncoderBuilder::new()
        .with_schema(schema)
        .with_metadata(record.into())
        // Columns of the spine come back with the types they came with.
        .with_dictionary_handling(DictionaryHandling::Resend)
        .build(batches);
    let saved = async {
        match saving {
            Some(saving) => saving.done().await.map(|_dataset| ()).map_err(Error::from),
            None => Ok(()),
        }
    };
    send_encoded(encoded, saved, turn, time, cutoff)
}

fn send_encoded(
    encoded: impl Stream<Item = Result<FlightData, FlightError>> + Send + Unpin + 'static,
    saved: impl Future<Output = Result<(), Error>> + Send + 'static,
    turn: Turn,
    time: Duration,
    cutoff: CancellationToken,
) -> BoxStream<'static, Result<FlightData, Status>> {
    let (sender, messages) = mpsc::channel(MESSAGES_AHEAD);
    // Apart from the messages: there is room for it even when the client does not read them.
    let (end, ended) = oneshot::channel();
    let work = async move {
        let forwarding = async {
            let forwarded = forward(encoded, sender, time).await;
            match (forwarded, saved.await) {
                (Ok(()), saved) => saved,
                // The one that failed first is why the other broke off.
                (Err(_), Err(error)) if error.is_of_saving() => Err(error),
                (Err(error), _) => Err(error),
            }
        };
        let forwarded = cutoff.run_until_cancelled(forwarding).await;
        drop(turn);
        // Nobody listens if the client has gone.
        end.send(forwarded.unwrap_or(Err(Error::Stopping))).ok();
    };
    // The thread ends with the stream: dropping the receiver ends the sending.
    tokio::spawn(off_runtime(work));
    let failure = stream::once(ended).filter_map(|ended| async {
        let outcome = ended.unwrap_or(Err(Error::BrokenOff));
        outcome.err().map(|error| Err(error.into()))
    });
    ReceiverStream::new(messages).map(Ok).chain(failure).boxed()
}

/// Sends all messages, unless the client goes away or stands still for `time`.
async fn forward(
    mut encoded: impl Stream<Item = Result<FlightData, FlightError>> + Unpin,
    sender: mpsc::Sender<FlightData>,
    time: Duration,
) -> Result<(), Error> {
    while let Some(message) = encoded.try_next().await? {
        let Ok(sent) = timeout(time, sender.send(message)).await else {
            return Err(Error::Stalled {
                step: "read the training set on",
                after: time,
            });
        };
        if sent.is_err() {
            break;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::future::ready;

    use tonic::Code;

    use super::*;
    use crate::turn::Turns;

    /// So long that nobody waits for it to end.
    const LONG: Duration = Duration::from_hours(1);

    fn messages(count: u8) -> Vec<Result<FlightData, FlightError>> {
        let message = |number| Ok(FlightData::new().with_app_metadata(vec![number]));
        (0..count).map(message).collect()
    }

    #[tokio::test]
    async fn a_client_that_reads_gets_everything_and_then_the_turn_is_free() {
        let turns = Turns::new(1);
        let turn = turns.next().await.unwrap();
        let encoded = stream::iter(messages(10));
        let sent = send_encoded(encoded, ready(Ok(())), turn, LONG, CancellationToken::new());
        let sent: Vec<_> = sent.try_collect().await.unwrap();
        assert_eq!(sent.len(), 10);
        turns.next().await.unwrap();
    }

    #[tokio::test]
    async fn a_client_that_does_not_read_on_loses_its_turn_and_hears_it_when_it_does() {
        let turns = Turns::new(1);
        let turn = turns.next().await.unwrap();
        let encoded = stream::iter(messages(10));
        let time = Duration::from_millis(10);
        let mut sent = send_encoded(encoded, ready(Ok(())), turn, time, CancellationToken::new());
        turns.next().await.unwrap();
        for number in 0..2 {
            let message = sent.next().await.unwrap().unwrap();
            assert_eq!(message.app_metadata, vec![number]);
        }
        let stalled = sent.next().await.unwrap().unwrap_err();
        assert_eq!(stalled.code(), Code::DeadlineExceeded);
        assert!(stalled.message().contains("10 ms"), "{stalled}");
        assert!(sent.next().await.is_none());
    }

    #[tokio::test]
    async fn a_client_that_goes_away_gives_its_turn_back() {
        let turns = Turns::new(1);
        let turn = turns.next().await.unwrap();
        let encoded = stream::iter(messages(10));
        drop(send_encoded(
            encoded,
            ready(Ok(())),
            turn,
            LONG,
            CancellationToken::new(),
        ));
        turns.next().await.unwrap();
    }

    #[tokio::test]
    async fn what_is_cut_off_ends_with_an_error_though_nobody_reads() {
        let (turns, cutoff) = (Turns::new(1), CancellationToken::new());
        let turn = turns.next().await.unwrap();
        let encoded = stream::iter(messages(10));
        let sent = send_encoded(encoded, ready(Ok(())), turn, LONG, cutoff.clone());
        cutoff.cancel();
        turns.next().await.unwrap();
        let error = sent.try_collect::<Vec<_>>().await.unwrap_err();
        assert_eq!(error.code(), Code::Unavailable);
    }

    #[tokio::test]
    async fn work_that_breaks_down_is_not_taken_for_the_end() {
        let turns = Turns::new(1);
        let turn = turns.next().await.unwrap();
        let broken = stream::poll_fn(|_| panic!("a defect"));
        let sent = send_encoded(broken, ready(Ok(())), turn, LONG, CancellationToken::new());
        let error = sent.try_collect::<Vec<_>>().await.unwrap_err();
        assert_eq!(error.code(), Code::Internal);
        turns.next().await.unwrap();
    }
}
