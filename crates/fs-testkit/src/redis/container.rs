//! Redis in a container, where a Docker engine answers.

use std::thread;

use anyhow::{Context, Result, anyhow};
use testcontainers::core::{IntoContainerPort, WaitFor};
use testcontainers::runners::AsyncRunner;
use testcontainers::{ContainerAsync, GenericImage};
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

/// A container, and the thread with a runtime that it needs to be started and removed.
#[derive(Debug)]
pub(super) struct RedisContainer {
    port: u16,
    /// Dropping it tells the thread to remove the container.
    done: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl RedisContainer {
    pub(super) fn start() -> Result<Self> {
        // The caller may be inside a runtime, which must not block on another.
        let (done, ended) = oneshot::channel();
        let (started, start) = std::sync::mpsc::channel();
        let thread = thread::spawn(move || match Runtime::new() {
            Ok(runtime) => runtime.block_on(async {
                match launch().await {
                    Ok((container, port)) => {
                        started.send(Ok(port)).ok();
                        ended.await.ok();
                        container.rm().await.ok();
                    }
                    Err(error) => {
                        started.send(Err(error)).ok();
                    }
                }
            }),
            Err(error) => {
                started.send(Err(error.into())).ok();
            }
        });
        let port = start
            .recv()
            .map_err(|_gone| anyhow!("the thread of the Redis container ended"))??;
        Ok(Self {
            port,
            done: Some(done),
            thread: Some(thread),
        })
    }

    pub(super) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }
}

async fn launch() -> Result<(ContainerAsync<GenericImage>, u16)> {
    let container = GenericImage::new("redis", "7-alpine")
        .with_exposed_port(6379.tcp())
        .with_wait_for(WaitFor::message_on_stdout("Ready to accept connections"))
        .start()
        .await
        .context("no container with Redis could be started")?;
    let port = container.get_host_port_ipv4(6379.tcp()).await?;
    Ok((container, port))
}

impl Drop for RedisContainer {
    fn drop(&mut self) {
        drop(self.done.take());
        if let Some(thread) = self.thread.take() {
            // A panic over there has been printed, and there is nobody to tell.
            thread.join().ok();
        }
    }
}
