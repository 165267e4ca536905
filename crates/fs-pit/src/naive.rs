//! The same answers by comparing everything with everything: slow, and plainly right.
//!
//! The kernels are tested against these. Shared with them are the checks of the input, [`Rule`] and
//! [`covers`](crate::windows::covers), so what a rule means is pinned by its own tests; and how an
//! aggregate takes one value after the other.

mod windows;

use std::collections::BTreeMap;

use arrow::array::{Array, ArrayRef, AsArray, TimestampMicrosecondArray};
use arrow::compute::cast;
use arrow::datatypes::{Int32Type, Int64Type, TimestampMicrosecondType};
use fs_core::{EventTime, KeyType, KeyValue};

use crate::keys::key_types;
use crate::row::{FeatureRows, RowId, RowIds, first_null};
use crate::{Error, Rule};

pub use windows::windows;

/// What a row is compared by: event, created (null lowest), sequence (null lowest), arrival.
type Order = (i64, Option<i64>, Option<i64>, RowId);

struct Row {
    key: Option<Vec<KeyValue>>,
    order: Order,
}

/// The newest visible feature row of each spine row, in spine order.
///
/// The answer of [`PointInTimeJoin`](crate::PointInTimeJoin) when it is offered `features` one
/// after the other. Costs spine rows times feature rows.
pub fn point_in_time_join(
    spine_keys: &[ArrayRef],
    spine_times: &TimestampMicrosecondArray,
    rule: Rule,
    features: &[FeatureRows<'_>],
) -> Result<Vec<Option<RowId>>, Error> {
    if let Some(row) = first_null(spine_times) {
        return Err(Error::NullSpineTime { row });
    }
    let spine = keys_of(spine_keys, spine_times.len())?;
    let rows = rows_of(features)?;
    let winner = |(key, at): (&Option<Vec<KeyValue>>, &i64)| {
        rows.iter()
            .filter(|row| key.is_some() && row.key == *key)
            .filter(|row| rule.visible(row.order.0, row.order.1, *at))
            .map(|row| row.order)
            .max()
            .map(|order| order.3)
    };
    Ok(spine.iter().zip(spine_times.values()).map(winner).collect())
}

/// The newest row of each key that is visible at `as_of` whatever its age, ascending.
///
/// The answer of [`NewestPerKey`](crate::NewestPerKey).
pub fn newest_per_key(
    as_of: EventTime,
    rule: Rule,
    features: &[FeatureRows<'_>],
) -> Result<Vec<RowId>, Error> {
    let ageless = Rule { ttl: None, ..rule };
    let mut newest: BTreeMap<Vec<KeyValue>, Order> = BTreeMap::new();
    for row in rows_of(features)? {
        let Some(key) = row.key else { continue };
        if ageless.visible(row.order.0, row.order.1, as_of.as_micros()) {
            let best = newest.entry(key).or_insert(row.order);
            *best = row.order.max(*best);
        }
    }
    let mut rows: Vec<RowId> = newest.into_values().map(|order| order.3).collect();
    rows.sort_unstable();
    Ok(rows)
}

fn rows_of(features: &[FeatureRows<'_>]) -> Result<Vec<Row>, Error> {
    let mut rows = Vec::new();
    for (batch, features) in (0_u32..).zip(features) {
        features.check(&RowIds::Batch(batch))?;
        let count = u32::try_from(features.len()).map_err(|_overflow| Error::TooMany)?;
        let keys = keys_of(features.keys, features.len())?;
        for (row, key) in (0..count).zip(keys) {
            let at = row as usize;
            let created = features.created.filter(|created| created.is_valid(at));
            let sequence = features.sequence.filter(|sequence| sequence.is_valid(at));
            let order = (
                features.event.value(at),
                created.map(|created| created.value(at)),
                sequence.map(|sequence| sequence.value(at)),
                RowId { batch, row },
            );
            rows.push(Row { key, order });
        }
    }
    Ok(rows)
}

/// The key of each row; none where a part is null.
fn keys_of(columns: &[ArrayRef], rows: usize) -> Result<Vec<Option<Vec<KeyValue>>>, Error> {
    let types = key_types(columns)?;
    let columns: Vec<ArrayRef> = columns
        .iter()
        .zip(&types)
        .map(|(column, key_type)| cast(column, &key_type.to_arrow()))
        .collect::<Result<_, _>>()?;
    let part = |column: &ArrayRef, key_type: KeyType, row: usize| {
        column.is_valid(row).then(|| match key_type {
            KeyType::Bool => KeyValue::Bool(column.as_boolean().value(row)),
            KeyType::Int32 => KeyValue::Int32(column.as_primitive::<Int32Type>().value(row)),
            KeyType::Int64 => KeyValue::Int64(column.as_primitive::<Int64Type>().value(row)),
            KeyType::String => KeyValue::String(column.as_string::<i32>().value(row).to_owned()),
            KeyType::Bytes => KeyValue::Bytes(column.as_binary::<i32>().value(row).to_vec()),
            KeyType::Timestamp => {
                KeyValue::Timestamp(column.as_primitive::<TimestampMicrosecondType>().value(row))
            }
        })
    };
    Ok((0..rows)
        .map(|row| {
            columns
                .iter()
                .zip(&types)
                .map(|(column, key_type)| part(column, *key_type, row))
                .collect()
        })
        .collect())
}
