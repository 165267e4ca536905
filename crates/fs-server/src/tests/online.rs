//! `GetOnlineFeatures` over the wire.

use bytes::Bytes;
use fs_proto::v1::column::Values;
use fs_proto::v1::{
    Column, Doubles, GetOnlineFeaturesRequest, GetServingInfoRequest, Int64s, Lists, NamedColumn,
    Timestamps,
};
use tonic::Code;

use super::fixture::{HOUR, NOW, Setup, ask, definitions, features, running, service, strings};

fn doubles(values: &[f64]) -> Values {
    let values = values.to_vec();
    Values::Doubles(Doubles { values })
}

#[tokio::test]
async fn typed_columns_come_back_with_a_status_for_every_value() {
    let running = running().await;
    let request = ask(service("model"), &["EWR", "BOS", "JFK", "LGA"]);
    let answer = running
        .client()
        .get_online_features(request)
        .await
        .unwrap()
        .into_inner();

    assert_eq!((answer.registry_version, answer.row_count), (1, 4));
    let names: Vec<&str> = answer
        .columns
        .iter()
        .map(|column| column.name.as_str())
        .collect();
    assert_eq!(names, ["temp", "gusts"]);
    for column in &answer.columns {
        assert_eq!(column.statuses, Bytes::from_static(&[1, 2, 3, 4]));
    }
    let temp = answer.columns[0].values.clone().unwrap();
    assert_eq!(temp.values, Some(doubles(&[70.0, 0.0, 0.0, 0.0])));
    let gusts = answer.columns[1].values.clone().unwrap();
    let lists = Lists {
        lengths: vec![2, 0, 0, 0],
        items: Some(Box::new(Column {
            values: Some(doubles(&[70.0, 70.0])),
            nulls: Bytes::new(),
        })),
    };
    assert_eq!(gusts.values, Some(Values::Lists(Box::new(lists))));
    assert!(answer.event_times.is_empty());
}

#[tokio::test]
async fn statuses_are_left_out_when_every_value_is_there() {
    let running = running().await;
    let request = ask(features(&["weather:temp"]), &["EWR"]);
    let answer = running
        .client()
        .get_online_features(request)
        .await
        .unwrap()
        .into_inner();
    assert!(answer.columns[0].statuses.is_empty());
}

#[tokio::test]
async fn event_times_and_full_names_come_when_they_are_asked_for() {
    let running = running().await;
    let request = GetOnlineFeaturesRequest {
        full_feature_names: true,
        include_event_times: true,
        ..ask(features(&["weather:temp"]), &["EWR", "JFK", "LGA"])
    };
    let answer = running
        .client()
        .get_online_features(request)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(answer.columns[0].name, "weather__temp");
    let times = answer.event_times[0].event_times.clone().unwrap();
    assert_eq!(answer.event_times[0].view, "weather");
    let micros = vec![NOW - 1, 0, NOW - 2 * HOUR];
    assert_eq!(
        times.values,
        Some(Values::Timestamps(Timestamps { micros }))
    );
    assert_eq!(times.nulls, Bytes::from_static(&[0, 1, 0]));
}

#[tokio::test]
async fn a_null_entity_value_is_not_found() {
    let running = running().await;
    let mut request = ask(features(&["weather:temp"]), &["EWR", "EWR"]);
    request.entities[0].values.as_mut().unwrap().nulls = Bytes::from_static(&[0, 1]);
    let answer = running
        .client()
        .get_online_features(request)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(answer.columns[0].statuses, Bytes::from_static(&[1, 3]));
}

#[tokio::test]
async fn an_unknown_service_or_feature_is_not_found_and_the_nearest_is_named() {
    let running = running().await;
    for (selection, nearest) in [
        (service("modle"), "did you mean `model`?"),
        (features(&["wether:temp"]), "did you mean `weather`?"),
        (features(&["weather:tmp"]), "did you mean `temp`?"),
    ] {
        let request = ask(selection, &["EWR"]);
        let status = running
            .client()
            .get_online_features(request)
            .await
            .unwrap_err();
        assert_eq!(status.code(), Code::NotFound);
        assert!(status.message().contains(nearest), "{}", status.message());
    }
}

