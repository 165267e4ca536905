//! How much is asked, and for how long.

use std::time::Duration;

use crate::Error;

/// How much is asked, and for how long. Every load ends: after its duration no more is asked, and what
/// is still on its way has [`timeout`](Self::timeout) to come.
#[derive(Debug, Clone, PartialEq)]
pub struct Load {
    /// What decides when a request is sent.
    pub mode: Mode,
    /// Connections; at least 1.
    pub connections: usize,
    /// The most requests in flight on each connection; at least 1. HTTP/1.1, which has one, takes that many
    /// connections more instead.
    pub in_flight: usize,
    /// How long the server is loaded before anything is counted.
    pub warm_up: Duration,
    /// How long is counted.
    pub duration: Duration,
    /// When a request that is not answered is given up.
    pub timeout: Duration,
    /// Decode and check every so many answers; 0 checks none.
    pub check_every: u64,
    /// Threads, each with its share of connections; at least 1.
    pub threads: usize,
}

/// What decides when a request is sent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Mode {
    /// Whenever the one before it is answered.
    Closed,
    /// A plan.
    Open {
        /// Requests per second.
        rate: f64,
        /// How they are spread.
        arrivals: Arrivals,
    },
}

/// How the requests of an open loop are spread over time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrivals {
    /// Evenly.
    Constant,
    /// As callers come who know nothing of each other.
    Poisson,
}

impl Load {
    /// Whether it can be put on a server.
    pub fn check(&self) -> Result<(), Error> {
        if self.connections == 0 || self.in_flight == 0 || self.threads == 0 {
            return Err(Error::Load(
                "connections, requests in flight and threads are at least 1",
            ));
        }
        if self.threads > self.connections {
            return Err(Error::Load("every thread needs a connection"));
        }
        if self.duration.is_zero() || self.timeout.is_zero() {
            return Err(Error::Load("it lasts no time"));
        }
        match self.mode {
            Mode::Open { rate, .. } if !(rate > 0.0 && rate <= 10_000_000.0) => Err(Error::Load(
                "a rate is more than 0 and at most 10 million requests per second",
            )),
            _ => Ok(()),
        }
    }

    /// The part of thread `number`.
    pub(crate) fn share(&self, number: usize) -> Self {
        let connections =
            self.connections / self.threads + usize::from(number < self.connections % self.threads);
        let mut share = self.clone();
        share.connections = connections;
        share.threads = 1;
        if let Mode::Open { rate, .. } = &mut share.mode {
            *rate = *rate * as_f64(connections) / as_f64(self.connections);
        }
        share
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of connections are small"
)]
fn as_f64(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(connections: usize, threads: usize, rate: f64) -> Load {
        Load {
            mode: Mode::Open {
                rate,
                arrivals: Arrivals::Constant,
            },
            connections,
            in_flight: 1,
            warm_up: Duration::ZERO,
            duration: Duration::from_secs(1),
            timeout: Duration::from_secs(1),
            check_every: 0,
            threads,
        }
    }

    #[test]
    fn threads_share_connections_and_rate() {
        let load = load(5, 2, 100.0);
        let shares = [load.share(0), load.share(1)];
        assert_eq!(shares.clone().map(|share| share.connections), [3, 2]);
        assert_eq!(
            shares.map(|share| share.mode),
            [60.0, 40.0].map(|rate| Mode::Open {
                rate,
                arrivals: Arrivals::Constant
            })
        );
    }

    #[test]
    fn a_load_that_never_ends_or_asks_nothing_is_refused() {
        load(1, 1, 1.0).check().unwrap();
        for wrong in [
            load(0, 1, 1.0),
            load(1, 2, 1.0),
            load(1, 1, 0.0),
            load(1, 1, f64::NAN),
        ] {
            wrong.check().unwrap_err();
        }
    }
}
