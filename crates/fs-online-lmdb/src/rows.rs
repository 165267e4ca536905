//! The rows of one view.
//!
//! LMDB takes keys of 1 to 511 bytes; entity keys may have any length. One that does not fit, or
//! that begins with 0xFF, lives under a hash of it, and its entry says which key it is:
//!
//! ```text
//!   stored under                            holds
//!   key                                     row
//!   0xFF  hash (8)  number (4)              length of the key (u32 LE)  key  row
//! ```
//! Keys with the same hash have different numbers.

use std::ops::Bound;

use fs_online::{EncodedKey, Error, KeyCursor, KeyPage, RowProblem, row};
use heed::{RoTxn, RwTxn};

use crate::failure::Failure;
use crate::meta::Table;

const LONGEST_KEY: usize = 511;
const HASHED: u8 = 0xff;

/// The table `rows project/view`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rows(pub(crate) Table);

/// Where a key lives.
enum Place<'a> {
    Plain(&'a [u8]),
    /// Under the numbers of this hash.
    Hashed([u8; 9]),
}

impl Rows {
    pub(crate) fn get<'t>(
        self,
        txn: &'t RoTxn<'_>,
        key: &[u8],
    ) -> Result<Option<&'t [u8]>, Failure> {
        match place(key) {
            Place::Plain(key) => Ok(self.0.get(txn, key)?),
            Place::Hashed(hash) => Ok(self.find(txn, &hash, key)?.row),
        }
    }

    pub(crate) fn put(self, txn: &mut RwTxn<'_>, key: &[u8], row: &[u8]) -> Result<(), Failure> {
        let hash = match place(key) {
            Place::Plain(key) => return Ok(self.0.put(txn, key, row)?),
            Place::Hashed(hash) => hash,
        };
        let number = self.find(txn, &hash, key)?.number;
        let length = u32::try_from(key.len())
            .ok()
            .ok_or(Error::RowTooLarge { row: 0 })?;
        let entry = [&length.to_le_bytes(), key, row].concat();
        Ok(self.0.put(txn, &numbered(hash, number), &entry)?)
    }

    pub(crate) fn delete(self, txn: &mut RwTxn<'_>, key: &[u8]) -> Result<(), Failure> {
        match place(key) {
            Place::Plain(key) => self.0.delete(txn, key)?,
            Place::Hashed(hash) => {
                let number = self.find(txn, &hash, key)?.number;
                self.0.delete(txn, &numbered(hash, number))?
            }
        };
        Ok(())
    }

    /// A page of keys, in the order of the table.
    pub(crate) fn page(
        self,
        txn: &RoTxn<'_>,
        from: Option<&KeyCursor>,
        limit: usize,
    ) -> Result<KeyPage, Failure> {
        let after = from.map_or(Bound::Unbounded, |cursor| Bound::Excluded(&*cursor.0));
        let range: (Bound<&[u8]>, Bound<&[u8]>) = (after, Bound::Unbounded);
        let mut page = KeyPage::default();
        let mut last = None;
        for entry in self.0.range(txn, &range)?.take(limit) {
            let (stored_under, entry) = entry?;
            let (key, row) = match stored_under.first() {
                Some(&HASHED) => split(entry)?,
                _ => (stored_under, entry),
            };
            let key = EncodedKey::from_bytes(key.to_vec().into());
            page.keys.push((key, row::order(row)?));
            last = Some(stored_under);
        }
        if page.keys.len() == limit {
            page.next = last.map(|key| KeyCursor(key.to_vec().into()));
        }
        Ok(page)
    }

    /// Looks for a key among those with its hash.
    fn find<'t>(
        self,
        txn: &'t RoTxn<'_>,
        hash: &[u8; 9],
        key: &[u8],
    ) -> Result<Found<'t>, Failure> {
        let mut free = 0;
        for entry in self.0.prefix_iter(txn, hash)? {
            let (stored_under, entry) = entry?;
            let number = stored_under
                .last_chunk()
                .map_or(0, |number| u32::from_be_bytes(*number));
            let (stored_key, row) = split(entry)?;
            if stored_key == key {
                let row = Some(row);
                return Ok(Found { number, row });
            }
            if number == free {
                free += 1;
            }
        }
        Ok(Found {
            number: free,
            row: None,
        })
    }
}

/// A key among those with its hash: its row, or the number that it may take.
struct Found<'t> {
    number: u32,
    row: Option<&'t [u8]>,
}

fn place(key: &[u8]) -> Place<'_> {
    match key.first() {
        Some(first) if *first != HASHED && key.len() <= LONGEST_KEY => Place::Plain(key),
        _ => Place::Hashed(hash(key)),
    }
}

/// The marker, and FNV-1a in 64 bits. Frozen: stored keys depend on it.
fn hash(key: &[u8]) -> [u8; 9] {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in key {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    }
    let mut place = [HASHED; 9];
    place[1..].copy_from_slice(&hash.to_be_bytes());
    place
}

fn numbered(hash: [u8; 9], number: u32) -> [u8; 13] {
    let mut key = [0; 13];
    key[..9].copy_from_slice(&hash);
    key[9..].copy_from_slice(&number.to_be_bytes());
    key
}

/// The key and the row of an entry under a hash.
fn split(entry: &[u8]) -> Result<(&[u8], &[u8]), Error> {
    let parts = entry.split_first_chunk().and_then(|(length, rest)| {
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        rest.split_at_checked(length)
    });
    parts.ok_or_else(|| {
        let problem = RowProblem::TooShort {
            length: entry.len(),
            needed: entry.len() + 1,
        };
        Error::from(problem)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_of_a_long_key_is_frozen() {
        assert_eq!(hash(b""), *b"\xff\xcb\xf2\x9c\xe4\x84\x22\x23\x25");
        assert_eq!(hash(b"a"), *b"\xff\xaf\x63\xdc\x4c\x86\x01\xec\x8c");
        assert!(matches!(place(&[7; 511]), Place::Plain(_)));
        assert!(matches!(place(&[7; 512]), Place::Hashed(_)));
        assert!(matches!(place(&[0xff]), Place::Hashed(_)));
        assert!(matches!(place(&[]), Place::Hashed(_)));
    }
}
