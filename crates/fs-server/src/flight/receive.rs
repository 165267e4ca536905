//! A spine, as it comes in.

use std::time::Duration;

use arrow::datatypes::{Schema, SchemaRef};
use arrow_flight::decode::FlightRecordBatchStream;
use arrow_flight::error::FlightError;
use arrow_flight::{FlightData, FlightDescriptor};
use fs_training::Spine;
use futures::{Stream, StreamExt, TryStreamExt, stream};
use tokio::time::timeout;
use tonic::Status;

use super::uploads::Upload;
use crate::Error;

/// What a client sent: the descriptor of its first message, and a spine.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) descriptor: Option<FlightDescriptor>,
    pub(super) spine: Spine,
    /// Whether there was any, and not a descriptor alone.
    pub(super) has_spine: bool,
    bytes: usize,
}

impl Received {
    pub(super) fn into_upload(self) -> Upload {
        Upload {
            spine: self.spine,
            bytes: self.bytes,
        }
    }
}

/// Reads a spine of at most `limit` bytes to its end, while messages are at most `time` apart.
pub(super) async fn receive(
    messages: impl Stream<Item = Result<FlightData, Status>> + Send + Unpin + 'static,
    limit: usize,
    time: Duration,
) -> Result<Received, Error> {
    let mut messages = Box::pin(in_time(messages.map_err(FlightError::from), time));
    let mut descriptor = None;
    // Some clients send the descriptor alone, before the schema.
    let first = loop {
        let Some(mut message) = messages.try_next().await? else {
            let none = Spine::new(SchemaRef::new(Schema::empty()), Vec::new());
            return Ok(Received {
                descriptor,
                spine: none,
                has_spine: false,
                bytes: 0,
            });
        };
        descriptor = message.flight_descriptor.take().or(descriptor);
        if !message.data_header.is_empty() {
            break message;
        }
    };
    let (total, messages) = counted(stream::iter([Ok(first)]).chain(messages), limit);
    let mut decoded = FlightRecordBatchStream::new_from_flight_data(messages);
    let mut batches = Vec::new();
    while let Some(batch) = decoded.try_next().await? {
        batches.push(batch);
    }
    let schema = decoded.schema().cloned().ok_or(Error::NoSpine)?;
    Ok(Received {
        descriptor,
        has_spine: !schema.fields().is_empty(),
        spine: Spine::new(schema, batches),
        bytes: total.load(std::sync::atomic::Ordering::Relaxed),
    })
}

/// The same messages, and an error when the next takes longer than `time`.
fn in_time(
    messages: impl Stream<Item = Result<FlightData, FlightError>> + Send + Unpin + 'static,
    time: Duration,
) -> impl Stream<Item = Result<FlightData, FlightError>> + Send + 'static {
    stream::unfold(Some(messages), move |messages| async move {
        let mut messages = messages?;
        match timeout(time, messages.next()).await {
            Ok(message) => message.map(|message| (message, Some(messages))),
            Err(_elapsed) => {
                let error = Error::Stalled {
                    step: "send the next part of the spine",
                    after: time,
                };
                let error = FlightError::from_external_error(Box::new(error));
                Some((Err(error), None))
            }
        }
    })
}

type Total = std::sync::Arc<std::sync::atomic::AtomicUsize>;

/// Counts the bytes that come, and ends with an error when they are too many. Messages without data
/// carry nothing but notes of the client.
fn counted(
    messages: impl Stream<Item = Result<FlightData, FlightError>> + Send + 'static,
    limit: usize,
) -> (
    Total,
    impl Stream<Item = Result<FlightData, FlightError>> + Send + 'static,
) {
    use std::sync::atomic::Ordering::Relaxed;

    let total = Total::default();
    let count = total.clone();
    let counted = messages
        .try_filter(|message| std::future::ready(!message.data_header.is_empty()))
        .map(move |message| {
            let message = message?;
            let bytes = message.data_header.len() + message.data_body.len();
            if count.fetch_add(bytes, Relaxed).saturating_add(bytes) > limit {
                let error = Error::SpineTooLarge { limit };
                return Err(FlightError::from_external_error(Box::new(error)));
            }
            Ok(message)
        });
    (total, counted)
}

