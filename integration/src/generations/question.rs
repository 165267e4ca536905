//! Online lookups that see a half-written row, or a row that went back.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use anyhow::{Result, bail, ensure};
use fs_proto::v1::column::Values;
use fs_proto::v1::get_online_features_request::Selection;
use fs_proto::v1::{
    Column, FeatureColumn, FeatureList, GetOnlineFeaturesRequest, GetOnlineFeaturesResponse,
    Int64s, NamedColumn,
};

use super::{DAYS, FEATURES, USERS, VIEW, value};
use crate::Question;

/// How many users are asked for at once.
const AT_ONCE: usize = 40;

/// Asks for the newest rows of some users. A row must be there, and whole, and its generation must never
/// be smaller than what the same client saw of the user before; so there may be one client only.
#[derive(Debug, Clone)]
pub struct Newest {
    seen: Arc<[AtomicI64]>,
    may_be_lost: bool,
}

impl Newest {
    /// Rows that are there throughout.
    pub fn kept() -> Self {
        Self::new(false)
    }

    /// Rows that are not there once the store has lost them; one that is there must be whole.
    pub fn perhaps_lost() -> Self {
        Self::new(true)
    }

    fn new(may_be_lost: bool) -> Self {
        let seen = (0..USERS).map(|_| AtomicI64::new(0)).collect();
        Self { seen, may_be_lost }
    }

    fn check_row(&self, answer: &GetOnlineFeaturesResponse, row: usize) -> Result<()> {
        let is_there = |column: &&FeatureColumn| {
            let status = column.statuses.get(row);
            status.is_none_or(|status| *status == 1)
        };
        let there = answer.columns.iter().filter(is_there).count();
        if there == 0 && self.may_be_lost {
            return Ok(());
        }
        let all = answer.columns.len();
        ensure!(there == all, "{there} features of a row are there");
        let features: Vec<i64> = answer
            .columns
            .iter()
            .map(|column| Ok(int64s(column)?[row]))
            .collect::<Result<_>>()?;
        // The second feature tells the user, who is not in the answer.
        let generation = features[0];
        let user = (features[1] - value(generation, 0, DAYS - 1, 1)) / 1_009;
        ensure!((0..USERS).contains(&user), "a row of nobody: {features:?}");
        let whole = (0..FEATURES).map(|feature| value(generation, user, DAYS - 1, feature));
        ensure!(
            features.iter().copied().eq(whole),
            "a mixed row: {features:?}"
        );
        let before = self.seen[usize::try_from(user)?].fetch_max(generation, Ordering::SeqCst);
        ensure!(
            before <= generation,
            "{user} went back from generation {before} to {generation}"
        );
        Ok(())
    }
}

impl Question for Newest {
    fn request(&self, number: usize) -> GetOnlineFeaturesRequest {
        let features = (0..FEATURES).map(|feature| format!("{VIEW}:f{feature}"));
        let users = (0..AT_ONCE).map(|step| i64::try_from(number * 7 + step * 101));
        let users = users.map(|user| user.unwrap_or_default() % USERS);
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
        ensure!(
            answer.columns.len() == usize::try_from(FEATURES)?,
            "half an answer"
        );
        (0..AT_ONCE).try_for_each(|row| self.check_row(answer, row))
    }
}

fn int64s(column: &FeatureColumn) -> Result<&[i64]> {
    let values = column.values.as_ref();
    match values.and_then(|values| values.values.as_ref()) {
        Some(Values::Int64s(values)) => Ok(&values.values),
        other => bail!("{} is {other:?}", column.name),
    }
}
