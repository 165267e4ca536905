//! Single values of Arrow arrays, as people and programs read them.

use arrow::array::{Array, ArrayRef};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use serde_json::{Value, json};

use crate::failure::Failure;

/// A value as text; nothing is `null`.
pub(crate) fn text(values: &ArrayRef, row: usize) -> Result<String, Failure> {
    let options = FormatOptions::default().with_null("null");
    ArrayFormatter::try_new(values.as_ref(), &options)
        .and_then(|cells| cells.value(row).try_to_string())
        .map_err(|error| Failure::new(fs_core::Code::Internal, error.to_string()))
}

/// A value as JSON: numbers as numbers, not-a-number and infinities as strings, bytes as
/// hexadecimal digits, timestamps as RFC 3339.
pub(crate) fn value(values: &ArrayRef, row: usize) -> Result<Value, Failure> {
    use arrow::array::AsArray;
    use arrow::datatypes::{
        DataType, Float32Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType,
    };
    if values.is_null(row) {
        return Ok(Value::Null);
    }
    let float = |value: f64| {
        if value.is_finite() {
            json!(value)
        } else {
            json!(value.to_string())
        }
    };
    Ok(match values.data_type() {
        DataType::Boolean => json!(values.as_boolean().value(row)),
        DataType::Int32 => json!(values.as_primitive::<Int32Type>().value(row)),
        DataType::Int64 => json!(values.as_primitive::<Int64Type>().value(row)),
        DataType::Float32 => float(f64::from(values.as_primitive::<Float32Type>().value(row))),
        DataType::Float64 => float(values.as_primitive::<Float64Type>().value(row)),
        DataType::Utf8 => json!(values.as_string::<i32>().value(row)),
        DataType::Timestamp(_, _) => {
            let micros = values.as_primitive::<TimestampMicrosecondType>().value(row);
            json!(fs_core::time::format_micros(micros))
        }
        DataType::List(_) => {
            let items = values.as_list::<i32>().value(row);
            let items: Result<Vec<_>, _> = (0..items.len()).map(|at| value(&items, at)).collect();
            Value::Array(items?)
        }
        _ => json!(text(values, row)?),
    })
}
