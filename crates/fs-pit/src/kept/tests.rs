use arrow::array::{AsArray, Int64Array, StringArray};
use arrow::datatypes::{DataType, Int64Type};

use super::*;

fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("number", DataType::Int64, false),
        Field::new("text", DataType::Utf8, true),
    ]))
}

fn batch(numbers: std::ops::Range<i64>) -> RecordBatch {
    let texts: StringArray = numbers.clone().map(|n| Some(n.to_string())).collect();
    let numbers = Int64Array::from_iter_values(numbers);
    RecordBatch::try_new(schema(), vec![Arc::new(numbers), Arc::new(texts)]).unwrap()
}

fn keep(kept: &mut KeptRows, batch: &RecordBatch, rows: &[u32]) {
    kept.keep::<Error>(batch, rows, Ok).unwrap();
}

fn id(batch: u32, row: u32) -> RowId {
    RowId { batch, row }
}

fn numbers(batch: &RecordBatch) -> Vec<Option<i64>> {
    batch.column(0).as_primitive::<Int64Type>().iter().collect()
}

#[test]
fn rows_come_back_in_the_order_asked_for_with_nulls_where_there_is_none() {
    let mut kept = KeptRows::new(schema());
    keep(&mut kept, &batch(0..3), &[0, 2]);
    keep(&mut kept, &batch(10..13), &[]);
    keep(&mut kept, &batch(20..23), &[1]);
    let ids = [Some(id(2, 1)), None, Some(id(0, 0)), Some(id(2, 1))];
    let gathered = kept.gather(&ids).unwrap();
    assert_eq!(numbers(&gathered), [Some(21), None, Some(0), Some(21)]);
    assert_eq!(gathered.column(1).as_string::<i32>().value(0), "21");
}

#[test]
fn a_row_that_was_not_kept_is_an_error() {
    let mut kept = KeptRows::new(schema());
    keep(&mut kept, &batch(0..3), &[0, 2]);
    for missing in [id(0, 1), id(1, 0)] {
        let error = kept.gather(&[Some(missing)]).unwrap_err();
        assert!(matches!(error, Error::NotKept { .. }), "{error}");
    }
}

#[test]
fn compaction_forgets_what_is_not_live_and_nothing_else() {
    let mut kept = KeptRows::new(schema());
    for start in 0..100 {
        keep(&mut kept, &batch(start * 10..start * 10 + 10), &[1, 3, 8]);
    }
    assert_eq!(kept.rows(), 300);
    let live: Vec<RowId> = (0..100).step_by(3).map(|at| id(at, 3)).collect();
    kept.compact(&live).unwrap();
    assert_eq!(kept.rows(), live.len());
    let ids: Vec<Option<RowId>> = live.iter().copied().map(Some).collect();
    let expected: Vec<Option<i64>> = (0..100).step_by(3).map(|at| Some(at * 10 + 3)).collect();
    assert_eq!(numbers(&kept.gather(&ids).unwrap()), expected);
    assert!(kept.gather(&[Some(id(0, 1))]).is_err());
    keep(&mut kept, &batch(0..1), &[0]);
    assert_eq!(
        numbers(&kept.gather(&[Some(id(100, 0))]).unwrap()),
        [Some(0)]
    );
}

#[test]
fn many_small_batches_end_up_in_few_pieces() {
    let mut kept = KeptRows::new(schema());
    let one = batch(0..1);
    for _ in 0..3000 {
        keep(&mut kept, &one, &[0]);
    }
    assert!(kept.pieces.len() < 32, "{} pieces", kept.pieces.len());
}

#[test]
fn compaction_is_wanted_once_most_rows_lost() {
    let mut kept = KeptRows::new(schema());
    let many = batch(0..10_000);
    let rows: Vec<u32> = (0..10_000).collect();
    keep(&mut kept, &many, &rows);
    assert!(!kept.wants_compaction(5_000));
    assert!(kept.wants_compaction(4_999));
}
