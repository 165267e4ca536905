//! The keys of a request: which to fetch, each once, and which row of the answer needs which.

use std::hash::BuildHasher;

use arrow::array::ArrayRef;
use bytes::Bytes;
use foldhash::fast::RandomState;
use fs_online::key::encode_columns;
use fs_online::{EncodedKey, OnlineStore, ViewKeys};
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use crate::plan::{KeySet, Lookup};
use crate::{Error, Plan};

/// What one request has to fetch, group by group of the plan.
pub(crate) struct Keys(Vec<GroupKeys>);

/// The keys that some views are asked for.
struct GroupKeys {
    /// Without repetition.
    distinct: Vec<EncodedKey>,
    /// For each key set of the group, which of them each row needs.
    needed: Vec<Needed>,
}

/// Which of the distinct keys each row needs.
enum Needed {
    /// The first row the first, the second the second, and so on: no key appears twice.
    InOrder,
    /// These; [`NO_KEY`] where a part of the key is null.
    These(Vec<u32>),
}

const NO_KEY: u32 = u32::MAX;

/// The rows of a request: for each stored view, one per distinct key.
pub(crate) type FetchedRows = Vec<Vec<Option<Bytes>>>;

impl Keys {
    pub(crate) fn of(plan: &Plan, columns: &[ArrayRef], rows: usize) -> Result<Self, Error> {
        let group = |sets: &Vec<usize>| {
            let mut group = Distinct::with_capacity(rows);
            let needed = sets.iter().map(|set| {
                let keys = encode(&plan.key_sets[*set], columns, rows)?;
                Ok(group.add(keys))
            });
            let needed = needed.collect::<Result<_, Error>>()?;
            let distinct = group.keys;
            Ok(GroupKeys { distinct, needed })
        };
        plan.groups
            .iter()
            .map(group)
            .collect::<Result<_, _>>()
            .map(Self)
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
            .map(|stored| ViewKeys {
                view: &stored.id,
                keys: &self.0[stored.group].distinct,
            })
            .collect();
        if requests.iter().all(|request| request.keys.is_empty()) {
            return Ok(vec![Vec::new(); requests.len()]);
        }
        let fetched = store.read(&requests).await.map_err(Error::Store)?;
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
        Ok(fetched)
    }

    /// The rows that a lookup needs, one per row of the answer. Those that nobody needs after it
    /// are moved.
    pub(crate) fn rows_of(
        &self,
        plan: &Plan,
        lookup: &Lookup,
        fetched: &mut FetchedRows,
        rows: usize,
    ) -> Vec<Option<Bytes>> {
        let found = &mut fetched[lookup.stored];
        match &self.0[plan.stored[lookup.stored].group].needed[lookup.member] {
            Needed::InOrder if lookup.is_last => {
                let mut found = std::mem::take(found);
                found.truncate(rows);
                found
            }
            Needed::InOrder => found.iter().take(rows).cloned().collect(),
            Needed::These(keys) => {
                let row = |key: &u32| found.get(usize::try_from(*key).ok()?).cloned().flatten();
                keys.iter().map(row).collect()
            }
        }
    }
}

fn encode(
    set: &KeySet,
    columns: &[ArrayRef],
    rows: usize,
) -> Result<Vec<Option<EncodedKey>>, Error> {
    let parts: Vec<ArrayRef> = set
        .columns
        .iter()
        .filter_map(|column| columns.get(*column).cloned())
        .collect();
    encode_columns(&set.types, &parts, rows).map_err(Error::Store)
}

/// Keys, each once, and where they are.
struct Distinct {
    keys: Vec<EncodedKey>,
    places: HashTable<u32>,
    hasher: RandomState,
    rows: usize,
}

impl Distinct {
    fn with_capacity(rows: usize) -> Self {
        Self {
            keys: Vec::with_capacity(rows),
            places: HashTable::new(),
            hasher: RandomState::default(),
            rows,
        }
    }

    /// Adds the keys of every row, and says where they are.
    fn add(&mut self, keys: Vec<Option<EncodedKey>>) -> Needed {
        let mut these: Option<Vec<u32>> = None;
        for (row, key) in (0_u32..).zip(keys) {
            let place = key.map_or(NO_KEY, |key| self.place(key));
            match &mut these {
                Some(these) => these.push(place),
                None if place == row => {}
                None => {
                    let mut places = Vec::with_capacity(self.rows);
                    places.extend(0..row);
                    places.push(place);
                    these = Some(places);
                }
            }
        }
        these.map_or(Needed::InOrder, Needed::These)
    }

    fn place(&mut self, key: EncodedKey) -> u32 {
        let Self { keys, places, .. } = self;
        let next = u32::try_from(keys.len()).unwrap_or(NO_KEY);
        // A single row needs no table.
        if self.rows == 1 {
            let known = keys.iter().position(|other| *other == key);
            return known.map_or_else(
                || {
                    keys.push(key);
                    next
                },
                |known| u32::try_from(known).unwrap_or(NO_KEY),
            );
        }
        if places.is_empty() {
            places.reserve(self.rows, |_| 0);
        }
        let hash = |key: &EncodedKey| self.hasher.hash_one(key.as_bytes());
        let at = |place: u32| usize::try_from(place).ok().and_then(|at| keys.get(at));
        let is_it = |place: &u32| at(*place) == Some(&key);
        let hash_of = |place: &u32| at(*place).map_or(0, hash);
        match places.entry(hash(&key), is_it, hash_of) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(new) => {
                new.insert(next);
                keys.push(key);
                next
            }
        }
    }
}
