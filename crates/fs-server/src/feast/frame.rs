//! Columns by name, as a client gave them.

use std::collections::HashMap;
use std::fmt;

use fs_core::suggest::did_you_mean;
use fs_proto::feast::types::{RepeatedValue, Value};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

use super::FeastError;
use super::given::{Given, Text};

/// Named columns of equal length.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Frame<'a> {
    columns: Vec<(Text<'a>, Vec<Given<'a>>)>,
}

impl<'a> Frame<'a> {
    fn new(columns: Vec<(Text<'a>, Vec<Given<'a>>)>) -> Result<Self, FeastError> {
        for (position, (name, values)) in columns.iter().enumerate() {
            let before = &columns[..position];
            if before.iter().any(|(other, _)| other == name) {
                return Err(FeastError::Repeated {
                    column: name.to_string(),
                });
            }
            if let Some((first, first_values)) = before.first()
                && first_values.len() != values.len()
            {
                return Err(FeastError::Ragged {
                    column: name.to_string(),
                    rows: values.len(),
                    first: first.to_string(),
                    first_rows: first_values.len(),
                });
            }
        }
        Ok(Self { columns })
    }

    /// Columns of a gRPC request.
    pub(super) fn of_columns(
        columns: &'a HashMap<String, RepeatedValue>,
    ) -> Result<Self, FeastError> {
        let columns = columns
            .iter()
            .map(|(name, values)| (Text::Borrowed(name.as_str()), Given::all(values)));
        Self::new(columns.collect())
    }

    /// One row of a gRPC request, in whichever form it was given.
    pub(super) fn of_row(
        texts: &'a HashMap<String, String>,
        typed: &'a HashMap<String, Value>,
    ) -> Result<Self, FeastError> {
        if !texts.is_empty() && !typed.is_empty() {
            return Err(FeastError::BothForms);
        }
        let column = |name: &'a String, value| (Text::Borrowed(name.as_str()), vec![value]);
        let texts = texts
            .iter()
            .map(|(name, text)| column(name, Given::text(text)));
        let typed = typed.iter().map(|(name, value)| column(name, value.into()));
        Self::new(texts.chain(typed).collect())
    }

    /// How many rows there are; none where there are no columns.
    pub(super) fn rows(&self) -> Option<usize> {
        self.columns.first().map(|(_, values)| values.len())
    }

    pub(super) fn get(&self, name: &str) -> Option<&[Given<'a>]> {
        let found = self.columns.iter().find(|(other, _)| other == name);
        found.map(|(_, values)| values.as_slice())
    }

    /// The column whose name is nearest to one that is not there.
    pub(super) fn nearest(&self, name: &str) -> Option<String> {
        let names = self.columns.iter().map(|(name, _)| name.as_ref());
        did_you_mean(name, names).map(str::to_owned)
    }
}

/// Columns of a JSON object; checked by [`Columns::frame`].
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Columns<'a>(Vec<(Text<'a>, Vec<Given<'a>>)>);

impl<'a> Columns<'a> {
    pub(super) fn frame(self) -> Result<Frame<'a>, FeastError> {
        Frame::new(self.0)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Columns<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ColumnsVisitor)
    }
}

struct ColumnsVisitor;

impl<'de> Visitor<'de> for ColumnsVisitor {
    type Value = Columns<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of columns, each a list of values")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut columns = Vec::new();
        while let Some(Given::Text(name)) = entries.next_key()? {
            columns.push((name, entries.next_value()?));
        }
        Ok(Columns(columns))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(json: &str) -> Result<Frame<'_>, FeastError> {
        let columns: Columns<'_> =
            super::super::json::read(json.as_bytes()).map_err(FeastError::Body)?;
        columns.frame()
    }

    #[test]
    fn columns_of_one_name_or_of_different_lengths_are_refused() {
        let says = |json, text: &str| {
            let error = frame(json).unwrap_err().to_string();
            assert!(error.contains(text), "{error}");
        };
        says(r#"{"a": [1], "a": [2]}"#, "column `a` is given twice");
        says(
            r#"{"a": [1], "b": [1, 2]}"#,
            "`b` has 2 rows, but `a` has 1",
        );
        says(r#"{"a": 1}"#, "the body cannot be read");
        says("[[1]]", "the body cannot be read");
    }

    #[test]
    fn a_row_comes_as_texts_or_with_types_but_not_as_both() {
        let texts = HashMap::from([("a".to_owned(), "1".to_owned())]);
        let typed = HashMap::from([("a".to_owned(), Value::default())]);
        let none = (HashMap::new(), HashMap::new());
        let row = Frame::of_row(&texts, &none.1).unwrap();
        assert_eq!(row.get("a"), Some(&[Given::text("1")][..]));
        let row = Frame::of_row(&none.0, &typed).unwrap();
        assert_eq!(row.get("a"), Some(&[Given::Null][..]));
        let both = Frame::of_row(&texts, &typed);
        assert!(matches!(both, Err(FeastError::BothForms)));
    }
}
