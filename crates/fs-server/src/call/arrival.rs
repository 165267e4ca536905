//! When the headers of a request came, and whether anybody read them as a call.
//!
//! tonic starts the client's deadline when it sees the headers, and answers `CANCELLED` when it is
//! over. Ours starts there, too, and so ends first, as `DEADLINE_EXCEEDED`; and the time that a
//! request waits for its turn before a handler sees it counts as time it takes.

use std::cell::Cell;
use std::future::Future;
use std::time::Instant;

use tokio::task::futures::TaskLocalFuture;

tokio::task_local! {
    static ARRIVAL: Arrival;
}

/// The arrival of one request.
#[derive(Debug)]
pub(crate) struct Arrival {
    at: Instant,
    read: Cell<bool>,
}

impl Arrival {
    /// `answer`, to a request that has just arrived.
    pub(crate) fn now<F: Future>(answer: F) -> TaskLocalFuture<Self, F> {
        let arrival = Self {
            at: Instant::now(),
            read: Cell::new(false),
        };
        ARRIVAL.scope(arrival, answer)
    }

    /// When the request arrived whose answer is being made; now, if nobody said.
    pub(super) fn read() -> Instant {
        let read = |arrival: &Self| {
            arrival.read.set(true);
            arrival.at
        };
        ARRIVAL.try_with(read).unwrap_or_else(|_| Instant::now())
    }

    /// Whether a handler has read it.
    pub(crate) const fn was_read(&self) -> bool {
        self.read.get()
    }
}
