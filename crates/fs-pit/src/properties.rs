//! The streaming kernels against the naive references, on generated rows.

use std::sync::Arc;

use crate::{
    FeatureRows, KeptRows, NewestPerKey, PointInTimeJoin, RowId, RowIds, Rule, SpineIndex, naive,
};
use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BooleanArray, DictionaryArray, Int32Array, Int64Array,
    LargeStringArray, RecordBatch, StringArray, StringViewArray, TimestampMicrosecondArray,
    UInt32Array,
};
use arrow::compute::{concat, take};
use arrow::datatypes::{DataType, Field, Int32Type, Schema};
use fs_core::{EventTime, KeyType, PointInTime, Span, Ttl};
use proptest::prelude::*;

const BATCH_SIZES: [usize; 5] = [1, 2, 4, 8, 8192];
const NO_KEY: u8 = 3;

/// How the strings of a side are laid out.
#[derive(Debug, Clone, Copy)]
enum Layout {
    Plain,
    Large,
    View,
    Dictionary,
}

/// A row before it has a key type: small numbers that stand for key parts.
#[derive(Debug, Clone)]
struct Row {
    parts: [u8; 2],
    time: i64,
    created: Option<i64>,
    sequence: Option<i64>,
}

#[derive(Debug, Clone)]
struct Case {
    types: Vec<KeyType>,
    spine_layout: Layout,
    feature_layout: Layout,
    rule: Rule,
    spine: Vec<Row>,
    features: Vec<Row>,
}

/// The columns of one side.
struct Columns {
    keys: Vec<ArrayRef>,
    time: TimestampMicrosecondArray,
    created: TimestampMicrosecondArray,
    sequence: Int64Array,
}

fn key_column(key_type: KeyType, layout: Layout, parts: &[u8]) -> ArrayRef {
    // Chosen so that parts written one after the other could be confused.
    const INTS: [i32; 3] = [1, 11, -1];
    const TEXTS: [&str; 3] = ["", "a", "aa"];
    let valid = parts
        .iter()
        .map(|part| (*part != NO_KEY).then_some(usize::from(*part)));
    let ints = valid.clone().map(|part| part.map(|part| INTS[part]));
    let longs = ints.clone().map(|int| int.map(i64::from));
    let texts = valid.clone().map(|part| part.map(|part| TEXTS[part]));
    match (key_type, layout) {
        (KeyType::Bool, _) => Arc::new(
            valid
                .map(|part| part.map(|part| part == 1))
                .collect::<BooleanArray>(),
        ),
        (KeyType::Int32, _) => Arc::new(ints.collect::<Int32Array>()),
        (KeyType::Int64, _) => Arc::new(longs.collect::<Int64Array>()),
        (KeyType::Timestamp, _) => Arc::new(longs.collect::<TimestampMicrosecondArray>()),
        (KeyType::Bytes, _) => Arc::new(texts.collect::<BinaryArray>()),
        (KeyType::String, Layout::Plain) => Arc::new(texts.collect::<StringArray>()),
        (KeyType::String, Layout::Large) => Arc::new(texts.collect::<LargeStringArray>()),
        (KeyType::String, Layout::View) => Arc::new(texts.collect::<StringViewArray>()),
        (KeyType::String, Layout::Dictionary) => {
            Arc::new(texts.collect::<DictionaryArray<Int32Type>>())
        }
    }
}

fn columns(types: &[KeyType], layout: Layout, rows: &[Row]) -> Columns {
    let keys = types.iter().enumerate().map(|(at, key_type)| {
        let parts: Vec<u8> = rows.iter().map(|row| row.parts[at]).collect();
        key_column(*key_type, layout, &parts)
    });
    Columns {
        keys: keys.collect(),
        time: TimestampMicrosecondArray::from_iter_values(rows.iter().map(|row| row.time)),
        created: rows.iter().map(|row| row.created).collect(),
        sequence: rows.iter().map(|row| row.sequence).collect(),
    }
}

