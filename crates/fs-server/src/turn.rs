//! Turns: how many training sets are made at the same time.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{Error, telemetry};

/// Hands out turns, in the order in which they were asked for.
#[derive(Debug)]
pub(crate) struct Turns(Arc<Semaphore>);

/// The right to receive, make and send one training set; given back when it is dropped, however the
/// work ended.
#[derive(Debug)]
pub(crate) struct Turn {
    _permit: OwnedSemaphorePermit,
}

impl Turns {
    /// So many turns at the same time, and never none at all.
    pub(crate) fn new(training_sets: usize) -> Self {
        Self(Arc::new(Semaphore::new(training_sets.max(1))))
    }

    /// Waits for a turn.
    pub(crate) async fn next(&self) -> Result<Turn, Error> {
        let permit = self.0.clone().acquire_owned().await;
        let permit = permit.map_err(|_closed| Error::Stopping)?;
        telemetry::training_set_begun();
        Ok(Turn { _permit: permit })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        telemetry::training_set_ended();
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;
    use metrics_exporter_prometheus::PrometheusBuilder;

    use super::*;

    #[test]
    fn a_training_set_is_in_flight_for_as_long_as_its_turn_lasts() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let metrics = recorder.handle();
        let in_flight = |count| {
            let line = format!("fs_server_training_sets_in_flight {count}\n");
            assert!(metrics.render().contains(&line), "{}", metrics.render());
        };
        metrics::with_local_recorder(&recorder, || {
            let turns = Turns::new(2);
            let first = turns.next().now_or_never().unwrap().unwrap();
            let second = turns.next().now_or_never().unwrap().unwrap();
            in_flight(2);
            assert!(turns.next().now_or_never().is_none());
            in_flight(2);
            drop(first);
            in_flight(1);
            drop(second);
            in_flight(0);
        });
    }
}
