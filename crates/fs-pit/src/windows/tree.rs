//! [`Tree`]: partial aggregates in a row, of which any stretch can be merged quickly.

use std::ops::Range;

use crate::aggregate::Aggregate;

/// So many nodes are merged into one of the next level.
const FAN_OUT: usize = 4;
/// Fewer leaves than these are merged one by one.
const FEW_LEAVES: usize = 16;

/// Partial aggregates in a row, and above them those of stretches of 4, 16, 64 …
///
/// ```text
///   level 2   [              0..16             ]
///   level 1   [ 0..4 ][ 4..8 ][ 8..12 ][ 12..16 ][ 16..20 ]
///   level 0    0 1 2 3 4 5 6 7 8 …
///
///   3..14  =  3, [4..8], [8..12], 12, 13
/// ```
///
/// Any stretch is a merge of at most `6 · log₄ n` nodes, and nothing is ever taken away from a
/// state, so a tree does for every aggregate. A leaf may get more values at any time, which costs
/// one merge a level.
#[derive(Debug)]
pub(super) struct Tree<S> {
    /// At least one; the leaves first. The last stretch of a level has no node unless it is whole.
    levels: Vec<Vec<S>>,
    /// How many levels are in use.
    height: usize,
}

impl<S: Clone> Tree<S> {
    pub(super) fn new() -> Self {
        Self {
            levels: vec![Vec::new()],
            height: 1,
        }
    }

    /// The leaves of the next tree, empty; it is to be [grown](Self::grow) when they are complete.
    pub(super) fn leaves(&mut self) -> &mut Vec<S> {
        self.height = 1;
        let leaves = &mut self.levels[0];
        leaves.clear();
        leaves
    }

    /// Merges leaves into nodes, if there are enough of them.
    pub(super) fn grow<A: Aggregate<State = S>>(&mut self, aggregate: &A) {
        let mut below = self.levels[0].len();
        self.height = 1;
        while below > FEW_LEAVES {
            if self.levels.len() == self.height {
                self.levels.push(Vec::new());
            }
            let (lower, upper) = self.levels.split_at_mut(self.height);
            let (nodes, merged) = (&lower[self.height - 1], &mut upper[0]);
            merged.clear();
            merged.extend(nodes.chunks_exact(FAN_OUT).map(|nodes| {
                let mut state = nodes[0].clone();
                for node in &nodes[1..] {
                    aggregate.merge(&mut state, node);
                }
                state
            }));
            below = merged.len();
            self.height += 1;
        }
    }

    /// Merges `state` into leaf `at`, and so into everything above it.
    pub(super) fn add<A: Aggregate<State = S>>(&mut self, aggregate: &A, at: usize, state: &S) {
        let mut at = at;
        for level in &mut self.levels[..self.height] {
            let Some(node) = level.get_mut(at) else { break };
            aggregate.merge(node, state);
            at /= FAN_OUT;
        }
    }

    /// Merges the leaves of `stretch` into `into`.
    pub(super) fn merge<A: Aggregate<State = S>>(
        &self,
        aggregate: &A,
        stretch: Range<usize>,
        into: &mut S,
    ) {
        let Range { mut start, mut end } = stretch;
        for (level, nodes) in self.levels[..self.height].iter().enumerate() {
            if level + 1 == self.height || start + FAN_OUT > end {
                merge_all(aggregate, &nodes[start.min(end)..end], into);
                return;
            }
            let (first, last) = (start.next_multiple_of(FAN_OUT), end - end % FAN_OUT);
            if first >= last {
                merge_all(aggregate, &nodes[start..end], into);
                return;
            }
            merge_all(aggregate, &nodes[start..first], into);
            merge_all(aggregate, &nodes[last..end], into);
            (start, end) = (first / FAN_OUT, last / FAN_OUT);
        }
    }
}

fn merge_all<A: Aggregate>(aggregate: &A, states: &[A::State], into: &mut A::State) {
    for state in states {
        aggregate.merge(into, state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::Count;

    /// A tree whose leaf `n` counts `n`.
    fn tree(leaves: usize) -> Tree<u64> {
        let mut tree = Tree::new();
        tree.leaves().extend(0..leaves as u64);
        tree.grow(&Count);
        tree
    }

    fn sum(tree: &Tree<u64>, stretch: Range<usize>) -> u64 {
        let mut sum = 0;
        tree.merge(&Count, stretch, &mut sum);
        sum
    }

    #[test]
    fn any_stretch_is_the_merge_of_its_leaves() {
        for leaves in [0, 1, 4, 16, 17, 63, 64, 65, 150] {
            let tree = tree(leaves);
            for start in 0..=leaves {
                for end in start..=leaves {
                    let expected: u64 = (start as u64..end as u64).sum();
                    assert_eq!(
                        sum(&tree, start..end),
                        expected,
                        "{start}..{end} of {leaves}"
                    );
                }
            }
        }
    }

    #[test]
    fn what_is_added_to_a_leaf_is_in_every_stretch_around_it() {
        for leaves in [3, 150] {
            for at in 0..leaves {
                let mut tree = tree(leaves);
                tree.add(&Count, at, &1_000_000);
                for (start, end) in [(0, leaves), (at, at + 1), (at / 2, leaves), (0, at)] {
                    let expected: u64 = (start as u64..end as u64).sum();
                    let added = u64::from((start..end).contains(&at)) * 1_000_000;
                    assert_eq!(sum(&tree, start..end), expected + added);
                }
            }
        }
    }

    #[test]
    fn a_tree_of_few_leaves_after_one_of_many_knows_nothing_of_it() {
        let mut tree = tree(150);
        tree.leaves().extend([1, 2]);
        tree.grow(&Count);
        assert_eq!(sum(&tree, 0..2), 3);
        tree.add(&Count, 1, &5);
        assert_eq!(sum(&tree, 0..2), 8);
    }
}
