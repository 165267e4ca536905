//! A Redis of our own.

use std::net::{Ipv4Addr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client};

use crate::Outcome;

/// A `redis-server` that ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    client: Client,
}

impl Server {
    pub(crate) fn start() -> Outcome<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        drop(listener);
        let child = Command::new("redis-server")
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
            .args(["--save", "", "--appendonly", "no"])
            .stdout(Stdio::null())
            .spawn()?;
        let client = Client::open(format!("redis://127.0.0.1:{port}"))?;
        let server = Self { child, client };
        let begun = Instant::now();
        while server.client.get_connection().is_err() {
            if begun.elapsed() > Duration::from_secs(10) {
                return Err("redis-server does not answer".into());
            }
        }
        Ok(server)
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://{}", self.client.get_connection_info().addr())
    }

    pub(crate) async fn connect(&self) -> Outcome<MultiplexedConnection> {
        let config = AsyncConnectionConfig::new()
            .set_response_timeout(None)
            .set_pipeline_buffer_size(1_024);
        let connection = self
            .client
            .get_multiplexed_async_connection_with_config(&config)
            .await?;
        Ok(connection)
    }

    /// A number that `INFO section` says.
    pub(crate) async fn info(&self, section: &str, name: &str) -> Outcome<f64> {
        let mut connection = self.connect().await?;
        let info: String = redis::cmd("INFO")
            .arg(section)
            .query_async(&mut connection)
            .await?;
        let prefix = format!("{name}:");
        let line = info.lines().find_map(|line| line.strip_prefix(&prefix));
        Ok(line
            .ok_or_else(|| format!("INFO has no {name}"))?
            .trim()
            .parse()?)
    }

    /// Seconds of CPU that the thread that serves has taken.
    pub(crate) async fn cpu(&self) -> Outcome<f64> {
        let user = self.info("cpu", "used_cpu_user_main_thread").await?;
        Ok(user + self.info("cpu", "used_cpu_sys_main_thread").await?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Nobody is left to tell.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
