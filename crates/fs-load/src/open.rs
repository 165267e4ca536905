//! The open loop: requests are sent when their time has come, answered or not the ones before.
//!
//! The time of a request starts when it was to be sent. If all lanes are busy it waits for one, and its
//! time goes on; if the machine is too slow to send it, likewise. So a server that stalls for a second
//! is seen to have made everybody wait who would have come in that second.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::sync::mpsc::{Receiver, channel};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::pacing::Pacer;
use crate::tally::{Shared, Tally, Window, lock};
use crate::{Arrivals, Error, Lane, Load, Refusal};

/// Sends requests at `rate` per second. What was to be sent within the duration, after the warm-up,
/// counts, whenever it was answered.
pub(crate) async fn run<L: Lane>(
    lanes: Vec<L>,
    requests: usize,
    load: &Load,
    rate: f64,
    arrivals: Arrivals,
) -> Result<Tally, Error> {
    let tally: Shared = Arc::new(Mutex::new(Tally::new()?));
    let start = Instant::now();
    let from = start + load.warm_up;
    let window = Window {
        from,
        until: from + load.duration,
    };
    let give_up = window.until + load.timeout;
    let mut pacer = Pacer::start(rate, arrivals, start, window.until).map_err(Error::Runtime)?;
    let (back, mut free) = channel(lanes.len());
    for lane in lanes {
        // There is room for every lane.
        back.try_send(lane).ok();
    }
    let mut asking = JoinSet::new();
    let mut sent = 0_u64;
    let mut number = 0;
    while let Some(intended) = pacer.instants.recv().await {
        let counts = window.holds(intended);
        let Some(mut lane) = take(&mut free, give_up).await else {
            lock(&tally).unsent += u64::from(counts);
            continue;
        };
        sent += 1;
        number = if number + 1 < requests { number + 1 } else { 0 };
        let check = load.check_every > 0 && sent.is_multiple_of(load.check_every);
        let (tally, back, limit) = (tally.clone(), back.clone(), load.timeout);
        asking.spawn(async move {
            let began = Instant::now();
            let outcome = timeout(limit, lane.ask(number, check)).await;
            if counts {
                let outcome = outcome.unwrap_or_else(|_elapsed| Err(Refusal::late(limit)));
                let mut tally = lock(&tally);
                tally.record_lag(began - intended);
                tally.record(outcome, intended.elapsed());
            }
            // There is room for every lane, and nobody takes them any more once the loop is over.
            back.try_send(lane).ok();
        });
        // What has ended is forgotten, so that a long run does not grow.
        while let Some(ended) = asking.try_join_next() {
            ended.map_err(|error| Error::Runtime(error.into()))?;
        }
    }
    while let Some(ended) = asking.join_next().await {
        ended.map_err(|error| Error::Runtime(error.into()))?;
    }
    pacer.join();
    let mut tally = lock(&tally).clone();
    tally.elapsed = load.duration.max(from.elapsed());
    Ok(tally)
}

/// A lane that is free, or none if none becomes so in time.
async fn take<L>(free: &mut Receiver<L>, until: Instant) -> Option<L> {
    if let Ok(lane) = free.try_recv() {
        return Some(lane);
    }
    let ahead = until
        .checked_duration_since(Instant::now())
        .unwrap_or(Duration::ZERO);
    timeout(ahead, free.recv()).await.ok().flatten()
}
