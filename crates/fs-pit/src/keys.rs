//! Keys as small numbers: equal keys get the same one.
//!
//! Keys compare byte for byte, part by part. A key with a null in any part is no key. Without key
//! columns there is one key, which every row has.

mod column;

use std::hash::BuildHasher;

use arrow::array::ArrayRef;
use foldhash::fast::{FixedState, RandomState};
use fs_core::KeyType;
use hashbrown::{HashMap, HashTable};

use crate::Error;
use column::{KeyColumn, key_type_of};

/// The number of no key: a null in it, or never seen.
pub(crate) const NO_KEY: u32 = u32::MAX;

/// The keys seen so far, numbered from 0 in the order of first sight.
#[derive(Debug, Default)]
pub(crate) struct KeyIndex {
    types: Vec<KeyType>,
    table: Table,
}

/// Storage by the shape of the key, because most keys are one integer or one string.
#[derive(Debug, Default)]
enum Table {
    /// No key columns.
    #[default]
    Global,
    /// One column of at most eight bytes a value.
    Word(HashMap<u64, u32, RandomState>),
    /// Anything else, as bytes.
    Bytes(ByteTable),
}

#[derive(Debug, Default)]
struct ByteTable {
    /// Hash and number of every key; the hash is kept because growing needs it.
    numbers: HashTable<(u64, u32)>,
    hasher: RandomState,
    arena: Vec<u8>,
    /// Where each key ends in the arena.
    ends: Vec<usize>,
}

impl KeyIndex {
    /// An empty index over columns of the types of `keys`.
    pub(crate) fn new(keys: &[ArrayRef]) -> Result<Self, Error> {
        let types = key_types(keys)?;
        let table = match types.as_slice() {
            [] => Table::Global,
            [KeyType::String | KeyType::Bytes] | [_, _, ..] => Table::Bytes(ByteTable::default()),
            [_] => Table::Word(HashMap::default()),
        };
        Ok(Self { types, table })
    }

    /// How many keys there are.
    pub(crate) fn len(&self) -> usize {
        match &self.table {
            Table::Global => 1,
            Table::Word(numbers) => numbers.len(),
            Table::Bytes(table) => table.ends.len(),
        }
    }

    /// Appends the number of the key of each of `rows` rows, new keys added; [`NO_KEY`] where a
    /// part is null.
    pub(crate) fn intern(
        &mut self,
        keys: &[ArrayRef],
        rows: usize,
        numbers: &mut Vec<u32>,
    ) -> Result<(), Error> {
        let columns = self.columns(keys)?;
        numbers.reserve(rows);
        match &mut self.table {
            Table::Global => numbers.resize(numbers.len() + rows, 0),
            Table::Word(known) => {
                for row in 0..rows {
                    numbers.push(match columns[0].word(row) {
                        Some(word) => {
                            let next = next_number(known.len())?;
                            *known.entry(word).or_insert(next)
                        }
                        None => NO_KEY,
                    });
                }
            }
            Table::Bytes(table) => {
                let mut scratch = Vec::new();
                for row in 0..rows {
                    numbers.push(match key_bytes(&columns, row, &mut scratch) {
                        Some(key) => table.intern(key)?,
                        None => NO_KEY,
                    });
                }
            }
        }
        Ok(())
    }

    /// Appends the number of the key of each of `rows` rows; [`NO_KEY`] where it is unknown or a
    /// part is null.
    pub(crate) fn find(
        &self,
        keys: &[ArrayRef],
        rows: usize,
        numbers: &mut Vec<u32>,
    ) -> Result<(), Error> {
        let columns = self.columns(keys)?;
        match &self.table {
            Table::Global => numbers.resize(numbers.len() + rows, 0),
            Table::Word(known) => {
                let find = |word| known.get(&word).copied().unwrap_or(NO_KEY);
                find_words(&columns[0], rows, numbers, find);
            }
            Table::Bytes(table) => {
                let mut scratch = Vec::new();
                numbers.extend((0..rows).map(|row| {
                    let key = key_bytes(&columns, row, &mut scratch);
                    key.and_then(|key| table.find(key)).unwrap_or(NO_KEY)
                }));
            }
        }
        Ok(())
    }

    /// The same keys, none of which will be added any more.
    pub(crate) fn complete(mut self) -> KeyLookup {
        let dense = match &self.table {
            Table::Word(known) => DenseTable::of(known),
            _ => None,
        };
        if dense.is_some() {
            self.table = Table::Global;
        }
        KeyLookup { index: self, dense }
    }

    /// Bytes on the heap.
    pub(crate) fn bytes(&self) -> usize {
        match &self.table {
            Table::Global => 0,
            Table::Word(known) => known.allocation_size(),
            Table::Bytes(table) => {
                table.numbers.allocation_size()
                    + table.arena.capacity()
                    + size_of_val(table.ends.as_slice())
            }
        }
    }

    fn columns(&self, keys: &[ArrayRef]) -> Result<Vec<KeyColumn>, Error> {
        let found = key_types(keys)?;
        if found.len() != self.types.len() {
            return Err(Error::KeyCount {
                expected: self.types.len(),
                found: found.len(),
            });
        }
        for (position, (expected, found)) in self.types.iter().zip(found).enumerate() {
            if *expected != found {
                return Err(Error::KeyMismatch {
                    position,
                    expected: *expected,
                    found,
                });
            }
        }
        keys.iter().map(KeyColumn::new).collect()
    }
}

/// The number of the next key after `known` ones.
fn next_number(known: usize) -> Result<u32, Error> {
    let number = u32::try_from(known).ok();
    number
        .filter(|number| *number != NO_KEY)
        .ok_or(Error::TooMany)
}

