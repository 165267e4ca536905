//! The keys of a request: which to fetch, each once, and which row of the answer needs which.

use std::collections::HashMap;

use arrow::array::ArrayRef;
use bytes::Bytes;
use fs_online::key::encode_columns;
use fs_online::{EncodedKey, OnlineStore, ViewKeys};

use crate::{Error, Plan};

/// What one request has to fetch.
pub(crate) struct Keys {
    /// For each view of the plan, its keys without repetition.
    distinct: Vec<Vec<EncodedKey>>,
    /// For each lookup and row, which of the view's keys; none where a part of the key is null.
    wanted: Vec<Vec<Option<usize>>>,
}

/// The rows of a request: for each lookup, one per entity.
pub(crate) type FetchedRows = Vec<Vec<Option<Bytes>>>;

impl Keys {
    pub(crate) fn of(plan: &Plan, columns: &[ArrayRef], rows: usize) -> Result<Self, Error> {
        let mut distinct: Vec<Vec<EncodedKey>> = vec![Vec::new(); plan.stored.len()];
        let mut positions: Vec<HashMap<EncodedKey, usize>> =
            vec![HashMap::new(); plan.stored.len()];
        let mut wanted = Vec::with_capacity(plan.lookups.len());
        for lookup in &plan.lookups {
            let parts: Vec<ArrayRef> = lookup
                .key_columns
                .iter()
                .filter_map(|column| columns.get(*column).cloned())
                .collect();
            let keys = encode_columns(&lookup.key_types, &parts, rows).map_err(Error::Store)?;
            let distinct = &mut distinct[lookup.stored];
            let positions = &mut positions[lookup.stored];
            let mut intern = |key: EncodedKey| {
                *positions.entry(key).or_insert_with_key(|key| {
                    distinct.push(key.clone());
                    distinct.len() - 1
                })
            };
            wanted.push(keys.into_iter().map(|key| key.map(&mut intern)).collect());
        }
        Ok(Self { distinct, wanted })
    }

    /// Fetches every key of every view in one round trip.
    pub(crate) async fn fetch(
        &self,
        store: &dyn OnlineStore,
        plan: &Plan,
    ) -> Result<FetchedRows, Error> {
        let requests: Vec<ViewKeys<'_>> = plan
            .stored
            .iter()
            .zip(&self.distinct)
            .map(|(view, keys)| ViewKeys { view, keys })
            .collect();
        let fetched = if self.distinct.iter().all(Vec::is_empty) {
            vec![Vec::new(); requests.len()]
        } else {
            store.read(&requests).await.map_err(Error::Store)?
        };
        for (position, request) in requests.iter().enumerate() {
            let found = fetched.get(position).map_or(0, Vec::len);
            if found != request.keys.len() {
                return Err(Error::RowCount {
                    store: store.describe(),
                    view: request.view.clone(),
                    expected: request.keys.len(),
                    found,
                });
            }
        }
        let of_lookup = |(lookup, wanted): (&crate::plan::Lookup, &Vec<Option<usize>>)| {
            let rows = &fetched[lookup.stored];
            let row = |key: &Option<usize>| key.and_then(|key| rows.get(key).cloned().flatten());
            wanted.iter().map(row).collect()
        };
        Ok(plan
            .lookups
            .iter()
            .zip(&self.wanted)
            .map(of_lookup)
            .collect())
    }
}
