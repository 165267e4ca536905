use std::sync::Arc;

use datafusion::execution::TaskContext;
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::displayable;
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion_proto::bytes::{
    physical_plan_from_bytes_with_extension_codec, physical_plan_to_bytes_with_extension_codec,
};
use fs_core::KeyType;
use fs_pit::Rule;

use super::*;
use crate::OperatorPlanner;
use crate::point_in_time::fixture::{Case, Conditions, Row, in_memory, run, windowed};

const CONDITIONS: Conditions = Conditions {
    batch_rows: 16,
    partitions: 2,
    memory: None,
};

fn case() -> Case {
    let row = |at: i64| Row {
        parts: [u8::try_from(at % 3).unwrap(), 0],
        time: at * 7 % 100,
        created: None,
        sequence: at,
    };
    Case {
        types: vec![KeyType::Int64],
        rule: Rule::default(),
        spine: (0..40).map(row).collect(),
        history: (0..90).map(row).collect(),
    }
}

#[test]
fn a_plan_that_was_written_and_read_again_gives_the_same_answer() {
    let case = case();
    let plan: Arc<dyn ExecutionPlan> = Arc::new(case.plan(CONDITIONS));
    let bytes = physical_plan_to_bytes_with_extension_codec(Arc::clone(&plan), &OperatorCodec);
    let context = TaskContext::default();
    let read =
        physical_plan_from_bytes_with_extension_codec(&bytes.unwrap(), &context, &OperatorCodec);
    let read = read.unwrap();
    let shown = |plan: &dyn ExecutionPlan| displayable(plan).indent(false).to_string();
    assert_eq!(shown(read.as_ref()), shown(plan.as_ref()));
    assert_eq!(
        run(read, CONDITIONS).unwrap(),
        run(plan, CONDITIONS).unwrap()
    );
}

#[test]
fn a_plan_with_windows_that_was_written_and_read_again_gives_the_same_answer() {
    let case = case();
    let spine = in_memory(&case.spine_batch(), 16, 1);
    let history = in_memory(&case.history_batch(), 16, 2);
    let plan = PointInTimeJoinExec::try_new(windowed::spec(&case), spine, vec![history]);
    let plan: Arc<dyn ExecutionPlan> = Arc::new(plan.unwrap());
    let bytes = plan_to_bytes(Arc::clone(&plan)).unwrap();
    let read = plan_from_bytes(&bytes, &TaskContext::default()).unwrap();
    let shown = |plan: &dyn ExecutionPlan| displayable(plan).indent(false).to_string();
    assert_eq!(shown(read.as_ref()), shown(plan.as_ref()));
    let answer = run(read, CONDITIONS).unwrap();
    assert_eq!(windowed::found(&answer), windowed::naive(&case));
}

#[test]
fn only_joins_with_windows_need_the_version_that_brought_them() {
    let version = |spec: &PointInTimeSpec| {
        let mut bytes = Vec::new();
        let join = Operator::PointInTimeJoin(Join::new(spec).unwrap());
        Envelope::write(join, &mut bytes).unwrap();
        Envelope::decode(bytes.as_slice()).unwrap().version
    };
    assert_eq!(version(&case().spec()), 1);
    assert_eq!(version(&windowed::spec(&case())), 2);
}

#[test]
fn bytes_of_another_version_are_refused() {
    let mut bytes = Vec::new();
    let join = Join::new(&case().spec()).unwrap();
    let envelope = Envelope {
        version: VERSION + 1,
        operator: Some(Operator::PointInTimeJoin(join)),
    };
    envelope.encode(&mut bytes).unwrap();
    let error = Envelope::read(&bytes).unwrap_err().to_string();
    assert!(error.contains("version 3"), "{error}");
}

/// The case as a logical plan over tables, below a filter that SQL could have written.
async fn logical(context: &SessionContext, spec: PointInTimeSpec) -> LogicalPlan {
    let case = case();
    context.register_batch("spine", case.spine_batch()).unwrap();
    context
        .register_batch("history", case.history_batch())
        .unwrap();
    let spine = context
        .sql("SELECT * FROM spine ORDER BY label")
        .await
        .unwrap();
    let history = context
        .sql("SELECT * FROM history WHERE position % 2 = 0")
        .await
        .unwrap();
    let join = PointInTimeJoinNode::try_new(
        spec,
        spine.into_unoptimized_plan(),
        vec![history.into_unoptimized_plan()],
    );
    let join = LogicalPlanBuilder::from(join.unwrap().into_plan());
    join.build().unwrap()
}

#[tokio::test]
async fn a_logical_join_composes_with_sql_and_is_read_back_from_its_bytes() {
    let state = SessionContext::new_with_config(SessionConfig::new()).state();
    let context = SessionContext::new_with_state(OperatorPlanner::install(state));
    let plan = logical(&context, case().spec()).await;
    let LogicalPlan::Extension(node) = &plan else {
        panic!("not an extension");
    };
    let mut bytes = Vec::new();
    LogicalExtensionCodec::try_encode(&OperatorCodec, node, &mut bytes).unwrap();
    let inputs: Vec<LogicalPlan> = node.node.inputs().into_iter().cloned().collect();
    let read =
        LogicalExtensionCodec::try_decode(&OperatorCodec, &bytes, &inputs, &TaskContext::default());
    assert_eq!(LogicalPlan::Extension(read.unwrap()), plan);

    let batches = context.execute_logical_plan(plan).await.unwrap();
    let batches = batches.collect().await.unwrap();
    let mut halved = case();
    halved.history = halved.history.into_iter().step_by(2).collect();
    let found: Vec<Option<i64>> = batches
        .iter()
        .flat_map(|batch| {
            let places = batch.column_by_name("at").unwrap();
            let places = arrow::array::AsArray::as_primitive::<arrow::datatypes::Int64Type>(places);
            places
                .iter()
                .map(|at| at.map(|at| at / 2))
                .collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(found, halved.naive());
}

#[tokio::test]
async fn a_logical_join_with_windows_composes_with_sql_and_is_read_back_from_its_bytes() {
    let state = SessionContext::new_with_config(SessionConfig::new()).state();
    let context = SessionContext::new_with_state(OperatorPlanner::install(state));
    let plan = logical(&context, windowed::spec(&case())).await;
    let LogicalPlan::Extension(node) = &plan else {
        panic!("not an extension");
    };
    let mut bytes = Vec::new();
    LogicalExtensionCodec::try_encode(&OperatorCodec, node, &mut bytes).unwrap();
    let inputs: Vec<LogicalPlan> = node.node.inputs().into_iter().cloned().collect();
    let read =
        LogicalExtensionCodec::try_decode(&OperatorCodec, &bytes, &inputs, &TaskContext::default());
    assert_eq!(LogicalPlan::Extension(read.unwrap()), plan);

    // One of the features, asked for by SQL above the join.
    let frame = context.execute_logical_plan(plan).await.unwrap();
    let frame = frame.select_columns(&["count_lifetime"]).unwrap();
    let batches = frame.collect().await.unwrap();
    let schema = batches[0].schema();
    let answer = arrow::compute::concat_batches(&schema, &batches).unwrap();
    let mut halved = case();
    halved.history = halved.history.into_iter().step_by(2).collect();
    assert_eq!(answer.column(0), &windowed::naive(&halved)[2]);
}
