//! Values, one after the other, as serde asks for them.

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::{JsonError, number};

/// Levels of lists and objects; more are refused.
const DEPTH: usize = 128;

/// What is left of a text.
pub(super) struct Reader<'de> {
    text: &'de str,
    at: usize,
    depth: usize,
}

impl<'de> Reader<'de> {
    pub(super) const fn new(text: &'de str) -> Self {
        Self {
            text,
            at: 0,
            depth: 0,
        }
    }

    /// That there is nothing left.
    pub(super) fn end(&mut self) -> Result<(), JsonError> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(JsonError::syntax("there is more after the value", self.at)),
        }
    }

    /// The next byte that is not white space.
    fn peek(&mut self) -> Option<u8> {
        let rest = &self.text.as_bytes()[self.at..];
        let blank = rest
            .iter()
            .take_while(|byte| matches!(byte, b' ' | b'\n' | b'\r' | b'\t'));
        self.at += blank.count();
        self.text.as_bytes().get(self.at).copied()
    }

    fn unexpected(&mut self, expected: &str) -> JsonError {
        let message = match self.peek() {
            None => format!("the text ends where {expected} should be"),
            Some(_) => format!("{expected} should be"),
        };
        JsonError::syntax(message, self.at)
    }

    fn word(&mut self, word: &str) -> Result<(), JsonError> {
        if !self.text[self.at..].starts_with(word) {
            return Err(self.unexpected("a value"));
        }
        self.at += word.len();
        Ok(())
    }

    /// The text of a string, quotes included, and whether it is written as it is meant.
    fn string(&mut self) -> Result<(&'de str, bool), JsonError> {
        let (start, mut plain) = (self.at, true);
        let mut bytes = self.text.as_bytes()[start + 1..].iter().enumerate();
        while let Some((at, byte)) = bytes.next() {
            match byte {
                b'"' => {
                    self.at = start + at + 2;
                    return Ok((&self.text[start..self.at], plain));
                }
                b'\\' => {
                    plain = false;
                    bytes.next();
                }
                0..0x20 => plain = false,
                _ => {}
            }
        }
        Err(JsonError::syntax("a string does not end", start))
    }

    fn visit_string<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, JsonError> {
        let start = self.at;
        match self.string()? {
            (text, true) => visitor.visit_borrowed_str(&text[1..text.len() - 1]),
            (text, false) => {
                let text: String = serde_json::from_str(text)
                    .map_err(|error| JsonError::syntax(error.to_string(), start))?;
                visitor.visit_string(text)
            }
        }
    }

    fn nested<T>(
        &mut self,
        end: u8,
        visit: impl FnOnce(Items<'_, 'de>) -> Result<T, JsonError>,
    ) -> Result<T, JsonError> {
        if self.depth == DEPTH {
            return Err(JsonError::syntax("lists and objects are too deep", self.at));
        }
        self.at += 1;
        self.depth += 1;
        let value = visit(Items {
            reader: self,
            end,
            first: true,
        })?;
        self.depth -= 1;
        // A visitor that wants no more has not seen the end.
        if self.peek() != Some(end) {
            return Err(JsonError::custom(
                "there are more items than there should be",
            ));
        }
        self.at += 1;
        Ok(value)
    }
}

impl<'de> Deserializer<'de> for &mut Reader<'de> {
    type Error = JsonError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonError> {
        match self.peek() {
            Some(b'n') => {
                self.word("null")?;
                visitor.visit_unit()
            }
            Some(b't') => {
                self.word("true")?;
                visitor.visit_bool(true)
            }
            Some(b'f') => {
                self.word("false")?;
                visitor.visit_bool(false)
            }
            Some(b'"') => self.visit_string(visitor),
            Some(b'[') => self.nested(b']', |items| visitor.visit_seq(items)),
            Some(b'{') => self.nested(b'}', |items| visitor.visit_map(items)),
            Some(b'-' | b'0'..=b'9') => {
                let (number, length) = number::read(&self.text[self.at..])
                    .ok_or_else(|| JsonError::syntax("this is no number", self.at))?;
                self.at += length;
                number.visit(visitor)
            }
            _ => Err(self.unexpected("a value")),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonError> {
        if self.peek() == Some(b'n') {
            self.word("null")?;
            return visitor.visit_none();
        }
        visitor.visit_some(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, JsonError> {
        match self.peek() {
            Some(b'[') => Err(JsonError::custom("a list is there, expected an object")),
            _ => self.deserialize_any(visitor),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// The items of a list, or the entries of an object.
struct Items<'r, 'de> {
    reader: &'r mut Reader<'de>,
    end: u8,
    first: bool,
}

impl Items<'_, '_> {
    /// Whether there is another one, which comes next then.
    fn more(&mut self) -> Result<bool, JsonError> {
        let first = std::mem::replace(&mut self.first, false);
        match self.reader.peek() {
            Some(byte) if byte == self.end => Ok(false),
            Some(_) if first => Ok(true),
            Some(b',') => {
                self.reader.at += 1;
                Ok(true)
            }
            _ => Err(self.reader.unexpected("a comma or the end")),
        }
    }
}

impl<'de> SeqAccess<'de> for Items<'_, 'de> {
    type Error = JsonError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, JsonError> {
        if !self.more()? {
            return Ok(None);
        }
        seed.deserialize(&mut *self.reader).map(Some)
    }
}

impl<'de> MapAccess<'de> for Items<'_, 'de> {
    type Error = JsonError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, JsonError> {
        if !self.more()? {
            return Ok(None);
        }
        if self.reader.peek() != Some(b'"') {
            return Err(self.reader.unexpected("a name"));
        }
        seed.deserialize(&mut *self.reader).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, JsonError> {
        if self.reader.peek() != Some(b':') {
            return Err(self.reader.unexpected("a colon"));
        }
        self.reader.at += 1;
        seed.deserialize(&mut *self.reader)
    }
}
