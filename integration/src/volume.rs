//! A small disk.

use std::ffi::OsStr;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use fs_testkit::process::FsProcess;

const MOUNTED: &str = "mounted";

/// How the namespace is entered: as root, and as anybody else where users may have namespaces.
const WAYS: [&[&str]; 2] = [&["--mount"], &["--mount", "--map-root-user"]];

/// A tmpfs of a few bytes on a folder, seen only by whoever is [inside](Self::inside).
///
/// It lives in a mount namespace of its own, so that it is gone with the test, however that ends. It is
/// an error, and no reason to skip a test, if there can be none.
#[derive(Debug)]
pub struct Volume {
    folder: PathBuf,
    /// Keeps the namespace.
    holder: FsProcess,
    way: &'static [&'static str],
}

impl Volume {
    /// Mounts it on `folder`, which must be there.
    pub fn on(folder: &Path, bytes: u64) -> Result<Self> {
        let mut problems = Vec::new();
        for way in WAYS {
            match hold(way, folder, bytes) {
                Ok(holder) => {
                    let folder = folder.to_owned();
                    return Ok(Self {
                        folder,
                        holder,
                        way,
                    });
                }
                Err(error) => problems.push(format!("unshare {}: {error:#}", way.join(" "))),
            }
        }
        anyhow::bail!(
            "a test of full disks needs a mount namespace: run it as root, or allow users to have \
             namespaces\n{}",
            problems.join("\n")
        )
    }

    /// `command`, run where the volume is seen. Only its program and arguments are taken over.
    pub fn inside(&self, command: &Command) -> Command {
        let mut inside = Command::new("nsenter");
        let target = self.holder.id().to_string();
        inside.args(["--target", &target, "--mount"]);
        if self.way.contains(&"--map-root-user") {
            inside.args(["--user", "--preserve-credentials"]);
        }
        inside.arg("--").arg(command.get_program());
        inside.args(command.get_args());
        inside
    }

    /// Where this process finds a file of the volume.
    pub fn path(&self, inside: &Path) -> PathBuf {
        let root = PathBuf::from(format!("/proc/{}/root", self.holder.id()));
        root.join(inside.strip_prefix("/").unwrap_or(inside))
    }

    /// Fills it until about `free` bytes are left.
    pub fn fill(&self, free: u64) -> Result<()> {
        let mut ballast = OpenOptions::new()
            .append(true)
            .create(true)
            .open(self.ballast())?;
        let page = [0; 4_096];
        loop {
            match ballast.write_all(&page) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::StorageFull => break,
                Err(error) => return Err(error.into()),
            }
        }
        let full = ballast.metadata()?.len();
        Ok(ballast.set_len(full.saturating_sub(free))?)
    }

    /// Takes away what filled it.
    pub fn empty(&self) -> Result<()> {
        Ok(fs::remove_file(self.ballast())?)
    }

    fn ballast(&self) -> PathBuf {
        self.path(&self.folder.join("ballast"))
    }
}

fn hold(way: &[&str], folder: &Path, bytes: u64) -> Result<FsProcess> {
    ensure!(folder.is_dir(), "{} is no folder", folder.display());
    let script =
        format!("mount -t tmpfs -o size={bytes} tmpfs \"$1\" && echo {MOUNTED} && exec sleep inf");
    let mut unshare = Command::new("unshare");
    unshare.args(way).args(["sh", "-c", &script, "sh"]);
    let mut holder = FsProcess::spawn(unshare.arg::<&OsStr>(folder.as_ref()))?;
    holder.wait_for_line(MOUNTED).context("no tmpfs")?;
    Ok(holder)
}
