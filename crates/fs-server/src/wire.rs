//! Columns of the wire, to Arrow and back: for the server, and for clients that have Arrow.
//!
//! | From | To | With |
//! |---|---|---|
//! | an Arrow column of entities | a column of a request | [`named_column`] |
//! | an answer | Arrow columns and statuses | [`feature_columns`] |
//! | feature vectors | the bytes of an answer | [`answer_bytes`] |

mod from_arrow;
mod nulls;
pub(crate) mod protobuf;
mod to_arrow;

use arrow::array::ArrayRef;
use bytes::Bytes;
use fs_core::DataType;
use fs_proto::v1::{Column, FeatureColumn, GetOnlineFeaturesResponse, NamedColumn};
use fs_serving::{FeatureVectors, Status};

use crate::Error;
use crate::grpc::Answer;

pub(crate) use self::from_arrow::from_array;
pub(crate) use self::nulls::check_mask;
pub(crate) use self::to_arrow::to_array;

/// The bytes of the `GetOnlineFeaturesResponse` that says `vectors`, and with `with_times` when each
/// row was true. What a server sends, for those who answer in its stead or measure it.
pub fn answer_bytes(vectors: FeatureVectors, with_times: bool) -> Bytes {
    Answer::new(vectors, with_times).to_bytes()
}

/// An entity column for a request; nulls stay null.
pub fn named_column(name: &str, values: &ArrayRef) -> Result<NamedColumn, Error> {
    let data_type = DataType::from_arrow(values.data_type());
    let data_type = data_type.ok_or_else(|| Error::NoWireType {
        column: name.to_owned(),
        found: values.data_type().to_string(),
    })?;
    Ok(NamedColumn {
        name: name.to_owned(),
        values: Some(Column {
            nulls: nulls::mask(values),
            ..from_array(data_type, values)
        }),
    })
}

/// A column of an answer, as a client that has Arrow reads it.
#[derive(Debug, Clone)]
pub struct ReceivedColumn {
    /// `feature`, or `view__feature`.
    pub name: String,
    /// Its type.
    pub data_type: DataType,
    /// The values; null wherever the status is not [`Status::Present`].
    pub values: ArrayRef,
    /// One status per value.
    pub statuses: Vec<Status>,
}

/// The columns of an answer, null wherever the status is not [`Status::Present`].
pub fn feature_columns(answer: GetOnlineFeaturesResponse) -> Result<Vec<ReceivedColumn>, Error> {
    let rows = usize::try_from(answer.row_count).unwrap_or(usize::MAX);
    let columns = answer.columns.into_iter();
    columns
        .map(|column| received_column(column, rows))
        .collect()
}

fn received_column(column: FeatureColumn, rows: usize) -> Result<ReceivedColumn, Error> {
    let FeatureColumn {
        name,
        values,
        statuses,
    } = column;
    let malformed = || Error::MalformedAnswer {
        column: name.clone(),
    };
    let read = |number: &u8| Status::from_number(*number).ok_or_else(malformed);
    let read: Vec<Status> = if statuses.is_empty() {
        vec![Status::Present; rows]
    } else {
        statuses.iter().map(read).collect::<Result<_, _>>()?
    };
    let absent = |status: &Status| u8::from(*status != Status::Present);
    let nulls = if statuses.is_empty() {
        Bytes::new()
    } else {
        read.iter().map(absent).collect()
    };
    let values = values.unwrap_or_default();
    let values = to_array(&name, Column { nulls, ..values })?;
    let data_type = DataType::from_arrow(values.data_type()).ok_or_else(malformed)?;
    if values.len() != rows || read.len() != rows {
        return Err(malformed());
    }
    Ok(ReceivedColumn {
        name,
        data_type,
        values,
        statuses: read,
    })
}

#[cfg(test)]
mod tests;
