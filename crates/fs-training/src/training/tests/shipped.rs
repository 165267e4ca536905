//! The plan of a training set, written to bytes and run by another session.

use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::execution::TaskContext;
use datafusion::physical_plan::execution_plan::{ChildrenPropertiesMode, ReplaceChildrenOptions};
use datafusion::physical_plan::{ExecutionPlan, collect, displayable};
use datafusion::prelude::SessionContext;
use fs_core::Function;
use fs_engine::point_in_time::exec::ROWS_READ;
use fs_engine::{plan_from_bytes, plan_to_bytes};
use fs_offline::TableSchema;

use super::*;
use crate::fixture::aggregation;
use crate::session::session;

/// The plan of a training set that is not yet run.
async fn planned(shop: &Shop, request: &FeatureRequest, spine: Spine) -> Arc<dyn ExecutionPlan> {
    let features = FeatureSet::resolve(&shop.catalog, request, Naming::Short).unwrap();
    let spine = spine.open(&features, None).await.unwrap();
    let versions = versions::choose(shop.offline(), &features, 1, None, spine.tables());
    let versions = versions.await.unwrap();
    let histories = Histories::open(shop.offline(), &shop.catalog, &features, &versions);
    let histories = histories.await.unwrap();
    let session = session(TrainingOptions::default()).unwrap();
    let planned = Planned::new(&session, spine, &features, &histories);
    planned.await.unwrap().plan
}

/// The plan with the rows of its spine in memory: what made them stays where it is.
async fn with_spine_in_memory(plan: Arc<dyn ExecutionPlan>) -> Arc<dyn ExecutionPlan> {
    if plan.name() == "SpineExec" {
        let context = SessionContext::new().task_ctx();
        let rows = collect(Arc::clone(&plan), context).await.unwrap();
        return MemorySourceConfig::try_new_exec(&[rows], plan.schema(), None).unwrap();
    }
    let mut children = Vec::new();
    for child in plan.children() {
        children.push(Box::pin(with_spine_in_memory(Arc::clone(child))).await);
    }
    if children.is_empty() {
        return plan;
    }
    let options = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
    plan.replace_children(children, options).unwrap()
}

fn shown(plan: &Arc<dyn ExecutionPlan>) -> String {
    displayable(plan.as_ref()).indent(false).to_string()
}

/// Runs a plan; what was read, and how many rows of histories for it.
async fn ran(plan: Arc<dyn ExecutionPlan>, context: Arc<TaskContext>) -> (RecordBatch, usize) {
    let rows = collect(Arc::clone(&plan), context).await.unwrap();
    let metrics = crate::plan::join_metrics(&plan).unwrap();
    let read = metrics.sum_by_name(ROWS_READ).unwrap().as_usize();
    (concat_batches(&plan.schema(), &rows).unwrap(), read)
}

#[tokio::test]
async fn a_plan_that_was_written_and_read_again_makes_the_same_training_set() {
    let ttl = Rule {
        ttl: Span::from_micros(20_000).and_then(Ttl::new),
        ..Rule::default()
    };
    let shop = Shop::new(ttl);
    // Five files, of which the spine sees three.
    for window in 0..5 {
        let start = window * 10_000;
        let rows: Vec<Row> = (0..100)
            .map(|n| row(n % 13, start + n * 100, start + n))
            .collect();
        shop.replace(start..start + 10_000, &rows).await;
    }
    let users: Vec<i64> = (0..500).map(|n| n % 15).collect();
    let at: Vec<i64> = (0..500).map(|n| 40_000 + n * 17).collect();
    let rows = visits(&users, &at);
    let expected = joined(&shop, rows.clone()).await;
    let plan = with_spine_in_memory(planned(&shop, &request(), rows).await).await;
    let bytes = plan_to_bytes(Arc::clone(&plan)).unwrap();
    // Another session, which knows the files of the table and nothing else.
    let other = session(TrainingOptions::default()).unwrap().task_ctx();
    let view = TableSchema::of(&shop.catalog, &shop.catalog.feature_views[VIEW]);
    let table = shop.offline().table(&view, None).await.unwrap();
    table.register(&other.runtime_env());
    let read = plan_from_bytes(&bytes, &other).unwrap();
    assert_eq!(shown(&read), shown(&plan));
    let (found, rows_read) = ran(read, other).await;
    assert_eq!(found.columns(), expected.columns());
    // The scan of the other session still looks at what its join found out about the spine.
    assert_eq!(rows_read, 300);
}

#[tokio::test]
async fn a_plan_with_windows_that_was_written_and_read_again_makes_the_same_training_set() {
    let mut shop = Shop::new(Rule::default());
    let sums = aggregation(Some("clicks"), Function::Sum, Some("score > 3"), &["20ms"]);
    shop.add_windowed("lately", Rule::default(), &[sums]);
    // Five files, of which windows of 20ms before 40ms see three.
    for window in 0..5 {
        let start = window * 10_000;
        let rows: Vec<Row> = (0..100)
            .map(|n| row(n % 13, start + n * 100, start + n))
            .collect();
        shop.replace_in("lately", start..start + 10_000, &rows)
            .await;
    }
    let request = FeatureRequest::Features(vec!["lately:clicks_sum_20ms".parse().unwrap()]);
    let users: Vec<i64> = (0..500).map(|n| n % 15).collect();
    let at: Vec<i64> = (0..500).map(|n| 40_000 + n * 17).collect();
    let query = TrainingQuery::new(request.clone(), Naming::Short);
    let sets = shop.sets();
    let set = sets.get(&shop.catalog, 1, &query, visits(&users, &at), None);
    let set = set.await.unwrap();
    let schema = Arc::clone(set.schema());
    let expected = concat_batches(&schema, &set.collect().await.unwrap()).unwrap();

    let plan = planned(&shop, &request, visits(&users, &at)).await;
    let plan = with_spine_in_memory(plan).await;
    let bytes = plan_to_bytes(Arc::clone(&plan)).unwrap();
    let other = session(TrainingOptions::default()).unwrap().task_ctx();
    let view = TableSchema::of(&shop.catalog, &shop.catalog.feature_views["lately"]);
    let table = shop.offline().table(&view, None).await.unwrap();
    table.register(&other.runtime_env());
    let read = plan_from_bytes(&bytes, &other).unwrap();
    assert_eq!(shown(&read), shown(&plan));
    let (found, rows_read) = ran(read, other).await;
    assert_eq!(found.columns(), expected.columns());
    assert_eq!(rows_read, 300);
}
