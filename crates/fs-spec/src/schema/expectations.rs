//! The shapes of the expectations of a view, one for each kind.

#![expect(
    dead_code,
    reason = "only the shape matters: nobody makes or reads these"
)]

use schemars::JsonSchema;

use super::values::{Comparable, Duration, Name, Part, Rows};

/// What the rows of a view must be like before they are committed.
#[derive(JsonSchema)]
#[schemars(untagged, rename = "expectation")]
pub(super) enum Expectation {
    NotNull(NotNull),
    Between(Between),
    InSet(InSet),
    Unique(Unique),
    RowCount(RowCount),
    NullFraction(NullFraction),
    MaxAge(MaxAge),
    Sql(Sql),
}

/// What happens to rows that fail.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case", rename = "on_failure")]
enum OnFailure {
    /// The run fails, and nothing is committed.
    Fail,
    /// The rows that fail go to the quarantine of the view; the others are committed.
    Quarantine,
    /// It is reported, and everything is committed.
    Warn,
}

/// What happens to a window that fails.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case", rename = "on_window_failure")]
enum OnWindowFailure {
    /// The run fails, and nothing is committed.
    Fail,
    /// It is reported, and everything is committed.
    Warn,
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident, $word:literal, $kind:ident::$variant:ident, $on_failure:ident {
        $($(#[$field_doc:meta])* $field:ident: $type:ty,)*
    })*) => {$(
        #[derive(JsonSchema)]
        #[schemars(rename_all = "snake_case", inline)]
        enum $kind {
            $variant,
        }

        $(#[$doc])*
        #[derive(JsonSchema)]
        #[schemars(deny_unknown_fields, rename = $word)]
        pub(super) struct $name {
            expect: $kind,
            $($(#[$field_doc])* $field: $type,)*
            /// What reports call it, once in its view; made of its kind and its column if absent.
            name: Option<Name>,
            /// What happens on failure; `fail` if absent.
            on_failure: Option<$on_failure>,
        }
    )*};
}

kinds! {
    /// The column is not null.
    NotNull, "expect_not_null", NotNullKind::NotNull, OnFailure {
        /// A join key, `event_timestamp`, `created_timestamp` or a feature.
        column: String,
    }

    /// The column lies between two values, both inclusive; a null passes.
    Between, "expect_between", BetweenKind::Between, OnFailure {
        /// A join key, `event_timestamp`, `created_timestamp` or a feature.
        column: String,
        /// The least that is fine.
        min: Option<Comparable>,
        /// The greatest that is fine.
        max: Option<Comparable>,
    }

    /// The column is one of some values; a null passes.
    InSet, "expect_in_set", InSetKind::InSet, OnFailure {
        /// A join key, `event_timestamp`, `created_timestamp` or a feature.
        column: String,
        /// The values that are fine.
        #[schemars(length(min = 1))]
        values: Vec<Comparable>,
    }

    /// No two rows have the same join keys and event time.
    Unique, "expect_unique", UniqueKind::Unique, OnFailure {}

    /// The window has so many rows.
    RowCount, "expect_row_count", RowCountKind::RowCount, OnWindowFailure {
        /// The least that is fine.
        min: Option<Rows>,
        /// The most that is fine.
        max: Option<Rows>,
    }

    /// At most this part of the column is null.
    NullFraction, "expect_null_fraction", NullFractionKind::NullFraction, OnWindowFailure {
        /// A join key, `event_timestamp`, `created_timestamp` or a feature.
        column: String,
        /// The greatest part that is fine, from 0 to 1.
        max: Part,
    }

    /// The newest event time of the window is not long before its end.
    MaxAge, "expect_max_age", MaxAgeKind::MaxAge, OnWindowFailure {
        /// The longest that is fine.
        max: Duration,
    }

    /// A condition over the columns of the view is true of every row; a null passes.
    Sql, "expect_sql", SqlKind::Sql, OnFailure {
        /// A condition in SQL, such as `wind_speed >= 0`.
        predicate: String,
    }
}
