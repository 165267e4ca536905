//! An online store that has lost everything knows of no windows: it must not say that they are empty.

use anyhow::{Context, Result, ensure};
use fs_integration::{Answer, Client, Online, Repo};
use fs_testkit::net::PATIENCE;
use fs_testkit::redis::TestRedis;
use fs_testkit::unique_project;
use serde_json::Value;

const SERVICE: &str = "recent_history";
const JANUARY: [&str; 2] = ["2013-01-01", "2013-02-01"];
const PRESENT: u8 = 1;
const NULL_VALUE: u8 = 2;
const NOT_FOUND: u8 = 3;

/// Flew EWR to IAH on the last day of January.
const FLIGHT: [(&str, &str); 4] = [
    ("tailnum", "N14228"),
    ("carrier", "UA"),
    ("origin", "EWR"),
    ("dest", "IAH"),
];
/// No such flight ever was.
const NOTHING: [(&str, &str); 4] = [
    ("tailnum", "NOPLANE"),
    ("carrier", "??"),
    ("origin", "XXX"),
    ("dest", "YYY"),
];

/// The statuses of a feature, of the flight and of nothing.
fn statuses(answer: &Answer, feature: &str) -> Result<[u8; 2]> {
    match answer.features.get(feature).map(Vec::as_slice) {
        Some([(_, one), (_, other)]) => Ok([*one, *other]),
        other => anyhow::bail!("{feature} is {other:?}"),
    }
}

fn nothing_is_found(answer: &Answer) -> Result<()> {
    for feature in answer.features.keys() {
        let found = statuses(answer, feature)?;
        ensure!(found == [NOT_FOUND; 2], "{feature} is {found:?}");
    }
    Ok(())
}

/// Counts of what never happened are 0, and averages of it are null.
fn windows_are_there(answer: &Answer) -> Result<()> {
    assert_eq!(statuses(answer, "carrier_arrivals_1d")?, [PRESENT, PRESENT]);
    assert_eq!(statuses(answer, "carrier_delay_7d")?, [PRESENT, NULL_VALUE]);
    assert_eq!(answer.features["carrier_arrivals_1d"][1].0, Value::from(0));
    let busy = answer.features["carrier_arrivals_1d"][0].0.as_i64();
    ensure!(busy > Some(50), "{busy:?} arrivals of United in a day");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn windows_of_a_store_that_lost_everything_are_not_found_until_they_are_published_again()
-> Result<()> {
    let mut redis = TestRedis::private()?;
    let online = Online::Redis(redis.url().to_owned());
    let repo = Repo::flights(unique_project().as_str(), &online)?;
    repo.apply()?;
    let server = repo.serve(&["--now", JANUARY[1]])?;
    let mut client = Client::connect(server.url()).await?;
    nothing_is_found(&client.service(SERVICE, &[&FLIGHT, &NOTHING]).await?)
        .context("before the first run")?;

    let materialize = ["materialize", JANUARY[0], JANUARY[1], "--now", JANUARY[1]];
    repo.json(&materialize)?;
    windows_are_there(&client.service(SERVICE, &[&FLIGHT, &NOTHING]).await?)?;

    redis.stop()?;
    redis.restart_on_same_port()?;
    let recovered = async {
        loop {
            match client.service(SERVICE, &[&FLIGHT, &NOTHING]).await {
                Ok(answer) => return answer,
                Err(_) => tokio::task::yield_now().await,
            }
        }
    };
    let answer = tokio::time::timeout(PATIENCE, recovered).await?;
    nothing_is_found(&answer).context("after it lost everything")?;

    repo.json(&["materialize-incremental", JANUARY[1], "--now", JANUARY[1]])?;
    windows_are_there(&client.service(SERVICE, &[&FLIGHT, &NOTHING]).await?)?;
    server.stop()?.success()?;
    Ok(())
}
