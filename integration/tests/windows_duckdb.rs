//! DuckDB makes the same windows, in its own way, from the files that the events came from.
//!
//! What the definitions say is said here once more, by hand, in the words of SQL: see `clients/duckdb_windows.py`.

use anyhow::Result;
use fs_integration::{Online, Repo, duckdb_windows};
use serde_json::{Value, json};

const SERVICE: &str = "recent_history";
const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

/// One feature: view, window, aggregate in SQL, and what it is of no events.
type Column = (
    &'static str,
    &'static str,
    Option<i64>,
    &'static str,
    &'static str,
);

const COLUMNS: [Column; 34] = [
    (
        "carrier_arrivals_1h",
        "carriers",
        Some(HOUR),
        "count(*)",
        "0",
    ),
    (
        "carrier_arrivals_1d",
        "carriers",
        Some(DAY),
        "count(*)",
        "0",
    ),
    ("carrier_delay_1h", "carriers", Some(HOUR), AVG, "NULL"),
    ("carrier_delay_1d", "carriers", Some(DAY), AVG, "NULL"),
    ("carrier_delay_7d", "carriers", Some(7 * DAY), AVG, "NULL"),
    ("carrier_delay_30d", "carriers", Some(30 * DAY), AVG, "NULL"),
    (
        "carrier_worst_delay_1d",
        "carriers",
        Some(DAY),
        "max(arr_delay)",
        "NULL",
    ),
    (
        "carrier_worst_delay_7d",
        "carriers",
        Some(7 * DAY),
        "max(arr_delay)",
        "NULL",
    ),
    (
        "carrier_delay_spread_7d",
        "carriers",
        Some(7 * DAY),
        SPREAD,
        "NULL",
    ),
    (
        "carrier_delay_spread_30d",
        "carriers",
        Some(30 * DAY),
        SPREAD,
        "NULL",
    ),
    ("carrier_late_share_1d", "carriers", Some(DAY), LATE, "NULL"),
    (
        "carrier_late_share_7d",
        "carriers",
        Some(7 * DAY),
        LATE,
        "NULL",
    ),
    (
        "carrier_late_share_30d",
        "carriers",
        Some(30 * DAY),
        LATE,
        "NULL",
    ),
    ("route_delay_7d", "routes", Some(7 * DAY), ARRIVED, "NULL"),
    ("route_delay_30d", "routes", Some(30 * DAY), ARRIVED, "NULL"),
    (
        "route_minutes_in_the_air_7d",
        "routes",
        Some(7 * DAY),
        "avg(air_time)",
        "NULL",
    ),
    (
        "route_minutes_in_the_air_30d",
        "routes",
        Some(30 * DAY),
        "avg(air_time)",
        "NULL",
    ),
    (
        "route_diversions_30d",
        "routes",
        Some(30 * DAY),
        DIVERTED,
        "0",
    ),
    ("route_diversions_lifetime", "routes", None, DIVERTED, "0"),
    ("plane_last_delays_7d", "planes", Some(7 * DAY), LAST, "[]"),
    ("plane_arrivals_1d", "planes", Some(DAY), "count(*)", "0"),
    (
        "plane_arrivals_7d",
        "planes",
        Some(7 * DAY),
        "count(*)",
        "0",
    ),
    (
        "plane_minutes_in_the_air_1d",
        "planes",
        Some(DAY),
        "sum(air_time)::BIGINT",
        "NULL",
    ),
    (
        "plane_minutes_in_the_air_7d",
        "planes",
        Some(7 * DAY),
        "sum(air_time)::BIGINT",
        "NULL",
    ),
    ("departures_1h", "airports", Some(HOUR), "count(*)", "0"),
    ("departures_3h", "airports", Some(3 * HOUR), "count(*)", "0"),
    (
        "departure_delay_1h",
        "airports",
        Some(HOUR),
        "avg(dep_delay)",
        "NULL",
    ),
    (
        "departure_delay_3h",
        "airports",
        Some(3 * HOUR),
        "avg(dep_delay)",
        "NULL",
    ),
    (
        "worst_departure_delay_1h",
        "airports",
        Some(HOUR),
        "max(dep_delay)",
        "NULL",
    ),
    (
        "worst_departure_delay_3h",
        "airports",
        Some(3 * HOUR),
        "max(dep_delay)",
        "NULL",
    ),
    (
        "departure_delay_p90_3h",
        "airports",
        Some(3 * HOUR),
        P90,
        "NULL",
    ),
    ("departure_delay_p90_1d", "airports", Some(DAY), P90, "NULL"),
    (
        "departing_carriers_1h",
        "airports",
        Some(HOUR),
        "count(DISTINCT carrier)",
        "0",
    ),
    (
        "busiest_destinations_1d",
        "airports",
        Some(DAY),
        BUSIEST,
        "[]",
    ),
];

