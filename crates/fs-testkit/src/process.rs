//! The `fs` binary: found, run, watched, signalled.

mod output;

use std::env;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::net::{PATIENCE, wait_for_port, wait_until};
use output::Collected;

/// The `fs` binary of this build: beside the test that runs.
///
/// A crate that has the binary itself knows it better: `env!("CARGO_BIN_EXE_fs")`.
pub fn fs_binary() -> Result<PathBuf> {
    let test = env::current_exe()?;
    // target/debug/deps/name-0123456789abcdef
    let binary = test
        .ancestors()
        .nth(2)
        .context("this test is not in a target folder")?
        .join("fs");
    if !binary.is_file() {
        bail!(
            "there is no {}: build it with `cargo build --workspace`",
            binary.display()
        );
    }
    Ok(binary)
}

/// A command that runs the `fs` binary in the repo `folder`: add the arguments.
pub fn fs(folder: &Path) -> Result<Command> {
    let mut command = Command::new(fs_binary()?);
    command.arg("-C").arg(folder);
    Ok(command)
}

/// What a process printed, and how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// The exit status; `None` if a signal ended it.
    pub code: Option<i32>,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

impl Ended {
    /// An error with all that was printed, unless the status is 0.
    pub fn success(self) -> Result<Self> {
        self.exits_with(0)
    }

    /// An error with all that was printed, unless the status is `code`.
    pub fn exits_with(self, code: i32) -> Result<Self> {
        if self.code == Some(code) {
            return Ok(self);
        }
        let found = self
            .code
            .map_or_else(|| "a signal".to_owned(), |code| format!("status {code}"));
        bail!(
            "it should have ended with status {code} and ended with {found}\n--- stdout\n{}\n--- \
             stderr\n{}",
            self.stdout,
            self.stderr
        );
    }
}

/// Runs `command` to its end, which must come within `patience`.
pub fn run(command: &mut Command, patience: Duration) -> Result<Ended> {
    FsProcess::spawn(command)?.wait(patience)
}

/// A process that runs beside the test, killed when it is dropped.
///
/// Its output is collected from the start, so it never blocks on a full pipe.
#[derive(Debug)]
pub struct FsProcess {
    child: Child,
    stdout: Collected,
    stderr: Collected,
}

impl FsProcess {
    /// Starts `command`.
    pub fn spawn(command: &mut Command) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", command.get_program().display()))?;
        let stdout = Collected::from(child.stdout.take());
        let stderr = Collected::from(child.stderr.take());
        Ok(Self {
            child,
            stdout,
            stderr,
        })
    }

    /// The number of the process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it has printed so far.
    pub fn stdout(&self) -> String {
        self.stdout.text()
    }

    /// What it has complained of so far.
    pub fn stderr(&self) -> String {
        self.stderr.text()
    }

    /// Returns once `address` accepts connections; an error if the process ends before.
    pub fn wait_for_port(&mut self, address: SocketAddr) -> Result<()> {
        wait_until(PATIENCE, || {
            let listening = wait_for_port(address, Duration::ZERO).is_ok();
            self.check_running()?;
            Ok(listening.then_some(()))
        })
        .with_context(|| format!("nothing listens on {address}; stderr:\n{}", self.stderr()))
    }

    /// Returns the first line, of standard output or error, that holds `text`.
    pub fn wait_for_line(&mut self, text: &str) -> Result<String> {
        let find = |printed: String| {
            let mut lines = printed.lines();
            lines.find(|line| line.contains(text)).map(str::to_owned)
        };
        self.wait_for(text, |process| {
            find(process.stdout()).or_else(|| find(process.stderr()))
        })
    }

    /// Returns all of standard output once one of its lines is `text`.
    ///
    /// What a program logs in the meantime goes to standard error, and is not taken for its answer.
    pub fn wait_for_answer(&mut self, text: &str) -> Result<String> {
        self.wait_for(text, |process| {
            let printed = process.stdout();
            let mut lines = printed.lines();
            lines.any(|line| line == text).then_some(printed)
        })
    }

    /// Waits until `find` finds something in what it printed.
    fn wait_for(&mut self, text: &str, find: impl Fn(&Self) -> Option<String>) -> Result<String> {
        wait_until(PATIENCE, || {
            // Asked before looking, so that the last words of a process count.
            let ended = self.child.try_wait()?;
            if ended.is_some() {
                self.stdout.finish();
                self.stderr.finish();
            }
            match find(self) {
                None if ended.is_some() => bail!("it ended"),
                found => Ok(found),
            }
        })
        .with_context(|| format!("it never printed `{text}`; stderr:\n{}", self.stderr()))
    }

    /// Asks it to end: SIGTERM.
    pub fn terminate(&self) -> Result<()> {
        signal(self.id(), "TERM")
    }

    /// Ends it without asking: SIGKILL.
    pub fn kill(&mut self) -> Result<()> {
        Ok(self.child.kill()?)
    }

    /// Sends it a signal by name, such as `STOP`.
    pub fn signal(&self, name: &str) -> Result<()> {
        signal(self.id(), name)
    }

    /// Its status if it has ended.
    pub fn try_wait(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// Waits until it ends; an error, and its end, after `patience`.
    pub fn wait(mut self, patience: Duration) -> Result<Ended> {
        let status = wait_until(patience, || Ok(self.child.try_wait()?)).with_context(|| {
            let (stdout, stderr) = (self.stdout(), self.stderr());
            format!("the process did not end\n--- stdout\n{stdout}\n--- stderr\n{stderr}")
        })?;
        self.stdout.finish();
        self.stderr.finish();
        Ok(Ended {
            code: status.code(),
            stdout: self.stdout(),
            stderr: self.stderr(),
        })
    }

    fn check_running(&mut self) -> Result<()> {
        match self.child.try_wait()? {
            Some(status) => bail!("it ended with {status}"),
            None => Ok(()),
        }
    }
}

