//! What the clients ask for, and what is right.

use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use anyhow::{Context, Result, bail, ensure};
use fs_integration::{Question, Repo};
use fs_proto::v1::column::Values;
use fs_proto::v1::get_online_features_request::Selection;
use fs_proto::v1::{
    Column, FeatureColumn, FeatureList, GetOnlineFeaturesRequest, GetOnlineFeaturesResponse,
    Int64s, NamedColumn, Strings,
};

const PRESENT: u8 = 1;
const NOT_FOUND: u8 = 3;

/// One plane, which is from 1999 or, where the store lost it, from nowhere.
#[derive(Debug)]
pub(crate) struct Flights;

impl Question for Flights {
    fn request(&self, _: usize) -> GetOnlineFeaturesRequest {
        let entities = [
            ("tailnum", "N14228"),
            ("carrier", "UA"),
            ("origin", "EWR"),
            ("dest", "IAH"),
        ];
        let named = entities.map(|(name, value)| NamedColumn {
            name: name.to_owned(),
            values: Some(Column {
                values: Some(Values::Strings(Strings {
                    values: vec![value.to_owned()],
                })),
                ..Column::default()
            }),
        });
        GetOnlineFeaturesRequest {
            selection: Some(Selection::FeatureService("delay_model_v1".to_owned())),
            entities: named.into(),
            ..GetOnlineFeaturesRequest::default()
        }
    }

    fn check(&self, answer: &GetOnlineFeaturesResponse) -> Result<()> {
        ensure!(answer.columns.len() == 26, "half an answer");
        let year = column(answer, "year")?;
        match (status(year, 0), int32s(year)?.first()) {
            (PRESENT, Some(1999)) | (NOT_FOUND, _) => Ok(()),
            other => bail!("a wrong answer: {other:?}"),
        }
    }
}

/// Users whose features are all the same number.
const USERS: usize = 4_000;
const FEATURES: usize = 20;
const AT_ONCE: usize = 40;

/// Some users, whose features are all the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Numbers {
    newest: Arc<AtomicI64>,
}

impl Numbers {
    /// The greatest number that was seen.
    pub(crate) fn newest(&self) -> i64 {
        self.newest.load(Ordering::SeqCst)
    }
}

impl Question for Numbers {
    fn request(&self, number: usize) -> GetOnlineFeaturesRequest {
        let users = (0..AT_ONCE).map(|step| (number * 7 + step * 101) % USERS);
        let users = users.map(|user| i64::try_from(user).unwrap_or_default());
        let features = (0..FEATURES).map(|feature| format!("numbers:f{feature}"));
        GetOnlineFeaturesRequest {
            selection: Some(Selection::Features(FeatureList {
                features: features.collect(),
            })),
            entities: vec![NamedColumn {
                name: "user_id".to_owned(),
                values: Some(Column {
                    values: Some(Values::Int64s(Int64s {
                        values: users.collect(),
                    })),
                    ..Column::default()
                }),
            }],
            ..GetOnlineFeaturesRequest::default()
        }
    }

    fn check(&self, answer: &GetOnlineFeaturesResponse) -> Result<()> {
        ensure!(answer.columns.len() == FEATURES, "half an answer");
        let first = int64s(&answer.columns[0])?.to_vec();
        for column in &answer.columns {
            ensure!(column.statuses.is_empty(), "{} is not there", column.name);
            let values = int64s(column)?;
            ensure!(values == first, "mixed rows: {first:?} and {values:?}");
        }
        let newest = first.into_iter().max().context("there are rows")?;
        self.newest.fetch_max(newest, Ordering::SeqCst);
        Ok(())
    }
}

fn column<'a>(answer: &'a GetOnlineFeaturesResponse, name: &str) -> Result<&'a FeatureColumn> {
    let found = answer.columns.iter().find(|column| column.name == name);
    found.with_context(|| format!("there is no {name}"))
}

fn status(column: &FeatureColumn, row: usize) -> u8 {
    column.statuses.get(row).copied().unwrap_or(PRESENT)
}

fn int32s(column: &FeatureColumn) -> Result<&[i32]> {
    let values = column
        .values
        .as_ref()
        .and_then(|values| values.values.as_ref());
    match values {
        Some(Values::Int32s(values)) => Ok(&values.values),
        other => bail!("{} is {other:?}", column.name),
    }
}

fn int64s(column: &FeatureColumn) -> Result<&[i64]> {
    let values = column
        .values
        .as_ref()
        .and_then(|values| values.values.as_ref());
    match values {
        Some(Values::Int64s(values)) => Ok(&values.values),
        other => bail!("{} is {other:?}", column.name),
    }
}

/// Makes every feature of every user `round`, as of that day of January 2013.
pub(crate) fn write_numbers(repo: &Repo, round: i64) -> Result<()> {
    let mut schema = String::new();
    let mut header = "user_id,event_timestamp".to_owned();
    for feature in 0..FEATURES {
        writeln!(schema, "  - {{ name: f{feature}, type: int64 }}")?;
        write!(header, ",f{feature}")?;
    }
    repo.write(
        "definitions.yaml",
        &format!(
            "kind: entity\nname: user\njoin_keys: [{{ name: user_id, type: int64 }}]\n---\n\
             kind: source\nname: numbers\nformat: csv\npath: numbers.csv\n\
             timestamp_field: event_timestamp\n---\n\
             kind: feature_view\nname: numbers\nentities: [user]\nsource: numbers\nschema:\n{schema}"
        ),
    )?;
    let mut rows = header;
    let values = format!(",{round}").repeat(FEATURES);
    for user in 0..USERS {
        write!(rows, "\n{user},2013-01-{round:02}T12:00:00Z{values}")?;
    }
    rows.push('\n');
    repo.write("numbers.csv", &rows)
}
