//! Pushes to a server that is killed again and again.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use fs_integration::{Online, Repo};
use fs_proto::v1;
use fs_proto::v1::column::Values;
use fs_proto::v1::feature_store_client::FeatureStoreClient;
use fs_testkit::unique_project;
use tokio::sync::watch;
use tonic::Code;

/// The instant at which everything happens.
const NOW: &str = "2026-02-01T00:00:00Z";
/// 2026-01-20T00:00:00Z, in microseconds.
const START: i64 = 1_768_867_200_000_000;

const CLIENTS: i64 = 3;
const PUSHES: i64 = 30;
const KILLS: u32 = 8;
const PATIENCE: Duration = Duration::from_mins(2);

const DEFINITIONS: &str = "\
kind: entity
name: customer
join_keys: [{ name: customer_id, type: int64 }]
---
kind: source
name: orders
format: csv
path: orders.csv
timestamp_field: ordered_at
---
kind: feature_view
name: last_order
entities: [customer]
source: orders
schema:
  - { name: items, type: int64 }
---
kind: feature_view
name: all_orders
entities: [customer]
source: orders
aggregations:
  - { column: \"*\", function: count, windows: [lifetime], name: orders }
  - { column: items, function: sum, windows: [30d], name: ordered }
";

/// One push of one client: two rows, one of its own customer and one of a customer of all.
#[derive(Debug, Clone, Copy)]
struct Push {
    client: i64,
    number: i64,
}

impl Push {
    /// Customer, event time and a value that no other row has.
    fn rows(self) -> [(i64, i64, i64); 2] {
        let event = START + (self.number * CLIENTS + self.client) * 1_000_000;
        let value = 10 * (self.number * CLIENTS + self.client);
        [(self.client, event, value), (100, event, value + 1)]
    }

    /// Every fourth push of a client is in no table.
    const fn is_online_only(self) -> bool {
        self.number % 4 == 3
    }

    fn request(self) -> v1::PushRequest {
        let rows = self.rows();
        let ints = |values: Vec<i64>| Values::Int64s(v1::Int64s { values });
        let micros = rows.iter().map(|(_, event, _)| *event).collect();
        let columns = [
            ("customer_id", ints(rows.iter().map(|row| row.0).collect())),
            (
                "event_timestamp",
                Values::Timestamps(v1::Timestamps { micros }),
            ),
            ("items", ints(rows.iter().map(|row| row.2).collect())),
        ];
        let named = |(name, values): (&str, Values)| v1::NamedColumn {
            name: name.to_owned(),
            values: Some(v1::Column {
                values: Some(values),
                ..v1::Column::default()
            }),
        };
        let to = if self.is_online_only() {
            v1::PushTo::Online
        } else {
            v1::PushTo::Both
        };
        v1::PushRequest {
            // To both views of it.
            name: "orders".to_owned(),
            columns: columns.into_iter().map(named).collect(),
            to: to.into(),
            idempotency_key: format!("client {} push {}", self.client, self.number),
        }
    }
}

async fn attempt(url: &str, push: Push) -> Result<Vec<v1::PushedView>, tonic::Status> {
    let client = FeatureStoreClient::connect(url.to_owned()).await;
    let mut client = client.map_err(|error| tonic::Status::unavailable(error.to_string()))?;
    Ok(client.push(push.request()).await?.into_inner().views)
}

/// Pushes one after the other, each until it is answered, wherever the server is by then. How far the
/// client has come is told before and after every attempt.
async fn push_all(
    client: i64,
    mut server: watch::Receiver<String>,
    progress: watch::Sender<u32>,
) -> Result<()> {
    for number in 0..PUSHES {
        let push = Push { client, number };
        loop {
            progress.send_modify(|progress| *progress += 1);
            let url = server.borrow_and_update().clone();
            match attempt(&url, push).await {
                Ok(views) => {
                    let rows = views.iter().map(|view| view.outcomes.len());
                    ensure!(rows.eq([2, 2]), "{views:?}");
                    break;
                }
                // Killed, before or after it had done what it was asked to.
                Err(status)
                    if matches!(
                        status.code(),
                        Code::Unavailable | Code::Unknown | Code::Cancelled
                    ) =>
                {
                    let moved = server.wait_for(|now| *now != url);
                    tokio::time::timeout(PATIENCE, moved)
                        .await
                        .with_context(|| {
                            format!("{status:?}, and nobody restarted the server")
                        })??;
                }
                Err(status) => return Err(status.into()),
            }
        }
        progress.send_modify(|progress| *progress += 1);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_row_pushed_to_a_server_that_is_killed_is_offline_once_and_the_newest_is_online()
-> Result<()> {
    let repo = Repo::empty(unique_project().as_str(), &Online::Embedded)?;
    repo.write("definitions.yaml", DEFINITIONS)?;
    repo.write(
        "orders.csv",
        "customer_id,ordered_at,items\n1,2026-01-01T00:00:00Z,0\n",
    )?;
    repo.apply()?;
    // Windows are there once they were published, here of nothing.
    let nothing = ["materialize", "2025-01-01", "2025-01-02"];
    repo.json(&[&nothing[..], &["--views", "all_orders", "--now", NOW]].concat())?;

    let mut server = repo.serve(&["--now", NOW])?;
    let (moved, address) = watch::channel(server.url());
    let (told, mut progress) = watch::channel(0);
    let clients = (0..CLIENTS).map(|client| {
        let pushing = push_all(client, address.clone(), told.clone());
        tokio::spawn(pushing)
    });
    let clients: Vec<_> = clients.collect();
    drop(told);
    let mut moment = 0;
    for kill in 0..KILLS {
        // Some pushes later, at one that has just been sent or answered.
        moment += 5 + (kill * 7) % 11;
        tokio::time::timeout(PATIENCE, progress.wait_for(|progress| *progress >= moment)).await??;
        server.process().kill()?;
        server = repo.serve(&["--now", NOW])?;
        moved.send_replace(server.url());
    }
    for client in clients {
        tokio::time::timeout(PATIENCE, client).await???;
    }
    server.stop()?.success()?;

    let mut offline = BTreeSet::new();
    let mut newest: BTreeMap<i64, (i64, i64)> = BTreeMap::new();
    let mut all: BTreeMap<i64, (i64, i64)> = BTreeMap::new();
    for (client, number) in (0..CLIENTS).flat_map(|c| (0..PUSHES).map(move |n| (c, n))) {
        let push = Push { client, number };
        for (customer, event, value) in push.rows() {
            if !push.is_online_only() {
                offline.insert(value);
            }
            let newest = newest.entry(customer).or_insert((event, value));
            *newest = (*newest).max((event, value));
            let (orders, ordered) = all.entry(customer).or_default();
            *orders += 1;
            *ordered += value;
        }
    }
    assert_eq!(
        offline_values(&repo)?,
        offline.into_iter().collect::<Vec<_>>()
    );
    for (customer, (_, value)) in newest {
        let found = online_value(&repo, customer, "last_order:items")?;
        assert_eq!(found, value, "customer {customer}");
    }
    for (customer, (orders, ordered)) in all {
        let found = online_value(&repo, customer, "all_orders:orders_lifetime")?;
        assert_eq!(found, orders, "customer {customer}");
        let found = online_value(&repo, customer, "all_orders:ordered_30d")?;
        assert_eq!(found, ordered, "customer {customer}");
    }
    Ok(())
}

/// The values of all rows of the offline table, in order.
fn offline_values(repo: &Repo) -> Result<Vec<i64>> {
    let out = repo.file("all.csv");
    let out = out.to_str().context("a folder with a plain name")?;
    let sql = "SELECT customer_id, event_timestamp, items AS pushed FROM views.last_order";
    let ask = ["get-historical-features", "--features", "last_order:items"];
    repo.json(&[&ask[..], &["--spine-sql", sql, "--out", out]].concat())?;
    let text = std::fs::read_to_string(out)?;
    let mut values = Vec::new();
    for line in text.lines().skip(1) {
        let pushed = line.split(',').nth(2).context("a third column")?;
        values.push(pushed.parse()?);
    }
    values.sort_unstable();
    Ok(values)
}

fn online_value(repo: &Repo, customer: i64, feature: &str) -> Result<i64> {
    let entity = format!("customer_id={customer}");
    let ask = ["get-online-features", "--features", feature];
    let answer = repo.json(&[&ask[..], &["--entity", &entity, "--now", NOW]].concat())?;
    let (_, name) = feature.split_once(':').context("view:feature")?;
    let value = answer.pointer(&format!("/vectors/0/features/{name}"));
    let value = value.and_then(serde_json::Value::as_i64);
    value.with_context(|| format!("no value in {answer}"))
}
