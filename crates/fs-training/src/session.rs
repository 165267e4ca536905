//! The session that training sets are planned and run in.

use std::num::NonZeroUsize;
use std::sync::Arc;

use datafusion::execution::memory_pool::{GreedyMemoryPool, TrackConsumersPool};
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::session_state::{SessionState, SessionStateBuilder};
use datafusion::prelude::SessionConfig;
use fs_engine::OperatorPlanner;

use crate::Error;

/// How many of the greatest consumers an out-of-memory error names.
const NAMED_CONSUMERS: NonZeroUsize = NonZeroUsize::MIN;

/// How training sets are made.
#[derive(Debug, Clone, Copy, Default)]
pub struct TrainingOptions {
    /// Bytes that all training sets together may hold before they go to disk; no limit if absent.
    pub memory_limit: Option<usize>,
}

/// A session with our operators, and with memory as `options` have it.
///
/// Whoever comes first gets the memory there is; our operators go to disk when there is no more.
pub(crate) fn session(options: TrainingOptions) -> Result<SessionState, Error> {
    let mut runtime = RuntimeEnvBuilder::new();
    if let Some(limit) = options.memory_limit {
        let pool = TrackConsumersPool::new(GreedyMemoryPool::new(limit), NAMED_CONSUMERS);
        runtime = runtime.with_memory_pool(Arc::new(pool));
    }
    let runtime = runtime.build_arc().map_err(Error::of_query)?;
    // Scans are dealt out where they are made; dealing them out again would only cost.
    let config = SessionConfig::new()
        .with_repartition_file_scans(false)
        .with_round_robin_repartition(false);
    let state = SessionStateBuilder::new()
        .with_config(config)
        .with_runtime_env(runtime)
        .with_query_planner(Arc::new(OperatorPlanner))
        .build();
    Ok(state)
}
