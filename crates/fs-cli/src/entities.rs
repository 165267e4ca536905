//! `--entity tailnum=N14228,origin=EWR`, read as columns with the types of the join keys.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Int32Array, Int64Array, StringArray,
    TimestampMicrosecondArray,
};
use fs_core::data_type::UTC;
use fs_core::{KeyBinding, KeyType, KeyValue};

use crate::failure::Failure;

/// One column per key, one row per `--entity`.
pub(crate) fn columns(
    entities: &[String],
    keys: &[&KeyBinding],
) -> Result<Vec<(String, ArrayRef)>, Failure> {
    if entities.is_empty() && !keys.is_empty() {
        return Err(Failure::input(format!(
            "these features are looked up by {}: say whose with `--entity {}`",
            listed(keys),
            example(keys)
        )));
    }
    let mut values: Vec<Vec<KeyValue>> = vec![Vec::new(); keys.len()];
    for entity in entities {
        let mut given = parts(entity, keys)?;
        for (key, column) in keys.iter().zip(&mut values) {
            let text = given.remove(key.column.as_str()).ok_or_else(|| {
                Failure::input(format!(
                    "`--entity {entity}` has no value for `{}`: write `--entity {}`",
                    key.column,
                    example(keys)
                ))
            })?;
            let value = KeyValue::parse(key.key_type, text).map_err(|error| {
                Failure::input(format!("`--entity {entity}`: `{}`: {error}", key.column))
            })?;
            column.push(value);
        }
    }
    Ok(keys
        .iter()
        .zip(values)
        .map(|(key, values)| (key.column.clone(), array(key.key_type, values)))
        .collect())
}

/// The `key=value` pairs of one entity. A comma separates pairs only where a key follows it, so
/// that values may hold commas.
fn parts<'a>(entity: &'a str, keys: &[&KeyBinding]) -> Result<BTreeMap<&'a str, &'a str>, Failure> {
    let mut pairs: Vec<(&str, usize, usize)> = Vec::new();
    let mut at = 0;
    for piece in entity.split(',') {
        let end = at + piece.len();
        match piece.split_once('=') {
            Some((key, _)) if pairs.is_empty() || keys.iter().any(|k| k.column == key.trim()) => {
                pairs.push((key.trim(), at + key.len() + 1, end));
            }
            _ => match pairs.last_mut() {
                Some(last) if !piece.contains('=') => last.2 = end,
                _ => return Err(malformed(entity, piece, keys)),
            },
        }
        at = end + 1;
    }
    let mut given = BTreeMap::new();
    for (key, start, end) in pairs {
        if keys.iter().all(|k| k.column != key) {
            return Err(malformed(
                entity,
                &entity[start.saturating_sub(key.len() + 1)..end],
                keys,
            ));
        }
        if given.insert(key, &entity[start..end]).is_some() {
            return Err(Failure::input(format!(
                "`--entity {entity}` names `{key}` twice"
            )));
        }
    }
    Ok(given)
}

fn malformed(entity: &str, piece: &str, keys: &[&KeyBinding]) -> Failure {
    if keys.is_empty() {
        return Failure::input(format!(
            "`--entity {entity}`: these features have no keys, there is one row for all: leave it out"
        ));
    }
    match piece.split_once('=') {
        Some((key, _)) => Failure::input(format!(
            "`--entity {entity}`: these features are looked up by {}, not by `{}`: write \
             `--entity {}`",
            listed(keys),
            key.trim(),
            example(keys)
        )),
        None => Failure::input(format!(
            "`--entity {entity}` is not a list of keys: write `--entity {}`",
            example(keys)
        )),
    }
}

/// "`city` and `id`".
fn listed(keys: &[&KeyBinding]) -> String {
    let names: Vec<String> = keys.iter().map(|key| format!("`{}`", key.column)).collect();
    names.join(" and ")
}

/// `city=…,id=…`.
fn example(keys: &[&KeyBinding]) -> String {
    let pairs: Vec<String> = keys.iter().map(|key| format!("{}=…", key.column)).collect();
    pairs.join(",")
}

fn array(key_type: KeyType, values: Vec<KeyValue>) -> ArrayRef {
    // Every value was parsed as `key_type`, so nothing is filtered out.
    macro_rules! gather {
        ($variant:ident) => {
            values.into_iter().filter_map(|value| match value {
                KeyValue::$variant(value) => Some(value),
                _ => None,
            })
        };
    }
    match key_type {
        KeyType::Bool => Arc::new(gather!(Bool).map(Some).collect::<BooleanArray>()),
        KeyType::Int32 => Arc::new(Int32Array::from_iter_values(gather!(Int32))),
        KeyType::Int64 => Arc::new(Int64Array::from_iter_values(gather!(Int64))),
        KeyType::String => Arc::new(StringArray::from_iter_values(gather!(String))),
        KeyType::Bytes => Arc::new(BinaryArray::from_iter_values(gather!(Bytes))),
        KeyType::Timestamp => Arc::new(
            TimestampMicrosecondArray::from_iter_values(gather!(Timestamp)).with_timezone(UTC),
        ),
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::AsArray;
    use arrow::datatypes::Int64Type;

    use super::*;

    fn key(column: &str, key_type: KeyType) -> KeyBinding {
        KeyBinding {
            key: column.parse().unwrap(),
            column: column.to_owned(),
            key_type,
        }
    }

    fn read(entities: &[&str]) -> Result<Vec<(String, ArrayRef)>, Failure> {
        let (city, id) = (key("city", KeyType::String), key("id", KeyType::Int64));
        let entities: Vec<String> = entities.iter().map(|&entity| entity.to_owned()).collect();
        columns(&entities, &[&city, &id])
    }

    #[test]
    fn each_entity_is_a_row_of_typed_columns() {
        let columns = read(&["city=Rome,id=7", "id=-1,city=Bern"]).unwrap();
        assert_eq!(columns[0].1.as_string::<i32>().value(1), "Bern");
        assert_eq!(columns[1].1.as_primitive::<Int64Type>().values(), &[7, -1]);
    }

    #[test]
    fn a_value_may_hold_a_comma() {
        let columns = read(&["city=Washington, D.C.,id=7"]).unwrap();
        assert_eq!(columns[0].1.as_string::<i32>().value(0), "Washington, D.C.");
    }

    #[test]
    fn features_without_keys_need_no_entity_and_take_none() {
        assert!(columns(&[], &[]).unwrap().is_empty());
        let message = columns(&["id=7".to_owned()], &[]).unwrap_err().to_string();
        assert!(message.contains("leave it out"), "{message}");
        let message = read(&[]).unwrap_err().to_string();
        assert!(message.contains("`--entity city=…,id=…`"), "{message}");
    }

    #[test]
    fn a_wrong_entity_is_told_what_is_wrong() {
        for (entity, says) in [
            ("city=Rome", "no value for `id`"),
            ("city=Rome,id=seven", "not a value of type int64"),
            ("city=Rome,id=7,ix=9", "not by `ix`"),
            ("Rome", "write `--entity city=…,id=…`"),
            ("city=Rome,city=Bern,id=7", "names `city` twice"),
        ] {
            let message = read(&[entity]).unwrap_err().to_string();
            assert!(message.contains(says), "{entity}: {message}");
        }
    }
}
