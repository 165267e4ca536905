//! Rows that are read where they lie, against the columns that they were made of.

use fs_core::ScalarType;
use proptest::collection::vec;
use proptest::prelude::*;

use super::properties::{Packed, any_column, pack};
use super::*;

/// Some rows of two layouts, which have some features in common, and rows that are not there.
struct Mixed {
    decoder: Arc<RowDecoder>,
    wanted: Vec<(FeatureName, DataType)>,
    rows: Vec<Option<bytes::Bytes>>,
}

/// The first layout has all features, the second only those that `kept` says, in reverse.
fn mix(packed: &Packed, kept: &[bool], from: &[(bool, bool)]) -> Mixed {
    let wanted = packed.layout.features().to_vec();
    let mut features = Vec::new();
    let mut columns = Vec::new();
    for (at, (feature, column)) in wanted.iter().zip(&packed.columns).enumerate().rev() {
        if kept.get(at).copied().unwrap_or(true) {
            features.push(feature.clone());
            columns.push(Arc::clone(column));
        }
    }
    let second = RowLayout::new(features);
    let orders: Vec<RowOrder> = packed.rows.iter().map(|_| order_at(0)).collect();
    let others = RowEncoder::new(&second).encode(&columns, &orders).unwrap();
    let rows = from.iter().zip(packed.rows.iter().zip(others));
    let rows = rows.map(|((is_there, is_second), (row, other))| {
        let row = if *is_second { other } else { row.clone() };
        is_there.then_some(row)
    });
    Mixed {
        rows: rows.collect(),
        decoder: Arc::new(RowDecoder::new(&[packed.layout.clone(), second], &wanted)),
        wanted,
    }
}

fn gathered<const W: usize>(open: &OpenRows, wanted: usize) -> Vec<[u8; W]> {
    let mut out = vec![7; W * open.len()];
    // In two goes, as a wire does it.
    let (first, second) = out.split_at_mut(W * (open.len() / 2));
    open.gather::<W>(wanted, 0..open.len() / 2, first);
    open.gather::<W>(wanted, open.len() / 2..open.len(), second);
    out.as_chunks().0.to_vec()
}

/// What the cells say that a gathered column should hold.
fn expected<const W: usize>(open: &OpenRows, wanted: usize) -> Vec<[u8; W]> {
    let value = |row| open.cell(row, wanted).map_or([0; W], bytes);
    (0..open.len()).map(value).collect()
}

fn bytes<const W: usize>(cell: Cell<'_>) -> [u8; W] {
    let bytes = match cell {
        Cell::Bool(value) => vec![u8::from(value)],
        Cell::Int32(value) => value.to_le_bytes().to_vec(),
        Cell::Float32(value) => value.to_le_bytes().to_vec(),
        Cell::Int64(value) | Cell::Timestamp(value) => value.to_le_bytes().to_vec(),
        Cell::Float64(value) => value.to_le_bytes().to_vec(),
        Cell::String(_) | Cell::Bytes(_) | Cell::List(_) => unreachable!("it has no width"),
    };
    bytes.try_into().unwrap()
}

proptest! {
    #[test]
    fn open_rows_read_as_the_columns_of_a_decoder(
        columns in vec(any_column(), 1..8),
        kept in vec(any::<bool>(), 8),
        from in vec((any::<bool>(), any::<bool>()), 5),
    ) {
        let mixed = mix(&pack(columns), &kept, &from);
        let decoded = mixed.decoder.decode(&mixed.rows).unwrap();
        let open = OpenRows::open(Arc::clone(&mixed.decoder), mixed.rows.clone()).unwrap();
        for (wanted, column) in decoded.iter().enumerate() {
            prop_assert_eq!(&open.to_arrow(wanted).unwrap(), column);
            for row in 0..open.len() {
                prop_assert_eq!(open.has(row, wanted), column.is_valid(row));
                prop_assert_eq!(open.cell(row, wanted).is_some(), column.is_valid(row));
            }
            let there = mixed.rows.iter().enumerate().filter(|(_, row)| row.is_some());
            let full = there.map(|(row, _)| row).all(|row| column.is_valid(row));
            prop_assert_eq!(open.is_full(wanted), full);
        }
    }

    #[test]
    fn a_gathered_column_holds_every_value_and_zeros_where_there_is_none(
        columns in vec(any_column(), 1..8),
        kept in vec(any::<bool>(), 8),
        from in vec((any::<bool>(), any::<bool>()), 5),
    ) {
        let mixed = mix(&pack(columns), &kept, &from);
        let open = OpenRows::open(mixed.decoder, mixed.rows).unwrap();
        for (wanted, (_, data_type)) in mixed.wanted.iter().enumerate() {
            let DataType::Scalar(scalar) = data_type else { continue };
            match scalar {
                ScalarType::Bool => {
                    prop_assert_eq!(gathered::<1>(&open, wanted), expected(&open, wanted));
                }
                ScalarType::Int32 | ScalarType::Float32 => {
                    prop_assert_eq!(gathered::<4>(&open, wanted), expected(&open, wanted));
                }
                ScalarType::Int64 | ScalarType::Float64 | ScalarType::Timestamp => {
                    prop_assert_eq!(gathered::<8>(&open, wanted), expected(&open, wanted));
                }
                ScalarType::String | ScalarType::Bytes => {}
            }
        }
    }
}

#[test]
fn rows_that_cannot_be_opened_come_back_and_open_with_a_decoder_that_knows_more() {
    let layout = RowLayout::new(vec![feature("a", "int64")]);
    let column: ArrayRef = Arc::new(Int64Array::from(vec![5]));
    let rows = RowEncoder::new(&layout).encode(&[column], &[order_at(0)]);
    let rows: Vec<_> = rows.unwrap().into_iter().map(Some).collect();
    let wanted = [feature("a", "int64")];
    let before = Arc::new(RowDecoder::new(&[], &wanted));
    let unopened = OpenRows::open(before, rows.clone()).unwrap_err();
    assert!(matches!(unopened.error, Error::UnknownLayout { layout: id } if id == layout.id()));
    assert_eq!(unopened.rows, rows);
    let after = Arc::new(RowDecoder::new(&[layout], &wanted));
    let open = OpenRows::open(after, unopened.rows).unwrap();
    assert_eq!(open.cell(0, 0), Some(Cell::Int64(5)));
    assert_eq!((open.cell(0, 1), open.cell(1, 0)), (None, None));
}
