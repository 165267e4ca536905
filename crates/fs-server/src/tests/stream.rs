//! `GetOnlineFeaturesStream` over the wire.

use std::sync::atomic::Ordering;

use fs_proto::v1::get_online_features_request::Selection;
use fs_proto::v1::{GetOnlineFeaturesRequest, GetOnlineFeaturesResponse};
use futures::{Stream, StreamExt, stream};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Status, Streaming};

use super::fixture::{Running, ask, features, more_definitions, running, service};

fn first(origins: &[&str]) -> GetOnlineFeaturesRequest {
    ask(features(&["weather:temp"]), origins)
}

/// A message that selects nothing.
fn further(origins: &[&str]) -> GetOnlineFeaturesRequest {
    GetOnlineFeaturesRequest {
        selection: None,
        ..first(origins)
    }
}

async fn answers(
    running: &Running,
    messages: impl Stream<Item = GetOnlineFeaturesRequest> + Send + 'static,
) -> Streaming<GetOnlineFeaturesResponse> {
    let answers = running.client().get_online_features_stream(messages).await;
    answers.unwrap().into_inner()
}

async fn all(answers: Streaming<GetOnlineFeaturesResponse>) -> Vec<Result<u32, Status>> {
    answers
        .map(|answer| answer.map(|answer| answer.row_count))
        .collect()
        .await
}

#[tokio::test]
async fn messages_are_answered_in_order_and_those_that_select_nothing_mean_the_features_before() {
    let running = running().await;
    let messages = [
        first(&["EWR"]),
        further(&["LGA", "EWR"]),
        ask(service("model"), &["EWR"]),
        further(&["EWR", "BOS", "JFK"]),
    ];
    let expected: Vec<GetOnlineFeaturesResponse> = {
        let selections: [Selection; 4] = [
            features(&["weather:temp"]),
            features(&["weather:temp"]),
            service("model"),
            service("model"),
        ];
        let mut expected = Vec::new();
        for (message, selection) in messages.iter().zip(selections) {
            let message = GetOnlineFeaturesRequest {
                selection: Some(selection),
                ..message.clone()
            };
            let answer = running.client().get_online_features(message).await;
            expected.push(answer.unwrap().into_inner());
        }
        expected
    };
    let answers = answers(&running, stream::iter(messages)).await;
    let answers: Vec<_> = answers.map(Result::unwrap).collect().await;
    assert_eq!(answers, expected);
}

#[tokio::test]
async fn a_stream_that_selects_once_keeps_the_version_that_it_began_with() {
    let running = running().await;
    let (send, messages) = mpsc::channel(1);
    let mut answers = answers(&running, ReceiverStream::new(messages)).await;
    send.send(first(&["EWR"])).await.unwrap();
    assert_eq!(
        answers.message().await.unwrap().unwrap().registry_version,
        1
    );
    running.setup.apply(&more_definitions()).await;
    running.reloader.reload().await.unwrap();
    send.send(further(&["EWR"])).await.unwrap();
    assert_eq!(
        answers.message().await.unwrap().unwrap().registry_version,
        1
    );
    send.send(first(&["EWR"])).await.unwrap();
    assert_eq!(
        answers.message().await.unwrap().unwrap().registry_version,
        2
    );
}

#[tokio::test]
async fn the_first_message_that_fails_is_named_after_the_answers_to_those_before() {
    let running = running().await;
    let messages = [
        first(&["EWR"]),
        further(&["EWR", "LGA"]),
        ask(features(&["weather:tmp"]), &["EWR"]),
        further(&["EWR"]),
    ];
    let mut answers = all(answers(&running, stream::iter(messages)).await).await;
    let status = answers.pop().unwrap().unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
    let text = status.message();
    assert!(text.starts_with("message 2 of the stream: "), "{text}");
    assert!(text.contains("did you mean `temp`?"), "{text}");
    assert_eq!(status.metadata().get("fs-stream-message").unwrap(), "2");
    let rows: Vec<u32> = answers.into_iter().map(Result::unwrap).collect();
    assert_eq!(rows, [1, 2]);
}

#[tokio::test]
async fn a_stream_that_begins_without_a_selection_is_refused() {
    let running = running().await;
    let mut answers = all(answers(&running, stream::iter([further(&["EWR"])])).await).await;
    let status = answers.remove(0).unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert!(status.message().contains("message 0"), "{status}");
    assert!(answers.is_empty());
}

#[tokio::test]
async fn some_messages_are_worked_on_at_the_same_time() {
    let running = running().await;
    let store = running.setup.store.clone();
    store.close_gate();
    let messages = (0..10).map(|_| first(&["EWR"]));
    let answers = answers(&running, stream::iter(messages)).await;
    while store.reads.load(Ordering::SeqCst) < 4 {
        store.begun.notified().await;
    }
    // No answer has been taken, so none of the others has begun.
    assert_eq!(store.reads.load(Ordering::SeqCst), 4);
    store.open_gate();
    let answers = all(answers).await;
    let rows: Vec<u32> = answers.into_iter().map(Result::unwrap).collect();
    assert_eq!(rows, [1; 10]);
}

#[tokio::test]
async fn a_stream_ends_with_the_server_and_is_told_where() {
    let mut running = running().await;
    let (send, messages) = mpsc::channel(1);
    let mut answers = answers(&running, ReceiverStream::new(messages)).await;
    send.send(first(&["EWR"])).await.unwrap();
    answers.message().await.unwrap().unwrap();
    running.stop();
    let status = answers.message().await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    let text = status.message();
    assert!(text.starts_with("message 1 of the stream: "), "{text}");
    running.ended().await.unwrap();
}

#[tokio::test]
async fn a_stream_of_no_messages_has_no_answers() {
    let running = running().await;
    assert!(
        all(answers(&running, stream::iter([])).await)
            .await
            .is_empty()
    );
}
