//! Values in `feast.types.Value`.
//!
//! | Of Feast | Is read as |
//! |---|---|
//! | scalars | themselves |
//! | `unix_timestamp_val`, `zoned_timestamp_val` | an instant in seconds |
//! | `json_val`, `uuid_val`, `time_uuid_val`, `decimal_val` | their texts |
//! | lists and sets of those | lists |
//! | `null_val`, nothing | null |
//! | maps and structs | what no column can hold |

use std::borrow::Cow;

use fs_proto::feast::types::value::Val;
use fs_proto::feast::types::{RepeatedValue, Value};

use super::Given;

impl<'a> From<&'a Value> for Given<'a> {
    fn from(value: &'a Value) -> Self {
        value.val.as_ref().map_or(Self::Null, Self::from)
    }
}

impl<'a> From<&'a Val> for Given<'a> {
    fn from(value: &'a Val) -> Self {
        match value {
            Val::NullVal(_) => Self::Null,
            Val::BoolVal(value) => Self::Bool(*value),
            Val::Int32Val(value) => Self::Int(i64::from(*value)),
            Val::Int64Val(value) => Self::Int(*value),
            Val::FloatVal(value) => Self::Float(f64::from(*value)),
            Val::DoubleVal(value) => Self::Float(*value),
            Val::BytesVal(value) => Self::Bytes(value),
            Val::UnixTimestampVal(value) => Self::Seconds(*value),
            Val::ZonedTimestampVal(value) => Self::Seconds(value.unix_timestamp),
            Val::StringVal(text)
            | Val::JsonVal(text)
            | Val::UuidVal(text)
            | Val::TimeUuidVal(text)
            | Val::DecimalVal(text) => Self::text(text),
            Val::BoolListVal(list) => Self::list(&list.val, |item| Self::Bool(*item)),
            Val::BoolSetVal(set) => Self::list(&set.val, |item| Self::Bool(*item)),
            Val::Int32ListVal(list) => Self::list(&list.val, |item| Self::Int(i64::from(*item))),
            Val::Int32SetVal(set) => Self::list(&set.val, |item| Self::Int(i64::from(*item))),
            Val::Int64ListVal(list) => Self::list(&list.val, |item| Self::Int(*item)),
            Val::Int64SetVal(set) => Self::list(&set.val, |item| Self::Int(*item)),
            Val::FloatListVal(list) => Self::list(&list.val, |item| Self::Float(f64::from(*item))),
            Val::FloatSetVal(set) => Self::list(&set.val, |item| Self::Float(f64::from(*item))),
            Val::DoubleListVal(list) => Self::list(&list.val, |item| Self::Float(*item)),
            Val::DoubleSetVal(set) => Self::list(&set.val, |item| Self::Float(*item)),
            Val::BytesListVal(list) => Self::list(&list.val, |item| Self::Bytes(item)),
            Val::BytesSetVal(set) => Self::list(&set.val, |item| Self::Bytes(item)),
            Val::UnixTimestampListVal(list) => Self::list(&list.val, |item| Self::Seconds(*item)),
            Val::UnixTimestampSetVal(set) => Self::list(&set.val, |item| Self::Seconds(*item)),
            Val::StringListVal(list)
            | Val::JsonListVal(list)
            | Val::UuidListVal(list)
            | Val::TimeUuidListVal(list)
            | Val::DecimalListVal(list) => Self::list(&list.val, |item| Self::text(item)),
            Val::StringSetVal(set)
            | Val::UuidSetVal(set)
            | Val::TimeUuidSetVal(set)
            | Val::DecimalSetVal(set) => Self::list(&set.val, |item| Self::text(item)),
            Val::ListVal(list) | Val::SetVal(list) => Self::List(Self::all(list)),
            Val::MapVal(_) | Val::ScalarMapVal(_) => Self::Other("a map"),
            Val::MapListVal(_) => Self::Other("a list of maps"),
            Val::StructVal(_) => Self::Other("a struct"),
            Val::StructListVal(_) => Self::Other("a list of structs"),
        }
    }
}

impl<'a> Given<'a> {
    pub(in crate::feast) fn all(values: &'a RepeatedValue) -> Vec<Self> {
        values.val.iter().map(Self::from).collect()
    }

    pub(in crate::feast) const fn text(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }

    fn list<T>(items: &'a [T], one: impl FnMut(&'a T) -> Self) -> Self {
        Self::List(items.iter().map(one).collect())
    }
}
