//! From the columns a table has to the columns its definition asks for.
//!
//! | The definition | The table |
//! |---|---|
//! | has a feature more | gets a nullable column; old rows are null there |
//! | has a feature less | keeps its column; new rows are null there |
//! | changes a type, or the join keys | is refused |
//! | changes anything | takes it over, as long as all that happened to it is that a fence was raised |

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use deltalake::DeltaTableError;
use deltalake::kernel::engine::arrow_conversion::{TryIntoArrow, TryIntoKernel};
use deltalake::kernel::{Action, Metadata, MetadataExt, Protocol, StructType, new_metadata};
use fs_core::EVENT_TIMESTAMP;
use serde_json::json;

use crate::table::Table;
use crate::{Error, TableSchema};

/// Commits between two checkpoints of the log.
const CHECKPOINT_INTERVAL: &str = "20";

/// The property that says how long application transactions last which have a time.
pub(crate) const KEY_RETENTION: &str = "delta.setTransactionRetentionDuration";

/// How long the keys of pushes last: a day, and an hour for clocks and retries. The other application
/// transactions have no time, and last.
pub(crate) const KEYS_LAST: &str = "interval 25 hours";

/// What it takes to write rows of a definition into a table.
#[derive(Debug)]
pub(crate) struct Evolution {
    /// The columns of the files to write: those of the table, then new ones.
    pub(crate) columns: SchemaRef,
    /// What the commit says beside its files; empty if the table fits as it is.
    pub(crate) actions: Vec<Action>,
}

/// What it takes to write rows of `schema` into `table`, or into a new one.
pub(crate) async fn evolve(
    schema: &TableSchema,
    table: Option<&Table>,
) -> Result<Evolution, Error> {
    let delta = |source: DeltaTableError| Error::Delta {
        operation: "describe the columns of",
        table: schema.view().to_string(),
        source: Box::new(source),
    };
    let Some(table) = table else {
        let columns = to_delta(schema.columns()).map_err(delta)?;
        let metadata = new_metadata(
            &columns,
            Vec::<String>::new(),
            [
                ("delta.checkpointInterval", CHECKPOINT_INTERVAL),
                (KEY_RETENTION, KEYS_LAST),
            ],
        );
        let actions = vec![
            Action::Protocol(plain_protocol().map_err(delta)?),
            Action::Metadata(metadata.map_err(|error| delta(error.into()))?),
        ];
        let columns = to_arrow(&columns).map_err(delta)?;
        return Ok(Evolution { columns, actions });
    };
    let stored = stored_columns(schema, table)?;
    if table.was_only_fenced().await? {
        return described(table, schema.columns()).map_err(delta);
    }
    let missing = check(schema, &stored)?;
    if missing.is_empty() {
        return Ok(Evolution {
            columns: stored,
            actions: Vec::new(),
        });
    }
    let fields = stored.fields().iter().cloned();
    let merged = Schema::new(fields.chain(missing).collect::<Vec<_>>());
    described(table, &merged).map_err(delta)
}

/// Gives `table` these columns.
fn described(table: &Table, columns: &Schema) -> Result<Evolution, DeltaTableError> {
    let columns = to_delta(columns)?;
    let metadata: Metadata = table.snapshot.metadata().clone();
    Ok(Evolution {
        columns: to_arrow(&columns)?,
        actions: vec![Action::Metadata(metadata.with_schema(&columns)?)],
    })
}

/// Lets Delta forget transactions that have a time, also of a table that was made before there were any.
pub(crate) fn forget_keys(table: Option<&Table>, actions: &mut Vec<Action>) -> Result<(), Error> {
    let Some(table) = table else {
        return Ok(());
    };
    let metadata = table.snapshot.metadata();
    if metadata.configuration().contains_key(KEY_RETENTION) {
        return Ok(());
    }
    let described = actions
        .iter()
        .position(|action| matches!(action, Action::Metadata(_)));
    let metadata = match described.map(|at| actions.swap_remove(at)) {
        Some(Action::Metadata(metadata)) => metadata,
        _ => metadata.clone(),
    };
    let metadata = metadata.add_config_key(KEY_RETENTION.to_owned(), KEYS_LAST.to_owned());
    let failed = table.error("describe");
    let metadata = metadata.map_err(|error| failed(error.into()))?;
    actions.push(Action::Metadata(metadata));
    Ok(())
}

