//! [`Sorted`]: different things in order, and how much there is of each.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt::Debug;

/// So many things at the end are moved to make room for one in order.
const FEW: usize = 32;

/// How much there is of a thing, beside that it is there.
pub(super) trait Weight: Copy + Debug + Send + Sync + 'static {
    /// Adds what there is more of it.
    fn add(&mut self, other: Self);
}

/// Only that it is there.
impl Weight for () {
    fn add(&mut self, (): ()) {}
}

/// How often it came.
impl Weight for u64 {
    #[inline]
    fn add(&mut self, other: Self) {
        *self = self.wrapping_add(other);
    }
}

/// Different things in order, each with its weight, and behind them some that came later and are not in
/// order yet.
///
/// Adding costs a binary search, and now and then everything is put in order; merging what is in
/// order costs one pass over both.
#[derive(Debug, Clone)]
pub(super) struct Sorted<K, W> {
    entries: Vec<(K, W)>,
    /// So many are in order, and different.
    ordered: usize,
}

impl<K: Ord + Clone, W: Weight> Sorted<K, W> {
    /// Of nothing.
    pub(super) const EMPTY: Self = Self {
        entries: Vec::new(),
        ordered: 0,
    };

    pub(super) const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Things that are in order and different; `None` if they are not.
    pub(super) fn from_ordered(entries: Vec<(K, W)>) -> Option<Self> {
        let ordered = entries.len();
        let different = entries.is_sorted_by(|(one, _), (other, _)| one < other);
        different.then_some(Self { entries, ordered })
    }

    /// Adds a thing: `order` says how one that is there compares with it.
    #[inline]
    pub(super) fn add(
        &mut self,
        order: impl Fn(&K) -> Ordering,
        keep: impl FnOnce() -> K,
        weight: W,
    ) {
        let place = self.entries[..self.ordered].binary_search_by(|(kept, _)| order(kept));
        match place {
            Ok(at) => self.entries[at].1.add(weight),
            Err(at) if self.ordered == self.entries.len() && self.ordered - at <= FEW => {
                self.entries.insert(at, (keep(), weight));
                self.ordered += 1;
            }
            Err(_) => {
                self.entries.push((keep(), weight));
                if self.entries.len() - self.ordered > FEW.max(self.ordered) {
                    self.put_in_order();
                }
            }
        }
    }

    /// Adds everything of another.
    pub(super) fn merge(&mut self, other: &Self) {
        let theirs = other.in_order();
        if self.entries.is_empty() {
            self.entries = theirs.into_owned();
            self.ordered = self.entries.len();
            return;
        }
        if theirs.len() <= FEW / 8 {
            for (key, weight) in theirs.iter() {
                self.add(|kept| kept.cmp(key), || key.clone(), *weight);
            }
            return;
        }
        self.put_in_order();
        let mut merged = Vec::with_capacity(self.entries.len() + theirs.len());
        let mut theirs = theirs.iter().peekable();
        for mut entry in self.entries.drain(..) {
            while let Some(before) = theirs.next_if(|(key, _)| *key < entry.0) {
                merged.push(before.clone());
            }
            if let Some((_, weight)) = theirs.next_if(|(key, _)| *key == entry.0) {
                entry.1.add(*weight);
            }
            merged.push(entry);
        }
        merged.extend(theirs.cloned());
        self.ordered = merged.len();
        self.entries = merged;
    }

    /// Everything in order, each thing once.
    pub(super) fn in_order(&self) -> Cow<'_, [(K, W)]> {
        if self.ordered == self.entries.len() {
            return Cow::Borrowed(&self.entries);
        }
        let mut ordered = self.clone();
        ordered.put_in_order();
        Cow::Owned(ordered.entries)
    }

    /// Everything in order, each thing once, where it lies.
    pub(super) fn references(&self) -> Vec<(&K, W)> {
        let entries = self.entries.iter();
        let mut references: Vec<(&K, W)> = entries.map(|(key, weight)| (key, *weight)).collect();
        if self.ordered < references.len() {
            order(&mut references);
        }
        references
    }

    fn put_in_order(&mut self) {
        if self.ordered == self.entries.len() {
            return;
        }
        order(&mut self.entries);
        self.ordered = self.entries.len();
    }

    /// Bytes on the heap, where `of` says what each thing has there.
    pub(super) fn heap_bytes(&self, of: impl Fn(&K) -> usize) -> usize {
        let things = self.entries.iter().map(|(key, _)| of(key));
        self.entries.capacity() * size_of::<(K, W)>() + things.sum::<usize>()
    }
}

/// Puts things in order, and makes one of those that are the same.
fn order<K: Ord, W: Weight>(entries: &mut Vec<(K, W)>) {
    // A stable sort finds what is in order already.
    entries.sort_by(|(one, _), (other, _)| one.cmp(other));
    entries.dedup_by(|later, earlier| {
        let same = later.0 == earlier.0;
        if same {
            earlier.1.add(later.1);
        }
        same
    });
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn sorted(keys: &[u8]) -> Sorted<u8, u64> {
        let mut sorted = Sorted::EMPTY;
        for key in keys {
            sorted.add(|kept: &u8| kept.cmp(key), || *key, 1);
        }
        sorted
    }

    proptest! {
        #[test]
        fn it_holds_what_a_map_holds_in_whatever_order_it_was_added_and_merged(
            one in proptest::collection::vec(any::<u8>(), 0..300),
            other in proptest::collection::vec(any::<u8>(), 0..300),
        ) {
            let mut expected = BTreeMap::<u8, u64>::new();
            for key in one.iter().chain(&other) {
                *expected.entry(*key).or_default() += 1;
            }
            let expected: Vec<(u8, u64)> = expected.into_iter().collect();
            let mut merged = sorted(&one);
            merged.merge(&sorted(&other));
            prop_assert_eq!(merged.in_order(), &expected[..]);
            let added = sorted(&[one, other].concat());
            prop_assert_eq!(added.in_order(), &expected[..]);
        }
    }
}
