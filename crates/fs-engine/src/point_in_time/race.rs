//! Histories streamed past the index of a spine, all their partitions side by side.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::runtime::SpawnedTask;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use futures::StreamExt;

use super::found::Found;
use super::run::{Session, finished};
use super::runner::{Contender, Runner};

/// Streams all of `history` past the contenders; `None` for those that memory did not suffice for.
pub(super) async fn race(
    history: &Arc<dyn ExecutionPlan>,
    contenders: &[Contender],
    session: &Session,
) -> Result<Vec<Option<Found>>> {
    let partitions = history.output_partitioning().partition_count();
    let mut lanes = Vec::new();
    for partition in 0..partitions {
        let runners = contenders.iter();
        let runners = runners.map(|contender| contender.runner(partition, session));
        lanes.push(runners.collect::<Result<Vec<Option<Runner>>>>()?);
    }
    let mut tasks = Vec::new();
    for (partition, runners) in lanes.into_iter().enumerate() {
        let stream = history.execute(partition, Arc::clone(&session.context))?;
        let session = session.clone();
        tasks.push(SpawnedTask::spawn(run(stream, runners, session)));
    }
    let mut by_join: Vec<Vec<Runner>> = contenders.iter().map(|_| Vec::new()).collect();
    for task in tasks {
        let runners = finished(task).await??;
        for (of_join, runner) in by_join.iter_mut().zip(runners) {
            of_join.extend(runner);
        }
    }
    let _timer = session.metrics.finish_time.timer();
    let by_join = by_join.into_iter().zip(contenders);
    by_join
        .map(|(runners, contender)| contender.finish(runners))
        .collect()
}

/// Streams one partition past its runners.
async fn run(
    mut stream: SendableRecordBatchStream,
    mut runners: Vec<Option<Runner>>,
    session: Session,
) -> Result<Vec<Option<Runner>>> {
    while let Some(batch) = stream.next().await {
        let batch = batch?;
        let _timer = session.metrics.race_time.timer();
        for runner in &mut runners {
            if let Some(running) = runner
                && !running.offer(&batch)?
            {
                *runner = None;
            }
        }
        if runners.iter().all(Option::is_none) {
            break;
        }
    }
    Ok(runners)
}
