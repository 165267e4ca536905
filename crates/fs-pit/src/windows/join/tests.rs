use arrow::array::{Array, DictionaryArray, Float64Array, StringArray, StringViewArray};
use arrow::datatypes::Int32Type;
use fs_core::{Function, PointInTime, ScalarType, Span, Window};

use super::*;
use crate::windows::WindowPlan;
use crate::windows::fixture::{Side, columns, count_in, last, plan, shown};
use crate::{Rule, SpineIndex};

fn ints(values: &[Option<i64>]) -> ArrayRef {
    Arc::new(arrow::array::Int64Array::from(values.to_vec()))
}

/// Events of key, time and value.
fn clicks(rows: &[(i64, i64, Option<i64>)]) -> Side {
    let sides: Vec<(i64, i64)> = rows.iter().map(|row| (row.0, row.1)).collect();
    let values: Vec<Option<i64>> = rows.iter().map(|row| row.2).collect();
    Side {
        inputs: vec![ints(&values)],
        ..Side::of(&sides)
    }
}

fn rows(spine: &Side, plan: &WindowPlan, events: &[Side]) -> Vec<String> {
    let answers = spine.joined(plan, events).unwrap();
    shown(plan, columns(&answers), answers.len())
}

#[test]
fn the_start_of_a_window_is_exclusive_and_its_end_inclusive() {
    let asked = [
        (Some(0), Function::Sum, None),
        (None, Function::Count, None),
    ];
    let plan = plan(&[ScalarType::Int64], &asked, &[last(120)], Rule::default());
    let spine = Side::of(&[(7, 600), (7, 690), (8, 600)]);
    let events = clicks(&[
        (7, 480, Some(1)),
        (7, 600, Some(3)),
        (7, 660, Some(4)),
        (7, 691, Some(9)),
    ]);
    assert_eq!(
        rows(&spine, &plan, &[events]),
        ["3 1", "7 2", " 0"].map(str::trim)
    );
}

#[test]
fn every_spine_row_comes_back_in_order_also_repeated_ones_and_those_without_a_key() {
    let plan = count_in(&[last(10), Window::Lifetime], Rule::default());
    let mut spine = Side::of(&[(7, 30), (7, 20), (9, 20), (7, 30), (0, 30)]);
    spine.keys = vec![ints(&[Some(7), Some(7), Some(9), Some(7), None])];
    let mut events = Side::of(&[(7, 15), (7, 25), (0, 25)]);
    events.keys = vec![ints(&[Some(7), Some(7), None])];
    let answers = spine.joined(&plan, &[events]).unwrap();
    let found = shown(&plan, columns(&answers), 5);
    assert_eq!(found, ["1 2", "1 1", "0 0", "1 2", "0 0"]);
    let part = shown(&plan, answers.columns(1..3).unwrap(), 2);
    assert_eq!(part, ["1 1", "0 0"]);
    let matched = answers.matched(0..5);
    let matched: Vec<bool> = matched.values().iter().collect();
    assert_eq!(matched, [true, true, false, true, false]);
}

#[test]
fn a_delayed_event_counts_from_its_time_plus_the_delay_for_as_long_as_the_window() {
    let rule = Rule {
        delay: Span::from_micros(5).unwrap(),
        ..Rule::default()
    };
    let plan = count_in(&[last(10)], rule);
    let spine = Side::of(&[(7, 104), (7, 105), (7, 114), (7, 115)]);
    let found = rows(&spine, &plan, &[Side::of(&[(7, 100)])]);
    assert_eq!(found, ["0", "1", "1", "0"]);
}

#[test]
fn an_event_known_late_is_missing_until_then_and_is_not_longer_there_for_it() {
    let rule = Rule {
        point_in_time: PointInTime::KnownAt,
        ..Rule::default()
    };
    let spine = Side::of(&(95..115).map(|at| (7, at)).collect::<Vec<_>>());
    let mut events = Side::of(&[(7, 100)]);
    events.created = [Some(104)].into_iter().collect();
    let plan = count_in(&[last(3), last(10), Window::Lifetime], rule);
    let answers = spine.joined(&plan, &[events]).unwrap();
    let expected = (95..115).map(|at| {
        let seen = |until: i64| i32::from((104..until).contains(&at));
        format!("{} {} {}", seen(103), seen(110), seen(i64::MAX))
    });
    let found = shown(&plan, columns(&answers), answers.len());
    assert_eq!(found, expected.collect::<Vec<_>>());
    let matched: Vec<bool> = answers.matched(0..20).values().iter().collect();
    assert_eq!(matched, (95..115).map(|at| at >= 104).collect::<Vec<_>>());
}

