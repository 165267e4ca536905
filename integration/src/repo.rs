//! A copy of the flights repo that a test may do anything to, and the `fs` binary run on it.

use std::fs as files;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use fs_testkit::process::{Ended, fs, run};
use serde_json::Value;
use tempfile::TempDir;

use crate::{Served, Volume};

/// How long one command may take, on a busy machine.
const PATIENCE: Duration = Duration::from_mins(4);

/// Where the newest rows of the repo go.
#[derive(Debug, Clone)]
pub enum Online {
    /// Into LMDB, below the repo.
    Embedded,
    /// Into this Redis server.
    Redis(String),
}

/// A feature repo of a test's own.
#[derive(Debug)]
pub struct Repo {
    folder: TempDir,
    project: String,
    offline: Option<Volume>,
}

impl Repo {
    /// A copy of the flights repo as project `project`.
    pub fn flights(project: &str, online: &Online) -> Result<Self> {
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../feature_repo");
        let folder = tempfile::tempdir()?;
        for entry in files::read_dir(&example)? {
            let path = entry?.path();
            if path
                .extension()
                .is_some_and(|extension| extension == "yaml")
            {
                files::copy(
                    &path,
                    folder
                        .path()
                        .join(path.file_name().context("a file has a name")?),
                )?;
            }
        }
        // The data is only read; a link saves copying it for every test.
        std::os::unix::fs::symlink(example.join("data"), folder.path().join("data"))?;
        let project = project.to_owned();
        let repo = Self {
            folder,
            project,
            offline: None,
        };
        repo.settings(online)?;
        Ok(repo)
    }

    /// A repo without definitions, as project `project`.
    pub fn empty(project: &str, online: &Online) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let project = project.to_owned();
        let repo = Self {
            folder,
            project,
            offline: None,
        };
        repo.settings(online)?;
        Ok(repo)
    }

    fn settings(&self, online: &Online) -> Result<()> {
        let project = &self.project;
        let online = match online {
            Online::Embedded => "{ type: embedded, path: .fs/online }".to_owned(),
            Online::Redis(url) => format!("{{ type: redis, url: \"{url}\" }}"),
        };
        self.write(
            "feature_store.yaml",
            &format!(
                "project: {project}\nregistry: {{ path: .fs/registry }}\n\
                 offline_store: {{ path: .fs/offline }}\nonline_store: {online}\n\
                 engine: {{ type: local, memory_limit: 1GiB }}\n"
            ),
        )
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A file of the repo.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The folder of the registry's project.
    pub fn registry(&self) -> PathBuf {
        self.file(".fs/registry").join(&self.project)
    }

    /// The folder with the offline tables, one below it for each view.
    pub fn offline(&self) -> PathBuf {
        let folder = self.file(".fs/offline").join(&self.project);
        match &self.offline {
            Some(volume) => volume.path(&folder),
            None => folder,
        }
    }

    /// Puts the offline tables, of which there must be none yet, on a disk of so many bytes.
    pub fn offline_on_volume(&mut self, bytes: u64) -> Result<()> {
        let folder = self.file(".fs/offline");
        files::create_dir_all(&folder)?;
        self.offline = Some(Volume::on(&folder, bytes)?);
        Ok(())
    }

    /// The disk of the offline tables.
    pub fn volume(&self) -> Result<&Volume> {
        self.offline
            .as_ref()
            .context("the offline tables have no disk of their own")
    }

    /// Writes a file of the repo.
    pub fn write(&self, name: &str, text: &str) -> Result<()> {
        Ok(files::write(self.file(name), text)?)
    }

    /// Replaces every `from` in a file of the repo, which must have one.
    pub fn edit(&self, name: &str, from: &str, to: &str) -> Result<()> {
        let text = files::read_to_string(self.file(name))?;
        ensure!(text.contains(from), "{name} has no {from:?}");
        self.write(name, &text.replace(from, to))
    }

    /// `fs -C REPO ARGS…`, ready to be spawned.
    pub fn command(&self, args: &[&str]) -> Result<Command> {
        let mut command = fs(self.path())?;
        command.args(args);
        if let Some(volume) = &self.offline {
            command = volume.inside(&command);
        }
        command.env_remove("RUST_LOG").stdin(Stdio::null());
        Ok(command)
    }

    /// Runs `fs -C REPO ARGS…` to its end, however it ends.
    pub fn run(&self, args: &[&str]) -> Result<Ended> {
        run(&mut self.command(args)?, PATIENCE)
    }

    /// Runs `fs -C REPO --format json ARGS…`, which must succeed, and reads its answer.
    pub fn json(&self, args: &[&str]) -> Result<Value> {
        let ended = self
            .run(&[&["--format", "json"], args].concat())?
            .success()?;
        serde_json::from_str(&ended.stdout).with_context(|| format!("not JSON: {ended:?}"))
    }

    /// Runs `fs -C REPO --format json ARGS…`, which must end with `status`, and reads its error.
    pub fn refused(&self, args: &[&str], status: i32) -> Result<Value> {
        let ended = self
            .run(&[&["--format", "json"], args].concat())?
            .exits_with(status)?;
        let error: Value = serde_json::from_str(&ended.stderr)
            .with_context(|| format!("no JSON error: {ended:?}"))?;
        Ok(error["error"].clone())
    }

    /// Applies the definitions.
    pub fn apply(&self) -> Result<Value> {
        self.json(&["apply"])
    }

    /// Applies the definitions and materializes `[start, end)`.
    pub fn materialized(self, start: &str, end: &str) -> Result<Self> {
        self.apply()?;
        self.json(&["materialize", start, end])?;
        Ok(self)
    }

    /// Starts `fs serve` on free ports.
    pub fn serve(&self, args: &[&str]) -> Result<Served> {
        Served::start(
            &mut self.command(
                &[
                    &[
                        "--format",
                        "json",
                        "serve",
                        "--grpc",
                        "127.0.0.1:0",
                        "--http",
                        "127.0.0.1:0",
                    ],
                    args,
                ]
                .concat(),
            )?,
        )
    }
}
