//! Values in JSON.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::Given;

/// A text of the request itself, unless it had escapes in it.
pub(in crate::feast) type Text<'a> = Cow<'a, str>;

impl<'de: 'a, 'a> Deserialize<'de> for Given<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(GivenVisitor)
    }
}

struct GivenVisitor;

impl<'de> Visitor<'de> for GivenVisitor {
    type Value = Given<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Given::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Given::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Given::Int(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
        Ok(i64::try_from(value).map_or(Given::Unsigned(value), Given::Int))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Given::Float(value))
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Given::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Given::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Given::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Given::Other("an object"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_of_json_is_read_as_it_stands() {
        let text = r#"[null, true, -1, 18446744073709551615, 1.5, "a\n", {"a": [1]}, [null, 2]]"#;
        let given: Given<'_> = serde_json::from_str(text).unwrap();
        let Given::List(items) = given else {
            panic!("{given:?}");
        };
        let expected = [
            Given::Null,
            Given::Bool(true),
            Given::Int(-1),
            Given::Unsigned(u64::MAX),
            Given::Float(1.5),
            Given::Text(Cow::Borrowed("a\n")),
            Given::Other("an object"),
            Given::List(vec![Given::Null, Given::Int(2)]),
        ];
        assert_eq!(items, expected);
    }

    #[test]
    fn a_text_without_escapes_is_not_copied() {
        let given: Given<'_> = serde_json::from_str("\"EWR\"").unwrap();
        assert!(matches!(given, Given::Text(Cow::Borrowed("EWR"))));
    }
}
