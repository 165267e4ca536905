//! An unmodified Feast SDK (0.67, from PyPI) whose remote online store is `fs serve`.

use anyhow::{Context, Result};
use fs_integration::{Answer, Client, Entity, Online, Repo, Served, feast_sdk};
use serde_json::{Value, json};

const NEWARK: [(&str, &str); 4] = [
    ("tailnum", "N14228"),
    ("carrier", "UA"),
    ("origin", "EWR"),
    ("dest", "IAH"),
];
const LA_GUARDIA: [(&str, &str); 4] = [
    ("tailnum", "N24211"),
    ("carrier", "UA"),
    ("origin", "LGA"),
    ("dest", "IAH"),
];
const NOWHERE: [(&str, &str); 4] = [
    ("tailnum", "NOPLANE"),
    ("carrier", "??"),
    ("origin", "XXX"),
    ("dest", "YYY"),
];

/// What the SDK's own registry says of two of the views.
fn views(repo: &Repo) -> Value {
    let path = |name: &str| {
        repo.file(&format!("data/{name}.parquet"))
            .display()
            .to_string()
    };
    json!([
        {
            "name": "origin_weather",
            "keys": { "origin": "STRING" },
            "path": path("weather"),
            "push_source": "weather",
            "features": {
                "temp": "float64", "wind_speed": "float64", "wind_gust": "float64",
                "precip": "float64", "visib": "float64", "pressure": "float64",
            },
        },
        {
            "name": "plane_last_arrival",
            "keys": { "tailnum": "STRING" },
            "path": path("flight_outcomes"),
            "features": { "last_arr_delay": "int32", "last_dest": "string", "last_air_time": "int32" },
        },
    ])
}

fn run(repo: &Repo, server: &Served, steps: &Value) -> Result<Vec<Value>> {
    let folder = tempfile::tempdir()?;
    let url = format!("http://{}", server.http);
    let services = ["delay_model_v1", "weather_only"]
        .map(|name| json!({ "name": name, "features": { "origin_weather": ["temp"] } }));
    let steps = json!({ "views": views(repo), "services": services, "steps": steps });
    let outcomes = feast_sdk(folder.path(), &url, &steps)?;
    Ok(outcomes.as_array().context("a list of outcomes")?.clone())
}

/// That the SDK was told what our own client is told, value by value and status by status.
fn same(told: &Value, ours: &Answer) -> Result<()> {
    for (feature, cells) in &ours.features {
        let values: Vec<&Value> = cells.iter().map(|(value, _)| value).collect();
        // Through text, as what was told: both are read in the same way then, floats included.
        let values: Value = serde_json::from_str(&serde_json::to_string(&values)?)?;
        let statuses: Vec<u8> = cells.iter().map(|(_, status)| *status).collect();
        assert_eq!(told["values"][feature], values, "{feature}");
        assert_eq!(told["statuses"][feature], json!(statuses), "{feature}");
    }
    Ok(())
}

