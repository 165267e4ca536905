//! Finding keys of the online store among those of a search.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Int32Array, Int64Array, StringArray,
    TimestampMicrosecondArray,
};
use fs_core::data_type::UTC;
use fs_core::{KeyType, KeyValue};
use fs_online::EncodedKey;
use fs_online::key::decode_key;
use fs_pit::{NewestPerKey, RowRank};

use crate::rows::ViewColumns;

/// The keys of a view as columns.
pub(super) struct StoredKeys<'a> {
    types: &'a [KeyType],
}

impl<'a> StoredKeys<'a> {
    pub(super) fn new(columns: &'a ViewColumns) -> Self {
        Self {
            types: columns.key_types(),
        }
    }

    /// The newest row of each key; `None` for one that has none, or is no key of the view (its join
    /// keys had other types when it was stored).
    pub(super) fn find<'k>(
        &self,
        newest: &NewestPerKey,
        keys: impl Iterator<Item = &'k EncodedKey>,
    ) -> Result<Vec<Option<RowRank>>, fs_pit::Error> {
        let decoded: Vec<Option<Vec<KeyValue>>> = keys
            .map(|key| decode_key(self.types, key.as_bytes()).ok())
            .collect();
        let columns: Vec<ArrayRef> = self
            .types
            .iter()
            .enumerate()
            .map(|(part, key_type)| column(*key_type, part, &decoded))
            .collect();
        let mut found = newest.find(&columns, decoded.len())?;
        for (found, key) in found.iter_mut().zip(&decoded) {
            // Without join keys, everything would have the row of the one key.
            *found = found.filter(|_| key.is_some());
        }
        Ok(found)
    }
}

/// One part of every key; null where there is no key.
fn column(key_type: KeyType, part: usize, keys: &[Option<Vec<KeyValue>>]) -> ArrayRef {
    let parts = || {
        let part = move |key: &'_ Option<Vec<KeyValue>>| key.as_ref()?.get(part).cloned();
        keys.iter().map(part)
    };
    macro_rules! values {
        ($kind:ident) => {
            parts().map(|part| match part {
                Some(KeyValue::$kind(value)) => Some(value),
                _ => None,
            })
        };
    }
    match key_type {
        KeyType::Bool => Arc::new(values!(Bool).collect::<BooleanArray>()),
        KeyType::Int32 => Arc::new(values!(Int32).collect::<Int32Array>()),
        KeyType::Int64 => Arc::new(values!(Int64).collect::<Int64Array>()),
        KeyType::String => Arc::new(values!(String).collect::<StringArray>()),
        KeyType::Bytes => Arc::new(values!(Bytes).collect::<BinaryArray>()),
        KeyType::Timestamp => Arc::new(
            values!(Timestamp)
                .collect::<TimestampMicrosecondArray>()
                .with_timezone(UTC),
        ),
    }
}

#[cfg(test)]
mod tests {
    use fs_core::EventTime;
    use fs_online::key::encode_columns;
    use fs_pit::Rule;

    use super::*;

    #[test]
    fn keys_of_every_type_are_found_and_what_is_no_key_is_not() {
        let values = [
            KeyValue::Bool(true),
            KeyValue::Int32(-7),
            KeyValue::Int64(i64::MIN),
            KeyValue::String("é".to_owned()),
            KeyValue::Bytes(vec![0, 255]),
            KeyValue::Timestamp(5),
        ];
        let types: Vec<KeyType> = values.iter().map(KeyValue::key_type).collect();
        let one = [Some(values.to_vec())];
        let columns: Vec<ArrayRef> = types
            .iter()
            .enumerate()
            .map(|(part, key_type)| column(*key_type, part, &one))
            .collect();
        let key = encode_columns(&types, &columns, 1)
            .unwrap()
            .remove(0)
            .unwrap();
        let mut newest = NewestPerKey::new(EventTime::from_micros(9), Rule::default());
        let event = TimestampMicrosecondArray::from(vec![8]);
        newest.offer(&columns, &event, None, None).unwrap();
        let other = fs_online::key::encode_key(&values[..3]);
        let found = StoredKeys { types: &types }.find(&newest, [&other, &key, &other].into_iter());
        let events: Vec<Option<i64>> = found
            .unwrap()
            .iter()
            .map(|f| Some(f.as_ref()?.event))
            .collect();
        assert_eq!(events, [None, Some(8), None]);
    }

    #[test]
    fn a_view_without_join_keys_has_one_key() {
        let mut newest = NewestPerKey::new(EventTime::from_micros(9), Rule::default());
        let event = TimestampMicrosecondArray::from(vec![8]);
        newest.offer(&[], &event, None, None).unwrap();
        let (global, other) = (
            fs_online::key::encode_key(&[]),
            fs_online::key::encode_key(&[KeyValue::Int64(1)]),
        );
        let found = StoredKeys { types: &[] }.find(&newest, [&global, &other].into_iter());
        let found: Vec<bool> = found.unwrap().iter().map(Option::is_some).collect();
        assert_eq!(found, [true, false]);
    }
}