impl From<FlightError> for Error {
    /// Errors of ours that went through a Flight stream come out as they went in.
    fn from(error: FlightError) -> Self {
        match error {
            FlightError::ExternalError(error) => match error.downcast::<Self>() {
                Ok(ours) => *ours,
                Err(foreign) => Self::BadSpine(FlightError::ExternalError(foreign)),
            },
            other => Self::BadSpine(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Array, Int64Array, RecordBatch, StringDictionaryBuilder};
    use arrow::datatypes::Int32Type;
    use arrow_flight::encode::{DictionaryHandling, FlightDataEncoderBuilder};

    use fs_core::{Code, Coded};

    use super::*;

    /// So long that nobody waits for it to end.
    const LONG: Duration = Duration::from_hours(1);

    async fn encoded(batch: RecordBatch) -> Vec<Result<FlightData, Status>> {
        let encoder = FlightDataEncoderBuilder::new()
            .with_dictionary_handling(DictionaryHandling::Resend)
            .build(stream::iter([Ok(batch)]));
        encoder.map_err(Status::from).collect().await
    }

    fn batch() -> RecordBatch {
        let mut keys = StringDictionaryBuilder::<Int32Type>::new();
        keys.append_value("EWR");
        keys.append_null();
        let keys: Arc<dyn Array> = Arc::new(keys.finish());
        let labels: Arc<dyn Array> = Arc::new(Int64Array::from(vec![1, 2]));
        RecordBatch::try_from_iter([("origin", keys), ("label", labels)]).unwrap()
    }

    #[tokio::test]
    async fn a_spine_with_dictionaries_arrives_as_it_was_sent() {
        let received = receive(stream::iter(encoded(batch()).await), 1 << 20, LONG)
            .await
            .unwrap();
        assert_eq!(received.spine.rows(), Some(2));
        assert!(received.has_spine);
        assert!(received.bytes > 0);
    }

    #[tokio::test]
    async fn a_descriptor_may_come_before_the_schema_or_with_it() {
        let command = FlightDescriptor::new_cmd("{}");
        let mut together = encoded(batch()).await;
        together[0].as_mut().unwrap().flight_descriptor = Some(command.clone());
        let mut apart = encoded(batch()).await;
        apart.insert(0, Ok(FlightData::new().with_descriptor(command.clone())));
        for messages in [together, apart] {
            let received = receive(stream::iter(messages), 1 << 20, LONG)
                .await
                .unwrap();
            assert_eq!(received.descriptor, Some(command.clone()));
        }
    }

    #[tokio::test]
    async fn a_spine_over_the_limit_is_refused_with_the_limit() {
        let messages = stream::iter(encoded(batch()).await);
        let error = receive(messages, 100, LONG).await.unwrap_err();
        assert!(
            matches!(error, Error::SpineTooLarge { limit: 100 }),
            "{error}"
        );
    }

    #[tokio::test]
    async fn a_client_that_stops_sending_is_given_up_wherever_it_stops() {
        let messages = encoded(batch()).await;
        for sent in 0..=messages.len() {
            let messages = encoded(batch()).await.into_iter().take(sent);
            let stalling = stream::iter(messages).chain(stream::pending());
            let time = Duration::from_millis(1);
            let error = receive(stalling, 1 << 20, time).await.unwrap_err();
            assert!(matches!(error, Error::Stalled { .. }), "{error}");
            assert_eq!(error.code(), Code::DeadlineExceeded);
        }
    }

    #[tokio::test]
    async fn what_is_no_spine_is_refused() {
        let nothing = receive(stream::iter([]), 100, LONG).await.unwrap();
        assert!(!nothing.has_spine);
        let noise = FlightData::new().with_data_header(vec![7_u8; 9]);
        let noise = receive(stream::iter([Ok(noise)]), 100, LONG)
            .await
            .unwrap_err();
        assert!(matches!(noise, Error::BadSpine(_)), "{noise}");
    }
}
