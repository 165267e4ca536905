//! Processes whose clock on the wall is wrong.

use std::process::Command;

use anyhow::{Result, ensure};
use tempfile::TempDir;

const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/preload/skewed_clock.c");

/// A library that shifts the clock of a process.
#[derive(Debug)]
pub struct SkewedClock {
    folder: TempDir,
}

impl SkewedClock {
    /// Compiles it.
    pub fn new() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let library = folder.path().join("skewed_clock.so");
        let status = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-o"])
            .arg(&library)
            .args([SOURCE, "-ldl"])
            .status()?;
        ensure!(status.success(), "{SOURCE} does not compile");
        Ok(Self { folder })
    }

    /// Lets `command` be so many seconds ahead, or behind.
    pub fn shift(&self, command: &mut Command, seconds: i64) {
        let library = self.folder.path().join("skewed_clock.so");
        command
            .env("LD_PRELOAD", library)
            .env("SKEW_SECONDS", seconds.to_string());
    }
}
