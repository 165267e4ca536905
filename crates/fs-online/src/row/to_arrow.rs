//! Cells as Arrow columns, for those who want them all: tests, tables, the command line.

use std::sync::Arc;

use arrow::array::{
    ArrayBuilder, ArrayRef, BinaryBuilder, BooleanBuilder, Float32Builder, Float64Builder,
    Int32Builder, Int64Builder, ListBuilder, StringBuilder, TimestampMicrosecondBuilder,
};
use fs_core::data_type::timestamp_type;
use fs_core::{DataType, ScalarType};

use super::cell::Cell;

/// Runs `$done` with a builder of the type and with what appends a cell, or a null, to it.
macro_rules! by_type {
    ($scalar:expr, $done:ident, $($argument:expr),*) => {
        by_type!(@ $scalar, $done, ($($argument),*);
            Bool: BooleanBuilder::new(), value => *value;
            Int32: Int32Builder::new(), value => *value;
            Int64: Int64Builder::new(), value => *value;
            Float32: Float32Builder::new(), value => *value;
            Float64: Float64Builder::new(), value => *value;
            String: StringBuilder::new(), value => value;
            Bytes: BinaryBuilder::new(), value => value;
            Timestamp: TimestampMicrosecondBuilder::new().with_data_type(timestamp_type()),
                value => *value;
        )
    };
    (@ $scalar:expr, $done:ident, $arguments:tt;
     $($kind:ident: $builder:expr, $value:ident => $read:expr;)*) => {
        match $scalar {$(
            ScalarType::$kind => by_type!(@call $done, $builder, $arguments, |builder, cell| {
                builder.append_option(match &cell {
                    Some(Cell::$kind($value)) => Some($read),
                    _ => None,
                });
            }),
        )*}
    };
    (@call $done:ident, $builder:expr, ($($argument:expr),*), $append:expr) => {
        $done($builder, $append, $($argument),*)
    };
}

/// The column of `cells`, which are of type `data_type`; none is null.
pub fn to_arrow<'a>(
    data_type: DataType,
    cells: impl Iterator<Item = Option<Cell<'a>>>,
) -> ArrayRef {
    match data_type {
        DataType::Scalar(scalar) => by_type!(scalar, scalars, cells),
        DataType::Array(item) => by_type!(item, lists, cells),
    }
}

fn scalars<'a, B: ArrayBuilder>(
    mut builder: B,
    append: impl Fn(&mut B, Option<Cell<'a>>),
    cells: impl Iterator<Item = Option<Cell<'a>>>,
) -> ArrayRef {
    for cell in cells {
        append(&mut builder, cell);
    }
    builder.finish()
}

fn lists<'a, B: ArrayBuilder>(
    builder: B,
    append: impl Fn(&mut B, Option<Cell<'a>>),
    cells: impl Iterator<Item = Option<Cell<'a>>>,
) -> ArrayRef {
    let mut lists = ListBuilder::new(builder);
    for cell in cells {
        let list = match cell {
            Some(Cell::List(list)) => Some(list),
            _ => None,
        };
        for item in list.iter().flat_map(super::ListCell::iter) {
            append(lists.values(), item);
        }
        lists.append(list.is_some());
    }
    Arc::new(lists.finish())
}
