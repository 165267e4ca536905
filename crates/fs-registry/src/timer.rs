//! How long things take, as an argument: logic that waits asks a [`Timer`].
//!
//! A [`Clock`](fs_core::Clock) says what time it is in the world, and may be wrong or be set; a timer
//! only ever goes on.

use std::fmt::Debug;
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::sync::watch;
use tokio::time::Instant;

/// What measures how long something takes, and wakes those who wait.
pub trait Timer: Debug + Send + Sync {
    /// Now. Never earlier than what was told before.
    fn now(&self) -> Instant;

    /// Waits until `now` is `at` or later.
    fn sleep_until(&self, at: Instant) -> BoxFuture<'static, ()>;
}

/// The monotonic clock of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemTimer;

impl Timer for SystemTimer {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn sleep_until(&self, at: Instant) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep_until(at))
    }
}

/// A timer that stands still until it is moved: for tests.
#[derive(Debug)]
pub struct ManualTimer {
    now: watch::Sender<Instant>,
}

impl ManualTimer {
    /// A timer that stands still.
    pub fn new() -> Self {
        Self {
            now: watch::Sender::new(Instant::now()),
        }
    }

    /// Moves it, and wakes those who waited for no longer.
    pub fn advance(&self, by: Duration) {
        self.now.send_modify(|now| *now += by);
    }
}

impl Default for ManualTimer {
    fn default() -> Self {
        Self::new()
    }
}

impl Timer for ManualTimer {
    fn now(&self) -> Instant {
        *self.now.borrow()
    }

    fn sleep_until(&self, at: Instant) -> BoxFuture<'static, ()> {
        let mut now = self.now.subscribe();
        Box::pin(async move {
            if now.wait_for(|now| *now >= at).await.is_err() {
                // A timer that is gone never moves again.
                futures::future::pending::<()>().await;
            }
        })
    }
}

/// What `work` gives, or `None` if it takes past `until`.
pub(crate) async fn until<T: Send>(
    timer: &dyn Timer,
    until: Instant,
    work: impl Future<Output = T> + Send,
) -> Option<T> {
    tokio::select! {
        biased;
        done = work => Some(done),
        () = timer.sleep_until(until) => None,
    }
}