#[tokio::test]
async fn the_sdk_reads_by_service_and_by_features_what_our_own_client_reads() -> Result<()> {
    let repo = Repo::flights("feast_reads", &Online::Embedded)?
        .materialized("2013-01-01", "2013-02-01")?;
    let server = repo.serve(&["--now", "2013-02-01"])?;
    let entities: [Entity<'_>; 4] = [&NEWARK, &LA_GUARDIA, &NOWHERE, &NEWARK];
    let rows: Vec<Value> = entities
        .iter()
        .map(|entity| {
            entity
                .iter()
                .map(|(key, value)| ((*key).to_owned(), json!(value)))
                .collect()
        })
        .collect();
    let origins = json!([{ "origin": "EWR" }, { "origin": "XXX" }]);
    let outcomes = run(
        &repo,
        &server,
        &json!([
            { "do": "read", "service": "delay_model_v1", "entities": rows },
            {
                "do": "read",
                "features": ["origin_weather:wind_gust", "plane_attributes:year", "origin_weather:temp"],
                "entities": rows,
            },
            { "do": "read", "service": "weather_only", "entities": origins, "full_feature_names": true,
              "versions": true },
            { "do": "read", "features": ["origin_wether:temp"], "entities": origins },
            { "do": "read", "features": ["origin_weather:temp"], "entities": [{ "origin": 7 }] },
        ]),
    )?;

    let mut client = Client::connect(server.url()).await?;
    let ours = client.service("delay_model_v1", &entities).await?;
    same(&outcomes[0], &ours)?;
    assert_eq!(outcomes[0]["values"]["tailnum"][2], "NOPLANE");
    let statuses: Vec<u8> = ours
        .features
        .values()
        .flatten()
        .map(|(_, status)| *status)
        .collect();
    assert!(
        statuses.contains(&1) && statuses.contains(&3),
        "{statuses:?}"
    );

    // In the order asked for, behind the keys.
    let names = json!(["origin", "tailnum", "wind_gust", "year", "temp"]);
    assert_eq!(outcomes[1]["names"], names);
    assert_eq!(outcomes[1]["values"]["temp"], outcomes[0]["values"]["temp"]);
    assert_eq!(outcomes[1]["values"]["year"], outcomes[0]["values"]["year"]);

    let names = json!([
        "origin",
        "weather__temp",
        "weather__wind_speed",
        "weather__precip"
    ]);
    assert_eq!(outcomes[2]["names"], names);
    assert_eq!(outcomes[2]["versions"], json!([["weather", 1]]));
    assert_eq!(outcomes[2]["statuses"]["weather__temp"], json!([1, 3]));

    assert_eq!(outcomes[3]["error"], "FeatureViewNotFoundException");
    let message = outcomes[3]["message"].as_str().unwrap_or_default();
    assert!(
        message.contains("did you mean `origin_weather`?"),
        "{message}"
    );
    assert_eq!(outcomes[4]["error"], "FeastError");
    let message = outcomes[4]["message"].as_str().unwrap_or_default();
    assert!(
        message.contains("column `origin`, row 0: 7 is not of type string"),
        "{message}"
    );
    Ok(())
}

#[test]
fn the_sdk_writes_and_pushes_rows_and_the_newest_win() -> Result<()> {
    let repo = Repo::flights("feast_writes", &Online::Embedded)?
        .materialized("2013-01-01", "2013-02-01")?;
    let server = repo.serve(&["--now", "2013-02-01"])?;
    let row = |origin: &str, event: &str, temp: f64| {
        json!({
            "origin": origin, "temp": temp, "wind_speed": 1.0, "wind_gust": null, "precip": 0.0,
            "visib": 10.0, "pressure": 1013.25, "event_timestamp": event,
            "created_timestamp": "2013-02-01T00:00:00",
        })
    };
    let temp = json!({
        "do": "read",
        "features": ["origin_weather:temp", "origin_weather:wind_gust"],
        "entities": [{ "origin": "EWR" }, { "origin": "LGA" }, { "origin": "NEW" }],
    });
    let newest = "2013-01-31T23:59:59.5";
    let rows = [row("EWR", newest, 99.5), row("NEW", newest, -1.0)];
    let outcomes = run(
        &repo,
        &server,
        &json!([
            temp,
            { "do": "write", "view": "origin_weather", "rows": rows },
            temp,
            { "do": "write", "view": "origin_weather", "rows": [row("EWR", "2013-01-01T12:00:00", 1.0)] },
            { "do": "push", "source": "weather", "rows": [row("LGA", newest, 12.0)] },
            temp,
        ]),
    )?;
    let values = |at: usize, feature: &str| outcomes[at]["values"][feature].clone();
    let before = values(0, "temp");
    assert!(before[0].is_f64() && before[1].is_f64() && before[2].is_null());
    for done in [1, 3, 4] {
        assert_eq!(outcomes[done], Value::Null);
    }
    assert_eq!(values(2, "temp"), json!([99.5, before[1], -1.0]));
    assert_eq!(values(5, "temp"), json!([99.5, 12.0, -1.0]));
    assert_eq!(outcomes[5]["statuses"]["wind_gust"], json!([2, 2, 2]));
    Ok(())
}

#[tokio::test]
async fn the_sdk_materializes_through_us() -> Result<()> {
    let repo = Repo::flights("feast_materializes", &Online::Embedded)?;
    repo.apply()?;
    let server = repo.serve(&["--now", "2013-02-01"])?;
    let read = json!({
        "do": "read",
        "features": ["plane_last_arrival:last_arr_delay", "plane_last_arrival:last_dest"],
        "entities": [{ "tailnum": "N14228" }, { "tailnum": "N24211" }],
    });
    let views = ["plane_last_arrival"];
    let outcomes = run(
        &repo,
        &server,
        &json!([
            read,
            { "do": "materialize", "start": "2013-01-01T00:00:00", "end": "2013-01-15T00:00:00", "views": views },
            read,
            { "do": "materialize_incremental", "end": "2013-02-01T00:00:00+00:00", "views": views },
            read,
            { "do": "materialize_incremental", "end": "2023-02-01T00:00:00+00:00", "views": views },
        ]),
    )?;
    let statuses = |at: usize| outcomes[at]["statuses"]["last_arr_delay"].clone();
    assert_eq!(statuses(0), json!([3, 3]));
    assert_eq!(outcomes[1], Value::Null);
    // Two weeks are more than the ttl of two days.
    assert_eq!(statuses(2), json!([4, 4]));
    assert_eq!(outcomes[3], Value::Null);
    let message = outcomes[5]["message"].as_str().unwrap_or_default();
    assert!(message.contains("lies in the future"), "{message}");

    let entities: [Entity<'_>; 2] = [&NEWARK, &LA_GUARDIA];
    let mut client = Client::connect(server.url()).await?;
    let mut ours = client.service("delay_model_v1", &entities).await?;
    ours.features
        .retain(|name, _| ["last_arr_delay", "last_dest"].contains(&name.as_str()));
    assert_eq!(ours.features.len(), 2);
    same(&outcomes[4], &ours)?;
    let runs = repo.json(&["jobs", "list"])?;
    assert_eq!(runs.as_array().map(Vec::len), Some(2), "{runs}");
    Ok(())
}
