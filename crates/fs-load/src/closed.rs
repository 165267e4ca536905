//! The closed loop: every lane asks, waits for the answer and asks again.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::tally::{Shared, Tally, Window, lock};
use crate::{Error, Lane, Load, Refusal};

/// Asks in all `lanes` at once. An answer counts if it came within the duration, after the warm-up.
pub(crate) async fn run<L: Lane>(
    lanes: Vec<L>,
    requests: usize,
    load: &Load,
) -> Result<Tally, Error> {
    let tally: Shared = Arc::new(Mutex::new(Tally::new()?));
    let from = Instant::now() + load.warm_up;
    let window = Window {
        from,
        until: from + load.duration,
    };
    let stride = requests.div_ceil(lanes.len().max(1));
    let mut asking = JoinSet::new();
    for (number, lane) in lanes.into_iter().enumerate() {
        let first = number * stride;
        asking.spawn(ask(
            lane,
            first,
            requests,
            window,
            load.clone(),
            tally.clone(),
        ));
    }
    while let Some(ended) = asking.join_next().await {
        ended.map_err(|error| Error::Runtime(error.into()))?;
    }
    let mut tally = lock(&tally).clone();
    tally.elapsed = load.duration;
    Ok(tally)
}

/// Asks until the window is over; each lane begins elsewhere among the requests.
async fn ask<L: Lane>(
    mut lane: L,
    first: usize,
    requests: usize,
    window: Window,
    load: Load,
    tally: Shared,
) {
    let mut asked = 0_u64;
    let mut number = first;
    loop {
        let began = Instant::now();
        if began >= window.until {
            return;
        }
        asked += 1;
        number = if number + 1 < requests { number + 1 } else { 0 };
        let check = load.check_every > 0 && asked.is_multiple_of(load.check_every);
        let outcome = timeout(load.timeout, lane.ask(number, check)).await;
        let ended = Instant::now();
        if window.holds(ended) {
            let outcome = outcome.unwrap_or_else(|_elapsed| Err(Refusal::late(load.timeout)));
            lock(&tally).record(outcome, ended - began);
        }
    }
}
