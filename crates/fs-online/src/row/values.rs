//! Reading values of one type, one after the other, into one Arrow builder.

use std::marker::PhantomData;

use arrow::array::{
    ArrayBuilder, ArrowPrimitiveType, BinaryBuilder, BooleanBuilder, PrimitiveBuilder,
    StringBuilder,
};
use arrow::datatypes::{Float32Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType};
use fs_core::data_type::timestamp_type;

use crate::RowProblem;

/// How values of one scalar type are read.
pub(super) trait Values {
    type Builder: ArrayBuilder;

    /// How many bytes one takes, if all take the same.
    const WIDTH: Option<usize>;

    fn builder(capacity: usize) -> Self::Builder;

    /// Appends the value that `bytes` hold; `feature` is for the error.
    fn append(builder: &mut Self::Builder, bytes: &[u8], feature: usize) -> Result<(), RowProblem>;

    fn append_null(builder: &mut Self::Builder);
}

pub(super) struct Bools;
pub(super) struct Numbers<T>(PhantomData<T>);
pub(super) struct Strings;
pub(super) struct Blobs;

impl Values for Bools {
    type Builder = BooleanBuilder;
    const WIDTH: Option<usize> = Some(1);

    fn builder(capacity: usize) -> BooleanBuilder {
        BooleanBuilder::with_capacity(capacity)
    }

    fn append(
        builder: &mut BooleanBuilder,
        bytes: &[u8],
        feature: usize,
    ) -> Result<(), RowProblem> {
        match bytes {
            [0] => builder.append_value(false),
            [1] => builder.append_value(true),
            _ => return Err(RowProblem::NotBool { feature }),
        }
        Ok(())
    }

    fn append_null(builder: &mut BooleanBuilder) {
        builder.append_null();
    }
}

/// A number type of Arrow that rows hold in little-endian bytes.
pub(super) trait Number: ArrowPrimitiveType + Sized {
    const BYTES: usize;

    fn read(bytes: &[u8]) -> Option<Self::Native>;

    fn builder(capacity: usize) -> PrimitiveBuilder<Self> {
        PrimitiveBuilder::with_capacity(capacity)
    }
}

macro_rules! numbers {
    ($($arrow:ty, $native:ty;)*) => {$(
        impl Number for $arrow {
            const BYTES: usize = size_of::<$native>();

            fn read(bytes: &[u8]) -> Option<$native> {
                bytes.try_into().ok().map(<$native>::from_le_bytes)
            }
        }
    )*};
}

numbers! {
    Int32Type, i32;
    Int64Type, i64;
    Float32Type, f32;
    Float64Type, f64;
}

impl Number for TimestampMicrosecondType {
    const BYTES: usize = size_of::<i64>();

    fn read(bytes: &[u8]) -> Option<i64> {
        Int64Type::read(bytes)
    }

    fn builder(capacity: usize) -> PrimitiveBuilder<Self> {
        PrimitiveBuilder::with_capacity(capacity).with_data_type(timestamp_type())
    }
}

impl<T: Number> Values for Numbers<T> {
    type Builder = PrimitiveBuilder<T>;
    const WIDTH: Option<usize> = Some(T::BYTES);

    fn builder(capacity: usize) -> PrimitiveBuilder<T> {
        T::builder(capacity)
    }

    fn append(
        builder: &mut PrimitiveBuilder<T>,
        bytes: &[u8],
        feature: usize,
    ) -> Result<(), RowProblem> {
        builder.append_value(T::read(bytes).ok_or(RowProblem::BadBounds { feature })?);
        Ok(())
    }

    fn append_null(builder: &mut PrimitiveBuilder<T>) {
        builder.append_null();
    }
}

impl Values for Strings {
    type Builder = StringBuilder;
    const WIDTH: Option<usize> = None;

    fn builder(capacity: usize) -> StringBuilder {
        StringBuilder::with_capacity(capacity, capacity.saturating_mul(16))
    }

    fn append(builder: &mut StringBuilder, bytes: &[u8], feature: usize) -> Result<(), RowProblem> {
        match str::from_utf8(bytes) {
            Ok(text) => builder.append_value(text),
            Err(_) => return Err(RowProblem::NotUtf8 { feature }),
        }
        Ok(())
    }

    fn append_null(builder: &mut StringBuilder) {
        builder.append_null();
    }
}

impl Values for Blobs {
    type Builder = BinaryBuilder;
    const WIDTH: Option<usize> = None;

    fn builder(capacity: usize) -> BinaryBuilder {
        BinaryBuilder::with_capacity(capacity, capacity.saturating_mul(16))
    }

    fn append(builder: &mut BinaryBuilder, bytes: &[u8], _: usize) -> Result<(), RowProblem> {
        builder.append_value(bytes);
        Ok(())
    }

    fn append_null(builder: &mut BinaryBuilder) {
        builder.append_null();
    }
}
