//! Checked names.
//!
//! A name starts with a letter, continues with letters, digits and `_`, and is at most 64 bytes
//! long. It therefore fits a folder, a column and a metric label without escaping. View names hold
//! no `__`, so that `view__feature` splits in one way only.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{CREATED_TIMESTAMP, EVENT_TIMESTAMP};

/// Longest name, in bytes.
pub const MAX_NAME_BYTES: usize = 64;

/// Why a text is not a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// No text at all.
    #[error("a name must not be empty")]
    Empty,
    /// Too many bytes.
    #[error("`{name}` is {} bytes long; a name has at most {MAX_NAME_BYTES}", name.len())]
    TooLong {
        /// The text that was refused.
        name: String,
    },
    /// A character outside letters, digits and `_`, or a first character that is not a letter.
    #[error("`{name}` is not a name: start with a letter and go on with letters, digits and `_`")]
    BadCharacter {
        /// The text that was refused.
        name: String,
    },
    /// A double underscore in a view name.
    #[error("`{name}` holds `__`, which separates view and feature in full feature names")]
    DoubleUnderscore {
        /// The text that was refused.
        name: String,
    },
    /// A name that the offline tables use themselves.
    #[error("`{name}` is a column that every offline table has already")]
    Reserved {
        /// The text that was refused.
        name: String,
    },
    /// A feature reference that is not `view:feature`.
    #[error("`{text}` is not a feature: write `view:feature`")]
    NotAFeatureRef {
        /// The text that was refused.
        text: String,
    },
}

fn check_identifier(name: &str) -> Result<(), NameError> {
    if name.is_empty() {
        return Err(NameError::Empty);
    }
    if name.len() > MAX_NAME_BYTES {
        return Err(NameError::TooLong {
            name: name.to_owned(),
        });
    }
    let starts_well = name.starts_with(|c: char| c.is_ascii_alphabetic());
    if !starts_well || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Err(NameError::BadCharacter {
            name: name.to_owned(),
        });
    }
    Ok(())
}

fn check_label(name: &str) -> Result<(), NameError> {
    check_identifier(name)?;
    if name.contains("__") {
        return Err(NameError::DoubleUnderscore {
            name: name.to_owned(),
        });
    }
    Ok(())
}

fn check_column(name: &str) -> Result<(), NameError> {
    check_identifier(name)?;
    let reserved = [EVENT_TIMESTAMP, CREATED_TIMESTAMP];
    if reserved
        .iter()
        .any(|column| column.eq_ignore_ascii_case(name))
    {
        return Err(NameError::Reserved {
            name: name.to_owned(),
        });
    }
    Ok(())
}

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident checked by $check:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Checks `name` and wraps it.
            pub fn new(name: impl Into<String>) -> Result<Self, NameError> {
                let name = name.into();
                $check(&name)?;
                Ok(Self(name))
            }

            /// The text of the name.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", self.0)
            }
        }

        impl FromStr for $name {
            type Err = NameError;
            fn from_str(name: &str) -> Result<Self, NameError> {
                Self::new(name)
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;
            fn try_from(name: String) -> Result<Self, NameError> {
                Self::new(name)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    )*};
}

names! {
    /// The name of a project: one registry, one offline root and one online namespace.
    ProjectName checked by check_label;
    /// The name of an entity.
    EntityName checked by check_identifier;
    /// The name of a source.
    SourceName checked by check_identifier;
    /// The name of a feature view, or the alias a service gives it.
    ViewName checked by check_label;
    /// The name of a feature service.
    ServiceName checked by check_identifier;
    /// The name of a training set that is kept.
    DatasetName checked by check_identifier;
    /// The name of a feature inside its view; also the name of its column.
    FeatureName checked by check_column;
    /// The name of one join key of an entity; also the name of its column.
    KeyName checked by check_column;
}

/// A feature and the view that it belongs to, written `view:feature`.
///
/// ```
/// use fs_core::FeatureRef;
/// let feature: FeatureRef = "origin_weather:temp".parse()?;
/// assert_eq!(feature.view.as_str(), "origin_weather");
/// assert_eq!(feature.to_string(), "origin_weather:temp");
/// # Ok::<(), fs_core::name::NameError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FeatureRef {
    /// The view, or its alias.
    pub view: ViewName,
    /// The feature in that view.
    pub feature: FeatureName,
}

impl FeatureRef {
    /// Names `feature` of `view`.
    pub fn new(view: ViewName, feature: FeatureName) -> Self {
        Self { view, feature }
    }
}

impl FromStr for FeatureRef {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        let (view, feature) = text
            .split_once(':')
            .ok_or_else(|| NameError::NotAFeatureRef {
                text: text.to_owned(),
            })?;
        Ok(Self {
            view: view.parse()?,
            feature: feature.parse()?,
        })
    }
}

impl TryFrom<String> for FeatureRef {
    type Error = NameError;
    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl From<FeatureRef> for String {
    fn from(feature: FeatureRef) -> Self {
        feature.to_string()
    }
}

impl fmt::Display for FeatureRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.view, self.feature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_starts_with_a_letter_and_goes_on_with_letters_digits_and_underscores() {
        assert!(EntityName::new("route_2").is_ok());
        for bad in ["", "2route", "_route", "ro-ute", "ro ute", "r/o", "routé"] {
            assert!(
                EntityName::new(bad).is_err(),
                "{bad:?} was taken for a name"
            );
        }
    }

    #[test]
    fn a_name_longer_than_64_bytes_is_refused() {
        assert!(EntityName::new("a".repeat(64)).is_ok());
        assert!(EntityName::new("a".repeat(65)).is_err());
    }

    #[test]
    fn a_view_name_never_holds_the_separator_of_full_feature_names() {
        assert!(ViewName::new("a__b").is_err());
        assert!(FeatureName::new("a__b").is_ok());
    }

    #[test]
    fn a_feature_cannot_take_the_name_of_a_time_column() {
        assert!(FeatureName::new("event_timestamp").is_err());
        assert!(FeatureName::new("Created_Timestamp").is_err());
    }

    #[test]
    fn a_name_is_checked_when_it_is_read_back() {
        assert!(serde_json::from_str::<ViewName>("\"a-b\"").is_err());
    }
}
