//! From the entities of a request to the key columns of its plan.
//!
//! A column that no feature is looked up by is read over: Feast's clients put the values of a request
//! among the entities, and columns for views that are not asked for. A misspelt key is still an error,
//! because the right one is missing then.

use arrow::array::ArrayRef;
use fs_core::DataType;
use fs_serving::{EntityColumns, KeyColumn};

use super::FeastError;
use super::column::column;
use super::frame::Frame;
use crate::Error;

/// The entities of a request, in the types of the plan's key columns.
#[derive(Debug)]
pub(super) struct Entities {
    /// What features are looked up by, one column per key.
    pub(super) columns: EntityColumns,
    /// The same columns, in the order of the plan.
    pub(super) keys: Vec<ArrayRef>,
    /// How many rows the answer has.
    pub(super) rows: usize,
}

impl Entities {
    /// The columns of `frame` that the plan needs.
    ///
    /// Views without entities have one global row: a request for nothing else is answered with one row,
    /// or with as many as its columns have.
    pub(super) fn bind(frame: &Frame<'_>, wanted: &[KeyColumn]) -> Result<Self, Error> {
        let keys: Vec<ArrayRef> = wanted
            .iter()
            .map(|key| key_column(frame, key))
            .collect::<Result<_, _>>()?;
        let rows = frame.rows().unwrap_or(1);
        if rows == 0 {
            return Err(FeastError::NoRows.into());
        }
        let named = wanted.iter().map(|key| key.name.clone());
        let columns = EntityColumns::new(named.zip(keys.iter().cloned()).collect())?;
        Ok(Self {
            columns,
            keys,
            rows,
        })
    }
}

fn key_column(frame: &Frame<'_>, key: &KeyColumn) -> Result<ArrayRef, FeastError> {
    let given = frame.get(&key.name).ok_or_else(|| FeastError::MissingKey {
        column: key.name.clone(),
        key_type: key.key_type,
        view: key.view.clone(),
        nearest: frame.nearest(&key.name),
    })?;
    column(&key.name, DataType::Scalar(key.key_type.scalar()), given)
}
