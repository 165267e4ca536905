//! `Push` over gRPC.

use bytes::Bytes;
use fs_offline::{Scan, TableSchema};
use fs_proto::v1;
use fs_proto::v1::column::Values;
use fs_proto::v1::{Column, Doubles, Lists, NamedColumn, PushRequest, PushTo, Timestamps};
use futures::TryStreamExt;
use tonic::{Code, Status};

use super::fixture::{NOW, Running, Setup, ask, definitions, features, running, strings};

fn column(name: &str, values: Column) -> NamedColumn {
    NamedColumn {
        name: name.to_owned(),
        values: Some(values),
    }
}

fn values(values: Values) -> Column {
    Column {
        values: Some(values),
        nulls: Bytes::new(),
    }
}

fn doubles(items: &[f64]) -> Column {
    let items = items.to_vec();
    values(Values::Doubles(Doubles { values: items }))
}

/// Rows of `weather`: origin, event, temperature; each with one gust.
fn rows(rows: &[(&str, i64, f64)]) -> Vec<NamedColumn> {
    let origins: Vec<&str> = rows.iter().map(|(origin, _, _)| *origin).collect();
    let temps: Vec<f64> = rows.iter().map(|(_, _, temp)| *temp).collect();
    let micros = rows.iter().map(|(_, event, _)| *event).collect();
    let gusts = Lists {
        lengths: vec![1; rows.len()],
        items: Some(Box::new(doubles(&temps))),
    };
    vec![
        column("origin", strings(&origins)),
        column(
            "event_timestamp",
            values(Values::Timestamps(Timestamps { micros })),
        ),
        column("temp", doubles(&temps)),
        column("gusts", values(Values::Lists(Box::new(gusts)))),
    ]
}

fn request(columns: Vec<NamedColumn>, to: PushTo, key: &str) -> PushRequest {
    PushRequest {
        name: "weather".to_owned(),
        columns,
        to: to.into(),
        idempotency_key: key.to_owned(),
    }
}

impl Running {
    async fn push(&self, request: PushRequest) -> Result<v1::PushResponse, Status> {
        self.client()
            .push(request)
            .await
            .map(tonic::Response::into_inner)
    }

    async fn temp(&self, origin: &str) -> (f64, Bytes) {
        let request = ask(features(&["weather:temp"]), &[origin]);
        let answer = self.client().get_online_features(request).await.unwrap();
        let column = answer.into_inner().columns.remove(0);
        let Some(Values::Doubles(temps)) = column.values.unwrap().values else {
            panic!("temperatures are doubles")
        };
        (temps.values[0], column.statuses)
    }

    /// How many rows the offline table has.
    async fn offline_rows(&self) -> usize {
        let catalog = definitions();
        let schema = TableSchema::of(&catalog, &catalog.feature_views["weather"]);
        let scan = self.setup.offline.scan(&schema, &Scan::default()).await;
        let Ok(scan) = scan else { return 0 };
        let batches: Vec<_> = scan.stream().unwrap().try_collect().await.unwrap();
        batches
            .iter()
            .map(arrow::array::RecordBatch::num_rows)
            .sum()
    }
}

#[tokio::test]
async fn pushed_rows_are_served_at_once_and_are_in_the_offline_table() {
    let running = running().await;
    let pushed = rows(&[
        ("EWR", NOW, 71.5),
        ("EWR", NOW - 9, 1.0),
        ("JFK", NOW, 50.0),
    ]);
    let response = running
        .push(request(pushed, PushTo::Both, ""))
        .await
        .unwrap();
    assert_eq!(response.registry_version, 1);
    let [view] = response.views.as_slice() else {
        panic!("{response:?}")
    };
    assert_eq!(view.view, "weather");
    assert_eq!(view.outcomes, Bytes::from_static(&[1, 2, 1]));
    assert_eq!((view.stored, view.outdone, view.unpublished), (2, 1, 0));
    assert!(!view.repeated);
    assert_eq!(running.temp("EWR").await, (71.5, Bytes::new()));
    assert_eq!(running.temp("JFK").await, (50.0, Bytes::new()));
    assert_eq!(running.offline_rows().await, 3);
}

