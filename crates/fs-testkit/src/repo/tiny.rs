//! A small feature repo with every kind of trouble in its rows.

use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::Result;
use fs_core::ProjectName;

use super::{Click, Folder, Trip, clicks_batch, trips_batch};
use crate::unique_project;

/// A repo with two entities, three views and a service, whose sources a test may add rows to.
///
/// | View | Entity (keys) | Features | TTL | Source |
/// |---|---|---|---|---|
/// | `user_clicks` | `user` (`user_id` int64) | `clicks` int64, `score` float64 | 2h | `data/clicks/*.parquet`, with created time |
/// | `route_trips` | `route` (`origin`, `dest` string) | `minutes` float64, `carrier` string | 1d | `data/trips/*.parquet`, without |
/// | `user_profile` | `user` | `country` string, `premium` bool | none | `data/profiles.csv` |
///
/// The service `model_v1` takes `user_clicks`, `route_trips` and `country`.
///
/// ```text
///   user  event (2024-01-01)  created  clicks  score
///   1     10:00               10:00    3       0.5
///   1     11:00               11:05    4       null     superseded: the same event, known later
///   1     11:00               11:30    5       0.75     the newest of user 1
///   2     09:00               null     7       1.5      a null created time
///   2     12:00               12:00    null    null     the newest of user 2 is null in both
///
///   origin  dest  event (2024-01-01)  minutes  carrier
///   EWR     SFO   08:00               360      UA
///   EWR     SFO   20:00               null     DL
///   SFO     EWR   09:00               300      null     the same airports, the other way round
///
///   user  event                 country  premium
///   1     2023-06-01T00:00:00Z  DE       true
///   2     2023-06-01T00:00:00Z           false
/// ```
#[derive(Debug)]
pub struct TinyRepo {
    folder: Folder,
    project: ProjectName,
    files: AtomicU32,
}

/// Which online store the repo uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Online {
    /// LMDB, inside the repo.
    Embedded,
    /// The Redis at this URL.
    Redis(String),
}

const DEFINITIONS: &str = include_str!("definitions.yaml");

const PROFILES: &str = "user_id,event_timestamp,country,premium
1,2023-06-01T00:00:00Z,DE,true
2,2023-06-01T00:00:00Z,,false
";

impl TinyRepo {
    /// The repo, its sources filled with the rows above.
    pub fn new() -> Result<Self> {
        let repo = Self::without_rows()?;
        repo.add_clicks(&Self::clicks())?;
        repo.add_trips(&Self::trips())?;
        Ok(repo)
    }

    /// The repo with `data/profiles.csv` only: add clicks and trips before you materialize.
    pub fn without_rows() -> Result<Self> {
        let repo = Self {
            folder: Folder::new()?,
            project: unique_project(),
            files: AtomicU32::new(0),
        };
        repo.set_online(&Online::Embedded)?;
        repo.folder.write("definitions.yaml", DEFINITIONS)?;
        repo.folder.write("data/profiles.csv", PROFILES)?;
        Ok(repo)
    }

    /// The files.
    pub const fn folder(&self) -> &Folder {
        &self.folder
    }

    /// The folder's path.
    pub fn path(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// Its project, which no other test has.
    pub const fn project(&self) -> &ProjectName {
        &self.project
    }

    /// Chooses the online store by writing `feature_store.yaml` anew.
    pub fn set_online(&self, online: &Online) -> Result<()> {
        let online = match online {
            Online::Embedded => "{ type: embedded, path: .fs/online }".to_owned(),
            Online::Redis(url) => format!("{{ type: redis, url: \"{url}\" }}"),
        };
        let text = format!(
            "project: {}\nregistry: {{ path: .fs/registry }}\noffline_store: {{ path: .fs/offline \
             }}\nonline_store: {online}\nengine: {{ type: local }}\n",
            self.project
        );
        self.folder.write("feature_store.yaml", &text)?;
        Ok(())
    }

    /// Adds rows to the source `clicks`: one more file.
    pub fn add_clicks(&self, rows: &[Click]) -> Result<()> {
        let path = self.next_file("data/clicks");
        self.folder.parquet(&path, &clicks_batch(rows)?)?;
        Ok(())
    }

    /// Adds rows to the source `trips`: one more file.
    pub fn add_trips(&self, rows: &[Trip]) -> Result<()> {
        let path = self.next_file("data/trips");
        self.folder.parquet(&path, &trips_batch(rows)?)?;
        Ok(())
    }

    /// Replaces all rows of the source `clicks`.
    pub fn set_clicks(&self, rows: &[Click]) -> Result<()> {
        self.folder.remove("data/clicks")?;
        self.add_clicks(rows)
    }

    /// The rows of `clicks` that [`new`](Self::new) writes.
    pub fn clicks() -> Vec<Click> {
        vec![
            Click::new(1, "2024-01-01T10:00:00Z", 3).score(0.5),
            Click::new(1, "2024-01-01T11:00:00Z", 4).created(Some("2024-01-01T11:05:00Z")),
            Click::new(1, "2024-01-01T11:00:00Z", 5)
                .created(Some("2024-01-01T11:30:00Z"))
                .score(0.75),
            Click::new(2, "2024-01-01T09:00:00Z", 7)
                .created(None)
                .score(1.5),
            Click::new(2, "2024-01-01T12:00:00Z", None),
        ]
    }

    /// The rows of `trips` that [`new`](Self::new) writes.
    pub fn trips() -> Vec<Trip> {
        vec![
            Trip::new("EWR", "SFO", "2024-01-01T08:00:00Z", 360.0),
            Trip::new("EWR", "SFO", "2024-01-01T20:00:00Z", None).carrier(Some("DL")),
            Trip::new("SFO", "EWR", "2024-01-01T09:00:00Z", 300.0).carrier(None),
        ]
    }

    /// Files sort in the order in which they were added.
    fn next_file(&self, folder: &str) -> String {
        let number = self.files.fetch_add(1, Ordering::Relaxed);
        format!("{folder}/part_{number:05}.parquet")
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};

    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

    use super::*;

    fn rows(repo: &TinyRepo, folder: &str) -> usize {
        let files = fs::read_dir(repo.path().join(folder)).unwrap();
        let count = |file: File| {
            let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
            let batches = reader.build().unwrap();
            batches
                .map(|batch| batch.unwrap().num_rows())
                .sum::<usize>()
        };
        files
            .map(|file| count(File::open(file.unwrap().path()).unwrap()))
            .sum()
    }

    #[test]
    fn the_sources_hold_what_was_added() {
        let repo = TinyRepo::new().unwrap();
        assert_eq!(
            (rows(&repo, "data/clicks"), rows(&repo, "data/trips")),
            (5, 3)
        );
        repo.add_clicks(&[Click::new(3, "2024-01-02", 1)]).unwrap();
        assert_eq!(rows(&repo, "data/clicks"), 6);
        repo.set_clicks(&[Click::new(3, "2024-01-02", 1)]).unwrap();
        assert_eq!(rows(&repo, "data/clicks"), 1);
    }

    #[test]
    fn the_online_store_is_chosen_in_the_file_of_the_project() {
        let repo = TinyRepo::new().unwrap();
        let url = "redis://127.0.0.1:1".to_owned();
        repo.set_online(&Online::Redis(url)).unwrap();
        let text = repo.folder().read("feature_store.yaml").unwrap();
        assert!(text.contains("{ type: redis, url: \"redis://127.0.0.1:1\" }"));
        assert!(text.starts_with(&format!("project: {}\n", repo.project())));
    }
}
