//! Texts and bytes, kept where several states can share them.

use std::cmp::Ordering;
use std::sync::Arc;

use arrow::array::{
    Array, BinaryArray, BinaryViewArray, LargeBinaryArray, LargeStringArray, StringArray,
    StringViewArray,
};

use super::Input;
use crate::Error;
use crate::aggregate::{Scalar, bytes, hash};

/// `string`.
#[derive(Debug, Clone, Copy)]
pub struct Text;

/// `bytes`.
#[derive(Debug, Clone, Copy)]
pub struct Binary;

/// A column of texts, whatever Arrow layout it has.
#[derive(Debug, Clone, Copy)]
pub enum Texts<'c> {
    /// Ends of 32 bits.
    Short(&'c StringArray),
    /// Ends of 64 bits.
    Large(&'c LargeStringArray),
    /// Views.
    View(&'c StringViewArray),
}

/// A column of bytes, whatever Arrow layout it has.
#[derive(Debug, Clone, Copy)]
pub enum Bytes<'c> {
    /// Ends of 32 bits.
    Short(&'c BinaryArray),
    /// Ends of 64 bits.
    Large(&'c LargeBinaryArray),
    /// Views.
    View(&'c BinaryViewArray),
}

impl Input for Text {
    type Value<'v> = &'v str;
    type Column<'c> = Texts<'c>;
    type Kept = Arc<str>;

    const PLAIN: bool = false;

    fn column(array: &dyn Array) -> Option<Texts<'_>> {
        let array = array.as_any();
        let short = array.downcast_ref().map(Texts::Short);
        let large = || array.downcast_ref().map(Texts::Large);
        short
            .or_else(large)
            .or_else(|| array.downcast_ref().map(Texts::View))
    }

    fn value(column: Self::Column<'_>, row: usize) -> Self::Value<'_> {
        match column {
            Texts::Short(column) => column.value(row),
            Texts::Large(column) => column.value(row),
            Texts::View(column) => column.value(row),
        }
    }

    fn of(scalar: Scalar<'_>) -> Option<&str> {
        match scalar {
            Scalar::String(value) => Some(value),
            _ => None,
        }
    }

    fn keep(value: &str) -> Arc<str> {
        Arc::from(value)
    }

    fn order(value: &str, kept: &Arc<str>) -> Ordering {
        value.cmp(kept)
    }

    fn scalar(kept: &Arc<str>) -> Scalar<'_> {
        Scalar::String(kept)
    }

    fn hash(value: &str) -> u64 {
        hash::text(value.as_bytes())
    }

    fn heap_bytes(kept: &Arc<str>) -> usize {
        kept.len() + 2 * size_of::<usize>()
    }

    fn write(kept: &Arc<str>, out: &mut Vec<u8>) {
        bytes::put_text(kept.as_bytes(), out);
    }

    fn read(bytes: &mut &[u8]) -> Result<Arc<str>, Error> {
        let text = str::from_utf8(bytes::text(bytes)?);
        text.map(Arc::from)
            .map_err(|_not_utf8| bytes::broken("a text is not UTF-8"))
    }
}

impl Input for Binary {
    type Value<'v> = &'v [u8];
    type Column<'c> = Bytes<'c>;
    type Kept = Arc<[u8]>;

    const PLAIN: bool = false;

    fn column(array: &dyn Array) -> Option<Bytes<'_>> {
        let array = array.as_any();
        let short = array.downcast_ref().map(Bytes::Short);
        let large = || array.downcast_ref().map(Bytes::Large);
        short
            .or_else(large)
            .or_else(|| array.downcast_ref().map(Bytes::View))
    }

    fn value(column: Self::Column<'_>, row: usize) -> Self::Value<'_> {
        match column {
            Bytes::Short(column) => column.value(row),
            Bytes::Large(column) => column.value(row),
            Bytes::View(column) => column.value(row),
        }
    }

    fn of(scalar: Scalar<'_>) -> Option<&[u8]> {
        match scalar {
            Scalar::Bytes(value) => Some(value),
            _ => None,
        }
    }

    fn keep(value: &[u8]) -> Arc<[u8]> {
        Arc::from(value)
    }

    fn order(value: &[u8], kept: &Arc<[u8]>) -> Ordering {
        value.cmp(kept)
    }

    fn scalar(kept: &Arc<[u8]>) -> Scalar<'_> {
        Scalar::Bytes(kept)
    }

    fn hash(value: &[u8]) -> u64 {
        hash::text(value)
    }

    fn heap_bytes(kept: &Arc<[u8]>) -> usize {
        kept.len() + 2 * size_of::<usize>()
    }

    fn write(kept: &Arc<[u8]>, out: &mut Vec<u8>) {
        bytes::put_text(kept, out);
    }

    fn read(bytes: &mut &[u8]) -> Result<Arc<[u8]>, Error> {
        bytes::text(bytes).map(Arc::from)
    }
}
