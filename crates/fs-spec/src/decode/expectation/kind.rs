//! The kinds of expectations, and the fields of each.

use fs_core::OnFailure;

use crate::decode::Grammar;
use crate::decode::values::Words;

/// What an expectation checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    NotNull,
    Between,
    InSet,
    Unique,
    RowCount,
    NullFraction,
    MaxAge,
    Sql,
}

pub(crate) const EXPECT: Words<Kind> = Words {
    noun: "kind of expectation",
    known: &[
        ("not_null", Kind::NotNull),
        ("between", Kind::Between),
        ("in_set", Kind::InSet),
        ("unique", Kind::Unique),
        ("row_count", Kind::RowCount),
        ("null_fraction", Kind::NullFraction),
        ("max_age", Kind::MaxAge),
        ("sql", Kind::Sql),
    ],
    later: &[],
};

pub(crate) const ON_FAILURE: Words<OnFailure> = Words {
    noun: "value of `on_failure`",
    known: &[
        (OnFailure::Fail.as_str(), OnFailure::Fail),
        (OnFailure::Quarantine.as_str(), OnFailure::Quarantine),
        (OnFailure::Warn.as_str(), OnFailure::Warn),
    ],
    later: &[],
};

/// The fields of an expectation whose kind is not known.
pub(super) static ANY: Grammar = Grammar {
    fields: &[
        "expect",
        "name",
        "on_failure",
        "column",
        "min",
        "max",
        "values",
        "predicate",
    ],
    later: &[],
};

macro_rules! grammars {
    ($($kind:ident, $word:literal: $($field:literal)*;)*) => {
        impl Kind {
            /// The word that definitions use.
            pub(crate) const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$kind => $word,)*
                }
            }

            /// The fields that go with it.
            pub(super) const fn grammar(self) -> &'static Grammar {
                match self {
                    $(Self::$kind => &Grammar {
                        fields: &["expect", $($field,)* "name", "on_failure"],
                        later: &[],
                    },)*
                }
            }
        }

        /// The fields of every kind.
        #[cfg(test)]
        pub(crate) const GRAMMARS: &[(&str, &Grammar)] = &[$(($word, Kind::$kind.grammar()),)*];
    };
}

grammars! {
    NotNull, "not_null": "column";
    Between, "between": "column" "min" "max";
    InSet, "in_set": "column" "values";
    Unique, "unique":;
    RowCount, "row_count": "min" "max";
    NullFraction, "null_fraction": "column" "max";
    MaxAge, "max_age": "max";
    Sql, "sql": "predicate";
}

impl Kind {
    /// Whether single rows can fail it.
    pub(super) const fn is_of_rows(self) -> bool {
        match self {
            Self::NotNull | Self::Between | Self::InSet | Self::Unique | Self::Sql => true,
            Self::RowCount | Self::NullFraction | Self::MaxAge => false,
        }
    }
}
