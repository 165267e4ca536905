//! `fs quarantine list VIEW`: the rows that broke an expectation and were put aside.

use std::path::Path;

use arrow::array::RecordBatch;
use fs_core::EVENT_TIMESTAMP;
use fs_offline::TableSchema;
use fs_offline::quarantine::{EXPECTATION, QUARANTINED_AT, REASON, RUN};
use serde_json::{Map, Value};

use crate::args::QuarantineCommand;
use crate::cells;
use crate::commands::views;
use crate::failure::Failure;
use crate::output::{Output, dynamic_table};
use crate::project::Project;

/// What every row in quarantine has, and what people call it.
const SHOWN: [(&str, &str); 5] = [
    (EVENT_TIMESTAMP, "event time"),
    (EXPECTATION, "expectation"),
    (REASON, "reason"),
    (RUN, "run"),
    (QUARANTINED_AT, "put aside at"),
];

pub(super) async fn run(
    repo: &Path,
    command: &QuarantineCommand,
    output: Output,
) -> Result<(), Failure> {
    let QuarantineCommand::List { view, limit } = command;
    let project = Project::open(repo)?;
    let (_, catalog) = project.applied().await?;
    let schema = TableSchema::of(&catalog, views::view(&catalog, view)?);
    let rows = project.offline().list_quarantined(&schema, *limit).await?;
    let table = people(&schema, &rows)?;
    output.answer(&programs(&rows)?, || match rows.num_rows() {
        0 => format!("No row of `{view}` is in quarantine."),
        _ => table,
    });
    Ok(())
}

/// The keys of each row, and why it is here.
fn people(schema: &TableSchema, rows: &RecordBatch) -> Result<String, Failure> {
    let keys = schema.key_names().map(|key| (key, key));
    let shown: Vec<(&str, &str)> = keys.chain(SHOWN).collect();
    let header = shown.iter().map(|(_, header)| (*header).to_owned());
    let mut lines = Vec::with_capacity(rows.num_rows());
    for row in 0..rows.num_rows() {
        let values = shown.iter().map(|(name, _)| rows.column_by_name(name));
        let line = values.flatten().map(|values| cells::text(values, row));
        lines.push(line.collect::<Result<Vec<_>, _>>()?);
    }
    Ok(dynamic_table(header.collect(), lines))
}

/// Every column of each row.
fn programs(rows: &RecordBatch) -> Result<Vec<Map<String, Value>>, Failure> {
    let schema = rows.schema();
    let row = |row: usize| {
        let columns = schema.fields().iter().zip(rows.columns());
        let values = columns.map(|(field, values)| {
            let value = cells::value(values, row)?;
            Ok((field.name().clone(), value))
        });
        values.collect::<Result<Map<_, _>, Failure>>()
    };
    (0..rows.num_rows()).map(row).collect()
}
