//! A gate between a client and a server, so that a test decides when a request goes on.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;

use anyhow::Result;

/// Listens in front of a server. What the server sends goes through at once; of what a client sends,
/// so many bytes, and the rest once the gate is opened.
#[derive(Debug)]
pub struct Gate {
    /// Where clients come to.
    pub address: SocketAddr,
    latch: Arc<Latch>,
}

#[derive(Debug, Default)]
struct Latch {
    is_open: Mutex<bool>,
    opened: Condvar,
}

impl Gate {
    /// A closed gate before `server`, which lets `bytes` of every connection through.
    pub fn before(server: &str, bytes: usize) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let latch = Arc::new(Latch::default());
        let (server, shared) = (server.to_owned(), Arc::clone(&latch));
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                // A connection that cannot be passed on is closed, and the client says so.
                pass(client, &server, bytes, &shared).ok();
            }
        });
        Ok(Self { address, latch })
    }

    /// Lets everything through from now on.
    pub fn open(&self) {
        *self
            .latch
            .is_open
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = true;
        self.latch.opened.notify_all();
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.open();
    }
}

impl Latch {
    fn wait(&self) {
        let is_open = self.is_open.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.opened.wait_while(is_open, |is_open| !*is_open));
    }
}

fn pass(client: TcpStream, server: &str, bytes: usize, latch: &Arc<Latch>) -> Result<()> {
    let server = TcpStream::connect(server)?;
    let (from_server, to_client) = (server.try_clone()?, client.try_clone()?);
    thread::spawn(move || copy(from_server, to_client, usize::MAX, || ()));
    let latch = Arc::clone(latch);
    thread::spawn(move || copy(client, server, bytes, || latch.wait()));
    Ok(())
}

/// Copies to the end, pausing once after the first `bytes`.
fn copy(mut from: TcpStream, mut to: TcpStream, bytes: usize, pause: impl Fn()) {
    let mut left = Some(bytes);
    let mut buffer = [0; 4_096];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        if left.is_some_and(|left| left < count) {
            pause();
            left = None;
        }
        left = left.map(|left| left - count);
        if to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    to.shutdown(Shutdown::Write).ok();
}
