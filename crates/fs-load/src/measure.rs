//! Puts a load on a target, thread by thread.

use std::io;
use std::thread;

use tokio::runtime;

use crate::tally::Tally;
use crate::{Error, Load, Mode, Report, Target, closed, open};

/// Puts `load` on `target` and says what it took. Blocks for as long as the load lasts.
///
/// Every thread has a runtime of its own, so nothing is handed from one to another; `target` is shared.
pub fn measure<T: Target>(target: &T, load: &Load) -> Result<Report, Error> {
    load.check()?;
    let tallies: Vec<Result<Tally, Error>> = thread::scope(|scope| {
        let share = |number| {
            let share = load.share(number);
            thread::Builder::new()
                .name("load".to_owned())
                .spawn_scoped(scope, move || one_thread(target, &share))
        };
        let threads: Vec<_> = (0..load.threads).map(share).collect();
        let join = |thread: io::Result<thread::ScopedJoinHandle<'_, _>>| {
            let died = |_panic| Error::Runtime(io::Error::other("a thread of it died"));
            thread.map_err(Error::Runtime)?.join().map_err(died)?
        };
        threads.into_iter().map(join).collect()
    });
    let mut total = Tally::new()?;
    for tally in tallies {
        total.merge(tally?)?;
    }
    Ok(Report::new(&total, load, target.entities_per_request()))
}

fn one_thread<T: Target>(target: &T, load: &Load) -> Result<Tally, Error> {
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Error::Runtime)?;
    runtime.block_on(async {
        let lanes = target.lanes(load.connections, load.in_flight).await?;
        match load.mode {
            Mode::Closed => closed::run(lanes, target.requests(), load).await,
            Mode::Open { rate, arrivals } => {
                open::run(lanes, target.requests(), load, rate, arrivals).await
            }
        }
    })
}
