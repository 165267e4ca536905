//! Which Arrow types may become which of ours, and how one column does.
//!
//! | Found | Becomes |
//! |---|---|
//! | the same type | itself |
//! | any flavour of string, of bytes, of list | `string`, `bytes`, `array<T>` |
//! | narrower integers, or integers that a float holds exactly | wider integers, floats |
//! | `float32` | `float64` |
//! | timestamps of any unit and zone, dates | `timestamp`; without a zone they are UTC |
//! | nothing but nulls | anything |
//!
//! Text formats say little about types, so for them also the way back is open, value by value: see
//! [`Slack`].

mod column;
mod text;
mod times;

pub(crate) use column::{BadCell, convert};
pub(crate) use text::integer;
pub(crate) use times::to_micros;

use arrow::datatypes::DataType as ArrowType;

/// What a column of a text format may become beyond the lossless conversions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slack {
    /// Wider numbers become narrower ones; a value that does not fit fails the run.
    pub narrow: bool,
    /// Strings are parsed; a value that does not parse fails the run.
    pub parse: bool,
    /// The text of any value is a string.
    pub print: bool,
}

impl Slack {
    /// Types are what they are: Parquet, Delta and SQL.
    pub(crate) const NONE: Self = Self {
        narrow: false,
        parse: false,
        print: false,
    };
    /// Every column is still text.
    pub(crate) const RAW_TEXT: Self = Self {
        narrow: true,
        parse: true,
        print: true,
    };
    /// The types were guessed from a sample of CSV, where a guess of "string" is final.
    pub(crate) const CSV_SAMPLE: Self = Self {
        narrow: true,
        parse: false,
        print: true,
    };
    /// SQL ran over guessed types.
    pub(crate) const SQL_OVER_TEXT: Self = Self {
        narrow: true,
        parse: false,
        print: false,
    };
}

/// Whether a column of type `found` may become one of type `wanted`.
pub(crate) fn fits(found: &ArrowType, wanted: &ArrowType, slack: Slack) -> bool {
    use ArrowType as T;
    if found == wanted {
        return true;
    }
    match (found, wanted) {
        (T::Null, _) => true,
        (T::Dictionary(_, values), _) => fits(values, wanted, slack),
        (T::RunEndEncoded(_, values), _) => fits(values.data_type(), wanted, slack),
        (found, T::List(wanted)) => {
            item_type(found).is_some_and(|item| fits(item, wanted.data_type(), slack))
        }
        (found, T::Utf8) if is_string(found) => true,
        (found, T::Utf8) => slack.print && is_scalar(found),
        (found, T::Binary) => is_bytes(found) || (slack.print && is_scalar(found)),
        (found, T::Timestamp(..)) if is_instant(found) => true,
        (found, _) if is_string(found) => slack.parse,
        (found, wanted) => is_wider(found, wanted) || (slack.narrow && both_numbers(found, wanted)),
    }
}

/// Whether event and created times can be read from a column of this type.
pub(crate) fn is_time(found: &ArrowType) -> bool {
    match found {
        ArrowType::Dictionary(_, values) => is_time(values),
        ArrowType::Null => true,
        other => is_instant(other) || is_string(other),
    }
}

/// The name of an Arrow type in the words of definitions where there is one.
pub(crate) fn type_name(found: &ArrowType) -> String {
    match fs_core::DataType::from_arrow(found) {
        Some(ours) => ours.to_string(),
        None if is_string(found) => "string".to_owned(),
        None if is_bytes(found) => "bytes".to_owned(),
        None => match found {
            ArrowType::Dictionary(_, values) => type_name(values),
            other => item_type(other).map_or_else(
                || other.to_string().to_lowercase(),
                |item| format!("array<{}>", type_name(item)),
            ),
        },
    }
}

pub(crate) fn is_string(found: &ArrowType) -> bool {
    matches!(
        found,
        ArrowType::Utf8 | ArrowType::LargeUtf8 | ArrowType::Utf8View
    )
}

fn is_bytes(found: &ArrowType) -> bool {
    matches!(
        found,
        ArrowType::Binary
            | ArrowType::LargeBinary
            | ArrowType::BinaryView
            | ArrowType::FixedSizeBinary(_)
    )
}

/// Whether a column holds timestamps or dates.
pub(crate) fn is_instant(found: &ArrowType) -> bool {
    matches!(
        found,
        ArrowType::Timestamp(..) | ArrowType::Date32 | ArrowType::Date64
    )
}

fn is_scalar(found: &ArrowType) -> bool {
    found.is_numeric() || is_instant(found) || is_string(found) || *found == ArrowType::Boolean
}

fn both_numbers(found: &ArrowType, wanted: &ArrowType) -> bool {
    found.is_numeric() && wanted.is_numeric()
}

pub(crate) fn item_type(found: &ArrowType) -> Option<&ArrowType> {
    match found {
        ArrowType::List(item)
        | ArrowType::LargeList(item)
        | ArrowType::FixedSizeList(item, _)
        | ArrowType::ListView(item)
        | ArrowType::LargeListView(item) => Some(item.data_type()),
        _ => None,
    }
}

/// Whether every value of `found` is a value of `wanted`.
fn is_wider(found: &ArrowType, wanted: &ArrowType) -> bool {
    use ArrowType as T;
    let upto_16 = matches!(found, T::Int8 | T::Int16 | T::UInt8 | T::UInt16);
    let upto_32 = upto_16 || matches!(found, T::Int32 | T::UInt32);
    match wanted {
        T::Int32 => upto_16,
        T::Int64 => upto_32,
        T::Float32 => upto_16 || *found == T::Float16,
        T::Float64 => upto_32 || matches!(found, T::Float16 | T::Float32),
        _ => false,
    }
}
