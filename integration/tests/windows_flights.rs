//! The flights are replayed into the online store, event by event, and at sampled moments it says what the
//! training set says of those moments.

mod windows_flights {
    pub(crate) mod replay;
}

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, ensure};
use fs_core::EventTime;
use fs_integration::{Client, Entity, Online, Repo, Rows, read_parquet, write_spine_rows};
use fs_testkit::redis::TestRedis;
use fs_testkit::unique_project;
use serde_json::Value;
use windows_flights::replay::Stream;

const SERVICE: &str = "recent_history";
const VIEWS: &str = "carrier_delays,route_delays,plane_recent,airport_congestion";
const KEYS: [&str; 4] = ["tailnum", "carrier", "origin", "dest"];
const START: &str = "2013-01-01T00:00:00Z";
const HOUR: i64 = 3_600_000_000;
const WEEK: i64 = 7 * 24 * HOUR;
const PRESENT: u8 = 1;
const NULL_VALUE: u8 = 2;

/// Moments of a week that are looked at: after a day, in the third night to the microsecond, and at its end.
const MOMENTS: [i64; 3] = [24 * HOUR, 75 * HOUR + 29 * 60_000_000 + 1, WEEK];

/// What a feature was online at a moment, by moment, feature and flight.
type Seen = BTreeMap<EventTime, BTreeMap<String, Vec<(Value, u8)>>>;

#[tokio::test(flavor = "multi_thread")]
async fn replayed_event_by_event_the_embedded_store_says_what_training_says() -> Result<()> {
    // Every week there is.
    replay(&Online::Embedded, 12).await
}

#[tokio::test(flavor = "multi_thread")]
async fn replayed_event_by_event_redis_says_what_training_says() -> Result<()> {
    let redis = TestRedis::shared()?;
    replay(&Online::Redis(redis.url().to_owned()), 3).await
}

/// Materializes the first week and pushes the weeks after it. At the end of each the source, which has the
/// same events, is materialized: then they count by what it says, and not twice.
async fn replay(online: &Online, weeks: i64) -> Result<()> {
    let repo = Repo::flights(unique_project().as_str(), online)?;
    // States answer for three runs of the schedule: here for three weeks.
    repo.edit("windowed_views.yaml", "*/15 * * * *", "0 0 * * 2")?;
    repo.apply()?;
    let flights = flights(&read_parquet(&repo.file("data/label_spine.parquet"))?)?;
    let mut streams = [Stream::outcomes(&repo)?, Stream::departures(&repo)?];

    let mut seen = Seen::new();
    let mut pushed = 0;
    for week in 1..=weeks {
        let begin = after(week * WEEK)?;
        let at = begin.to_string();
        repo.json(&[
            "materialize-incremental",
            &at,
            "--now",
            &at,
            "--views",
            VIEWS,
        ])?;
        if week == 1 {
            for stream in &mut streams {
                stream.begin(begin);
            }
        }
        for moment in MOMENTS {
            let now = after(week * WEEK + moment)?;
            let server = repo.serve(&["--now", &now.to_string()])?;
            let mut client = Client::connect(server.url()).await?;
            for stream in &mut streams {
                pushed += stream.push_until(now, &mut client).await?;
            }
            seen.insert(now, ask(&mut client, &flights).await?);
            server.stop()?.success()?;
        }
    }
    ensure!(
        pushed > 10_000 * usize::try_from(weeks)?,
        "only {pushed} events were pushed"
    );

    // What happened at the last moment itself is part of the day after it.
    let end = after((weeks + 1) * WEEK + 24 * HOUR)?.to_string();
    repo.json(&[
        "materialize-incremental",
        &end,
        "--now",
        &end,
        "--views",
        VIEWS,
    ])?;
    let present = compare(&trained(&repo, &flights, &seen)?, &flights, &seen)?;
    let cells = seen.len() * flights.len() * seen.values().next().map_or(0, BTreeMap::len);
    assert!(present * 2 > cells, "only {present} of {cells} are values");
    Ok(())
}

fn after(micros: i64) -> Result<EventTime> {
    let start: EventTime = START.parse()?;
    Ok(EventTime::from_micros(start.as_micros() + micros))
}

/// Different flights of the spine, of every carrier.
fn flights(spine: &Rows) -> Result<Vec<Vec<String>>> {
    let mut flights = BTreeSet::new();
    let mut carriers = BTreeSet::new();
    for row in 0..spine.len() {
        let key = KEYS.map(|column| spine.cell(column, row));
        let key: Option<Vec<String>> = key
            .into_iter()
            .map(|cell| Some(cell.ok()?.as_str()?.to_owned()))
            .collect();
        // A cancelled flight has no plane.
        let Some(key) = key else { continue };
        if carriers.insert(key[1].clone()) || row % 700 == 0 {
            flights.insert(key);
        }
    }
    ensure!(carriers.len() == 16, "{} carriers", carriers.len());
    Ok(flights.into_iter().collect())
}

/// The features of all flights, now.
async fn ask(
    client: &mut Client,
    flights: &[Vec<String>],
) -> Result<BTreeMap<String, Vec<(Value, u8)>>> {
    let keys = flights.iter().map(|flight| {
        let parts = flight.iter().map(String::as_str);
        KEYS.into_iter().zip(parts).collect()
    });
    let keys: Vec<Vec<(&str, &str)>> = keys.collect();
    let entities: Vec<Entity<'_>> = keys.iter().map(Vec::as_slice).collect();
    Ok(client.service(SERVICE, &entities).await?.features)
}

/// The training set of all flights at all moments that were seen, moment by moment.
fn trained(repo: &Repo, flights: &[Vec<String>], seen: &Seen) -> Result<Rows> {
    let rows = seen.keys().flat_map(|now| {
        let flights = flights.iter();
        flights.map(|flight| (flight.as_slice(), *now))
    });
    let spine = repo.file("spine.parquet");
    write_spine_rows(&spine, &KEYS, &rows.collect::<Vec<_>>())?;
    let out = repo.file("training_set.parquet");
    let (spine, out_text) = (spine.display().to_string(), out.display().to_string());
    let ask = ["get-historical-features", "--service", SERVICE];
    repo.json(&[&ask[..], &["--spine", &spine, "--out", &out_text]].concat())?;
    read_parquet(&out)
}

/// Every value that was seen is that of the training set; returns how many are not null.
fn compare(trained: &Rows, flights: &[Vec<String>], seen: &Seen) -> Result<usize> {
    let mut present = 0;
    for (moment, (now, features)) in seen.iter().enumerate() {
        for (feature, cells) in features {
            for (flight, (value, status)) in cells.iter().enumerate() {
                let expected = trained.cell(feature, moment * flights.len() + flight)?;
                let of = || format!("{feature} of {:?} at {now}", flights[flight]);
                assert_eq!(*value, expected, "{} (status {status})", of());
                let right = if expected.is_null() {
                    NULL_VALUE
                } else {
                    PRESENT
                };
                assert_eq!(*status, right, "{}", of());
                present += usize::from(*status == PRESENT);
            }
        }
    }
    Ok(present)
}
