//! Plans of windowed views.

use fs_core::{Aggregation, Catalog, FeatureView};
use insta::assert_snapshot;

use super::{feature, plan};
use crate::Plan;
use crate::fixture::{flights, service_of, view_of, windowed};

/// The plan of what `edit` does to the windowed view, whose schema follows.
fn plan_of(edit: impl FnOnce(&mut FeatureView)) -> Plan {
    let mut new = windowed();
    edit_view(&mut new, edit);
    plan(&windowed(), &new)
}

fn edit_view(catalog: &mut Catalog, edit: impl FnOnce(&mut FeatureView)) {
    let view = view_of(catalog, "plane_delays");
    edit(view);
    if let Some(windows) = &view.windows {
        view.schema = windows.schema().unwrap();
    }
}

fn aggregation(view: &mut FeatureView, at: usize) -> &mut Aggregation {
    &mut view.windows.as_mut().unwrap().aggregations[at]
}

#[test]
fn aggregations_that_come_and_go_are_shown_feature_by_feature() {
    let changed = plan_of(|view| {
        let window = "30d".parse().unwrap();
        let avg = aggregation(view, 0);
        let feature = "arr_delay_avg_30d".parse().unwrap();
        avg.windows
            .push(fs_core::AggregationWindow { window, feature });
        aggregation(view, 1).windows.truncate(1);
        let aggregations = &mut view.windows.as_mut().unwrap().aggregations;
        aggregations.truncate(3);
    });
    assert!(!changed.is_blocked());
    assert!(changed.backfills.is_empty());
    assert_snapshot!(changed, @r"
    ~ feature_view plane_delays
        - aggregations.arr_delay_approx_count_distinct_7d: approx_count_distinct(arr_delay) over 7d
        - aggregations.arr_delay_approx_percentile_7d: approx_percentile(arr_delay, 0.95) over 7d
        + aggregations.arr_delay_avg_30d: avg(arr_delay) over 30d where NOT diverted
        - aggregations.arr_delay_count_distinct_7d: count_distinct(arr_delay) over 7d
        - aggregations.arr_delay_first_7d: first(arr_delay) over 7d
        - aggregations.arr_delay_first_n_7d: first_n(arr_delay, 1000) over 7d
        - aggregations.arr_delay_last_7d: last(arr_delay) over 7d
        - aggregations.arr_delay_last_n_7d: last_n(arr_delay, 3) over 7d
        - aggregations.arr_delay_max_7d: max(arr_delay) over 7d
        - aggregations.arr_delay_min_7d: min(arr_delay) over 7d
        - aggregations.arr_delay_stddev_pop_7d: stddev_pop(arr_delay) over 7d
        - aggregations.arr_delay_stddev_samp_7d: stddev_samp(arr_delay) over 7d
        - aggregations.arr_delay_top_k_7d: top_k(arr_delay, 5) over 7d
        - aggregations.arr_delay_var_pop_7d: var_pop(arr_delay) over 7d
        - aggregations.arr_delay_var_samp_7d: var_samp(arr_delay) over 7d
        - aggregations.count_lifetime: count(*) over lifetime

    0 to add, 1 to change, 0 to remove

    To know:
      plane_delays: `arr_delay_avg_30d` is there for training at once, and online from the next materialization on
    ");
}

#[test]
fn a_new_input_is_null_in_old_rows_until_it_is_backfilled() {
    let changed = plan_of(|view| {
        let windows = view.windows.as_mut().unwrap();
        windows.inputs.push(feature("taxi_in", "int32"));
        let column = "taxi_in".parse().unwrap();
        let hour = ["1h".parse().unwrap()];
        let max = Aggregation::new(Some(column), fs_core::Function::Max, &hour).unwrap();
        windows.aggregations.push(max);
    });
    assert_snapshot!(changed, @r"
    ~ feature_view plane_delays
        + aggregations.taxi_in_max_1h: max(taxi_in) over 1h
        + columns.taxi_in: int32

    0 to add, 1 to change, 0 to remove

    To know:
      plane_delays: `taxi_in` is null in rows that are there already, until `fs materialize --backfill --views plane_delays`
      plane_delays: `taxi_in_max_1h` is there for training at once, and online from the next materialization on
    ");
}

#[test]
fn a_feature_that_means_something_else_is_told_with_who_reads_it() {
    let changed = plan_of(|view| {
        let avg = aggregation(view, 0);
        avg.filter = Some("NOT diverted AND arr_delay > 0".to_owned());
        avg.description = None;
        aggregation(view, 2).function = fs_core::Function::Count;
    });
    assert!(!changed.is_blocked());
    assert_snapshot!(changed, @r"
    ~ feature_view plane_delays
        ~ aggregations.arr_delay_avg_1d: avg(arr_delay) over 1d where NOT diverted -> avg(arr_delay) over 1d where NOT diverted AND arr_delay > 0
        - aggregations.arr_delay_avg_1d.description: How late on average
        ~ aggregations.arr_delay_avg_1h: avg(arr_delay) over 1h where NOT diverted -> avg(arr_delay) over 1h where NOT diverted AND arr_delay > 0
        - aggregations.arr_delay_avg_1h.description: How late on average
        ~ aggregations.arr_delay_sum_7d: sum(arr_delay) over 7d -> count(arr_delay) over 7d
        ~ aggregations.arr_delay_sum_7d.type: float64 -> int64

    0 to add, 1 to change, 0 to remove

    To know:
      plane_delays: `arr_delay_avg_1h`, `arr_delay_avg_1d`, `arr_delay_sum_7d` mean something else, for training at once, and online from the next materialization on; read by `late_model`
    ");
}

#[test]
fn services_lose_features_of_windows_that_go() {
    let mut new = windowed();
    edit_view(&mut new, |view| {
        aggregation(view, 0).windows.remove(0);
        aggregation(view, 1).windows.remove(0);
    });
    service_of(&mut new, "late_model").features[0].features = fs_core::Selected::All;
    let changed = plan(&windowed(), &new);
    assert!(changed.is_blocked());
    assert_snapshot!(changed, @r"
    ~ feature_view plane_delays
        - aggregations.arr_delay_avg_1h: avg(arr_delay) over 1h where NOT diverted
        - aggregations.count_1h: count(*) over 1h
    ~ feature_service late_model
        ~ features.plane_delays: arr_delay_avg_1h, count_1h -> *

    0 to add, 2 to change, 0 to remove

    Services whose callers would lose features:
      late_model
        plane_delays:arr_delay_avg_1h: removed
        plane_delays:count_1h: removed
    ");
}

#[test]
fn a_column_whose_type_was_found_to_be_another_blocks_the_apply() {
    let changed = plan_of(|view| {
        view.windows.as_mut().unwrap().inputs[0] = feature("arr_delay", "int64");
    });
    assert!(changed.is_blocked());
    assert_snapshot!(changed, @r"
    ~ feature_view plane_delays
        ~ aggregations.arr_delay_first_7d.type: float64 -> int64
        ~ aggregations.arr_delay_first_n_7d.type: array<float64> -> array<int64>
        ~ aggregations.arr_delay_last_7d.type: float64 -> int64
        ~ aggregations.arr_delay_last_n_7d.type: array<float64> -> array<int64>
        ~ aggregations.arr_delay_max_7d.type: float64 -> int64
        ~ aggregations.arr_delay_min_7d.type: float64 -> int64
        ~ aggregations.arr_delay_sum_7d.type: float64 -> int64
        ~ aggregations.arr_delay_top_k_7d.type: array<float64> -> array<int64>
        ~ columns.arr_delay: float64 -> int64

    0 to add, 1 to change, 0 to remove

    Feature views whose stored rows cannot follow:
      plane_delays
        column `arr_delay` changes type float64 -> int64; it keeps its type if that is declared, with `schema: [{ name: arr_delay, type: float64 }]`
      give the changed view a new name and drop the old one when nobody reads it; or force the apply, remove its rows with `fs teardown --views NAME` and materialize it again
    ");
}

#[test]
fn a_plain_view_that_becomes_windowed_keeps_its_rows_as_events() {
    let mut old = windowed();
    old.feature_services.clear();
    let mut plain = old.clone();
    edit_view(&mut plain, |view| {
        view.schema = vec![feature("arr_delay", "float64")];
        view.windows = None;
    });
    assert_snapshot!(plan(&plain, &old).notes.join("\n"), @r"
    plane_delays: becomes windowed; the rows that are there already become events of its windows
    ");
    assert_snapshot!(plan(&old, &plain).notes.join("\n"), @r"
    plane_delays: is no longer windowed; the events that are there already become its rows
    ");
    assert!(!plan(&plain, &old).is_blocked());
}

#[test]
fn the_same_windows_are_nothing_to_do() {
    assert!(plan(&windowed(), &windowed()).is_empty());
    assert!(!plan(&flights(), &windowed()).is_empty());
}
