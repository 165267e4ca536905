//! Rows of several layouts, and rows that are broken.

use fs_core::{Code, Coded};

use super::*;

fn packed(layout: &RowLayout, columns: &[ArrayRef]) -> bytes::Bytes {
    RowEncoder::new(layout)
        .encode(columns, &[order_at(0)])
        .unwrap()
        .remove(0)
}

fn int(value: i64) -> ArrayRef {
    Arc::new(Int64Array::from(vec![value]))
}

#[test]
fn a_feature_that_an_old_layout_lacks_reads_as_null() {
    let old = RowLayout::new(vec![feature("a", "int64"), feature("b", "int64")]);
    let new = RowLayout::new(vec![feature("c", "int64"), feature("b", "int64")]);
    let rows = [
        Some(packed(&old, &[int(1), int(2)])),
        None,
        Some(packed(&new, &[int(3), int(4)])),
    ];
    let wanted = [feature("b", "int64"), feature("c", "int64")];
    let columns = RowDecoder::new(&[new, old], &wanted).decode(&rows).unwrap();
    let expected: [ArrayRef; 2] = [
        Arc::new(Int64Array::from(vec![Some(2), None, Some(4)])),
        Arc::new(Int64Array::from(vec![None, None, Some(3)])),
    ];
    assert_eq!(columns, expected);
}

#[test]
fn a_feature_whose_type_has_changed_reads_as_null_in_rows_of_before() {
    let old = RowLayout::new(vec![feature("a", "int64")]);
    let row = packed(&old, &[int(1)]);
    let decoder = RowDecoder::new(&[old], &[feature("a", "float64")]);
    let columns = decoder.decode(&[Some(row)]).unwrap();
    assert_eq!(columns[0].null_count(), 1);
    assert_eq!(columns[0].data_type().to_string(), "Float64");
}

#[test]
fn a_row_of_a_layout_that_nobody_knows_is_an_error_of_its_own() {
    let layout = RowLayout::new(vec![feature("a", "int64")]);
    let row = packed(&layout, &[int(1)]);
    let error = RowDecoder::new(&[], &[]).decode(&[Some(row)]).unwrap_err();
    assert!(
        matches!(error, Error::UnknownLayout { layout: id } if id == layout.id()),
        "{error:?}"
    );
}

#[test]
fn a_string_that_is_not_utf8_is_refused_only_where_it_is_wanted() {
    let text = RowLayout::new(vec![feature("a", "string"), feature("b", "array<string>")]);
    let (a, b) = (feature("a", "string"), feature("b", "array<string>"));
    let mut list = arrow::array::ListBuilder::new(arrow::array::StringBuilder::new());
    list.append_value([Some("q")]);
    let columns: [ArrayRef; 2] = [
        Arc::new(arrow::array::StringArray::from(vec!["z"])),
        Arc::new(list.finish()),
    ];
    let row = packed(&text, &columns);
    for (letter, wanted, other, position) in [(b'z', &a, &b, 0), (b'q', &b, &a, 1)] {
        let mut broken = row.to_vec();
        let at = broken.iter().rposition(|byte| *byte == letter).unwrap();
        broken[at] = 0xff;
        let rows = [Some(broken)];
        let layouts = [text.clone()];
        let decoder = RowDecoder::new(&layouts, std::slice::from_ref(wanted));
        let error = decoder.decode(&rows).unwrap_err();
        assert_eq!(error.code(), Code::Internal);
        let problem = RowProblem::NotUtf8 { feature: position };
        assert!(
            matches!(error, Error::CorruptRow { problem: found } if found == problem),
            "{error:?}"
        );
        let decoder = RowDecoder::new(&layouts, std::slice::from_ref(other));
        assert!(decoder.decode(&rows).is_ok());
    }
}

#[test]
fn a_bool_is_0_or_1_and_nothing_follows_a_row() {
    let layout = RowLayout::new(vec![feature("a", "bool")]);
    let wanted = [feature("a", "bool")];
    let column: ArrayRef = Arc::new(arrow::array::BooleanArray::from(vec![true]));
    let row = packed(&layout, &[column]);
    let decoder = RowDecoder::new(&[layout], &wanted);
    let found = decoder.decode(&[Some(&row)]).unwrap();
    assert!(found[0].as_boolean().value(0));
    let mut two = row.to_vec();
    *two.last_mut().unwrap() = 2;
    assert!(decoder.decode(&[Some(two)]).is_err());
    let mut longer = row.to_vec();
    longer.push(0);
    assert!(decoder.decode(&[Some(longer)]).is_err());
}

#[test]
fn a_row_of_a_later_format_is_refused() {
    let error = order(&[2; 100]).unwrap_err();
    assert!(error.to_string().contains("its format is 2"), "{error}");
}

#[test]
fn columns_that_do_not_fit_the_layout_are_refused() {
    let layout = RowLayout::new(vec![feature("a", "float64")]);
    let encoder = RowEncoder::new(&layout);
    let error = encoder.encode(&[int(1)], &[order_at(0)]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "column `a` must be of type float64, and is Int64"
    );
    assert!(encoder.encode(&[], &[order_at(0)]).is_err());
    assert!(encoder.encode(&[int(1)], &[]).is_err());
}