impl Columns {
    fn rows(&self) -> FeatureRows<'_> {
        FeatureRows {
            keys: &self.keys,
            event: &self.time,
            created: Some(&self.created),
            sequence: Some(&self.sequence),
        }
    }
}

impl Case {
    fn spine(&self) -> Columns {
        columns(&self.types, self.spine_layout, &self.spine)
    }

    fn batches(&self, size: usize) -> Vec<Columns> {
        let chunks = self.features.chunks(size);
        chunks
            .map(|rows| columns(&self.types, self.feature_layout, rows))
            .collect()
    }

    fn naive(&self) -> Vec<Option<usize>> {
        let spine = self.spine();
        let features = columns(&self.types, self.feature_layout, &self.features);
        let rows = [features.rows()];
        let found = naive::point_in_time_join(&spine.keys, &spine.time, self.rule, &rows).unwrap();
        found
            .into_iter()
            .map(|id| id.map(|id| id.row as usize))
            .collect()
    }

    /// The answer of the kernel, as positions in `features`, through the columns it kept.
    fn streamed(&self, size: usize) -> Vec<Option<usize>> {
        let spine = self.spine();
        let mut join = PointInTimeJoin::new(&spine.keys, &spine.time, self.rule).unwrap();
        let schema = Arc::new(Schema::new(vec![Field::new("at", DataType::UInt32, false)]));
        let mut kept = KeptRows::new(Arc::clone(&schema));
        let mut start = 0;
        for batch in self.batches(size) {
            let rows = batch.rows();
            let candidates = join
                .offer(rows.keys, rows.event, rows.created, rows.sequence)
                .unwrap();
            assert!(candidates.is_sorted());
            let end = start + u32::try_from(rows.len()).unwrap();
            let payload = Arc::new(UInt32Array::from_iter_values(start..end));
            let payload = RecordBatch::try_new(Arc::clone(&schema), vec![payload]).unwrap();
            kept.keep::<crate::Error>(&payload, &candidates, Ok)
                .unwrap();
            let live = join.live();
            assert!(live.is_sorted() && live.len() <= join.candidates());
            kept.compact(&live).unwrap();
            start = end;
        }
        let matches = join.finish();
        let gathered = kept.gather(&matches.rows().collect::<Vec<_>>()).unwrap();
        let positions = gathered
            .column(0)
            .as_any()
            .downcast_ref::<UInt32Array>()
            .unwrap();
        positions
            .iter()
            .map(|at| at.map(|at| at as usize))
            .collect()
    }
}

fn micros() -> impl Strategy<Value = i64> {
    prop_oneof![
        20 => 0_i64..8,
        1 => Just(i64::MIN),
        1 => Just(i64::MAX),
        1 => Just(i64::MAX - 1),
    ]
}

fn row() -> impl Strategy<Value = Row> {
    let optional = || prop::option::of(0_i64..3);
    (
        prop::array::uniform2(0..=NO_KEY),
        micros(),
        prop::option::of(micros()),
        optional(),
    )
        .prop_map(|(parts, time, created, sequence)| Row {
            parts,
            time,
            created,
            sequence,
        })
}

fn rule() -> impl Strategy<Value = Rule> {
    let point_in_time = prop::sample::select(vec![PointInTime::EventTime, PointInTime::KnownAt]);
    (0_i64..4, 0_i64..3, point_in_time).prop_map(|(ttl, delay, point_in_time)| Rule {
        ttl: Span::from_micros(ttl).and_then(Ttl::new),
        delay: Span::from_micros(delay).unwrap(),
        point_in_time,
    })
}

fn layout() -> impl Strategy<Value = Layout> {
    let all = vec![
        Layout::Plain,
        Layout::Large,
        Layout::View,
        Layout::Dictionary,
    ];
    prop::sample::select(all)
}

