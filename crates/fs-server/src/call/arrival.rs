//! When the headers of a request came, and whether anybody read them as a call.
//!
//! tonic starts the client's deadline when it sees the headers, and answers `CANCELLED` when it is
//! over. Ours starts there, too, and so ends first, as `DEADLINE_EXCEEDED`; and the time that a
//! request waits for its turn before a handler sees it counts as time it takes.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

thread_local! {
    /// The arrival of the request whose answer is being made on this thread, until it is read.
    static ARRIVAL: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// When the request arrived whose answer is being made; now, if nobody says.
pub(super) fn read() -> Instant {
    ARRIVAL.take().unwrap_or_else(Instant::now)
}

/// The answer to a request that arrived when this was made.
#[derive(Debug)]
pub(crate) struct Arrived<F> {
    at: Instant,
    was_read: bool,
    answer: F,
}

impl<F> Arrived<F> {
    pub(crate) fn now(answer: F) -> Self {
        Self {
            at: Instant::now(),
            was_read: false,
            answer,
        }
    }

    /// Whether a handler has made a call of the request.
    pub(crate) const fn was_read(&self) -> bool {
        self.was_read
    }
}

impl<F: Future + Unpin> Future for Arrived<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        if self.was_read {
            return Pin::new(&mut self.answer).poll(context);
        }
        ARRIVAL.set(Some(self.at));
        let polled = Pin::new(&mut self.answer).poll(context);
        self.was_read = ARRIVAL.take().is_none();
        polled
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;
    use futures::future::{lazy, pending};

    use super::*;

    #[test]
    fn a_handler_reads_when_its_request_arrived() {
        let mut answer = Arrived::now(lazy(|_| read()));
        let at = answer.at;
        assert_eq!((&mut answer).now_or_never(), Some(at));
        assert!(answer.was_read());
    }

    #[test]
    fn what_nobody_read_is_not_there_for_the_next() {
        let mut answer = Arrived::now(pending::<()>());
        assert!((&mut answer).now_or_never().is_none());
        assert!(!answer.was_read());
        assert!(read() > answer.at);
    }
}
