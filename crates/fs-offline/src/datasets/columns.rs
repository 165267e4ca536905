//! From the Arrow types that a training set may have to those that every Delta reader knows.
//!
//! | Arrow | Delta |
//! |---|---|
//! | dictionaries, run ends | their values |
//! | `uint8`, `uint16`, `uint32`, `uint64` | `short`, `integer`, `long`, `decimal(20,0)` |
//! | timestamps of any unit, with a zone or without | `timestamp`, which is microseconds UTC |
//! | large and view layouts of texts and bytes | `string`, `binary` |
//! | times of day, durations, intervals, maps | an error that names the column |

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int64Array, RecordBatch};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef, TimeUnit};
use arrow::error::ArrowError;
use fs_core::data_type::timestamp_type;

use super::ROW;
use crate::Error;

/// The columns of the table that rows of `schema` go to.
pub(super) fn stored(schema: &Schema) -> Result<Schema, Error> {
    let mut fields = Vec::with_capacity(schema.fields().len() + 1);
    for field in schema.fields() {
        if field.name() == ROW {
            return Err(Error::RowColumn);
        }
        let unfit = || Error::Unstorable {
            column: field.name().clone(),
            found: field.data_type().to_string(),
        };
        let data_type = storable(field.data_type()).ok_or_else(unfit)?;
        fields.push(Field::new(field.name(), data_type, field.is_nullable()));
    }
    fields.push(Field::new(ROW, DataType::Int64, false));
    Ok(Schema::new(fields))
}

/// `batch` in the columns of the table; its first row is row `first` of the training set.
pub(super) fn convert(
    batch: &RecordBatch,
    columns: &SchemaRef,
    first: i64,
) -> Result<RecordBatch, Error> {
    let rows = i64::try_from(batch.num_rows()).unwrap_or(i64::MAX);
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(first..first + rows));
    let converted: Result<Vec<ArrayRef>, Error> = batch
        .columns()
        .iter()
        .zip(columns.fields())
        .map(|(column, field)| convert_column(column, field))
        .collect();
    let mut converted = converted?;
    converted.push(numbers);
    RecordBatch::try_new(Arc::clone(columns), converted).map_err(|source| Error::Unfit {
        column: "of the training set".to_owned(),
        source,
    })
}

fn convert_column(column: &ArrayRef, field: &Field) -> Result<ArrayRef, Error> {
    let unfit = |source| Error::Unfit {
        column: format!("`{}`", field.name()),
        source,
    };
    // Values that do not fit are errors, not nulls.
    let exact = CastOptions {
        safe: false,
        ..CastOptions::default()
    };
    let converted = cast_with_options(column, field.data_type(), &exact).map_err(unfit)?;
    if may_lose(column.data_type()) {
        let back = cast_with_options(&converted, column.data_type(), &exact).map_err(unfit)?;
        if back.to_data() != column.to_data() {
            let lost = "some values are finer than the microseconds of a Delta table";
            return Err(unfit(ArrowError::ComputeError(lost.to_owned())));
        }
    }
    Ok(converted)
}

/// Whether a value may have digits that the stored type has no room for.
fn may_lose(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Timestamp(TimeUnit::Nanosecond, _) | DataType::Date64
    )
}

fn storable(data_type: &DataType) -> Option<DataType> {
    let list = |item: &Field| {
        let stored = Field::new_list_field(storable(item.data_type())?, true);
        Some(DataType::List(Arc::new(stored)))
    };
    Some(match data_type {
        DataType::Boolean
        | DataType::Int8
        | DataType::Int16
        | DataType::Int32
        | DataType::Int64
        | DataType::Float32
        | DataType::Float64
        | DataType::Utf8
        | DataType::Binary
        | DataType::Date32
        | DataType::Decimal128(..) => data_type.clone(),
        DataType::UInt8 => DataType::Int16,
        DataType::UInt16 => DataType::Int32,
        DataType::UInt32 => DataType::Int64,
        DataType::UInt64 => DataType::Decimal128(20, 0),
        DataType::Decimal32(precision, scale) | DataType::Decimal64(precision, scale) => {
            DataType::Decimal128(*precision, *scale)
        }
        DataType::Float16 => DataType::Float32,
        DataType::Null | DataType::LargeUtf8 | DataType::Utf8View => DataType::Utf8,
        DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
            DataType::Binary
        }
        DataType::Date64 => DataType::Date32,
        DataType::Timestamp(..) => timestamp_type(),
        DataType::Dictionary(_, values) => storable(values)?,
        DataType::RunEndEncoded(_, values) => storable(values.data_type())?,
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::FixedSizeList(item, _)
        | DataType::ListView(item)
        | DataType::LargeListView(item) => list(item)?,
        DataType::Struct(fields) => {
            let fields = fields.iter().map(|field| {
                let data_type = storable(field.data_type())?;
                Some(Field::new(field.name(), data_type, field.is_nullable()))
            });
            DataType::Struct(fields.collect::<Option<Fields>>()?)
        }
        _ => return None,
    })
}