const AVG: &str = "avg(arr_delay)";
const SPREAD: &str = "stddev_samp(arr_delay)";
const LATE: &str = "avg(arr_delayed_15::INT)";
const ARRIVED: &str = "avg(arr_delay) FILTER (NOT diverted)";
const DIVERTED: &str = "count(*) FILTER (diverted)";
/// Of delays that came in the same minute, the greater one counts as the newer one.
const LAST: &str = "list(arr_delay ORDER BY event_timestamp DESC, created_timestamp DESC, arr_delay DESC) \
                    FILTER (NOT diverted AND arr_delay IS NOT NULL)[:3]";
const P90: &str = "quantile_disc(dep_delay, 0.9)::DOUBLE";
const BUSIEST: &str = "list_transform(list_sort(list_transform(map_entries(histogram(dest)), \
                       lambda entry: { 'rank': -entry.value::BIGINT, 'dest': entry.key })), \
                       lambda entry: entry.dest)[:3]";

/// What a feature may be off, relative to its value.
fn tolerance(feature: &str) -> f64 {
    match feature {
        // Two ways to calculate a deviation.
        name if name.contains("spread") => 1e-12,
        // What approx_percentile promises.
        name if name.contains("p90") => 0.01,
        _ => 0.0,
    }
}

#[test]
fn duckdb_agrees_about_the_windows_of_the_flights() -> Result<()> {
    let repo = Repo::flights("windows_duckdb", &Online::Embedded)?;
    repo.apply()?;
    let period = [
        "materialize",
        "2013-01-01",
        "2013-04-01",
        "--now",
        "2013-04-01",
    ];
    repo.json(
        &[
            &period[..],
            &[
                "--views",
                "carrier_delays,route_delays,plane_recent,airport_congestion",
            ],
        ]
        .concat(),
    )?;
    let (spine, out) = (
        repo.file("data/label_spine.parquet"),
        repo.file("out.parquet"),
    );
    let (spine_text, out_text) = (spine.display().to_string(), out.display().to_string());
    let ask = ["get-historical-features", "--service", SERVICE];
    repo.json(&[&ask[..], &["--spine", &spine_text, "--out", &out_text]].concat())?;

    let events = |file: &str| {
        let path = repo.file(&format!("data/{file}.parquet"));
        format!("SELECT * FROM read_parquet('{}')", path.display())
    };
    let view = |file: &str, keys: &[&str]| json!({ "events": events(file), "keys": keys });
    let columns: Vec<Value> = COLUMNS
        .iter()
        .map(|(name, view, window, aggregate, empty)| {
            json!([name, view, window, aggregate, empty, tolerance(name)])
        })
        .collect();
    let spec = json!({
        "every": 40,
        "views": {
            "carriers": view("flight_outcomes", &["carrier"]),
            "routes": view("flight_outcomes", &["origin", "dest"]),
            "planes": view("flight_outcomes", &["tailnum"]),
            "airports": view("departures", &["origin"]),
        },
        "columns": columns,
    });
    let told = duckdb_windows(&out, &spine, &spec)?;
    assert_eq!(told["different"], json!({}), "{told}");
    assert!(told["compared"].as_u64() > Some(60_000), "{told}");
    Ok(())
}