#[tokio::test]
async fn a_malformed_request_is_an_invalid_argument_that_says_what_is_wrong() {
    let running = running().await;
    let good = || ask(service("model"), &["EWR"]);
    let column = |name: &str, values| NamedColumn {
        name: name.to_owned(),
        values,
    };
    let with = |entities| GetOnlineFeaturesRequest { entities, ..good() };
    let numbers = Column {
        values: Some(Values::Int64s(Int64s { values: vec![1] })),
        nulls: Bytes::new(),
    };
    let masked = Column {
        nulls: Bytes::from_static(&[0, 0]),
        ..strings(&["EWR"])
    };
    let lists = Column {
        values: Some(Values::Lists(Box::new(Lists {
            lengths: vec![1],
            items: Some(Box::new(strings(&["EWR"]))),
        }))),
        nulls: Bytes::new(),
    };
    let origin = || column("origin", Some(strings(&["EWR"])));
    for (request, complaint) in [
        (
            GetOnlineFeaturesRequest {
                selection: None,
                ..good()
            },
            "either `feature_service` or",
        ),
        (ask(features(&[]), &["EWR"]), "no features were asked for"),
        (
            ask(features(&["weather.temp"]), &["EWR"]),
            "write `view:feature`",
        ),
        (ask(service("no such"), &["EWR"]), "`no such` is not a name"),
        (with(vec![]), "entity column `origin` is missing"),
        (
            with(vec![column("origin", None)]),
            "column `origin` has no values",
        ),
        (
            with(vec![column("origin", Some(numbers))]),
            "must be of type string, and is Int64",
        ),
        (
            with(vec![column("origin", Some(masked))]),
            "a null mask of 2 bytes",
        ),
        (
            with(vec![column("origin", Some(lists))]),
            "must be of type string, and is List",
        ),
        (with(vec![origin(), origin()]), "`origin` is given twice"),
        (
            with(vec![origin(), column("dest", Some(strings(&[])))]),
            "`dest` has 0 rows",
        ),
        (
            with(vec![origin(), column("dest", Some(strings(&["X"])))]),
            "no entity column `dest`",
        ),
    ] {
        let status = running
            .client()
            .get_online_features(request)
            .await
            .unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{complaint}");
        assert!(status.message().contains(complaint), "{}", status.message());
    }
    // After all that, it is still there.
    running.client().get_online_features(good()).await.unwrap();
}

#[tokio::test]
async fn more_rows_than_the_limit_are_refused_with_the_limit() {
    let mut setup = Setup::new();
    setup.options.limits.rows = 2;
    setup.apply(&definitions()).await;
    let running = setup.start().await;
    let ask = |origins: &[&str]| {
        let request = ask(service("model"), origins);
        let mut client = running.client();
        async move { client.get_online_features(request).await }
    };
    assert!(ask(&["EWR", "JFK"]).await.is_ok());
    let status = ask(&["EWR", "JFK", "LGA"]).await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert!(
        status.message().contains("3 rows, and the server takes 2"),
        "{}",
        status.message()
    );
}

#[tokio::test]
async fn a_longer_message_than_the_limit_is_refused_with_the_limit() {
    let mut setup = Setup::new();
    setup.options.limits.message_bytes = 1_000;
    setup.apply(&definitions()).await;
    let running = setup.start().await;
    let origin = "x".repeat(2_000);
    let request = ask(service("model"), &[&origin]);
    let status = running
        .client()
        .get_online_features(request)
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::OutOfRange);
    assert!(
        status.message().contains("the limit is: 1000"),
        "{}",
        status.message()
    );
}

#[tokio::test]
async fn serving_info_names_the_project_and_the_version() {
    let running = running().await;
    let info = running
        .client()
        .get_serving_info(GetServingInfoRequest {})
        .await
        .unwrap();
    let info = info.into_inner();
    assert_eq!(
        (info.project.as_str(), info.registry_version),
        ("flights", 1)
    );
    assert_eq!(info.server_version, env!("CARGO_PKG_VERSION"));
}
