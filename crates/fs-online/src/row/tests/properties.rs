//! Rows of any content.

use arrow::array::{
    BinaryBuilder, BooleanBuilder, Float32Builder, Float64Builder, Int32Builder, Int64Builder,
    LargeStringArray, ListBuilder, StringArray, StringBuilder, StringViewArray,
    TimestampMicrosecondBuilder,
};
use fs_core::ScalarType;
use fs_core::data_type::timestamp_type;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::Index;

use super::*;

const ROWS: usize = 5;

/// A column of [`ROWS`] values of a type, and the type.
pub(super) fn any_column() -> impl Strategy<Value = (DataType, ArrayRef)> {
    let bits = || any::<u64>().prop_map(f64::from_bits);
    let short_bits = || any::<u32>().prop_map(f32::from_bits);
    let time = || TimestampMicrosecondBuilder::new().with_data_type(timestamp_type());
    macro_rules! columns {
        ($($scalar:ident, $values:expr, $builder:expr;)*) => {
            prop_oneof![$(
                vec(option::of($values), ROWS).prop_map(move |values| {
                    let mut builder = $builder;
                    for value in values {
                        builder.append_option(value);
                    }
                    let column: ArrayRef = Arc::new(builder.finish());
                    (DataType::Scalar(ScalarType::$scalar), column)
                }),
                vec(option::of(vec(option::of($values), 0..10)), ROWS).prop_map(move |lists| {
                    let mut builder = ListBuilder::new($builder);
                    for list in lists {
                        let is_some = list.is_some();
                        for item in list.into_iter().flatten() {
                            builder.values().append_option(item);
                        }
                        builder.append(is_some);
                    }
                    let column: ArrayRef = Arc::new(builder.finish());
                    (DataType::Array(ScalarType::$scalar), column)
                }),
            )*]
        };
    }
    columns! {
        Bool, any::<bool>(), BooleanBuilder::new();
        Int32, any::<i32>(), Int32Builder::new();
        Int64, any::<i64>(), Int64Builder::new();
        Float32, short_bits(), Float32Builder::new();
        Float64, bits(), Float64Builder::new();
        String, ".{0,12}", StringBuilder::new();
        Bytes, vec(any::<u8>(), 0..12), BinaryBuilder::new();
        Timestamp, any::<i64>(), time();
    }
}

pub(super) struct Packed {
    pub(super) layout: RowLayout,
    pub(super) columns: Vec<ArrayRef>,
    pub(super) rows: Vec<bytes::Bytes>,
}

pub(super) fn pack(columns: Vec<(DataType, ArrayRef)>) -> Packed {
    let features = columns.iter().enumerate();
    let features = features
        .map(|(at, (data_type, _))| (format!("f{at}").parse().unwrap(), *data_type))
        .collect();
    let layout = RowLayout::new(features);
    let columns: Vec<ArrayRef> = columns.into_iter().map(|(_, column)| column).collect();
    let orders = [1, 2, 3, 4, 5].map(order_at);
    let rows = RowEncoder::new(&layout).encode(&columns, &orders).unwrap();
    Packed {
        layout,
        columns,
        rows,
    }
}

fn decode(layout: &RowLayout, row: &[u8]) -> Result<Vec<ArrayRef>, Error> {
    RowDecoder::new(std::slice::from_ref(layout), layout.features()).decode(&[Some(row)])
}

/// Whatever opens can be read, and says of every value that is there what it is.
fn read_all(layout: &RowLayout, row: &[u8]) {
    let decoder = RowDecoder::new(std::slice::from_ref(layout), layout.features());
    let rows = vec![Some(bytes::Bytes::copy_from_slice(row))];
    let Ok(open) = OpenRows::open(Arc::new(decoder), rows) else {
        return;
    };
    for wanted in 0..layout.features().len() {
        let cell = open.cell(0, wanted);
        assert_eq!(cell.is_some(), open.has(0, wanted));
        assert_eq!(cell.is_some(), open.is_full(wanted));
        if let Some(Cell::List(list)) = cell {
            assert_eq!(list.iter().count(), list.len());
        }
        let mut out = [0; 8];
        open.gather::<8>(wanted, 0..1, &mut out);
        open.gather::<4>(wanted, 0..1, &mut out);
        open.gather::<1>(wanted, 0..1, &mut out);
    }
}

