//! What both stores hold in the end, to compare two repos by.

use anyhow::{Context, Result, ensure};
use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::{SortColumn, lexsort_to_indices, take};
use serde_json::Value;

use super::{DAYS, FEATURES, NOW, USERS, VIEW, value};
use crate::{DeltaLog, Repo, generations};

/// The rows of the offline table, and what is found online for every key.
#[derive(Debug, PartialEq)]
pub struct Tables {
    /// All columns but the sequence, in the order of keys and times.
    offline: RecordBatch,
    /// The vectors, in the order of keys.
    online: Vec<Value>,
}

impl Tables {
    /// What `repo` holds now.
    pub fn of(repo: &Repo) -> Result<Self> {
        let log = log(repo)?;
        let newest = log.newest().context("there is no table")?;
        let rows = log.rows(newest)?.context("the table is empty")?;
        Ok(Self {
            offline: sorted(&rows)?,
            online: online(repo)?,
        })
    }

    /// The generation of all rows that are offline.
    pub fn generation(&self) -> Result<i64> {
        generations::generation(&self.offline)
    }

    /// How many rows of that generation are online.
    pub fn online_of(&self, generation: i64) -> usize {
        let of = |vector: &&Value| vector["features"]["f0"].as_i64() == Some(generation);
        self.online.iter().filter(of).count()
    }

    /// An error unless all rows, offline and online, are of that generation.
    pub fn expect_all_of(&self, generation: i64) -> Result<()> {
        let found = self.generation()?;
        ensure!(found == generation, "generation {found} is offline");
        ensure!(
            i64::try_from(self.online.len())? == USERS,
            "keys are missing"
        );
        for (user, vector) in (0..).zip(&self.online) {
            for feature in 0..FEATURES {
                let expected = value(generation, user, DAYS - 1, feature);
                let found = vector["features"][format!("f{feature}")].as_i64();
                ensure!(
                    found == Some(expected),
                    "online there is {vector}, not {expected}"
                );
            }
        }
        Ok(())
    }

    /// An error that says what is different.
    pub fn expect(&self, undisturbed: &Self) -> Result<()> {
        let (found, expected) = (self.offline.num_rows(), undisturbed.offline.num_rows());
        ensure!(
            found == expected,
            "{found} rows offline instead of {expected}"
        );
        ensure!(
            self.offline == undisturbed.offline,
            "the offline tables are not equal"
        );
        ensure!(
            self.online.len() == undisturbed.online.len(),
            "keys are missing"
        );
        for (found, expected) in self.online.iter().zip(&undisturbed.online) {
            ensure!(found == expected, "online there is {found}, not {expected}");
        }
        Ok(())
    }
}

/// The log of the view's offline table.
pub fn log(repo: &Repo) -> Result<DeltaLog> {
    DeltaLog::read(&repo.offline().join(VIEW))
}

fn sorted(rows: &RecordBatch) -> Result<RecordBatch> {
    let column = |name: &str| -> Result<ArrayRef> {
        let found = rows.column_by_name(name);
        Ok(found.with_context(|| format!("no column {name}"))?.clone())
    };
    let by = ["user_id", "event_timestamp"].map(|name| {
        let values = column(name)?;
        Ok(SortColumn {
            values,
            options: None,
        })
    });
    let by: Vec<SortColumn> = by.into_iter().collect::<Result<_>>()?;
    let order = lexsort_to_indices(&by, None)?;
    let schema = rows.schema();
    // The sequence is the order of commits, which is another when one is repeated.
    let names = schema.fields().iter().map(|field| field.name());
    let mut names: Vec<&String> = names.filter(|name| *name != "_sequence").collect();
    names.sort();
    let columns = names.into_iter().map(|name| {
        let values = take(&column(name)?, &order, None)?;
        Ok((name, values))
    });
    let columns: Vec<(&String, ArrayRef)> = columns.collect::<Result<_>>()?;
    Ok(RecordBatch::try_from_iter(columns)?)
}

fn online(repo: &Repo) -> Result<Vec<Value>> {
    let features = (0..FEATURES).map(|feature| format!("{VIEW}:f{feature}"));
    let features = features.collect::<Vec<_>>().join(",");
    let entities: Vec<String> = (0..USERS).map(|user| format!("user_id={user}")).collect();
    let mut ask = vec!["get-online-features", "--now", NOW, "--features", &features];
    ask.extend(entities.iter().flat_map(|entity| ["--entity", entity]));
    let answer = repo.json(&ask)?;
    let vectors = answer["vectors"].as_array();
    Ok(vectors.context("an answer has vectors")?.clone())
}
