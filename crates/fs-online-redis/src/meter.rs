//! How many connections there are, and how many of them are used.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use fs_online::StoreUsage;

/// The connections of a store.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    open: AtomicUsize,
    busy: AtomicUsize,
}

/// One connection, counted for as long as this is there.
#[derive(Debug)]
pub(crate) struct Metered {
    meter: Arc<Meter>,
    requests: AtomicUsize,
}

/// A request that waits on a connection, counted for as long as this is there.
#[derive(Debug)]
pub(crate) struct Waiting<'a>(&'a Metered);

impl Meter {
    pub(crate) fn usage(&self) -> StoreUsage {
        StoreUsage {
            open: self.open.load(Ordering::Relaxed),
            busy: self.busy.load(Ordering::Relaxed),
        }
    }
}

impl Metered {
    pub(crate) fn new(meter: Arc<Meter>) -> Self {
        meter.open.fetch_add(1, Ordering::Relaxed);
        let requests = AtomicUsize::new(0);
        Self { meter, requests }
    }

    pub(crate) fn wait(&self) -> Waiting<'_> {
        if self.requests.fetch_add(1, Ordering::Relaxed) == 0 {
            self.meter.busy.fetch_add(1, Ordering::Relaxed);
        }
        Waiting(self)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if self.0.requests.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.0.meter.busy.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl Drop for Metered {
    fn drop(&mut self) {
        self.meter.open.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_is_open_until_it_is_dropped_and_busy_while_somebody_waits() {
        let meter = Arc::new(Meter::default());
        let usage = |open, busy| assert_eq!(meter.usage(), StoreUsage { open, busy });
        let (first, second) = (
            Metered::new(Arc::clone(&meter)),
            Metered::new(Arc::clone(&meter)),
        );
        usage(2, 0);
        let (one, two) = (first.wait(), first.wait());
        usage(2, 1);
        let also = second.wait();
        usage(2, 2);
        drop(one);
        usage(2, 2);
        drop(two);
        usage(2, 1);
        drop(also);
        drop(first);
        usage(1, 0);
    }
}
