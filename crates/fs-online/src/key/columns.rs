//! Keys of a whole batch at once.

use arrow::array::{Array, ArrayRef};
use bytes::BytesMut;
use fs_core::{DataType, KeyType};

use super::{EncodedKey, put_bool, put_bytes, put_int32, put_int64, start};
use crate::Error;
use crate::column::{Column, Scalars};

/// The keys of `rows` rows: one column for each of the view's join keys, in their order.
///
/// ```text
///   types            columns            keys
///   string, int64    "EWR"   1          the bytes of ("EWR", 1)
///                    null    2          None: a null part matches nothing
/// ```
/// Strings may be plain, large, views or dictionaries. Without types, every row has the one key of
/// the global row. Keys share one buffer. Errors: a column too few or too many, of another length,
/// or of another type.
pub fn encode_columns(
    types: &[KeyType],
    columns: &[ArrayRef],
    rows: usize,
) -> Result<Vec<Option<EncodedKey>>, Error> {
    if types.len() != columns.len() {
        return Err(Error::Count {
            what: "key columns",
            expected: types.len(),
            found: columns.len(),
        });
    }
    let mut parts = Vec::with_capacity(columns.len());
    for (position, (key_type, column)) in types.iter().zip(columns).enumerate() {
        if column.len() != rows {
            return Err(Error::Count {
                what: "rows of every key column",
                expected: rows,
                found: column.len(),
            });
        }
        let declared = DataType::Scalar(key_type.scalar());
        match Column::of(|| format!("join key {position}"), column, declared)? {
            Column::Scalar(scalars) => parts.push(scalars),
            Column::Array(..) => {}
        }
    }
    let mut out = BytesMut::with_capacity(rows * (1 + 12 * parts.len()));
    let mut ends = Vec::with_capacity(rows);
    for row in 0..rows {
        if parts.iter().any(|part| part.is_null(row)) {
            ends.push(None);
            continue;
        }
        start(&mut out);
        for part in &parts {
            put(&mut out, part, row);
        }
        ends.push(Some(out.len()));
    }
    let bytes = out.freeze();
    let mut begin = 0;
    let mut key_until = |end: usize| {
        let key = EncodedKey(bytes.slice(begin..end));
        begin = end;
        key
    };
    Ok(ends
        .into_iter()
        .map(|end| end.map(&mut key_until))
        .collect())
}

fn put(out: &mut BytesMut, part: &Scalars, row: usize) {
    match part {
        Scalars::Bool(values) => put_bool(out, values.value(row)),
        Scalars::Int32(values) => put_int32(out, values.value(row)),
        Scalars::Int64(values) => put_int64(out, KeyType::Int64, values.value(row)),
        Scalars::String(values) => {
            put_bytes(out, KeyType::String, values.value(row).as_bytes());
        }
        Scalars::Bytes(values) => put_bytes(out, KeyType::Bytes, values.value(row)),
        Scalars::Timestamp(values) => put_int64(out, KeyType::Timestamp, values.value(row)),
        // A `KeyType` is never a float.
        Scalars::Float32(_) | Scalars::Float64(_) => {}
    }
}
