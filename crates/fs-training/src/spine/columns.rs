//! The columns of a [`SpineTable`](super::SpineTable), made batch by batch.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{Field, FieldRef, Schema, SchemaRef};
use fs_core::KeyBinding;
use fs_core::data_type::timestamp_type;

use super::{first_row, keys, times};
use crate::Error;

/// The name of the column with the event time, unless the spine has one of that name.
const TIME: &str = "fs:time";
/// What the names of the columns with keys start with.
const KEY: &str = "fs:key:";

/// A column of a spine table.
#[derive(Debug, Clone)]
pub(super) struct Column {
    pub(super) field: FieldRef,
    /// The column of the spine that it is made of.
    pub(super) from: usize,
    pub(super) kind: Kind,
}

/// How a column comes from its column of the spine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// As it is.
    Original,
    /// As event times.
    Time,
    /// As values of a join key.
    Key(KeyBinding),
}

/// Every column: those of the spine, the event time, the keys.
pub(super) fn columns(spine: &Schema, time: usize, keys: Vec<(usize, KeyBinding)>) -> Vec<Column> {
    let original = |(from, field): (usize, &FieldRef)| Column {
        field: Arc::clone(field),
        from,
        kind: Kind::Original,
    };
    let time = Column {
        field: Arc::new(Field::new(unused(spine, TIME), timestamp_type(), false)),
        from: time,
        kind: Kind::Time,
    };
    let keys = keys.into_iter().map(|(from, key)| {
        let name = unused(spine, &format!("{KEY}{}", key.column));
        Column {
            field: Arc::new(Field::new(name, key.key_type.to_arrow(), true)),
            from,
            kind: Kind::Key(key),
        }
    });
    let originals = spine.fields().iter().enumerate().map(original);
    originals.chain([time]).chain(keys).collect()
}

/// `name`, made longer until the spine has no such column.
fn unused(spine: &Schema, name: &str) -> String {
    let mut name = name.to_owned();
    while spine.index_of(&name).is_ok() {
        name.push('\'');
    }
    name
}

/// The schema of these columns, with the metadata of the spine.
pub(super) fn schema(columns: &[Column], spine: &Schema) -> SchemaRef {
    let fields: Vec<FieldRef> = columns.iter().map(|c| Arc::clone(&c.field)).collect();
    Arc::new(Schema::new_with_metadata(fields, spine.metadata().clone()))
}

/// Makes the columns of one batch after the other, counting rows as it goes.
#[derive(Debug)]
pub(super) struct Conversion {
    pub(super) columns: Vec<Column>,
    pub(super) schema: SchemaRef,
    /// Rows so far.
    pub(super) rows: usize,
}

impl Conversion {
    /// The columns of the next batch of the spine.
    ///
    /// Of several values that do not fit, the one of the first row is the error, however the rows
    /// are cut into batches.
    pub(super) fn next(&mut self, batch: &RecordBatch) -> Result<RecordBatch, Error> {
        let made = self.columns.iter().map(|column| {
            let values = batch.column(column.from);
            match &column.kind {
                Kind::Original => Ok(Arc::clone(values)),
                Kind::Key(key) => keys::converted(values, key, self.rows),
                Kind::Time => {
                    let name = batch.schema_ref().field(column.from).name();
                    let times = times::event_times(name, self.rows, values);
                    times.map(|times| Arc::new(times) as ArrayRef)
                }
            }
        });
        let (made, failed): (Vec<_>, Vec<_>) = made.partition(Result::is_ok);
        if let Some(error) = first_row(failed.into_iter().map(Result::err)) {
            return Err(error);
        }
        let rows = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        let made = made.into_iter().collect::<Result<_, _>>()?;
        self.rows += batch.num_rows();
        Ok(RecordBatch::try_new_with_options(
            Arc::clone(&self.schema),
            made,
            &rows,
        )?)
    }
}
