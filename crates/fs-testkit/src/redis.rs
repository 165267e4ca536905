//! A real Redis for tests.
//!
//! | In this order | When |
//! |---|---|
//! | the server at `FS_TEST_REDIS_URL` | the variable is set |
//! | a `redis-server` of our own, on a free loopback port | it is on the `PATH` |
//! | a container of ours | a Docker engine answers |
//! | an error that says what to install | else |
//!
//! A test never passes by being skipped. The server at `FS_TEST_REDIS_URL` may hold other people's
//! data: nothing here flushes, and every test uses a [`unique_project`](crate::unique_project).

mod cluster;
mod container;
mod server;

use std::env;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use anyhow::{Context, Result, bail};

pub use cluster::TestRedisCluster;
use container::RedisContainer;
use server::RedisProcess;

use crate::net::{PATIENCE, wait_until};

/// The environment variable that holds the URL of a Redis for tests.
pub const URL_VARIABLE: &str = "FS_TEST_REDIS_URL";

/// A Redis that answers. What it started ends when it is dropped.
#[derive(Debug)]
pub struct TestRedis {
    url: String,
    server: Server,
}

#[derive(Debug)]
enum Server {
    /// Somebody else's.
    External,
    Process(RedisProcess),
    /// Held for its `Drop`.
    Container {
        _container: RedisContainer,
    },
}

impl TestRedis {
    /// A Redis for one test: see the [module](self) for where it comes from.
    pub fn start() -> Result<Self> {
        if let Some(url) = env::var_os(URL_VARIABLE) {
            let url = url
                .into_string()
                .map_err(|_not_utf8| anyhow::anyhow!("{URL_VARIABLE} is not UTF-8"))?;
            wait_for_pong(&url)
                .with_context(|| format!("no Redis answers at the address in {URL_VARIABLE}"))?;
            let server = Server::External;
            return Ok(Self { url, server });
        }
        if RedisProcess::is_installed() {
            return Self::private();
        }
        match RedisContainer::start() {
            Ok(container) => {
                let url = container.url();
                wait_for_pong(&url)?;
                let server = Server::Container {
                    _container: container,
                };
                Ok(Self { url, server })
            }
            Err(no_docker) => Err(no_docker.context(format!(
                "tests need a Redis: install one (`apt-get install redis-server`), set \
                 {URL_VARIABLE}, or start Docker"
            ))),
        }
    }

    /// A `redis-server` that nobody else uses, whatever the environment says: one that may be
    /// [stopped](Self::stop) and [frozen](Self::freeze).
    pub fn private() -> Result<Self> {
        Self::private_with(&[])
    }

    /// The same, told `arguments` besides where to listen: `["--maxmemory", "1mb"]`.
    pub fn private_with(arguments: &[&str]) -> Result<Self> {
        let arguments: Vec<String> = arguments.iter().map(|word| (*word).to_owned()).collect();
        let server = RedisProcess::start(&arguments)?;
        let url = server.url();
        let server = Server::Process(server);
        Ok(Self { url, server })
    }

    /// The Redis that the running tests of this process share.
    ///
    /// It is started by the first who asks and ends with the last who holds it.
    pub fn shared() -> Result<Arc<Self>> {
        static SHARED: Mutex<Weak<TestRedis>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = shared.upgrade() {
            return Ok(running);
        }
        let started = Arc::new(Self::start()?);
        *shared = Arc::downgrade(&started);
        Ok(started)
    }

    /// Its URL: `redis://127.0.0.1:40123`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Host and port, as messages show them.
    pub fn address(&self) -> Result<String> {
        let client = ::redis::Client::open(self.url.as_str())?;
        Ok(client.get_connection_info().addr().to_string())
    }

    /// A connection for looking at what is stored.
    pub fn connect(&self) -> Result<::redis::Connection> {
        let client = ::redis::Client::open(self.url.as_str())?;
        Ok(client.get_connection_with_timeout(PATIENCE)?)
    }

    /// Ends the server; what it held is lost.
    pub fn stop(&mut self) -> Result<()> {
        self.process()?.stop()
    }

    /// Starts the server again, empty, on the port that it had.
    pub fn restart_on_same_port(&mut self) -> Result<()> {
        self.process()?.restart()
    }

    /// Makes the server hang: it accepts connections and answers nobody.
    pub fn freeze(&mut self) -> Result<()> {
        self.process()?.signal("STOP")
    }

    /// Lets a frozen server go on.
    pub fn thaw(&mut self) -> Result<()> {
        self.process()?.signal("CONT")
    }

    fn process(&mut self) -> Result<&mut RedisProcess> {
        match &mut self.server {
            Server::Process(process) => Ok(process),
            Server::External | Server::Container { .. } => bail!(
                "this Redis is not a process of this test: ask for `TestRedis::private()`, and \
                 have redis-server on the PATH"
            ),
        }
    }
}

/// Returns once the Redis at `url` answers a PING; an error that says why it does not.
fn wait_for_pong(url: &str) -> Result<()> {
    let client = ::redis::Client::open(url).context("not the URL of a Redis")?;
    let mut last = None;
    let answered = wait_until(PATIENCE, || {
        let mut connection = match client.get_connection_with_timeout(Duration::from_secs(1)) {
            Ok(connection) => connection,
            Err(error) => {
                last = Some(error);
                return Ok(None);
            }
        };
        connection.set_read_timeout(Some(Duration::from_secs(1)))?;
        Ok(::redis::cmd("PING").exec(&mut connection).ok())
    });
    match (answered, last) {
        (Err(error), Some(last)) => Err(error.context(last)),
        (answered, _) => answered,
    }
}

#[cfg(test)]
mod tests;
