//! What a writer on a local file system leaves behind when it dies: `part-….parquet#1`.
//!
//! A file is written under such a name and renamed once it is whole. Object stores hide these names, so
//! that no listing tells them, and nobody else removes them. Object stores in the cloud have their own
//! rules for uploads that were never completed.

use std::io;
use std::path::Path;
use std::time::UNIX_EPOCH;

use super::Vacuumed;

/// Removes staged files right in `folder` that were last written before `millis` since 1970.
pub(super) async fn remove(folder: &Path, millis: i64, dry_run: bool) -> io::Result<Vacuumed> {
    let mut done = Vacuumed::default();
    let mut entries = match tokio::fs::read_dir(folder).await {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(done),
        entries => entries?,
    };
    while let Some(entry) = entries.next_entry().await? {
        if !is_staged(&entry.file_name().to_string_lossy()) {
            continue;
        }
        let about = match entry.metadata().await {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            about => about?,
        };
        let written = about.modified()?.duration_since(UNIX_EPOCH);
        let written = written.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(0));
        if !about.is_file() || written >= millis {
            continue;
        }
        if !dry_run {
            match tokio::fs::remove_file(entry.path()).await {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                Err(_) | Ok(()) => {}
            }
        }
        done.files += 1;
        done.bytes += about.len();
    }
    Ok(done)
}

/// Whether a file is called `<a data file>#<a number>`.
fn is_staged(name: &str) -> bool {
    let parts = name.rsplit_once('#');
    parts.is_some_and(|(file, number)| {
        file.ends_with(".parquet")
            && !number.is_empty()
            && number.bytes().all(|b| b.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_numbered_data_files_are_staged() {
        for name in ["part-0.parquet#1", "part-0.parquet#27"] {
            assert!(is_staged(name), "{name}");
        }
        for name in [
            "part-0.parquet",
            "part-0.parquet#",
            "part-0.parquet#x",
            "notes#1",
            "#1",
        ] {
            assert!(!is_staged(name), "{name}");
        }
    }
}
