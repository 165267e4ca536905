//! [`Plan`]: how a training set is made, as text.

use std::fmt;
use std::sync::Arc;

use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::display::DisplayableExecutionPlan;
use datafusion::physical_plan::metrics::MetricValue;

/// The plan that makes a training set; displayed with what it has counted so far.
///
/// ```text
///   FetchRowsExec: table 0 by [fs:row:weather@3]
///       output_rows=80.78 K, rows_fetched=6.45 K, elapsed_compute=9.31ms
///     PointInTimeJoinExec: time=fs:time, joins=[weather: on=[(fs:key:origin, origin)], …]
///         output_rows=80.78 K, rows_matched=80.78 K, rows_read=6.45 K, spine_rows=80.78 K, …
///       SpineExec: fs:time=event_timestamp, fs:key:origin=origin
///   …
/// ```
///
/// One line for each operator, its input below it, and one for its counters; those that counted
/// nothing are left out. Numbers are sums over all partitions.
#[derive(Debug, Clone)]
pub struct Plan(pub(super) Arc<dyn ExecutionPlan>);

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        operator(f, self.0.as_ref(), 0)
    }
}

fn operator(
    f: &mut fmt::Formatter<'_>,
    plan: &dyn ExecutionPlan,
    indentation: usize,
) -> fmt::Result {
    let line = DisplayableExecutionPlan::new(plan).one_line().to_string();
    writeln!(f, "{:indentation$}{}", "", line.trim_end())?;
    let counted = plan.metrics().map(|metrics| {
        let all = metrics
            .aggregate_by_name()
            .sorted_for_display()
            .timestamps_removed();
        let telling = all.iter().filter(|metric| tells(metric.value()));
        let telling: Vec<String> = telling.map(ToString::to_string).collect();
        telling.join(", ")
    });
    if let Some(counted) = counted.filter(|counted| !counted.is_empty()) {
        writeln!(f, "{:indentation$}    {counted}", "")?;
    }
    for child in plan.children() {
        operator(f, child.as_ref(), indentation + 2)?;
    }
    Ok(())
}

/// Whether a counter has counted anything. A clock that was never started shows a nanosecond.
fn tells(value: &MetricValue) -> bool {
    match value {
        MetricValue::PruningMetrics {
            pruning_metrics, ..
        } => pruning_metrics.pruned() > 0,
        MetricValue::Ratio { .. } => false,
        MetricValue::ElapsedCompute(_) | MetricValue::Time { .. } => value.as_usize() >= 1_000,
        _ => value.as_usize() > 0,
    }
}