impl Drop for FsProcess {
    fn drop(&mut self) {
        // Both are fine if it has ended, and nobody is left to tell if not.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Sends the signal `name` to a process that the caller started.
pub(crate) fn signal(process: u32, name: &str) -> Result<()> {
    let status = Command::new("kill")
        .args([&format!("-{name}"), &process.to_string()])
        .status()
        .context("cannot run `kill`")?;
    if !status.success() {
        bail!("process {process} could not be sent SIG{name}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_process_that_ends_leaves_its_output_and_its_status() {
        let ended = run(&mut shell("echo out; echo err >&2; exit 3"), PATIENCE).unwrap();
        let expected = Ended {
            code: Some(3),
            stdout: "out\n".to_owned(),
            stderr: "err\n".to_owned(),
        };
        assert_eq!(ended, expected);
        assert!(ended.success().unwrap_err().to_string().contains("err"));
    }

    #[test]
    fn what_a_process_logs_is_not_its_answer() {
        let script = "echo '{ \"log\": {}\n}' >&2; echo '{'; echo '}'";
        let mut process = FsProcess::spawn(&mut shell(script)).unwrap();
        process.wait_for_line("log").unwrap();
        assert_eq!(process.wait_for_answer("}").unwrap(), "{\n}\n");
    }

    #[test]
    fn a_process_is_asked_to_end_and_may_say_goodbye() {
        let script = "trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.01; done";
        let mut process = FsProcess::spawn(&mut shell(script)).unwrap();
        process.wait_for_line("ready").unwrap();
        process.terminate().unwrap();
        let ended = process.wait(PATIENCE).unwrap().success().unwrap();
        assert_eq!(ended.stdout, "ready\nbye\n");
    }

    #[test]
    fn a_process_that_takes_too_long_is_an_error_and_ends() {
        let error = run(
            &mut shell("echo busy; exec sleep 100"),
            Duration::from_millis(50),
        );
        assert!(error.unwrap_err().to_string().contains("did not end"));
    }

    #[test]
    fn waiting_for_the_line_of_a_process_that_ended_says_what_it_printed() {
        let mut process = FsProcess::spawn(&mut shell("echo wrong >&2")).unwrap();
        let error = process.wait_for_line("ready").unwrap_err();
        assert!(error.to_string().contains("wrong"), "{error}");
    }
}