fn case() -> impl Strategy<Value = Case> {
    let key_type = prop::sample::select(KeyType::ALL.to_vec());
    (
        prop::collection::vec(key_type, 0..=2),
        layout(),
        layout(),
        rule(),
        prop::collection::vec(row(), 0..12),
        prop::collection::vec(row(), 0..40),
    )
        .prop_map(
            |(types, spine_layout, feature_layout, rule, spine, features)| Case {
                types,
                spine_layout,
                feature_layout,
                rule,
                spine,
                features,
            },
        )
}

/// Gives every row a sequence of its own, so that the answer does not depend on arrival.
fn number(rows: &mut [Row]) {
    for (at, row) in (0_i64..).zip(rows) {
        row.sequence = Some(at);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn the_join_equals_the_naive_reference_at_every_batch_size(case in case()) {
        let expected = case.naive();
        prop_assert_eq!(expected.len(), case.spine.len());
        for size in BATCH_SIZES {
            prop_assert_eq!(&case.streamed(size), &expected, "batches of {}", size);
        }
    }

    #[test]
    fn the_order_in_which_feature_rows_arrive_does_not_matter(
        mut case in case(),
        seeds in prop::collection::vec(any::<u64>(), 40),
    ) {
        number(&mut case.features);
        let expected = case.streamed(4);
        let mut order: Vec<usize> = (0..case.features.len()).collect();
        order.sort_by_key(|at| seeds[*at]);
        let mut shuffled = case.clone();
        shuffled.features = order.iter().map(|at| case.features[*at].clone()).collect();
        let found = shuffled.streamed(4);
        let found: Vec<_> = found.into_iter().map(|at| at.map(|at| order[at])).collect();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn every_spine_row_gets_its_own_answer_wherever_it_stands(
        case in case(),
        order in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
    ) {
        prop_assume!(!case.spine.is_empty());
        let alone = case.streamed(8);
        // Repeats some rows, leaves out others.
        let order: Vec<usize> = order.iter().map(|at| at.index(case.spine.len())).collect();
        let mut moved = case.clone();
        moved.spine = order.iter().map(|at| case.spine[*at].clone()).collect();
        let expected: Vec<_> = order.iter().map(|at| alone[*at]).collect();
        prop_assert_eq!(moved.streamed(8), expected);
    }

    #[test]
    fn joins_that_each_saw_a_part_of_the_rows_finish_together(
        mut case in case(),
        parts in prop::collection::vec(0_usize..3, 40),
    ) {
        number(&mut case.features);
        let spine = case.spine();
        let features = columns(&case.types, case.feature_layout, &case.features);
        let index = Arc::new(SpineIndex::new(&spine.keys, &spine.time).unwrap());
        let mut joins: Vec<PointInTimeJoin> = (0..3)
            .map(|_| PointInTimeJoin::over(Arc::clone(&index), case.rule))
            .collect();
        for (part, join) in joins.iter_mut().enumerate() {
            let rows: Vec<i64> = (0_i64..)
                .zip(&parts)
                .take(case.features.len())
                .filter_map(|(row, of)| (*of == part).then_some(row))
                .collect();
            let at = Int64Array::from(rows);
            let pick = |column: &dyn Array| take(column, &at, None).unwrap();
            let keys: Vec<ArrayRef> = features.keys.iter().map(|key| pick(key)).collect();
            let (event, created) = (pick(&features.time), pick(&features.created));
            let sequence = pick(&features.sequence);
            let rows = FeatureRows {
                keys: &keys,
                event: event.as_primitive(),
                created: Some(created.as_primitive()),
                sequence: Some(sequence.as_primitive()),
            };
            join.offer_at(&rows, &RowIds::At { file: 7, rows: &at }).unwrap();
        }
        let found = PointInTimeJoin::finish_together(joins, index);
        prop_assert!(found.rows().flatten().all(|id| id.batch == 7));
        let found: Vec<_> = found.rows().map(|id| id.map(|id| id.row as usize)).collect();
        prop_assert_eq!(found, case.naive());
    }

    #[test]
    fn a_row_of_the_future_changes_no_answer(case in case(), future in row()) {
        let before = case.streamed(8);
        let mut later = case.clone();
        later.features.push(future.clone());
        let after = later.streamed(8);
        let visible_from = case.rule.visible_from(future.time, future.created);
        for ((row, before), after) in case.spine.iter().zip(before).zip(after) {
            if row.time < visible_from {
                prop_assert_eq!(before, after);
            }
        }
    }

    #[test]
    fn the_newest_rows_equal_the_naive_reference_and_the_join_at_that_instant(
        case in case(),
        as_of in micros(),
    ) {
        let at = EventTime::from_micros(as_of);
        for size in BATCH_SIZES {
            let batches = case.batches(size);
            let rows: Vec<FeatureRows<'_>> = batches.iter().map(Columns::rows).collect();
            let mut newest = NewestPerKey::new(at, case.rule);
            let mut offered = Vec::new();
            for (batch, rows) in (0_u32..).zip(&rows) {
                let found = newest.offer(rows.keys, rows.event, rows.created, rows.sequence);
                offered.extend(found.unwrap().into_iter().map(|row| RowId { batch, row }));
                prop_assert_eq!(newest.candidates(), newest.live().len());
            }
            let found = newest.finish();
            prop_assert!(found.iter().all(|id| offered.contains(id)));
            prop_assert_eq!(&found, &naive::newest_per_key(at, case.rule, &rows).unwrap());
        }

        // Every key asked for at that instant, without a TTL, finds the same rows.
        let all = case.batches(8192);
        let Some(all) = all.first() else { return Ok(()) };
        let spine_times = TimestampMicrosecondArray::from(vec![as_of; case.features.len()]);
        let ageless = Rule { ttl: None, ..case.rule };
        let mut join = PointInTimeJoin::new(&all.keys, &spine_times, ageless).unwrap();
        let rows = all.rows();
        join.offer(rows.keys, rows.event, rows.created, rows.sequence).unwrap();
        let joined: Vec<RowId> = join.finish().winners();
        prop_assert_eq!(joined, naive::newest_per_key(at, case.rule, &[rows]).unwrap());
    }

    #[test]
    fn without_created_times_and_sequences_only_event_and_arrival_decide(case in case()) {
        let mut bare = case.clone();
        for row in &mut bare.features {
            row.created = None;
            row.sequence = None;
        }
        let spine = bare.spine();
        let mut join = PointInTimeJoin::new(&spine.keys, &spine.time, bare.rule).unwrap();
        for batch in bare.batches(8192) {
            join.offer(&batch.keys, &batch.time, None, None).unwrap();
        }
        let found = join.finish();
        let found: Vec<_> = found.rows().map(|id| id.map(|id| id.row as usize)).collect();
        prop_assert_eq!(found, bare.naive());
    }

    #[test]
    fn sliced_columns_answer_like_whole_ones(case in case()) {
        prop_assume!(!case.spine.is_empty() && case.features.len() > 1);
        let expected = case.naive();
        let spine = case.spine();
        let whole = columns(&case.types, case.feature_layout, &case.features);
        // A column that starts in the middle of its buffers.
        let padded = |column: &ArrayRef| {
            let first = take(column, &UInt32Array::from(vec![0]), None).unwrap();
            concat(&[&first, column]).unwrap().slice(1, column.len())
        };
        let keys: Vec<ArrayRef> = whole.keys.iter().map(padded).collect();
        let mut join = PointInTimeJoin::new(&spine.keys, &spine.time, case.rule).unwrap();
        join.offer(&keys, &whole.time, Some(&whole.created), Some(&whole.sequence)).unwrap();
        let found = join.finish();
        let found: Vec<_> = found.rows().map(|id| id.map(|id| id.row as usize)).collect();
        prop_assert_eq!(found, expected);
    }
}
