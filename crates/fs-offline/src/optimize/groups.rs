//! Which files are put together.

use crate::data_file::{CUT_OFF, DataFile};

/// A file is small below this part of the size that files should have.
const SMALL: u64 = 4;

/// Files lie over each other where this part of their bytes does.
const OVERLAPPING: u64 = 10;

/// Files that lie over each other in time, or one that does not.
struct Cluster {
    files: Vec<usize>,
    bytes: u64,
    /// Bytes that lie over others.
    overlapping: u64,
}

impl Cluster {
    /// Whether the files are worth sorting into each other: they are many for their size, or much of
    /// them lies over others.
    fn is_worth_it(&self, target: u64) -> bool {
        let needed = self.bytes.div_ceil(target).max(1);
        let many = self.files.len() as u64 > 2 * needed;
        self.files.len() > 1 && (many || self.overlapping * OVERLAPPING >= self.bytes)
    }
}

/// Groups of files of which each is put together; the others stay.
///
/// ```text
///   files in the order of time, target 64 MB        then
///   2 MB, 3 MB, 60 MB                               the first two together: small ones side by side
///   60 MB over 60 MB                                both together
///   64 MB, a file of 1 MB over it                   stay: little of them lies over the other
/// ```
/// Files that only touch at an instant do not lie over each other.
pub(super) fn of(files: &[DataFile], target: u64) -> Vec<Vec<DataFile>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut small: Vec<usize> = Vec::new();
    let mut small_bytes = 0;
    for cluster in clusters(files) {
        let is_small = cluster.bytes < target / SMALL;
        let is_movable = cluster.files.len() == 1 || cluster.is_worth_it(target);
        if !is_small || !is_movable || small_bytes + cluster.bytes > target {
            groups.push(std::mem::take(&mut small));
            small_bytes = 0;
        }
        if is_small && is_movable {
            small_bytes += cluster.bytes;
            small.extend(cluster.files);
        } else if cluster.is_worth_it(target) {
            groups.push(cluster.files);
        }
    }
    groups.push(small);
    groups.retain(|group| group.len() > 1);
    let files = |group: Vec<usize>| group.iter().map(|at| files[*at].clone()).collect();
    groups.into_iter().map(files).collect()
}

/// The files in the order of time, those together that lie over each other.
fn clusters(files: &[DataFile]) -> Vec<Cluster> {
    let mut order: Vec<usize> = (0..files.len()).collect();
    order.sort_by_key(|at| (files[*at].event.min, files[*at].event.max, *at));
    let mut clusters: Vec<Cluster> = Vec::new();
    // How far the last cluster reaches, and how large the file is that does.
    let (mut reach, mut reaching) = (i64::MIN, 0);
    for at in order {
        let file = &files[at];
        let end = file.event.max.saturating_sub(CUT_OFF);
        match clusters.last_mut() {
            Some(cluster) if file.event.min < reach => {
                cluster.files.push(at);
                cluster.bytes += file.bytes();
                cluster.overlapping += file.bytes().min(reaching);
            }
            _ => clusters.push(Cluster {
                files: vec![at],
                bytes: file.bytes(),
                overlapping: 0,
            }),
        }
        if end > reach || clusters.last().is_some_and(|last| last.files.len() == 1) {
            (reach, reaching) = (end, file.bytes());
        }
    }
    clusters
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Files as `(from, to, megabytes)`, and the groups as positions.
    fn grouped(files: &[(i64, i64, u64)]) -> Vec<Vec<usize>> {
        let files: Vec<DataFile> = (0..)
            .zip(files)
            .map(|(at, (from, to, megabytes))| {
                let time = |millis: i64| fs_core::EventTime::from_micros(millis * 1_000);
                let stats = serde_json::json!({
                    "numRecords": 1,
                    "minValues": { "event_timestamp": time(*from).to_string() },
                    "maxValues": { "event_timestamp": time(*to).to_string() },
                });
                DataFile::for_test(&at.to_string(), megabytes << 20, &stats.to_string())
            })
            .collect();
        let groups = of(&files, 64 << 20).into_iter();
        let at = |file: &DataFile| file.path.parse().unwrap();
        groups.map(|group| group.iter().map(at).collect()).collect()
    }

    #[test]
    fn small_files_side_by_side_become_one_of_about_the_right_size() {
        assert_eq!(
            grouped(&[(0, 1, 2), (2, 3, 3), (4, 5, 60), (6, 7, 1)]),
            [[0, 1]]
        );
        let many: Vec<(i64, i64, u64)> = (0..12).map(|n| (n * 2, n * 2 + 1, 10)).collect();
        let groups = grouped(&many);
        assert_eq!(groups, [vec![0, 1, 2, 3, 4, 5], vec![6, 7, 8, 9, 10, 11]]);
    }

    #[test]
    fn files_over_each_other_are_sorted_into_each_other() {
        assert_eq!(grouped(&[(0, 9, 60), (5, 14, 60)]), [[0, 1]]);
        assert_eq!(grouped(&[(0, 9, 60), (9, 14, 60)]), [[0; 0]; 0]);
        let pushes: Vec<(i64, i64, u64)> = (0..9).map(|n| (n, n + 3, 1)).collect();
        let mut files = vec![(0, 100, 64)];
        files.extend(pushes);
        assert_eq!(grouped(&files).concat().len(), 10);
    }

    #[test]
    fn what_is_well_sized_and_sorted_stays_as_it_is() {
        assert_eq!(grouped(&[]), [[0; 0]; 0]);
        assert_eq!(grouped(&[(0, 9, 1)]), [[0; 0]; 0]);
        assert_eq!(grouped(&[(0, 9, 64), (3, 4, 1)]), [[0; 0]; 0]);
        assert_eq!(grouped(&[(3, 4, 1), (0, 9, 64)]), [[0; 0]; 0]);
        assert_eq!(
            grouped(&[(0, 9, 40), (9, 20, 64), (21, 22, 3)]),
            [[0; 0]; 0]
        );
        // All rows have the same time.
        assert_eq!(grouped(&[(5, 5, 64), (5, 5, 64), (5, 5, 30)]), [[0; 0]; 0]);
    }
}
