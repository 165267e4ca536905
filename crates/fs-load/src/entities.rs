//! Whose features are asked for.

use std::collections::HashSet;
use std::ops::Range;

use fs_core::{KeyType, KeyValue};

use crate::Error;
use crate::random::Random;

/// The entities that requests are drawn from, each as likely as any other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entities {
    /// Every combination of whole numbers.
    Ranges(Vec<KeyRange>),
    /// The rows of a table: columns of equal length.
    Rows(Vec<KeyColumn>),
}

/// A join key that is a whole number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRange {
    /// The column of the request.
    pub name: String,
    /// `Int32` or `Int64`.
    pub key_type: KeyType,
    /// The first number, and the one after the last.
    pub numbers: Range<i64>,
}

/// A join key with its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyColumn {
    /// The column of the request.
    pub name: String,
    /// The type of all values.
    pub key_type: KeyType,
    /// One per entity.
    pub values: Vec<KeyValue>,
}

impl Entities {
    /// Whether requests can be drawn: there are entities, columns are of one length, numbers fit.
    pub fn check(&self) -> Result<(), Error> {
        let wrong = |why: String| Err(Error::Entities(why));
        match self {
            Self::Ranges(ranges) => {
                for KeyRange {
                    name,
                    key_type,
                    numbers,
                } in ranges
                {
                    let fits = match key_type {
                        KeyType::Int64 => true,
                        KeyType::Int32 => [numbers.start, numbers.end.saturating_sub(1)]
                            .into_iter()
                            .all(|number| i32::try_from(number).is_ok()),
                        _ => {
                            return wrong(format!(
                                "`{name}` is a range, and {key_type} is no whole number"
                            ));
                        }
                    };
                    if !fits || numbers.is_empty() {
                        return wrong(format!(
                            "`{name}`: {}..{} is not a range of {key_type}: write FIRST..END, END exclusive",
                            numbers.start, numbers.end
                        ));
                    }
                }
            }
            Self::Rows(columns) => {
                let rows = columns.first().map_or(0, |column| column.values.len());
                if rows == 0 {
                    return wrong("there are none".to_owned());
                }
                if let Some(column) = columns.iter().find(|column| column.values.len() != rows) {
                    return wrong(format!(
                        "`{}` has {} values, and the column before it {rows}",
                        column.name,
                        column.values.len()
                    ));
                }
            }
        }
        Ok(())
    }

    /// How many there are; 1 if features have no keys.
    fn count(&self) -> u64 {
        match self {
            Self::Ranges(ranges) => ranges
                .iter()
                .map(KeyRange::count)
                .fold(1, u64::saturating_mul),
            Self::Rows(columns) => columns
                .first()
                .map_or(0, |column| column.values.len() as u64),
        }
    }

    /// `number` entities, no two the same unless there are hardly that many.
    pub(crate) fn draw(&self, number: usize, random: &mut Random) -> Vec<KeyColumn> {
        let count = self.count();
        let mut drawn = Vec::with_capacity(number);
        let mut seen = HashSet::with_capacity(number);
        while drawn.len() < number {
            let entity = random.below(count);
            if seen.insert(entity) || count < 2 * number as u64 {
                drawn.push(entity);
            }
        }
        self.columns(&drawn)
    }

    fn columns(&self, drawn: &[u64]) -> Vec<KeyColumn> {
        match self {
            Self::Ranges(ranges) => {
                let mut weight = 1;
                let column = |range: &KeyRange| {
                    let values = drawn.iter().map(|entity| range.value(entity / weight));
                    let values = values.collect();
                    weight = weight.saturating_mul(range.count());
                    KeyColumn {
                        name: range.name.clone(),
                        key_type: range.key_type,
                        values,
                    }
                };
                ranges.iter().map(column).collect()
            }
            Self::Rows(columns) => {
                let row = |entity: &u64| usize::try_from(*entity).unwrap_or(usize::MAX);
                let column = |column: &KeyColumn| KeyColumn {
                    name: column.name.clone(),
                    key_type: column.key_type,
                    values: drawn
                        .iter()
                        .filter_map(|entity| column.values.get(row(entity)).cloned())
                        .collect(),
                };
                columns.iter().map(column).collect()
            }
        }
    }
}

impl KeyRange {
    fn count(&self) -> u64 {
        if self.numbers.is_empty() {
            0
        } else {
            self.numbers.end.abs_diff(self.numbers.start)
        }
    }

    fn value(&self, entity: u64) -> KeyValue {
        let number = self
            .numbers
            .start
            .wrapping_add_unsigned(entity % self.count());
        match (self.key_type, i32::try_from(number)) {
            (KeyType::Int32, Ok(number)) => KeyValue::Int32(number),
            _ => KeyValue::Int64(number),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(name: &str, key_type: KeyType, numbers: Range<i64>) -> KeyRange {
        KeyRange {
            name: name.to_owned(),
            key_type,
            numbers,
        }
    }

    #[test]
    fn every_combination_of_ranges_is_drawn_and_none_twice() {
        let entities = Entities::Ranges(vec![
            range("a", KeyType::Int64, -1..2),
            range("b", KeyType::Int32, 5..9),
        ]);
        entities.check().unwrap();
        let columns = entities.draw(6, &mut Random::new(1));
        let pairs: HashSet<_> = columns[0].values.iter().zip(&columns[1].values).collect();
        assert_eq!(pairs.len(), 6);
        let all: HashSet<_> = (0..12)
            .map(|entity| entities.columns(&[entity]))
            .map(|c| format!("{c:?}"))
            .collect();
        assert_eq!(all.len(), 12);
    }

    #[test]
    fn the_keys_of_a_row_stay_together() {
        let column = |name: &str, values: Vec<KeyValue>| KeyColumn {
            name: name.to_owned(),
            key_type: values[0].key_type(),
            values,
        };
        let numbers = (0..50).map(KeyValue::Int64).collect();
        let texts = (0..50)
            .map(|number: i64| KeyValue::String(number.to_string()))
            .collect();
        let entities = Entities::Rows(vec![column("id", numbers), column("text", texts)]);
        entities.check().unwrap();
        let drawn = entities.draw(20, &mut Random::new(1));
        for (number, text) in drawn[0].values.iter().zip(&drawn[1].values) {
            assert_eq!(number.to_string(), text.to_string());
        }
    }

    #[test]
    fn one_entity_can_be_asked_for_many_times_over() {
        let entities = Entities::Ranges(vec![range("id", KeyType::Int64, 7..8)]);
        assert_eq!(
            entities.draw(3, &mut Random::new(1))[0].values,
            vec![KeyValue::Int64(7); 3]
        );
    }

    #[test]
    fn what_nothing_can_be_drawn_from_is_refused_with_the_reason() {
        for (entities, says) in [
            (
                Entities::Ranges(vec![range("id", KeyType::Int64, 3..3)]),
                "FIRST..END",
            ),
            (
                Entities::Ranges(vec![range("id", KeyType::Int32, 0..1 << 40)]),
                "not a range of int32",
            ),
            (
                Entities::Ranges(vec![range("id", KeyType::String, 0..3)]),
                "no whole number",
            ),
            (Entities::Rows(Vec::new()), "there are none"),
        ] {
            let message = entities.check().unwrap_err().to_string();
            assert!(message.contains(says), "{message}");
        }
    }
}
