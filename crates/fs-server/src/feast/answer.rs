//! An answer in the words of Feast: the join keys first, then the features in the order asked for.
//!
//! | | Of a join key | Of a feature |
//! |---|---|---|
//! | value | as it was looked up by, in the type of the key | the value where it is `PRESENT`, else null |
//! | status | `PRESENT`, or `NULL_VALUE` | as `fs` has it |
//! | event timestamp | 1970-01-01T00:00:00Z | that of the (entity, view) row; 1970 where `NOT_FOUND` |
//!
//! A timestamp is whole seconds, which is all that Feast has. A list with nulls in it is a `list_val` in
//! protobuf, whose typed lists cannot hold any. Both are written straight from the packed rows into one
//! buffer; what is the same for many columns (statuses, the times of a view) is written once and copied.

mod columns;
mod json;
mod protobuf;

pub(super) use self::columns::Answer;

/// Seconds as Feast has them, of microseconds.
const fn seconds(micros: i64) -> i64 {
    micros.div_euclid(1_000_000)
}

#[cfg(test)]
mod tests;
