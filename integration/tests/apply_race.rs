//! Many applies at once: each version is made by one of them, and the others are told.

use anyhow::{Context, Result};
use fs_integration::{Online, Repo};
use fs_testkit::process::FsProcess;

#[test]
fn of_racing_applies_each_version_has_one_winner_and_the_losers_plan_again() -> Result<()> {
    let repo = Repo::flights("race", &Online::Embedded)?;
    repo.apply()?;
    // Rivals share the registry and want different definitions.
    let registry = repo.file(".fs/registry").display().to_string();
    let rivals: Vec<Repo> = (0..6)
        .map(|rival| {
            let other = Repo::flights("race", &Online::Embedded)?;
            other.edit("feature_store.yaml", ".fs/registry", &registry)?;
            other.edit(
                "feature_views.yaml",
                "ttl: 3h",
                &format!("ttl: {}h", 4 + rival),
            )?;
            Ok(other)
        })
        .collect::<Result<_>>()?;
    let running: Vec<FsProcess> = rivals
        .iter()
        .map(|rival| FsProcess::spawn(&mut rival.command(&["--format", "json", "apply"])?))
        .collect::<Result<_>>()?;

    let mut versions = vec![1];
    for process in running {
        let ended = process.wait(std::time::Duration::from_mins(2))?;
        if ended.code == Some(0) {
            let answer: serde_json::Value = serde_json::from_str(&ended.stdout)?;
            versions.push(
                answer["version"]
                    .as_u64()
                    .context("an apply tells its version")?,
            );
        } else {
            assert_eq!(ended.code, Some(1), "{ended:?}");
            assert!(ended.stderr.contains("run `fs plan` again"), "{ended:?}");
        }
    }
    versions.sort_unstable();
    let expected: Vec<u64> = (1..=versions.len() as u64).collect();
    assert_eq!(versions, expected, "two applies made the same version");

    let history = repo.json(&["registry", "history"])?;
    assert_eq!(history.as_array().map(Vec::len), Some(versions.len()));
    Ok(())
}