#[tokio::test]
async fn rows_go_where_they_are_sent_and_count_once_under_a_key() {
    let running = running().await;
    for (to, outcome, offline) in [
        (PushTo::Online, 1, 0),
        (PushTo::Offline, 3, 1),
        (PushTo::Unspecified, 1, 2),
    ] {
        let event = NOW - 3 + i64::from(outcome == 1) + offline;
        let pushed = rows(&[("JFK", event, 50.0)]);
        for repeated in [false, true] {
            let request = request(pushed.clone(), to, "key");
            let key = format!("{to:?}");
            let request = PushRequest {
                idempotency_key: key,
                ..request
            };
            let view = running.push(request).await.unwrap().views.remove(0);
            assert_eq!(view.repeated, repeated, "{to:?}");
            assert_eq!(view.outcomes, Bytes::from(vec![outcome]));
        }
        assert_eq!(
            running.offline_rows().await,
            usize::try_from(offline).unwrap()
        );
    }
}

#[tokio::test]
async fn rows_for_the_source_go_to_its_views() {
    let running = running().await;
    let mut request = request(rows(&[("JFK", NOW, 50.0)]), PushTo::Both, "");
    request.name = "reports".to_owned();
    let response = running.push(request).await.unwrap();
    assert_eq!(response.views[0].view, "weather");
    assert_eq!(running.temp("JFK").await, (50.0, Bytes::new()));
}

#[tokio::test]
async fn rows_that_do_not_fit_are_refused_with_every_reason_and_the_server_lives() {
    let running = running().await;
    let good = || rows(&[("JFK", NOW, 50.0), ("LGA", NOW, 51.0)]);
    let mut null = good();
    null[0].values.as_mut().unwrap().nulls = Bytes::from_static(&[0, 1]);
    null.remove(2);
    let mut short = good();
    short[2].values = Some(doubles(&[1.0]));
    let mut typed = good();
    typed[2].values = Some(strings(&["warm", "warmer"]));
    let mut empty = good();
    empty[1].values = None;
    for (columns, says) in [
        (
            null,
            "column `origin` is null in row 1; column `temp` is missing",
        ),
        (short, "column `temp` has 1 rows and column `origin` has 2"),
        (typed, "column `temp` is string and not float64"),
        (empty, "column `event_timestamp` has no values"),
        (Vec::new(), "column `origin` is missing"),
    ] {
        let status = running
            .push(request(columns, PushTo::Both, ""))
            .await
            .unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
        assert!(status.message().contains(says), "{}", status.message());
    }
    let mut nowhere = request(good(), PushTo::Both, "");
    nowhere.to = 9;
    let status = running.push(nowhere).await.unwrap_err();
    assert!(
        status.message().contains("`to` is 9"),
        "{}",
        status.message()
    );
    let mut nobody = request(good(), PushTo::Both, "");
    nobody.name = "wether".to_owned();
    let status = running.push(nobody).await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
    assert!(status.message().contains("did you mean `weather`?"));
    let key = "x".repeat(201);
    let status = running
        .push(request(good(), PushTo::Both, &key))
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert_eq!(running.offline_rows().await, 0);
    running
        .push(request(good(), PushTo::Both, ""))
        .await
        .unwrap();
}

#[tokio::test]
async fn more_rows_than_the_server_takes_are_refused() {
    let mut setup = Setup::new();
    setup.options.limits.push_rows = 2;
    setup.apply(&definitions()).await;
    let running = setup.start().await;
    let three = rows(&[("A", NOW, 1.0), ("B", NOW, 1.0), ("C", NOW, 1.0)]);
    let status = running
        .push(request(three, PushTo::Both, ""))
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert!(
        status.message().contains("takes 2 at once"),
        "{}",
        status.message()
    );
}

#[tokio::test]
async fn before_anything_is_applied_pushes_are_refused() {
    let running = Setup::new().start().await;
    let pushed = request(rows(&[("JFK", NOW, 50.0)]), PushTo::Both, "");
    let status = running.push(pushed).await.unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition);
}
