//! The lease of a view, as it lies in the registry.

use std::fs;

use anyhow::{Context, Result};
use fs_testkit::net::{PATIENCE, wait_until};
use serde_json::Value;

use crate::Repo;

/// What a lease says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseFile {
    /// Grows with each holder.
    pub fence: i64,
    /// The process that holds it.
    pub holder: Option<u32>,
    /// What the scheduler remembers of the view.
    pub job: Value,
}

impl LeaseFile {
    /// What the lease of `view` says; `None` if it never had one.
    pub fn read(repo: &Repo, view: &str) -> Result<Option<Self>> {
        let folder = repo.registry().join("leases").join(view);
        loop {
            let Ok(entries) = fs::read_dir(&folder) else {
                return Ok(None);
            };
            let names = entries.map(|entry| Ok(entry?.file_name()));
            let names = names.collect::<Result<Vec<_>>>()?;
            // Digits of one width; what is being written has another ending.
            let names = names.iter().filter_map(|name| name.to_str());
            let written = names.filter_map(|name| Some((name.strip_suffix(".json")?, name)));
            let Some((_, newest)) = written.max() else {
                return Ok(None);
            };
            // Old ones are removed; then there is a newer one.
            if let Ok(text) = fs::read_to_string(folder.join(newest)) {
                let said: Value = serde_json::from_str(&text)?;
                let pid = said.pointer("/holder/process/pid").and_then(Value::as_u64);
                return Ok(Some(Self {
                    fence: said["fence"].as_i64().context("a lease has a fence")?,
                    holder: pid.map(u32::try_from).transpose()?,
                    job: said["job"].clone(),
                }));
            }
        }
    }

    /// Returns once somebody holds the lease of `view`, under a fence that is not below `fence`.
    pub fn wait_until_held(repo: &Repo, view: &str, fence: i64) -> Result<Self> {
        let held = wait_until(PATIENCE, || {
            let found = Self::read(repo, view)?;
            Ok(found.filter(|lease| lease.holder.is_some() && lease.fence >= fence))
        });
        held.with_context(|| format!("nobody ever held the lease of {view}"))
    }
}
