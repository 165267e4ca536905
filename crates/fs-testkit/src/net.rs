//! Loopback ports, and waiting until something listens on one.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// How long a test waits for something that ought to happen at once on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// How often a condition is looked at again.
const POLL: Duration = Duration::from_millis(5);

/// A loopback port where nobody listens.
///
/// Somebody else may take it before you do, so whoever can should let the system choose (port 0).
pub fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free loopback port")?;
    Ok(listener.local_addr()?.port())
}

/// `127.0.0.1` with a [`free_port`].
pub fn free_address() -> Result<SocketAddr> {
    Ok(SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?)))
}

/// Returns once `address` accepts a connection; an error after `patience`.
pub fn wait_for_port(address: SocketAddr, patience: Duration) -> Result<()> {
    wait_until(patience, || {
        Ok(TcpStream::connect_timeout(&address, Duration::from_secs(1))
            .is_ok()
            .then_some(()))
    })
    .with_context(|| format!("nothing listens on {address}"))
}

/// Looks again and again until `look` finds something; an error if it fails, or after `patience`.
pub fn wait_until<T>(patience: Duration, mut look: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(found) = look()? {
            return Ok(found);
        }
        if Instant::now() >= deadline {
            bail!("it did not happen within {} ms", patience.as_millis());
        }
        thread::sleep(POLL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_where_somebody_listens_is_found_and_a_free_one_is_not() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        wait_for_port(listener.local_addr().unwrap(), PATIENCE).unwrap();
        let error = wait_for_port(free_address().unwrap(), Duration::ZERO).unwrap_err();
        assert!(format!("{error:#}").contains("nothing listens on 127.0.0.1:"));
    }
}
