//! A running `fs serve`.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use fs_testkit::process::{Ended, FsProcess};
use serde_json::Value;

/// How long anything may take, on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// A server that is killed when it is dropped.
#[derive(Debug)]
pub struct Served {
    process: FsProcess,
    /// Where gRPC and Flight listen.
    pub grpc: String,
    /// Where HTTP listens.
    pub http: String,
}

impl Served {
    /// Starts the server and returns once it has said where it listens.
    pub fn start(command: &mut Command) -> Result<Self> {
        let mut process = FsProcess::spawn(command)?;
        // The last line of the answer, after which all of it is there.
        let answer = process.wait_for_answer("}")?;
        let said: Value = serde_json::from_str(&answer)?;
        let address = |name: &str| -> Result<String> {
            Ok(said[name]
                .as_str()
                .with_context(|| format!("no `{name}` in {said}"))?
                .to_owned())
        };
        Ok(Self {
            grpc: address("grpc")?,
            http: address("http")?,
            process,
        })
    }

    /// `http://…` of gRPC and Flight, as `--server` takes it.
    pub fn url(&self) -> String {
        format!("http://{}", self.grpc)
    }

    /// The process.
    pub fn process(&mut self) -> &mut FsProcess {
        &mut self.process
    }

    /// Asks it to end, and waits until it has.
    pub fn stop(self) -> Result<Ended> {
        self.process.terminate()?;
        self.process.wait(PATIENCE)
    }

    /// Waits until it has ended, after it was asked to.
    pub fn ended(self) -> Result<Ended> {
        self.process.wait(PATIENCE)
    }

    /// `GET path` over HTTP: status and body.
    pub fn get(&self, path: &str) -> Result<(u16, String)> {
        let mut stream = TcpStream::connect(&self.http)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
            self.http
        )?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        let (head, body) = text
            .split_once("\r\n\r\n")
            .context("an HTTP answer has a body")?;
        let status = head
            .split(' ')
            .nth(1)
            .context("an HTTP answer has a status")?
            .parse()?;
        Ok((status, body.to_owned()))
    }
}