#[test]
fn nulls_are_skipped_except_by_the_count_of_rows_and_filters_leave_events_out() {
    let asked = [
        (Some(0), Function::Sum, None),
        (Some(0), Function::Count, None),
        (None, Function::Count, None),
        (Some(0), Function::Max, Some("even")),
        (None, Function::Count, Some("even")),
    ];
    let plan = plan(&[ScalarType::Int64], &asked, &[last(10)], Rule::default());
    let mut events = clicks(&[
        (7, 1, Some(4)),
        (7, 2, None),
        (7, 3, Some(6)),
        (7, 4, Some(9)),
    ]);
    events.filters = vec![BooleanArray::from(vec![
        Some(true),
        Some(true),
        None,
        Some(false),
    ])];
    let found = rows(&Side::of(&[(7, 5), (8, 5)]), &plan, &[events]);
    assert_eq!(
        found,
        ["19 3 4 4 2", "0 0  0"].map(|line| line.trim().to_owned())
    );
}

#[test]
fn a_sum_that_is_too_great_is_an_error_that_names_the_feature() {
    let asked = [
        (Some(0), Function::Sum, None),
        (Some(0), Function::Avg, None),
    ];
    let plan = plan(&[ScalarType::Int64], &asked, &[last(10)], Rule::default());
    let events = clicks(&[(7, 1, Some(i64::MAX)), (7, 3, Some(1))]);
    let found = Side::of(&[(7, 5)]).joined(&plan, std::slice::from_ref(&events));
    let error = found.unwrap_err().to_string();
    assert!(error.contains("`c0_sum_10us`"), "{error}");
    let error = Side::of(&[(7, 2), (7, 12)]).joined(&plan, &[events]);
    assert!(error.is_ok(), "never both in one window");
}

#[test]
fn texts_are_read_in_every_form_that_engines_hand_over() {
    let asked = [(Some(0), Function::Min, None)];
    let plan = plan(&[ScalarType::String], &asked, &[last(10)], Rule::default());
    let texts = ["b", "a"];
    let forms: [ArrayRef; 3] = [
        Arc::new(StringArray::from(texts.to_vec())),
        Arc::new(StringViewArray::from(texts.to_vec())),
        Arc::new(texts.into_iter().collect::<DictionaryArray<Int32Type>>()),
    ];
    for form in forms {
        let events = Side {
            inputs: vec![form],
            ..Side::of(&[(7, 1), (7, 2)])
        };
        assert_eq!(rows(&Side::of(&[(7, 5)]), &plan, &[events]), ["a"]);
    }
}

#[test]
fn a_batch_that_is_refused_changes_nothing() {
    let asked = [(Some(0), Function::Sum, Some("even"))];
    let plan = plan(&[ScalarType::Int64], &asked, &[last(10)], Rule::default());
    let spine = Side::of(&[(7, 5)]);
    let line = spine.line(&plan);
    let mut join = WindowJoin::over(Arc::clone(&line)).unwrap();
    let mut good = clicks(&[(7, 1, Some(4))]);
    good.filters = vec![BooleanArray::from(vec![true])];
    let bad = [
        Side {
            filters: Vec::new(),
            ..good.clone()
        },
        Side {
            inputs: Vec::new(),
            ..good.clone()
        },
        Side {
            inputs: vec![Arc::new(Float64Array::from(vec![4.0]))],
            ..good.clone()
        },
        Side {
            inputs: vec![ints(&[Some(4), Some(4)])],
            ..good.clone()
        },
        Side {
            filters: vec![BooleanArray::from(vec![true, true])],
            ..good.clone()
        },
        Side {
            time: [None::<i64>].into_iter().collect(),
            ..good.clone()
        },
        Side {
            keys: vec![Arc::new(StringArray::from(vec!["7"]))],
            ..good.clone()
        },
    ];
    let mut messages = Vec::new();
    for events in &bad {
        messages.push(join.offer(&events.events()).unwrap_err().to_string());
    }
    assert!(messages[0].contains("0 filter columns"), "{messages:?}");
    assert!(
        messages[2].contains("column `c0` of the events is Float64, but int64"),
        "{messages:?}"
    );
    join.offer(&good.events()).unwrap();
    let answers = WindowJoin::finish_together(vec![join], &line).unwrap();
    assert_eq!(shown(&plan, columns(&answers), 1), ["4"]);
}

