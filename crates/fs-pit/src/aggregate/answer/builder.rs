//! [`AnswerBuilder`]: answers as an Arrow column.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryBuilder, BooleanBuilder, Float32Builder, Float64Builder, Int32Builder,
    Int64Builder, ListArray, NullBufferBuilder, StringBuilder, TimestampMicrosecondBuilder,
};
use arrow::buffer::{OffsetBuffer, ScalarBuffer};
use arrow::datatypes::Field;
use fs_core::{DataType, ScalarType};

use super::Answer;
use crate::Error;
use crate::aggregate::Scalar;

/// Takes answers of one type one after the other.
#[derive(Debug)]
pub struct AnswerBuilder {
    items: Items,
    lists: Option<Lists>,
}

/// Where each list ends.
#[derive(Debug)]
struct Lists {
    item: ScalarType,
    ends: Vec<i32>,
    nulls: NullBufferBuilder,
}

#[derive(Debug)]
enum Items {
    Bool(BooleanBuilder),
    Int32(Int32Builder),
    Int64(Int64Builder),
    Float32(Float32Builder),
    Float64(Float64Builder),
    String(StringBuilder),
    Bytes(BinaryBuilder),
    Timestamp(TimestampMicrosecondBuilder),
}

impl AnswerBuilder {
    /// Expects `rows` answers of type `data_type`.
    pub fn new(data_type: DataType, rows: usize) -> Self {
        match data_type {
            DataType::Scalar(scalar) => Self {
                items: Items::new(scalar, rows),
                lists: None,
            },
            DataType::Array(item) => {
                let mut ends = Vec::with_capacity(rows + 1);
                ends.push(0);
                Self {
                    items: Items::new(item, rows),
                    lists: Some(Lists {
                        item,
                        ends,
                        nulls: NullBufferBuilder::new(rows),
                    }),
                }
            }
        }
    }

    /// Appends an answer of the type of the column.
    #[inline]
    pub fn append(&mut self, answer: &Answer<'_>) -> Result<(), Error> {
        match (answer, &mut self.lists) {
            (Answer::One(value), None) => self.items.append(*value),
            (Answer::Null, None) => {
                self.items.append_null();
                Ok(())
            }
            (Answer::Null, Some(lists)) => lists.end(self.items.len(), false),
            (Answer::Many(values), Some(lists)) => {
                values
                    .iter()
                    .try_for_each(|value| self.items.append(*value))?;
                lists.end(self.items.len(), true)
            }
            (Answer::One(value), Some(_)) => Err(Error::NotThatType {
                found: value.scalar_type(),
            }),
            (Answer::Many(_), None) => Err(Error::NotThatType { found: None }),
        }
    }

    /// The column of all answers.
    pub fn finish(self) -> Result<ArrayRef, Error> {
        let items = self.items.finish();
        let Some(mut lists) = self.lists else {
            return Ok(items);
        };
        let field = Arc::new(Field::new_list_field(lists.item.to_arrow(), true));
        let ends = OffsetBuffer::new(ScalarBuffer::from(lists.ends));
        let column = ListArray::try_new(field, ends, items, lists.nulls.finish())?;
        Ok(Arc::new(column))
    }
}

impl Lists {
    fn end(&mut self, items: usize, valid: bool) -> Result<(), Error> {
        let end = i32::try_from(items).map_err(|_overflow| Error::TooMany)?;
        self.ends.push(end);
        self.nulls.append(valid);
        Ok(())
    }
}

impl Items {
    fn new(scalar: ScalarType, rows: usize) -> Self {
        match scalar {
            ScalarType::Bool => Self::Bool(BooleanBuilder::with_capacity(rows)),
            ScalarType::Int32 => Self::Int32(Int32Builder::with_capacity(rows)),
            ScalarType::Int64 => Self::Int64(Int64Builder::with_capacity(rows)),
            ScalarType::Float32 => Self::Float32(Float32Builder::with_capacity(rows)),
            ScalarType::Float64 => Self::Float64(Float64Builder::with_capacity(rows)),
            ScalarType::String => Self::String(StringBuilder::with_capacity(rows, 0)),
            ScalarType::Bytes => Self::Bytes(BinaryBuilder::with_capacity(rows, 0)),
            ScalarType::Timestamp => {
                let builder = TimestampMicrosecondBuilder::with_capacity(rows);
                Self::Timestamp(builder.with_data_type(scalar.to_arrow()))
            }
        }
    }

    fn len(&self) -> usize {
        use arrow::array::ArrayBuilder;
        match self {
            Self::Bool(items) => items.len(),
            Self::Int32(items) => items.len(),
            Self::Int64(items) => items.len(),
            Self::Float32(items) => items.len(),
            Self::Float64(items) => items.len(),
            Self::String(items) => items.len(),
            Self::Bytes(items) => items.len(),
            Self::Timestamp(items) => items.len(),
        }
    }

    #[inline]
    fn append(&mut self, value: Scalar<'_>) -> Result<(), Error> {
        match (self, value) {
            (Self::Bool(items), Scalar::Bool(value)) => items.append_value(value),
            (Self::Int32(items), Scalar::Int32(value)) => items.append_value(value),
            (Self::Int64(items), Scalar::Int64(value)) => items.append_value(value),
            (Self::Float32(items), Scalar::Float32(value)) => items.append_value(value),
            (Self::Float64(items), Scalar::Float64(value)) => items.append_value(value),
            (Self::String(items), Scalar::String(value)) => items.append_value(value),
            (Self::Bytes(items), Scalar::Bytes(value)) => items.append_value(value),
            (Self::Timestamp(items), Scalar::Timestamp(value)) => items.append_value(value),
            (_, other) => {
                return Err(Error::NotThatType {
                    found: other.scalar_type(),
                });
            }
        }
        Ok(())
    }

    #[inline]
    fn append_null(&mut self) {
        match self {
            Self::Bool(items) => items.append_null(),
            Self::Int32(items) => items.append_null(),
            Self::Int64(items) => items.append_null(),
            Self::Float32(items) => items.append_null(),
            Self::Float64(items) => items.append_null(),
            Self::String(items) => items.append_null(),
            Self::Bytes(items) => items.append_null(),
            Self::Timestamp(items) => items.append_null(),
        }
    }

    fn finish(self) -> ArrayRef {
        match self {
            Self::Bool(mut items) => Arc::new(items.finish()),
            Self::Int32(mut items) => Arc::new(items.finish()),
            Self::Int64(mut items) => Arc::new(items.finish()),
            Self::Float32(mut items) => Arc::new(items.finish()),
            Self::Float64(mut items) => Arc::new(items.finish()),
            Self::String(mut items) => Arc::new(items.finish()),
            Self::Bytes(mut items) => Arc::new(items.finish()),
            Self::Timestamp(mut items) => Arc::new(items.finish()),
        }
    }
}
