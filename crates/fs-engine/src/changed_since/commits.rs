//! Which files of a table came and went between two versions, by what its commits say.

use std::collections::HashMap;

use deltalake::kernel::Action;
use deltalake::logstore::get_actions;
use deltalake::{DeltaTable, DeltaTableError};

use crate::delta_file::DeltaFile;

/// Files whose rows are new, or gone.
///
/// | Between the versions a file is | It is |
/// |---|---|
/// | added | in `added` |
/// | removed | in `removed` |
/// | added, and removed later | in neither: nobody has seen its rows |
/// | added or removed with `dataChange = false` | in neither: its rows are in other files |
#[derive(Debug, Default)]
pub(super) struct Touched {
    pub(super) added: Vec<DeltaFile>,
    pub(super) removed: Vec<DeltaFile>,
}

impl Touched {
    /// What the commits after `before`, up to `now`, did; `None` if one of them is not there any more.
    pub(super) async fn between(
        table: &DeltaTable,
        before: u64,
        now: u64,
    ) -> Result<Option<Self>, DeltaTableError> {
        let log = table.log_store();
        let mut added: HashMap<String, DeltaFile> = HashMap::new();
        // Files that other files were put into, for when those are removed.
        let mut moved: HashMap<String, DeltaFile> = HashMap::new();
        let mut removed: HashMap<String, DeltaFile> = HashMap::new();
        for version in before + 1..=now {
            let Some(bytes) = log.read_commit_entry(version).await? else {
                return Ok(None);
            };
            let actions = get_actions(version, &bytes)?;
            // A file whose deletion vector changes is removed and added by one commit.
            for action in &actions {
                if let Action::Remove(file) = action
                    && file.data_change
                    && added.remove(&file.path).is_none()
                {
                    let known = moved.remove(&file.path);
                    let file = known.unwrap_or_else(|| DeltaFile::at(file.path.clone()));
                    removed.insert(file.path.clone(), file);
                }
            }
            for action in &actions {
                if let Action::Add(add) = action {
                    let files = if add.data_change {
                        &mut added
                    } else {
                        &mut moved
                    };
                    files.insert(add.path.clone(), DeltaFile::of_add(add));
                }
            }
        }
        Ok(Some(Self {
            added: added.into_values().collect(),
            removed: removed.into_values().collect(),
        }))
    }
}
