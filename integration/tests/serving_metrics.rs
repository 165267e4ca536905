//! What a server says about itself while it serves: metrics, logs.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use fs_integration::{Client, Online, Repo, Served};
use fs_testkit::net::{PATIENCE, wait_until};
use serde_json::Value;

const SERVICE: &str = "weather_only";
const KNOWN: [(&str, &str); 1] = [("origin", "EWR")];
const UNKNOWN: [(&str, &str); 1] = [("origin", "XXX")];

fn repo() -> Result<Repo> {
    let repo = Repo::flights("watched", &Online::Embedded)?;
    repo.apply()?;
    let week = ["materialize", "2013-01-01", "2013-01-08"];
    repo.json(&[&week[..], &["--now", "2013-01-08"]].concat())?;
    Ok(repo)
}

/// Three answers for two airports each, of which one is unknown, and one question for nothing.
async fn traffic(server: &Served) -> Result<()> {
    let mut client = Client::connect(server.url()).await?;
    for _ in 0..3 {
        client.service(SERVICE, &[&KNOWN, &UNKNOWN]).await?;
    }
    ensure!(client.service("nothing", &[&KNOWN]).await.is_err());
    Ok(())
}

fn number(metrics: &str, series: &str) -> Option<f64> {
    let line = metrics.lines().find_map(|line| line.strip_prefix(series));
    line?.trim().parse().ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_have_the_numbers_of_what_was_served() -> Result<()> {
    let repo = repo()?;
    let server = repo.serve(&["--now", "2013-01-08"])?;
    traffic(&server).await?;
    // How far the views have come is asked for once the server runs, beside all else.
    let metrics = wait_until(PATIENCE, || {
        let metrics = server.get("/metrics")?.1;
        let known = [
            "view_freshness_seconds",
            "view_last_success_timestamp_seconds",
        ];
        let known = known.map(|metric| format!("{metric}{{view=\"plane_attributes\"}}"));
        Ok(known
            .iter()
            .all(|series| metrics.contains(series))
            .then_some(metrics))
    })?;
    for (series, expected) in [
        (
            r#"fs_server_requests_total{method="GetOnlineFeatures",code="OK"}"#,
            3.0,
        ),
        (
            r#"fs_server_requests_total{method="GetOnlineFeatures",code="NOT_FOUND"}"#,
            1.0,
        ),
        (
            r#"fs_server_request_seconds_count{method="GetOnlineFeatures"}"#,
            4.0,
        ),
        (r#"fs_serving_stage_seconds_count{stage="decode"}"#, 3.0),
        (r#"fs_serving_stage_seconds_count{stage="store"}"#, 3.0),
        (r#"fs_serving_stage_seconds_count{stage="assemble"}"#, 3.0),
        (
            r#"fs_serving_rows_total{view="weather",status="PRESENT"}"#,
            3.0,
        ),
        (
            r#"fs_serving_rows_total{view="weather",status="NOT_FOUND"}"#,
            3.0,
        ),
        (r#"fs_server_in_flight{what="lookups"}"#, 0.0),
        (r#"fs_server_in_flight_limit{what="lookups"}"#, 512.0),
        (r#"fs_server_shed_total{what="lookups"}"#, 0.0),
        (
            r#"fs_server_view_freshness_seconds{view="origin_weather"}"#,
            0.0,
        ),
        ("fs_server_registry_version", 1.0),
        ("fs_server_training_sets_in_flight", 0.0),
        (r#"fs_server_build_info{version="0.1.0"}"#, 1.0),
    ] {
        let found = number(&metrics, series);
        assert_eq!(found, Some(expected), "{series} in\n{metrics}");
    }
    let series: BTreeSet<&str> = metrics
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .filter(|line| !line.contains("_bucket{"))
        .filter_map(|line| Some(line.rsplit_once(' ')?.0))
        .collect();
    let expected: BTreeSet<&str> = SERIES.lines().collect();
    assert_eq!(series, expected);
    Ok(())
}

/// Every series after [`traffic`], without the buckets of histograms.
const SERIES: &str = r#"fs_server_build_info{version="0.1.0"}
fs_server_in_flight_limit{what="lookups"}
fs_server_in_flight_limit{what="values"}
fs_server_in_flight_limit{what="writes"}
fs_server_in_flight{what="lookups"}
fs_server_in_flight{what="values"}
fs_server_in_flight{what="writes"}
fs_server_registry_version
fs_server_request_seconds_count{method="GetOnlineFeatures"}
fs_server_request_seconds_sum{method="GetOnlineFeatures"}
fs_server_requests_total{method="GetOnlineFeatures",code="NOT_FOUND"}
fs_server_requests_total{method="GetOnlineFeatures",code="OK"}
fs_server_shed_total{what="lookups"}
fs_server_shed_total{what="values"}
fs_server_shed_total{what="writes"}
fs_server_training_sets_in_flight
fs_server_view_freshness_seconds{view="airport_congestion"}
fs_server_view_freshness_seconds{view="carrier_delays"}
fs_server_view_freshness_seconds{view="origin_last_heavy_delay"}
fs_server_view_freshness_seconds{view="origin_weather"}
fs_server_view_freshness_seconds{view="plane_attributes"}
fs_server_view_freshness_seconds{view="plane_last_arrival"}
fs_server_view_freshness_seconds{view="plane_recent"}
fs_server_view_freshness_seconds{view="route_delays"}
fs_server_view_freshness_seconds{view="route_last_arrival"}
fs_serving_requests_total{code="NOT_FOUND"}
fs_serving_requests_total{code="OK"}
fs_serving_rows_total{view="weather",status="NOT_FOUND"}
fs_serving_rows_total{view="weather",status="OUTSIDE_MAX_AGE"}
fs_serving_rows_total{view="weather",status="PRESENT"}
fs_serving_stage_seconds_count{stage="assemble"}
fs_serving_stage_seconds_count{stage="decode"}
fs_serving_stage_seconds_count{stage="store"}
fs_serving_stage_seconds_sum{stage="assemble"}
fs_serving_stage_seconds_sum{stage="decode"}
fs_serving_stage_seconds_sum{stage="store"}
fs_view_freshness_objective_seconds{view="airport_congestion"}
fs_view_freshness_objective_seconds{view="carrier_delays"}
fs_view_freshness_objective_seconds{view="origin_last_heavy_delay"}
fs_view_freshness_objective_seconds{view="origin_weather"}
fs_view_freshness_objective_seconds{view="plane_last_arrival"}
fs_view_freshness_objective_seconds{view="plane_recent"}
fs_view_freshness_objective_seconds{view="route_delays"}
fs_view_freshness_objective_seconds{view="route_last_arrival"}
fs_view_fresh{view="airport_congestion"}
fs_view_fresh{view="carrier_delays"}
fs_view_fresh{view="origin_last_heavy_delay"}
fs_view_fresh{view="origin_weather"}
fs_view_fresh{view="plane_last_arrival"}
fs_view_fresh{view="plane_recent"}
fs_view_fresh{view="route_delays"}
fs_view_fresh{view="route_last_arrival"}
fs_view_lag_seconds{view="airport_congestion"}
fs_view_lag_seconds{view="carrier_delays"}
fs_view_lag_seconds{view="origin_last_heavy_delay"}
fs_view_lag_seconds{view="origin_weather"}
fs_view_lag_seconds{view="plane_attributes"}
fs_view_lag_seconds{view="plane_last_arrival"}
fs_view_lag_seconds{view="plane_recent"}
fs_view_lag_seconds{view="route_delays"}
fs_view_lag_seconds{view="route_last_arrival"}
fs_view_last_success_timestamp_seconds{view="airport_congestion"}
fs_view_last_success_timestamp_seconds{view="carrier_delays"}
fs_view_last_success_timestamp_seconds{view="origin_last_heavy_delay"}
fs_view_last_success_timestamp_seconds{view="origin_weather"}
fs_view_last_success_timestamp_seconds{view="plane_attributes"}
fs_view_last_success_timestamp_seconds{view="plane_last_arrival"}
fs_view_last_success_timestamp_seconds{view="plane_recent"}
fs_view_last_success_timestamp_seconds{view="route_delays"}
fs_view_last_success_timestamp_seconds{view="route_last_arrival"}"#;

#[tokio::test(flavor = "multi_thread")]
async fn metrics_that_are_off_are_not_there_and_the_server_serves() -> Result<()> {
    let repo = repo()?;
    let server = repo.serve(&["--now", "2013-01-08", "--metrics", "off"])?;
    traffic(&server).await?;
    let (status, text) = server.get("/metrics")?;
    assert_eq!(status, 404);
    ensure!(text.contains("metrics are off"), "{text}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_request_is_a_line_of_the_log_with_its_id() -> Result<()> {
    let repo = repo()?;
    let server = repo.serve(&["--now", "2013-01-08", "--log-format", "json"])?;
    let mut client = Client::connect(server.url()).await?;
    let mut request = tonic::Request::new(fs_proto::v1::GetOnlineFeaturesRequest::default());
    let id = "order-7".parse()?;
    request.metadata_mut().insert("x-request-id", id);
    ensure!(client.grpc.get_online_features(request).await.is_err());
    client.service(SERVICE, &[&KNOWN]).await?;
    let ended = server.stop()?.success()?;
    let lines: Vec<Value> = ended
        .stderr
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()?;
    let failed: Vec<_> = lines
        .iter()
        .filter(|line| line["message"] == "a request failed")
        .collect();
    assert_eq!(failed.len(), 1, "{lines:#?}");
    let line = failed[0];
    assert_eq!(line["request_id"], "order-7");
    assert_eq!(line["method"], "GetOnlineFeatures");
    assert_eq!(line["code"], "INVALID_ARGUMENT");
    assert_eq!(line["level"], "INFO");
    ensure!(line["took_us"].is_number(), "{line}");
    Ok(())
}
