//! The entities of a request as Arrow columns.

use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryBuilder, StringBuilder};
use bytes::Bytes;
use fs_proto::v1::{Column, column};
use fs_serving::EntityColumns;
use prost::decode_length_delimiter;
use prost::encoding::{DecodeContext, WireType, decode_key, skip_field};

use super::message::{EntityColumn, EntityValues, Values};
use crate::{Error, wire};

/// Reads the columns of a request.
pub(super) fn entities(columns: Vec<EntityColumn>) -> Result<EntityColumns, Error> {
    let columns = columns.into_iter().map(|EntityColumn { name, values }| {
        let array = array(&name, values.unwrap_or_default())?;
        Ok((name, array))
    });
    Ok(EntityColumns::new(columns.collect::<Result<_, Error>>()?)?)
}

fn array(name: &str, column: EntityValues) -> Result<ArrayRef, Error> {
    let EntityValues { values, nulls } = column;
    let values = match values {
        Some(Values::Strings(message)) => return strings(name, &message, &nulls),
        Some(Values::Blobs(message)) => return blobs(name, &message, &nulls),
        Some(Values::Bools(values)) => Some(column::Values::Bools(values)),
        Some(Values::Int32s(values)) => Some(column::Values::Int32s(values)),
        Some(Values::Int64s(values)) => Some(column::Values::Int64s(values)),
        Some(Values::Floats(values)) => Some(column::Values::Floats(values)),
        Some(Values::Doubles(values)) => Some(column::Values::Doubles(values)),
        Some(Values::Timestamps(values)) => Some(column::Values::Timestamps(values)),
        Some(Values::Lists(values)) => Some(column::Values::Lists(values)),
        None => None,
    };
    wire::to_array(name, Column { values, nulls })
}

fn strings(name: &str, message: &[u8], nulls: &Bytes) -> Result<ArrayRef, Error> {
    let mut builder = StringBuilder::with_capacity(0, message.len());
    let mut row = 0;
    each_value(message, |value| {
        let text = str::from_utf8(value).map_err(|source| Error::NotUtf8 {
            column: name.to_owned(),
            row,
            source,
        })?;
        builder.append_option((!is_null(nulls, row)).then_some(text));
        row += 1;
        Ok(())
    })?;
    wire::check_mask(name, nulls, row)?;
    Ok(Arc::new(builder.finish()))
}

fn blobs(name: &str, message: &[u8], nulls: &Bytes) -> Result<ArrayRef, Error> {
    let mut builder = BinaryBuilder::with_capacity(0, message.len());
    let mut row = 0;
    each_value(message, |value| {
        builder.append_option((!is_null(nulls, row)).then_some(value));
        row += 1;
        Ok(())
    })?;
    wire::check_mask(name, nulls, row)?;
    Ok(Arc::new(builder.finish()))
}

fn is_null(nulls: &[u8], row: usize) -> bool {
    nulls.get(row).is_some_and(|null| *null != 0)
}

/// The values of field 1, which `Strings` and `BytesValues` repeat.
fn each_value(
    mut message: &[u8],
    mut each: impl FnMut(&[u8]) -> Result<(), Error>,
) -> Result<(), Error> {
    while !message.is_empty() {
        let (field, wire_type) = decode_key(&mut message).map_err(Error::Protobuf)?;
        let mut value = message;
        skip_field(wire_type, field, &mut message, DecodeContext::default())
            .map_err(Error::Protobuf)?;
        if (field, wire_type) == (1, WireType::LengthDelimited) {
            // What was skipped is there.
            let length = decode_length_delimiter(&mut value).map_err(Error::Protobuf)?;
            each(value.get(..length).unwrap_or_default())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
