//! Training and serving give the same value: the flights at an instant, asked on both sides.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use fs_integration::{Client, Online, Repo, Rows, read_parquet, write_spine};
use fs_testkit::redis::TestRedis;
use fs_testkit::unique_project;

const SERVICE: &str = "delay_model_v1";
const KEYS: [&str; 4] = ["tailnum", "carrier", "origin", "dest"];
const FEATURES: [&str; 26] = [
    "year",
    "seats",
    "engines",
    "last_arr_delay",
    "last_dest",
    "last_air_time",
    "route_arr_delay",
    "route_air_time",
    "temp",
    "wind_speed",
    "wind_gust",
    "precip",
    "visib",
    "pressure",
    "heavy_dep_delay",
    "carrier_arrivals_1h",
    "carrier_delay_1d",
    "carrier_delay_spread_7d",
    "carrier_late_share_30d",
    "route_delay_7d",
    "route_diversions_lifetime",
    "plane_arrivals_1d",
    "plane_minutes_in_the_air_7d",
    "departures_1h",
    "departure_delay_1h",
    "departing_carriers_1h",
];
/// Instants that the weather, the arrivals and the TTLs make interesting.
const INSTANTS: [&str; 2] = ["2013-01-10T13:00:00Z", "2013-01-17T04:30:00.000001Z"];

#[tokio::test(flavor = "multi_thread")]
async fn the_embedded_store_serves_what_training_saw() -> Result<()> {
    compare(&Online::Embedded).await
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_serves_what_training_saw() -> Result<()> {
    let redis = TestRedis::shared()?;
    compare(&Online::Redis(redis.url().to_owned())).await
}

async fn compare(online: &Online) -> Result<()> {
    let repo = Repo::flights(unique_project().as_str(), online)?;
    repo.apply()?;
    let entities = entities(&read_parquet(&repo.file("data/label_spine.parquet"))?)?;
    for instant in INSTANTS {
        // Materialized as of the instant, read at the instant …
        repo.json(&["materialize-incremental", instant, "--now", instant])?;
        let server = repo.serve(&["--now", instant])?;
        let mut client = Client::connect(server.url()).await?;
        // … and joined at the instant.
        let spine = repo.file("spine.parquet");
        write_spine(&spine, &KEYS, &entities, instant)?;
        let out = repo.file("training_set.parquet");
        repo.json(&[
            "get-historical-features",
            "--service",
            SERVICE,
            "--spine",
            &spine.display().to_string(),
            "--out",
            &out.display().to_string(),
        ])?;
        let training = read_parquet(&out)?;

        let mut present = 0;
        for (page, keys) in entities.chunks(250).enumerate() {
            let keys: Vec<Vec<(&str, &str)>> = keys
                .iter()
                .map(|key| {
                    KEYS.into_iter()
                        .zip(key.iter().map(String::as_str))
                        .collect()
                })
                .collect();
            let keys: Vec<&[(&str, &str)]> = keys.iter().map(Vec::as_slice).collect();
            let answer = client.service(SERVICE, &keys).await?;
            for feature in FEATURES {
                for (row, (value, status)) in answer.features[feature].iter().enumerate() {
                    let expected = training.cell(feature, page * 250 + row)?;
                    assert_eq!(
                        *value, expected,
                        "{feature} of {:?} at {instant} ({status})",
                        keys[row]
                    );
                    present += usize::from(*status == 1);
                }
            }
        }
        assert!(
            present > entities.len() * 15,
            "only {present} values to compare"
        );
    }
    Ok(())
}

/// A thousand different flights of the spine.
fn entities(spine: &Rows) -> Result<Vec<Vec<String>>> {
    let mut entities = BTreeSet::new();
    for row in (0..spine.len()).step_by(7) {
        let key: Option<Vec<String>> = KEYS
            .into_iter()
            .map(|column| Some(spine.cell(column, row).ok()?.as_str()?.to_owned()))
            .collect();
        entities.extend(key);
        if entities.len() == 1000 {
            return Ok(entities.into_iter().collect());
        }
    }
    None.context("the spine has fewer than a thousand flights")
}
