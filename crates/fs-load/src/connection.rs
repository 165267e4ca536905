//! Connections that several lanes share, made anew when they break.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use fs_core::code::report;
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio::time::{sleep, timeout};

use crate::{Error, Refusal};

/// How long a server may take to accept a connection.
const CONNECT_TIME: Duration = Duration::from_secs(5);
/// How long a lane waits before it tries again to connect: it would spin otherwise.
const RETRY_TIME: Duration = Duration::from_millis(20);

/// Where a server is: `HOST:PORT`, or a URL of `http://` with nothing after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address(pub(crate) String);

impl Address {
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        let authority = text
            .strip_prefix("http://")
            .unwrap_or(text)
            .trim_end_matches('/');
        let is_port = |port: &str| port.parse::<u16>().is_ok();
        match authority.rsplit_once(':') {
            Some((host, port)) if !host.is_empty() && !host.contains('/') && is_port(port) => {
                Ok(Self(authority.to_owned()))
            }
            _ => Err(Error::Address(text.to_owned())),
        }
    }
}

/// The protocol on top of a connection.
pub(crate) trait Protocol: Send + Sync + 'static {
    /// What requests are sent with.
    type Sender: Send;

    /// Begins to speak.
    fn greet(stream: TcpStream) -> impl Future<Output = hyper::Result<Self::Sender>> + Send;

    /// Takes what is in `place`, or a share of it if lanes can share; nothing if it is broken.
    fn take(place: &mut Option<Self::Sender>) -> Option<Self::Sender>;
}

/// A connection, or the place of one that broke.
#[derive(Debug)]
pub(crate) struct Connection<P: Protocol> {
    address: Address,
    sender: Mutex<Option<P::Sender>>,
}

impl<P: Protocol> Connection<P> {
    /// Connects, so that a wrong address is known before the load begins.
    pub(crate) async fn open(address: &Address) -> Result<Arc<Self>, Error> {
        let sender = dial::<P>(address).await.map_err(|cause| Error::Connect {
            address: address.0.clone(),
            cause,
        })?;
        let sender = Mutex::new(Some(sender));
        Ok(Arc::new(Self {
            address: address.clone(),
            sender,
        }))
    }

    /// What to send with: of this connection, or of a new one if it broke or is somebody's already.
    pub(crate) async fn sender(&self) -> Result<P::Sender, Refusal> {
        let mut place = self.sender.lock().await;
        if let Some(sender) = P::take(&mut place) {
            return Ok(sender);
        }
        let cause = match dial::<P>(&self.address).await {
            Ok(sender) => {
                *place = Some(sender);
                match P::take(&mut place) {
                    Some(sender) => return Ok(sender),
                    None => "the connection broke at once".to_owned(),
                }
            }
            Err(cause) => cause,
        };
        drop(place);
        sleep(RETRY_TIME).await;
        Err(Refusal::unavailable(cause))
    }
}

async fn dial<P: Protocol>(address: &Address) -> Result<P::Sender, String> {
    let connect = TcpStream::connect(address.0.as_str());
    let stream = timeout(CONNECT_TIME, connect)
        .await
        .unwrap_or_else(|_elapsed| {
            Err(io::Error::new(
                io::ErrorKind::TimedOut,
                "nobody accepts the connection",
            ))
        });
    let stream = stream.map_err(|error| error.to_string())?;
    stream
        .set_nodelay(true)
        .map_err(|error| error.to_string())?;
    P::greet(stream).await.map_err(|error| report(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_host_and_a_port() {
        for text in [
            "127.0.0.1:6566",
            "http://127.0.0.1:6566",
            "http://127.0.0.1:6566/",
        ] {
            assert_eq!(Address::parse(text).unwrap().0, "127.0.0.1:6566");
        }
        for text in [
            "127.0.0.1",
            "https://127.0.0.1:1",
            ":80",
            "host:http",
            "http://host:80/x",
        ] {
            Address::parse(text).unwrap_err();
        }
    }
}
