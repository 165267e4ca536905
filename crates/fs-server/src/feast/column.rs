//! From given values to a column of a type.
//!
//! What is given becomes exactly what the column holds, or the request is refused with the column, the
//! row and the value.
//!
//! | Type | Takes |
//! |---|---|
//! | `bool` | a boolean; the texts `true` and `false` |
//! | `int32`, `int64` | an integer in range, also as a text or as a float without fraction below 2^53 |
//! | `float64` | a number, also as a text; `NaN`, `Infinity`, `-Infinity` |
//! | `float32` | the same, rounded to the nearest |
//! | `string` | a text |
//! | `bytes` | bytes; a text that is base64 |
//! | `timestamp` | seconds since 1970, with a fraction or without; a text such as `2013-03-31T23:00:00` (UTC) |
//! | `array<T>` | a list of what `T` takes |
//!
//! Null is null in all of them.

mod scalar;

use std::sync::Arc;

use arrow::array::{
    ArrayBuilder, ArrayRef, BinaryBuilder, BooleanBuilder, ListBuilder, PrimitiveBuilder,
    StringBuilder, TimestampMicrosecondBuilder,
};
use arrow::datatypes::{ArrowPrimitiveType, Field, Float32Type, Float64Type, Int32Type, Int64Type};
use fs_core::data_type::UTC;
use fs_core::{DataType, ScalarType};

use super::FeastError;
use super::given::Given;

/// The values of column `name`, which has type `data_type`.
pub(super) fn column(
    name: &str,
    data_type: DataType,
    given: &[Given<'_>],
) -> Result<ArrayRef, FeastError> {
    let (DataType::Scalar(scalar) | DataType::Array(scalar)) = data_type;
    let column = Column {
        name,
        data_type,
        given,
    };
    match scalar {
        ScalarType::Bool => column.build(BooleanBuilder::new(), |builder, given| {
            builder.append_option(or_null(given, scalar::boolean)?);
            Ok(())
        }),
        ScalarType::Int32 => column.numbers::<Int32Type>(|given| {
            scalar::integer(given).and_then(|value| i32::try_from(value).ok())
        }),
        ScalarType::Int64 => column.numbers::<Int64Type>(scalar::integer),
        ScalarType::Float32 => column.numbers::<Float32Type>(scalar::single),
        ScalarType::Float64 => column.numbers::<Float64Type>(scalar::double),
        ScalarType::String => column.build(StringBuilder::new(), |builder, given| {
            builder.append_option(or_null(given, scalar::text)?);
            Ok(())
        }),
        ScalarType::Bytes => column.build(BinaryBuilder::new(), |builder, given| {
            builder.append_option(or_null(given, scalar::bytes)?);
            Ok(())
        }),
        ScalarType::Timestamp => {
            let builder = TimestampMicrosecondBuilder::new().with_timezone(UTC);
            column.build(builder, |builder, given| {
                builder.append_option(or_null(given, scalar::micros)?);
                Ok(())
            })
        }
    }
}

/// What is given is nothing that the column takes.
struct Unfit;

/// Null stays null.
fn or_null<'a, T>(
    given: &'a Given<'a>,
    read: impl Fn(&'a Given<'a>) -> Option<T>,
) -> Result<Option<T>, Unfit> {
    match given {
        Given::Null => Ok(None),
        given => read(given).map(Some).ok_or(Unfit),
    }
}

/// What is made into an array.
struct Column<'a> {
    name: &'a str,
    data_type: DataType,
    given: &'a [Given<'a>],
}

impl Column<'_> {
    fn numbers<T: ArrowPrimitiveType>(
        &self,
        read: impl Fn(&Given<'_>) -> Option<T::Native>,
    ) -> Result<ArrayRef, FeastError> {
        self.build(PrimitiveBuilder::<T>::new(), |builder, given| {
            builder.append_option(or_null(given, &read)?);
            Ok(())
        })
    }

    /// `append` takes one item, if it fits.
    fn build<B: ArrayBuilder>(
        &self,
        mut items: B,
        append: impl Fn(&mut B, &Given<'_>) -> Result<(), Unfit>,
    ) -> Result<ArrayRef, FeastError> {
        let DataType::Array(scalar) = self.data_type else {
            for (row, given) in self.given.iter().enumerate() {
                append(&mut items, given)
                    .map_err(|Unfit| self.refused(row, given, self.data_type))?;
            }
            return Ok(items.finish());
        };
        let field = Arc::new(Field::new_list_field(scalar.to_arrow(), true));
        let mut lists = ListBuilder::new(items).with_field(field);
        for (row, given) in self.given.iter().enumerate() {
            match given {
                Given::Null => lists.append(false),
                Given::List(list) => {
                    for item in list {
                        let refused = |Unfit| self.refused(row, item, DataType::Scalar(scalar));
                        append(lists.values(), item).map_err(refused)?;
                    }
                    lists.append(true);
                }
                _ => return Err(self.refused(row, given, self.data_type)),
            }
        }
        Ok(Arc::new(lists.finish()))
    }

    fn refused(&self, row: usize, given: &Given<'_>, expected: DataType) -> FeastError {
        FeastError::Value {
            column: self.name.to_owned(),
            row,
            given: given.to_string(),
            expected,
        }
    }
}

#[cfg(test)]
mod tests;