proptest! {
    #[test]
    fn what_is_packed_reads_back_to_the_bit(columns in vec(any_column(), 0..12)) {
        let packed = pack(columns);
        let rows: Vec<_> = packed.rows.iter().map(Some).collect();
        let wanted = packed.layout.features();
        let decoder = RowDecoder::new(std::slice::from_ref(&packed.layout), wanted);
        prop_assert_eq!(decoder.decode(&rows).unwrap(), packed.columns);
    }

    #[test]
    fn a_sliced_column_packs_as_its_values(columns in vec(any_column(), 1..6)) {
        let packed = pack(columns);
        let sliced: Vec<_> = packed.columns.iter().map(|column| column.slice(2, 2)).collect();
        let rows = RowEncoder::new(&packed.layout).encode(&sliced, &[order_at(3), order_at(4)]);
        prop_assert_eq!(&rows.unwrap(), &packed.rows[2..4]);
    }

    #[test]
    fn some_features_read_as_they_do_among_all(
        columns in vec(any_column(), 1..8),
        picks in vec(any::<Index>(), 0..8),
    ) {
        let packed = pack(columns);
        let picks: Vec<usize> = picks.iter().map(|at| at.index(packed.columns.len())).collect();
        let wanted: Vec<_> = picks
            .iter()
            .map(|at| packed.layout.features()[*at].clone())
            .collect();
        let expected: Vec<_> = picks.iter().map(|at| Arc::clone(&packed.columns[*at])).collect();
        let rows: Vec<_> = packed.rows.iter().map(Some).collect();
        let decoder = RowDecoder::new(&[packed.layout], &wanted);
        prop_assert_eq!(decoder.decode(&rows).unwrap(), expected);
    }

    #[test]
    fn a_row_that_is_cut_off_is_an_error(columns in vec(any_column(), 0..6), cut in any::<Index>()) {
        let packed = pack(columns);
        let row = &packed.rows[0];
        prop_assert!(decode(&packed.layout, &row[..cut.index(row.len())]).is_err());
    }

    #[test]
    fn no_bytes_make_the_decoder_panic(
        columns in vec(any_column(), 0..6),
        changes in vec((any::<Index>(), any::<u8>()), 1..8),
        tail in vec(any::<u8>(), 0..40),
        keep in any::<Index>(),
    ) {
        let packed = pack(columns);
        let mut changed = packed.rows[0].to_vec();
        for (at, byte) in changes {
            let at = at.index(changed.len());
            changed[at] = byte;
        }
        decode(&packed.layout, &changed).ok();
        read_all(&packed.layout, &changed);
        // Right up to the header, so that the garbage is looked at.
        let header = HEADER_BYTES + keep.index(packed.rows[0].len() - HEADER_BYTES + 1);
        let garbage = [&packed.rows[0][..header], &tail].concat();
        decode(&packed.layout, &garbage).ok();
        read_all(&packed.layout, &garbage);
        order(&tail).ok();
    }

    #[test]
    fn every_shape_of_a_string_column_packs_alike(text in vec(option::of(".{0,20}"), 1)) {
        let layout = RowLayout::new(vec![feature("a", "string")]);
        let shapes: [ArrayRef; 3] = [
            Arc::new(StringArray::from(text.clone())),
            Arc::new(LargeStringArray::from(text.clone())),
            Arc::new(StringViewArray::from(text.iter().map(Option::as_deref).collect::<Vec<_>>())),
        ];
        let rows = shapes.map(|shape| {
            RowEncoder::new(&layout).encode(&[shape], &[order_at(0)]).unwrap()
        });
        prop_assert_eq!(&rows[0], &rows[1]);
        prop_assert_eq!(&rows[0], &rows[2]);
    }
}
