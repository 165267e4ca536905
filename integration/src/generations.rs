//! A view of which any half-written state can be seen.
//!
//! ```text
//!   user_id  event_timestamp  f0            f1 … f19
//!   7        day 3            generation    follow from the generation, the user, the day and the feature
//! ```
//!
//! The source is written anew, as another *generation*, between materializations. All rows of a table
//! are of one generation if every run replaced all of it or nothing; a row is whole if its features
//! follow from each other.

mod question;
mod tables;

use std::fmt::Write;
use std::fs::File;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, TimestampMicrosecondArray};
use arrow::datatypes::{Int64Type, TimestampMicrosecondType};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;

use crate::{Online, Repo};

pub use question::Newest;
pub use tables::{Tables, log};

/// How many users there are.
pub const USERS: i64 = 1_500;

/// How many days there are, with a row of every user each.
pub const DAYS: i64 = 10;

/// How many features there are.
pub const FEATURES: i64 = 20;

/// All days, as a window.
pub const WINDOW: [&str; 2] = ["2026-01-01", "2026-01-11"];

/// When everything has happened.
pub const NOW: &str = "2026-02-01";

/// The view.
pub const VIEW: &str = "numbers";

/// 2026-01-01T00:00:00Z, in microseconds.
const START: i64 = 1_767_225_600_000_000;
const DAY: i64 = 86_400_000_000;
const MILLI: i64 = 1_000;

/// A source is read in steps of a day, and may be cut between days.
const ROW_GROUP: usize = 1_500;

/// The name of the file that the view is read from.
pub const SOURCE: &str = "numbers.parquet";

/// The event time of a row, in microseconds.
pub const fn event_time(user: i64, day: i64) -> i64 {
    START + day * DAY + user * MILLI
}

/// What a feature of a row is.
pub const fn value(generation: i64, user: i64, day: i64, feature: i64) -> i64 {
    match feature {
        0 => generation,
        _ => generation * 1_000_003 + user * 1_009 + day * 31 + feature,
    }
}

/// A repo of the view, with an applied definition and generation 1 in the source.
pub fn repo(project: &str, online: &Online) -> Result<Repo> {
    let repo = Repo::empty(project, online)?;
    define(&repo, "")?;
    write(&repo, 1)?;
    repo.apply()?;
    Ok(repo)
}

/// Writes the definition, with `more` lines about the view.
pub fn define(repo: &Repo, more: &str) -> Result<()> {
    let mut definitions = format!(
        "kind: entity\nname: user\njoin_keys: [{{ name: user_id, type: int64 }}]\n---\n\
         kind: source\nname: numbers\nformat: parquet\npath: {SOURCE}\n\
         timestamp_field: event_timestamp\n---\n\
         kind: feature_view\nname: {VIEW}\nentities: [user]\nsource: numbers\n{more}schema:\n"
    );
    for feature in 0..FEATURES {
        writeln!(definitions, "  - {{ name: f{feature}, type: int64 }}")?;
    }
    repo.write("definitions.yaml", &definitions)
}

/// Makes the source that generation, at once: whoever reads it has the old file or the new one.
pub fn write(repo: &Repo, generation: i64) -> Result<()> {
    let beside = repo.file(&format!("{SOURCE}.new"));
    write_file(&beside, generation)?;
    Ok(std::fs::rename(beside, repo.file(SOURCE))?)
}

/// Writes a file of that generation.
pub fn write_file(path: &std::path::Path, generation: i64) -> Result<()> {
    let rows: Vec<(i64, i64)> = (0..DAYS)
        .flat_map(|day| (0..USERS).map(move |user| (user, day)))
        .collect();
    let users = rows.iter().map(|(user, _)| *user);
    let times = rows.iter().map(|(user, day)| event_time(*user, *day));
    let times = TimestampMicrosecondArray::from_iter_values(times).with_timezone("UTC");
    let mut columns: Vec<(String, ArrayRef)> = vec![
        (
            "user_id".to_owned(),
            Arc::new(Int64Array::from_iter_values(users)),
        ),
        ("event_timestamp".to_owned(), Arc::new(times)),
    ];
    for feature in 0..FEATURES {
        let values = rows
            .iter()
            .map(|(user, day)| value(generation, *user, *day, feature));
        columns.push((
            format!("f{feature}"),
            Arc::new(Int64Array::from_iter_values(values)),
        ));
    }
    let batch = RecordBatch::try_from_iter(columns)?;
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(ROW_GROUP))
        .build();
    let mut writer = ArrowWriter::try_new(File::create(path)?, batch.schema(), Some(properties))?;
    writer.write(&batch)?;
    writer.close()?;
    Ok(())
}

/// The generation of rows that must all be there, each once, and all of one generation.
pub fn generation(rows: &RecordBatch) -> Result<i64> {
    let days = generations(rows)?;
    let first = *days.first().context("there are no days")?;
    ensure!(
        days.iter().all(|day| *day == first),
        "days of several generations: {days:?}"
    );
    Ok(first)
}

/// The generation of each day of a table whose rows must all be there, each once and whole.
pub fn generations(rows: &RecordBatch) -> Result<Vec<i64>> {
    let column = |name: &str| -> Result<&Int64Array> {
        let column = rows
            .column_by_name(name)
            .with_context(|| format!("no column {name}"))?;
        Ok(column.as_primitive::<Int64Type>())
    };
    let users = column("user_id")?;
    let times = rows.column_by_name("event_timestamp").context("no times")?;
    let times = times.as_primitive::<TimestampMicrosecondType>();
    let features: Vec<&Int64Array> = (0..FEATURES)
        .map(|feature| column(&format!("f{feature}")))
        .collect::<Result<_>>()?;
    let mut seen = vec![None; usize::try_from(USERS * DAYS)?];
    for row in 0..rows.num_rows() {
        let (user, time) = (users.value(row), times.value(row));
        let day = (time - START) / DAY;
        ensure!(
            (0..DAYS).contains(&day) && time == event_time(user, day),
            "a row of no file: {user}, {time}"
        );
        let generation = features[0].value(row);
        for (feature, values) in (0..).zip(&features) {
            let expected = value(generation, user, day, feature);
            ensure!(
                values.is_valid(row) && values.value(row) == expected,
                "f{feature} of {user} on day {day} is {}",
                values.value(row)
            );
        }
        let place = &mut seen[usize::try_from(day * USERS + user)?];
        ensure!(
            place.replace(generation).is_none(),
            "{user} is twice there on day {day}"
        );
    }
    let mut days = Vec::new();
    for (day, of_day) in seen.chunks(usize::try_from(USERS)?).enumerate() {
        let first = of_day[0].with_context(|| format!("user 0 is not there on day {day}"))?;
        let same = of_day
            .iter()
            .filter(|generation| **generation == Some(first))
            .count();
        ensure!(
            same == of_day.len(),
            "day {day} has {same} of {} rows of generation {first}",
            of_day.len()
        );
        days.push(first);
    }
    Ok(days)
}
