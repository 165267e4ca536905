//! A `redis-server` of our own.

use std::fs::{self, File};
use std::process::{Child, Command, ExitStatus, Stdio};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use super::wait_for_pong;
use crate::net::free_port;
use crate::process::signal;

/// How often to try another port when somebody takes it before the server does.
const ATTEMPTS: u32 = 3;

/// A `redis-server` on a free loopback port that keeps nothing.
#[derive(Debug)]
pub(super) struct RedisProcess {
    folder: TempDir,
    port: u16,
    /// What it is told besides where to listen.
    arguments: Vec<String>,
    child: Option<Child>,
}

impl RedisProcess {
    /// Whether there is a `redis-server` to start.
    pub(super) fn is_installed() -> bool {
        Command::new("redis-server")
            .arg("--version")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    }

    /// Starts one that is told `arguments`, too.
    pub(super) fn start(arguments: &[String]) -> Result<Self> {
        let mut attempt = 1;
        loop {
            let mut server = Self {
                folder: TempDir::new()?,
                port: free_port()?,
                arguments: arguments.to_vec(),
                child: None,
            };
            match server.restart() {
                Ok(()) => return Ok(server),
                Err(error) if attempt == ATTEMPTS => return Err(error),
                Err(_) => attempt += 1,
            }
        }
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub(super) fn url(&self) -> String {
        format!("redis://{}", self.address())
    }

    /// Starts it on its port; it must not be running.
    pub(super) fn restart(&mut self) -> Result<()> {
        if self.child.is_some() {
            bail!("the Redis on port {} runs already", self.port);
        }
        let log = self.folder.path().join("redis.log");
        let file = File::create(&log)?;
        let child = Command::new("redis-server")
            .args(["--port", &self.port.to_string()])
            .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
            .arg("--dir")
            .arg(self.folder.path())
            .args(&self.arguments)
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .spawn()
            .context("cannot start redis-server: install it with `apt-get install redis-server`")?;
        self.child = Some(child);
        let answered = wait_for_pong(&self.url());
        if answered.is_err() || self.exited()?.is_some() {
            self.stop()?;
            let log = fs::read_to_string(&log).unwrap_or_default();
            bail!("redis-server does not answer on port {}:\n{log}", self.port);
        }
        Ok(())
    }

    /// Kills it and waits until it is gone. Fine if it is not running.
    pub(super) fn stop(&mut self) -> Result<()> {
        if let Some(mut child) = self.child.take() {
            child.kill()?;
            child.wait()?;
        }
        Ok(())
    }

    pub(super) fn signal(&self, name: &str) -> Result<()> {
        let child = self.child.as_ref().context("this Redis is stopped")?;
        signal(child.id(), name)
    }

    /// Its status, if it ended by itself: because another process has the port, say.
    fn exited(&mut self) -> Result<Option<ExitStatus>> {
        let child = self.child.as_mut().context("this Redis is stopped")?;
        Ok(child.try_wait()?)
    }
}

impl Drop for RedisProcess {
    fn drop(&mut self) {
        // Nobody is left to tell.
        self.stop().ok();
    }
}
