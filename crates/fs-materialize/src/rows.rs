//! Rows of a view, seen as keys, orders and features.

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Int64Array, RecordBatch, TimestampMicrosecondArray,
};
use arrow::buffer::BooleanBuffer;
use arrow::compute::filter_record_batch;
use arrow::datatypes::{Int64Type, TimestampMicrosecondType};
use fs_core::{
    CREATED_TIMESTAMP, Catalog, CreatedTime, EVENT_TIMESTAMP, EventTime, FeatureView, KeyType,
    SEQUENCE,
};
use fs_online::key::encode_columns;
use fs_online::{EncodedKey, RowOrder};
use fs_pit::RowRank;

/// Which columns a view's rows have, and where: keys, event, created, features, sequence. The features of
/// a windowed view's rows are the columns that its aggregations read.
#[derive(Debug, Clone)]
pub(crate) struct ViewColumns {
    key_types: Vec<KeyType>,
    key_names: Vec<String>,
    features: Vec<String>,
}

/// The columns of a batch.
pub(crate) struct Rows<'a> {
    pub(crate) keys: &'a [ArrayRef],
    pub(crate) event: &'a TimestampMicrosecondArray,
    pub(crate) created: &'a TimestampMicrosecondArray,
    pub(crate) features: &'a [ArrayRef],
    pub(crate) sequence: &'a Int64Array,
}

/// The columns of a batch that has no sequence yet.
pub(crate) struct Unnumbered<'a> {
    pub(crate) event: &'a TimestampMicrosecondArray,
    pub(crate) created: &'a TimestampMicrosecondArray,
    pub(crate) features: &'a [ArrayRef],
}

impl Unnumbered<'_> {
    pub(crate) fn created(&self, row: usize) -> Option<i64> {
        self.created.is_valid(row).then(|| self.created.value(row))
    }
}

impl ViewColumns {
    pub(crate) fn of(catalog: &Catalog, view: &FeatureView) -> Self {
        let features = view.stored().iter();
        Self {
            key_types: catalog.join_keys(view).map(|key| key.key_type).collect(),
            key_names: catalog
                .join_keys(view)
                .map(|key| key.name.to_string())
                .collect(),
            features: features.map(|feature| feature.name.to_string()).collect(),
        }
    }

    /// The types of the join keys.
    pub(crate) fn key_types(&self) -> &[KeyType] {
        &self.key_types
    }

    /// All columns.
    pub(crate) fn all(&self) -> Vec<String> {
        self.with(&self.features)
    }

    /// All but the features.
    pub(crate) fn without_features(&self) -> Vec<String> {
        self.with(&[])
    }

    fn with(&self, features: &[String]) -> Vec<String> {
        let times = [EVENT_TIMESTAMP, CREATED_TIMESTAMP].map(str::to_owned);
        let keys = self.key_names.iter().cloned();
        keys.chain(times)
            .chain(features.iter().cloned())
            .chain([SEQUENCE.to_owned()])
            .collect()
    }

    /// The columns of a batch that was read with [`all`](Self::all) or
    /// [`without_features`](Self::without_features).
    pub(crate) fn rows<'a>(&self, batch: &'a RecordBatch) -> Rows<'a> {
        let columns = batch.columns();
        let keys = self.key_types.len();
        Rows {
            keys: &columns[..keys],
            event: columns[keys].as_primitive::<TimestampMicrosecondType>(),
            created: columns[keys + 1].as_primitive::<TimestampMicrosecondType>(),
            features: &columns[keys + 2..columns.len() - 1],
            sequence: columns[columns.len() - 1].as_primitive::<Int64Type>(),
        }
    }

    /// The times and the features of a batch of all columns but the sequence.
    pub(crate) fn unnumbered<'a>(&self, batch: &'a RecordBatch) -> Unnumbered<'a> {
        let columns = batch.columns();
        let keys = self.key_types.len();
        Unnumbered {
            event: columns[keys].as_primitive::<TimestampMicrosecondType>(),
            created: columns[keys + 1].as_primitive::<TimestampMicrosecondType>(),
            features: &columns[keys + 2..],
        }
    }

    /// The key of every row of a batch; keys in the table are never null.
    pub(crate) fn keys(
        &self,
        batch: &RecordBatch,
    ) -> Result<Vec<Option<EncodedKey>>, fs_online::Error> {
        let keys = &batch.columns()[..self.key_types.len()];
        encode_columns(&self.key_types, keys, batch.num_rows())
    }
}

impl Rows<'_> {
    pub(crate) fn created(&self, row: usize) -> Option<i64> {
        self.created.is_valid(row).then(|| self.created.value(row))
    }

    pub(crate) fn order(&self, row: usize) -> RowOrder {
        RowOrder {
            event: EventTime::from_micros(self.event.value(row)),
            created: self.created(row).map(CreatedTime::from_micros),
            sequence: self.sequence.value(row).max(0).cast_unsigned(),
        }
    }

    pub(crate) fn orders(&self) -> Vec<RowOrder> {
        (0..self.event.len()).map(|row| self.order(row)).collect()
    }
}

/// The first sequence that a row of an offline table can have.
const FIRST_SEQUENCE: u64 = 1 << 32;

/// Whether a stored row came from an offline table, and not straight from a writer.
pub(crate) const fn is_from_table(order: &RowOrder) -> bool {
    order.sequence >= FIRST_SEQUENCE
}

/// Whether a stored row is the state of a key, of when its view had windows.
pub(crate) const fn is_state(order: &RowOrder) -> bool {
    order.event.as_micros() == i64::MIN && order.created.is_none()
}

/// The order of a row in the online store, given what decides its rank in the table.
pub(crate) fn order_of(rank: &RowRank) -> RowOrder {
    RowOrder {
        event: EventTime::from_micros(rank.event),
        created: rank.created.map(CreatedTime::from_micros),
        sequence: rank.sequence.unwrap_or(0).max(0).cast_unsigned(),
    }
}

/// The rows of `batch` for which `keep` holds; the batch itself if it holds for all.
pub(crate) fn select(
    batch: &RecordBatch,
    keep: impl FnMut(usize) -> bool,
) -> Result<RecordBatch, fs_pit::Error> {
    let kept = BooleanBuffer::collect_bool(batch.num_rows(), keep);
    if kept.count_set_bits() == batch.num_rows() {
        return Ok(batch.clone());
    }
    Ok(filter_record_batch(batch, &BooleanArray::new(kept, None))?)
}