#[test]
fn events_are_held_and_placed_together_also_where_their_columns_differ() {
    let asked = [
        (Some(0), Function::Last, None),
        (None, Function::Count, Some("even")),
    ];
    let plan = plan(&[ScalarType::String], &asked, &[last(10)], Rule::default());
    let spine = Side::of(&[(7, 5), (8, 5), (7, 6)]);
    let line = spine.line(&plan);
    let mut join = WindowJoin::over(Arc::clone(&line)).unwrap().holding(100);
    let batch = |key: i64, at: i64, text: ArrayRef| Side {
        inputs: vec![text],
        filters: vec![BooleanArray::from(vec![Some(at % 2 == 0)])],
        ..Side::of(&[(key, at)])
    };
    let text = |text: &str| Arc::new(StringArray::from(vec![text])) as ArrayRef;
    let view: ArrayRef = Arc::new(StringViewArray::from(vec!["c"]));
    let fresh = join.bytes();
    let stamped = batch(7, 4, text("a"));
    let bare = batch(8, 2, text("b"));
    join.offer(&stamped.events()).unwrap();
    assert!(join.bytes() > fresh, "what is held takes memory");
    let mut events = bare.events();
    events.rows.created = None;
    events.rows.sequence = None;
    join.offer(&events).unwrap();
    join.offer(&batch(7, 6, view).events()).unwrap();
    join.offer(&batch(9, 6, text("d")).events()).unwrap();
    let answers = WindowJoin::finish_together(vec![join], &line).unwrap();
    let found = shown(&plan, columns(&answers), 3);
    assert_eq!(found, ["a 1", "b 1", "c 2"]);
}

#[test]
fn what_happened_where_no_window_looks_takes_no_memory() {
    let asked = [(Some(0), Function::Sum, None)];
    let plan = plan(&[ScalarType::Int64], &asked, &[last(10)], Rule::default());
    let spine = Side::of(&[(7, 1_000), (7, 2_000)]);
    let line = spine.line(&plan);
    let mut join = WindowJoin::over(Arc::clone(&line)).unwrap();
    let fresh = join.bytes();
    assert_eq!(fresh, WindowJoin::bytes_over(&line));
    let dead =
        (0..10_000).filter(|at| !(991..=1_000).contains(at) && !(1_991..=2_000).contains(at));
    let dead: Vec<_> = dead.map(|at| (7, at, Some(1))).collect();
    join.offer(&clicks(&dead).events()).unwrap();
    assert!(join.bytes() < fresh + 100);
    let alive: Vec<_> = (991..=1_000).map(|at| (7, at, Some(1))).collect();
    for _ in 0..100 {
        join.offer(&clicks(&alive).events()).unwrap();
    }
    assert!(
        join.bytes() < fresh + 200,
        "events in one interval share a partial"
    );
    let answers = WindowJoin::finish_together(vec![join], &line).unwrap();
    assert_eq!(shown(&plan, columns(&answers), 2), ["1000", ""]);
}

#[test]
fn without_events_and_without_joins_there_are_answers_too() {
    let plan = count_in(&[last(10)], Rule::default());
    let spine = Side::of(&[(7, 5), (8, 5)]);
    let answers = WindowJoin::finish_together(Vec::new(), &spine.line(&plan)).unwrap();
    assert_eq!(shown(&plan, columns(&answers), 2), ["0", "0"]);
    let nobody = Side::of(&[]);
    let answers = nobody.joined(&plan, &[spine]).unwrap();
    assert!(answers.is_empty() && columns(&answers)[0].is_empty());
}

#[test]
fn without_key_columns_all_rows_have_one_key() {
    let plan = count_in(&[last(10)], Rule::default());
    let keyless = |rows: &[(i64, i64)]| Side {
        keys: Vec::new(),
        ..Side::of(rows)
    };
    let found = rows(
        &keyless(&[(0, 5), (0, 20)]),
        &plan,
        &[keyless(&[(1, 4), (2, 5)])],
    );
    assert_eq!(found, ["2", "0"]);
    let nobody = keyless(&[]).joined(&plan, &[keyless(&[(1, 4)])]).unwrap();
    assert!(nobody.is_empty());
}

#[test]
fn answers_of_many_keys_are_made_on_several_processors() {
    let asked = [
        (Some(0), Function::Sum, None),
        (None, Function::Count, None),
    ];
    let plan = plan(
        &[ScalarType::Int64],
        &asked,
        &[last(1), Window::Lifetime],
        Rule::default(),
    );
    let spine: Vec<(i64, i64)> = (0..100_000).map(|row| (row % 1_000, row)).collect();
    let events: Vec<_> = spine
        .iter()
        .map(|(key, at)| (*key, *at, Some(*at)))
        .collect();
    let spine = Side::of(&spine);
    let answers = spine.joined(&plan, &[clicks(&events)]).unwrap();
    let columns = columns(&answers);
    let column = |at: usize| {
        columns[at]
            .as_any()
            .downcast_ref::<arrow::array::Int64Array>()
    };
    for (row, at) in (0..100_000_i64).zip(0_usize..) {
        let [sum, all, count, rows] = [0, 1, 2, 3].map(|output| column(output).unwrap().value(at));
        let (key, round) = (row % 1_000, row / 1_000);
        assert_eq!((sum, count, rows), (row, 1, round + 1));
        assert_eq!(all, key * (round + 1) + 1_000 * round * (round + 1) / 2);
    }
    assert!(answers.bytes() >= 4 * 8 * 100_000);
    assert!(SpineIndex::new(&spine.keys, &spine.time).unwrap().slots() == 100_000);
}