/// Checks that the rows of `table` can be read as `schema`.
pub(crate) fn check_readable(schema: &TableSchema, table: &Table) -> Result<(), Error> {
    let stored = stored_columns(schema, table)?;
    check(schema, &stored).map(|_missing| ())
}

fn stored_columns(schema: &TableSchema, table: &Table) -> Result<SchemaRef, Error> {
    let foreign = |feature| Error::Foreign {
        table: schema.view().to_string(),
        feature,
    };
    let metadata = table.snapshot.metadata();
    if !metadata.partition_columns().is_empty() {
        return Err(foreign("partition columns"));
    }
    let mapping = metadata.configuration().get("delta.columnMapping.mode");
    if mapping.is_some_and(|mode| mode != "none") {
        return Err(foreign("column mapping"));
    }
    to_arrow(table.snapshot.schema().as_ref()).map_err(table.error("describe the columns of"))
}

/// The columns of `schema` that `stored` lacks; an error if a column is there but different.
fn check(schema: &TableSchema, stored: &Schema) -> Result<Vec<Arc<Field>>, Error> {
    let incompatible = |column: &str, stored: String, defined: String| Error::Incompatible {
        view: schema.view().clone(),
        column: column.to_owned(),
        stored,
        defined,
    };
    let stored_keys = stored
        .fields()
        .iter()
        .take_while(|field| field.name() != EVENT_TIMESTAMP);
    for key in stored_keys {
        if !schema.is_key(key.name()) {
            let stored = format!("a join key of type {}", word(key.data_type()));
            let defined = "no join key".to_owned();
            return Err(incompatible(key.name(), stored, defined));
        }
    }
    let first_feature = stored.index_of(EVENT_TIMESTAMP).unwrap_or(0);
    let mut missing = Vec::new();
    for field in schema.columns().fields() {
        let defined = || {
            let role = if schema.is_key(field.name()) {
                "a join key of type "
            } else {
                ""
            };
            format!("{role}{}", word(field.data_type()))
        };
        match stored.column_with_name(field.name()) {
            Some((at, column)) => {
                let role_differs = schema.is_key(field.name()) && at >= first_feature;
                if role_differs || plain(column.data_type()) != plain(field.data_type()) {
                    let stored = word(column.data_type());
                    return Err(incompatible(field.name(), stored, defined()));
                }
            }
            None if field.is_nullable() => missing.push(Arc::clone(field)),
            None => return Err(incompatible(field.name(), "absent".to_owned(), defined())),
        }
    }
    Ok(missing)
}

/// The type as definitions write it.
fn word(data_type: &DataType) -> String {
    fs_core::DataType::from_arrow(&plain(data_type))
        .map_or_else(|| data_type.to_string(), |known| known.to_string())
}

/// The type without the name that the item of a list happens to have.
pub(crate) fn plain(data_type: &DataType) -> DataType {
    match data_type {
        DataType::List(item) => DataType::List(Arc::new(Field::new_list_field(
            item.data_type().clone(),
            true,
        ))),
        other => other.clone(),
    }
}

pub(crate) fn to_delta(columns: &Schema) -> Result<StructType, DeltaTableError> {
    Ok(columns.try_into_kernel()?)
}

pub(crate) fn to_arrow(columns: &StructType) -> Result<SchemaRef, DeltaTableError> {
    let columns: Schema = columns.try_into_arrow()?;
    Ok(Arc::new(columns))
}

/// The oldest protocol, which every reader speaks.
pub(crate) fn plain_protocol() -> Result<Protocol, DeltaTableError> {
    let protocol = json!({ "minReaderVersion": 1, "minWriterVersion": 2 });
    Ok(serde_json::from_value(protocol)?)
}
