//! Rows: whatever bytes a store gives back, opening them is an answer or an error; what was opened is
//! read to the last item of the last list; and both ways of reading agree.

#![no_main]

use std::sync::Arc;

use arbitrary::Arbitrary;
use bytes::Bytes;
use fs_core::{DataType, FeatureName, ScalarType};
use fs_online::{Cell, OpenRows, RowDecoder, RowLayout, row};
use libfuzzer_sys::fuzz_target;

/// Layouts, and rows that may be of one of them: the id of a layout is written into each row, since
/// chance alone would never find one.
#[derive(Debug, Arbitrary)]
struct Input {
    layouts: Vec<Vec<u8>>,
    wanted: Vec<(u8, u8)>,
    rows: Vec<Option<(u8, Vec<u8>)>>,
}

const SCALARS: [ScalarType; 8] = [
    ScalarType::Bool,
    ScalarType::Int32,
    ScalarType::Int64,
    ScalarType::Float32,
    ScalarType::Float64,
    ScalarType::String,
    ScalarType::Bytes,
    ScalarType::Timestamp,
];

fn data_type(number: u8) -> DataType {
    let scalar = SCALARS[usize::from(number) % SCALARS.len()];
    if number >= 128 {
        DataType::Array(scalar)
    } else {
        DataType::Scalar(scalar)
    }
}

fn feature(position: usize) -> FeatureName {
    format!("f{position}").parse().expect("a name")
}

fuzz_target!(|input: Input| {
    let layouts: Vec<RowLayout> = input
        .layouts
        .iter()
        .take(4)
        .map(|types| {
            let features = types.iter().enumerate();
            let features = features.map(|(at, number)| (feature(at), data_type(*number)));
            RowLayout::new(features.collect())
        })
        .collect();
    let wanted: Vec<(FeatureName, DataType)> = input
        .wanted
        .iter()
        .map(|(at, number)| (feature(usize::from(*at)), data_type(*number)))
        .collect();
    let rows: Vec<Option<Bytes>> = input
        .rows
        .into_iter()
        .map(|row| {
            let (layout, mut bytes) = row?;
            if let Some(layout) = layouts.get(usize::from(layout))
                && let Some(place) = bytes.get_mut(1..5)
            {
                place.copy_from_slice(&layout.id().to_le_bytes());
            }
            Some(Bytes::from(bytes))
        })
        .collect();
    for row in rows.iter().flatten() {
        row::order(row).ok();
    }
    let decoder = Arc::new(RowDecoder::new(&layouts, &wanted));
    let decoded = decoder.decode(&rows);
    let opened = OpenRows::open(decoder, rows);
    assert_eq!(decoded.is_ok(), opened.is_ok());
    let (Ok(columns), Ok(rows)) = (decoded, opened) else {
        return;
    };
    for (at, column) in columns.iter().enumerate() {
        assert_eq!(rows.to_arrow(at).as_ref(), Some(column));
        for row in 0..rows.len() {
            let cell = rows.cell(row, at);
            assert_eq!(cell.is_some(), rows.has(row, at));
            if let Some(Cell::List(list)) = cell {
                assert_eq!(list.iter().count(), list.len());
            }
        }
    }
});
