//! Dealing data files to the partitions of a scan.

use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileGroupPartitioner};

/// Files that hold less than this together are not cut into parts.
const CUT_BYTES: usize = 4 << 20;

/// Deals `files` to at most `partitions` groups (at least one) that hold about as many bytes each.
///
/// ```text
///   files          10  90  30  40        two partitions:  90        10 30 40
///   one file       90                                     90[0..45] 90[45..90]
/// ```
///
/// Within a group, files keep their order. Where there are fewer files than partitions, they are cut
/// into byte ranges: a row group is read where its first byte lies.
pub(crate) fn deal(files: Vec<PartitionedFile>, partitions: usize) -> Vec<FileGroup> {
    if files.is_empty() {
        return vec![FileGroup::new(files)];
    }
    if files.len() < partitions {
        let cut = FileGroupPartitioner::new()
            .with_target_partitions(partitions)
            .with_repartition_file_min_size(CUT_BYTES)
            .repartition_file_groups(&[FileGroup::new(files.clone())]);
        if let Some(groups) = cut {
            return groups;
        }
    }
    let mut largest_first: Vec<usize> = (0..files.len()).collect();
    largest_first.sort_by_key(|at| std::cmp::Reverse(files[*at].object_meta.size));
    let mut loads = vec![0; partitions.clamp(1, files.len())];
    let mut group_of = vec![0; files.len()];
    for at in largest_first {
        let least = (0..loads.len()).min_by_key(|group| loads[*group]);
        group_of[at] = least.unwrap_or(0);
        loads[group_of[at]] += files[at].object_meta.size;
    }
    let mut groups = vec![Vec::new(); loads.len()];
    for (file, group) in files.into_iter().zip(group_of) {
        groups[group].push(file);
    }
    groups.into_iter().map(FileGroup::new).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dealt(sizes: &[u64], partitions: usize) -> Vec<Vec<(u64, u64, u64)>> {
        let files = sizes
            .iter()
            .enumerate()
            .map(|(at, size)| PartitionedFile::new(at.to_string(), size << 20));
        deal(files.collect(), partitions)
            .iter()
            .map(|group| {
                let part = |file: &PartitionedFile| {
                    let (start, end) = file.range();
                    (file.object_meta.size >> 20, start >> 20, end >> 20)
                };
                group.iter().map(part).collect()
            })
            .collect()
    }

    #[test]
    fn groups_hold_about_as_many_bytes_each_and_keep_the_order_of_files() {
        let whole = |size| (size, 0, size);
        assert_eq!(
            dealt(&[10, 90, 30, 40], 2),
            [vec![whole(90)], vec![whole(10), whole(30), whole(40)]]
        );
        assert_eq!(dealt(&[10, 20], 1), [vec![whole(10), whole(20)]]);
        assert_eq!(dealt(&[], 3), [vec![]]);
    }

    #[test]
    fn a_large_file_is_cut_and_small_ones_are_not() {
        assert_eq!(dealt(&[90], 2), [vec![(90, 0, 45)], vec![(90, 45, 90)]]);
        assert_eq!(dealt(&[1], 2), [vec![(1, 0, 1)]]);
    }
}
