//! Keys as small numbers: equal keys get the same one.
//!
//! Keys compare byte for byte, part by part. A key with a null in any part is no key. Without key
//! columns there is one key, which every row has.

mod column;

use std::hash::BuildHasher;

use arrow::array::ArrayRef;
use foldhash::fast::RandomState;
use fs_core::KeyType;
use hashbrown::{HashMap, HashTable};

use crate::Error;
use column::{KeyColumn, key_type_of};

/// The keys seen so far, numbered from 0 in the order of first sight.
#[derive(Debug)]
pub(crate) struct KeyIndex {
    types: Vec<KeyType>,
    table: Table,
}

/// Storage by the shape of the key, because most keys are one integer or one string.
#[derive(Debug)]
enum Table {
    /// No key columns.
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

    /// The number of the key of each of `rows` rows, new keys added; `None` where a part is null.
    pub(crate) fn intern(
        &mut self,
        keys: &[ArrayRef],
        rows: usize,
    ) -> Result<Vec<Option<u32>>, Error> {
        let columns = self.columns(keys)?;
        match &mut self.table {
            Table::Global => Ok(vec![Some(0); rows]),
            Table::Word(numbers) => (0..rows)
                .map(|row| {
                    let Some(word) = columns[0].word(row) else {
                        return Ok(None);
                    };
                    let next = u32::try_from(numbers.len()).map_err(|_overflow| Error::TooMany)?;
                    Ok(Some(*numbers.entry(word).or_insert(next)))
                })
                .collect(),
            Table::Bytes(table) => {
                let mut scratch = Vec::new();
                (0..rows)
                    .map(|row| match key_bytes(&columns, row, &mut scratch) {
                        Some(key) => table.intern(key).map(Some),
                        None => Ok(None),
                    })
                    .collect()
            }
        }
    }

    /// The number of the key of each of `rows` rows; `None` where it is unknown or a part is null.
    pub(crate) fn find(&self, keys: &[ArrayRef], rows: usize) -> Result<Vec<Option<u32>>, Error> {
        let columns = self.columns(keys)?;
        Ok(match &self.table {
            Table::Global => vec![Some(0); rows],
            Table::Word(numbers) => (0..rows)
                .map(|row| numbers.get(&columns[0].word(row)?).copied())
                .collect(),
            Table::Bytes(table) => {
                let mut scratch = Vec::new();
                (0..rows)
                    .map(|row| table.find(key_bytes(&columns, row, &mut scratch)?))
                    .collect()
            }
        })
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
        let number = u32::try_from(self.ends.len()).map_err(|_overflow| Error::TooMany)?;
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