/// Deals rows to `parts` parts by a hash of their keys: equal keys go to the same part, on either
/// side of a join. `None` where a part of the key is null, which matches nothing.
pub fn partition(
    keys: &[ArrayRef],
    rows: usize,
    parts: std::num::NonZeroU32,
) -> Result<Vec<Option<u32>>, Error> {
    let hasher = FixedState::default();
    let part = |hash: u64| {
        // The upper bits, because tables use the lower ones.
        u32::try_from((hash >> 32) % u64::from(parts.get())).unwrap_or(0)
    };
    key_types(keys)?;
    let columns: Vec<KeyColumn> = keys.iter().map(KeyColumn::new).collect::<Result<_, _>>()?;
    let mut scratch = Vec::new();
    Ok((0..rows)
        .map(|row| key_bytes(&columns, row, &mut scratch).map(|key| part(hasher.hash_one(key))))
        .collect())
}

/// Appends what `find` says of each value of a column of fixed width; [`NO_KEY`] for a null.
fn find_words(column: &KeyColumn, rows: usize, numbers: &mut Vec<u32>, find: impl Fn(u64) -> u32) {
    match column.words() {
        Some(words) => numbers.extend(words.iter().map(|word| find(word.cast_unsigned()))),
        None => numbers.extend((0..rows).map(|row| column.word(row).map_or(NO_KEY, &find))),
    }
}

/// Keys that are all known.
#[derive(Debug)]
pub(crate) struct KeyLookup {
    /// Without its table where there is a dense one.
    index: KeyIndex,
    dense: Option<DenseTable>,
}

impl KeyLookup {
    /// The same as [`KeyIndex::find`].
    pub(crate) fn find(
        &self,
        keys: &[ArrayRef],
        rows: usize,
        numbers: &mut Vec<u32>,
    ) -> Result<(), Error> {
        let Some(dense) = &self.dense else {
            return self.index.find(keys, rows, numbers);
        };
        let columns = self.index.columns(keys)?;
        let find = |word: u64| dense.find(word.cast_signed());
        find_words(&columns[0], rows, numbers, find);
        Ok(())
    }

    /// Bytes on the heap.
    pub(crate) fn bytes(&self) -> usize {
        let dense = self.dense.as_ref();
        self.index.bytes() + dense.map_or(0, |dense| size_of_val(dense.numbers.as_slice()))
    }
}

/// Numbers by the distance of a key from the least one.
#[derive(Debug)]
struct DenseTable {
    least: i64,
    numbers: Vec<u32>,
}

impl DenseTable {
    /// A table of `known` words, if it takes no more memory than they do by hash.
    fn of(known: &HashMap<u64, u32, RandomState>) -> Option<Self> {
        let keys = || known.keys().map(|word| word.cast_signed());
        let (least, greatest) = (keys().min()?, keys().max()?);
        let width = usize::try_from(greatest.checked_sub(least)?).ok()?;
        if width / 4 > known.len() {
            return None;
        }
        let mut numbers = vec![NO_KEY; width + 1];
        for (word, number) in known {
            let at = word.cast_signed().wrapping_sub(least).cast_unsigned();
            numbers[usize::try_from(at).ok()?] = *number;
        }
        Some(Self { least, numbers })
    }

    fn find(&self, word: i64) -> u32 {
        // Below the least one wraps around to beyond the greatest.
        let at = word.wrapping_sub(self.least).cast_unsigned();
        let at = usize::try_from(at).unwrap_or(usize::MAX);
        self.numbers.get(at).copied().unwrap_or(NO_KEY)
    }
}

/// The types of key columns.
pub(crate) fn key_types(keys: &[ArrayRef]) -> Result<Vec<KeyType>, Error> {
    keys.iter()
        .enumerate()
        .map(|(position, column)| {
            key_type_of(column.data_type()).ok_or_else(|| Error::NotAKey {
                position,
                found: column.data_type().clone(),
            })
        })
        .collect()
}

/// The bytes of one key. A single string stands for itself; of several parts, those of variable
/// length are preceded by their length, so that ("a", "bc") is not ("ab", "c").
fn key_bytes<'a>(
    columns: &'a [KeyColumn],
    row: usize,
    scratch: &'a mut Vec<u8>,
) -> Option<&'a [u8]> {
    if let [column] = columns
        && column.is_variable()
    {
        return column.bytes(row);
    }
    scratch.clear();
    for column in columns {
        if column.is_variable() {
            let bytes = column.bytes(row)?;
            scratch.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
            scratch.extend_from_slice(bytes);
        } else {
            scratch.extend_from_slice(&column.word(row)?.to_le_bytes());
        }
    }
    Some(scratch)
}

impl ByteTable {
    fn find(&self, key: &[u8]) -> Option<u32> {
        let hash = self.hasher.hash_one(key);
        let same = |(seen, number): &(u64, u32)| *seen == hash && self.key(*number) == key;
        self.numbers.find(hash, same).map(|(_, number)| *number)
    }

    fn intern(&mut self, key: &[u8]) -> Result<u32, Error> {
        if let Some(number) = self.find(key) {
            return Ok(number);
        }
        let number = next_number(self.ends.len())?;
        let hash = self.hasher.hash_one(key);
        self.arena.extend_from_slice(key);
        self.ends.push(self.arena.len());
        self.numbers
            .insert_unique(hash, (hash, number), |(hash, _)| *hash);
        Ok(number)
    }

    fn key(&self, number: u32) -> &[u8] {
        let number = number as usize;
        let start = match number {
            0 => 0,
            _ => self.ends[number - 1],
        };
        &self.arena[start..self.ends[number]]
    }
}

#[cfg(test)]
mod tests;
