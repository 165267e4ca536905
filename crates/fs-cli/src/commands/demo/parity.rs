//! The same flights at the same instant, asked on both sides.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow::compute::concat_batches;
use fs_core::data_type::UTC;
use fs_core::{Code, EVENT_TIMESTAMP, FeatureSet, Naming};
use fs_training::{Spine, TrainingQuery};
use serde_json::json;

use super::{END, SPINE, Told, instant};
use crate::commands::online;
use crate::failure::Failure;
use crate::output::grouped;
use crate::project::Project;
use crate::remote::{self, Remote};

/// How many flights go into one request.
const PAGE: usize = 200;

pub(super) async fn compare(project: &Project, remote: &Remote) -> Result<Told, Failure> {
    let (_, catalog) = project.applied().await?;
    let request = super::steps::request()?;
    let features = FeatureSet::resolve(&catalog, &request, Naming::Short)?;
    let columns: Vec<String> = features
        .key_columns()
        .iter()
        .map(|key| key.column.clone())
        .collect();
    let keys = keys(project, &columns, &features).await?;

    let spine = at_one_instant(&keys)?;
    let query = TrainingQuery::new(request.clone(), Naming::Short);
    let stream = remote
        .training_set(
            &remote::command(&query),
            spine.schema(),
            vec![spine.clone()],
        )
        .await?;
    let trained = remote.received(stream, spine.num_rows()).await?;
    let schema = trained.schema().clone();
    let batches = trained.collect().await?;
    let trained = concat_batches(&schema, &batches).map_err(|error| internal(&error))?;

    let (mut compared, mut different) = (0_u64, 0_u64);
    for start in (0..spine.num_rows()).step_by(PAGE) {
        let rows = PAGE.min(spine.num_rows() - start);
        let page = keys
            .iter()
            .map(|(name, values)| (name.clone(), values.slice(start, rows)));
        let served = online::ask(remote, &request, Naming::Short, page.collect()).await?;
        for feature in served.features {
            let there = trained
                .column_by_name(&feature.name)
                .map(|column| column.slice(start, rows));
            compared += rows as u64;
            if there.is_none_or(|there| there.to_data() != feature.values.to_data()) {
                different += 1;
            }
        }
    }
    if different > 0 {
        let message = format!("{different} columns differ between training and serving");
        return Err(Failure::new(Code::Internal, message));
    }
    let line = format!(
        "Compared training and serving at {END} for {} flights: {} values, no difference",
        grouped(spine.num_rows() as u64),
        grouped(compared)
    );
    Ok(Told {
        name: "parity",
        value: json!({ "values": compared, "different": 0 }),
        lines: vec![line],
    })
}

/// The keys of different flights, a column per join key.
async fn keys(
    project: &Project,
    columns: &[String],
    features: &FeatureSet,
) -> Result<Vec<(String, ArrayRef)>, Failure> {
    let spine = Spine::read(&project.root.join(SPINE)).await?;
    let (_, batches) = spine.into_batches(features).await?;
    let mut keys: BTreeSet<Vec<String>> = BTreeSet::new();
    for batch in &batches {
        let parts: Vec<&ArrayRef> = columns
            .iter()
            .filter_map(|column| batch.column_by_name(column))
            .collect();
        for row in 0..batch.num_rows() {
            let key: Option<Vec<String>> = parts
                .iter()
                .map(|part| {
                    part.is_valid(row)
                        .then(|| part.as_string::<i32>().value(row).to_owned())
                })
                .collect();
            keys.extend(key);
        }
    }
    Ok(columns
        .iter()
        .enumerate()
        .map(|(part, column)| {
            let values = keys.iter().map(|key| Some(key[part].as_str()));
            (
                column.clone(),
                Arc::new(values.collect::<StringArray>()) as ArrayRef,
            )
        })
        .collect())
}

fn at_one_instant(keys: &[(String, ArrayRef)]) -> Result<RecordBatch, Failure> {
    let rows = keys.first().map_or(0, |(_, values)| values.len());
    let times = TimestampMicrosecondArray::from_value(instant(END)?.as_micros(), rows);
    let times: ArrayRef = Arc::new(times.with_timezone(UTC));
    let columns = keys
        .iter()
        .cloned()
        .chain([(EVENT_TIMESTAMP.to_owned(), times)]);
    RecordBatch::try_from_iter(columns).map_err(|error| internal(&error))
}

fn internal(error: &arrow::error::ArrowError) -> Failure {
    Failure::new(Code::Internal, error.to_string())
}
