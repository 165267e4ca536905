//! An address that is not the server's own.

use fs_testkit::net::free_address;
use fs_testkit::redis::TestRedis;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};

/// An address that leads to one server or another.
pub(crate) struct Proxy {
    pub(crate) url: String,
    target: watch::Sender<String>,
    held: watch::Sender<u64>,
    task: AbortHandle,
}

impl Proxy {
    pub(crate) async fn start(redis: &TestRedis) -> Self {
        let listener = TcpListener::bind(free_address().unwrap()).await.unwrap();
        let url = format!("redis://{}", listener.local_addr().unwrap());
        let (target, targets) = watch::channel(redis.address().unwrap());
        let (held, holds) = watch::channel(0);
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((mut client, _)) = listener.accept().await {
                let address = targets.borrow().clone();
                let mut holds = holds.clone();
                holds.mark_unchanged();
                connections.spawn(async move {
                    let mut server = TcpStream::connect(address).await.unwrap();
                    tokio::select! {
                        // Either end may go at any time.
                        _ended = copy_bidirectional(&mut client, &mut server) => {}
                        _held = holds.changed() => std::future::pending().await,
                    }
                });
            }
        });
        Self {
            url,
            target,
            held,
            task: task.abort_handle(),
        }
    }

    /// Where new connections lead to.
    pub(crate) fn lead_to(&self, redis: &TestRedis) {
        self.target.send(redis.address().unwrap()).unwrap();
    }

    /// Nothing passes any more over the connections that there are.
    pub(crate) fn hold(&self) {
        self.held.send_modify(|times| *times += 1);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}
