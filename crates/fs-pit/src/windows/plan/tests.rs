use fs_core::{
    Aggregation, DataType, Feature, Function, ListSize, PointInTime, Quantile, ScalarType, Span,
    Windows,
};

use super::*;

fn feature(name: &str, data_type: DataType) -> Feature {
    Feature {
        name: name.parse().unwrap(),
        data_type,
        description: None,
    }
}

/// As in `sum(delay) 1h 1d` and `count(*) lifetime where NOT diverted`.
fn aggregation(text: &str) -> Aggregation {
    let (of, filter) = match text.split_once(" where ") {
        Some((of, filter)) => (of, Some(filter.to_owned())),
        None => (text, None),
    };
    let (function, rest) = of.split_once('(').unwrap();
    let (column, windows) = rest.split_once(") ").unwrap();
    let size = |n| ListSize::new(n).unwrap();
    let function = match function {
        "count" => Function::Count,
        "sum" => Function::Sum,
        "avg" => Function::Avg,
        "max" => Function::Max,
        "var_pop" => Function::VarPop,
        "stddev_samp" => Function::StddevSamp,
        "last" => Function::Last,
        "last_3" => Function::LastN { n: size(3) },
        "last_5" => Function::LastN { n: size(5) },
        "first" => Function::First,
        "count_distinct" => Function::CountDistinct,
        "top_2" => Function::TopK { k: size(2) },
        "top_9" => Function::TopK { k: size(9) },
        "median" => Function::ApproxPercentile {
            p: Quantile::new(0.5).unwrap(),
        },
        other => panic!("{other}"),
    };
    let windows = windows.split(' ').map(|window| window.parse().unwrap());
    let windows: Vec<Window> = windows.collect();
    let column = (column != "*").then(|| column.parse().unwrap());
    Aggregation {
        filter,
        ..Aggregation::new(column, function, &windows).unwrap()
    }
}

fn plan(aggregations: &[&str]) -> WindowPlan {
    let scalar = DataType::Scalar;
    let windows = Windows {
        inputs: vec![
            feature("delay", scalar(ScalarType::Int32)),
            feature("carrier", scalar(ScalarType::String)),
            feature("stops", DataType::Array(ScalarType::String)),
            feature("speed", scalar(ScalarType::Float64)),
        ],
        aggregations: aggregations.iter().map(|text| aggregation(text)).collect(),
    };
    WindowPlan::new(&windows, Rule::default()).unwrap()
}

fn lanes(plan: &WindowPlan) -> Vec<String> {
    plan.lanes().iter().map(|lane| plan.text_of(lane)).collect()
}

#[test]
fn functions_that_need_the_same_share_a_lane() {
    let plan = plan(&[
        "count(delay) 1h",
        "var_pop(delay) 1d",
        "avg(delay) 7d",
        "sum(delay) 1h where NOT diverted",
        "avg(delay) 1h where NOT diverted",
        "last(carrier) 1h",
        "last_5(carrier) 1d",
        "last_3(carrier) 7d",
        "first(carrier) 1h",
        "count_distinct(carrier) 1h",
        "top_2(carrier) 1h",
        "top_9(carrier) 1d",
        "count(*) 1h",
        "count(stops) 1h",
        "median(speed) 1h",
        "max(speed) lifetime",
    ]);
    assert_eq!(
        lanes(&plan),
        [
            "count(*)",
            "first 1(carrier: string)",
            "last 5(carrier: string)",
            "tally(carrier: string)",
            "moments(delay: int32)",
            "sum(delay: int32) where NOT diverted",
            "max(speed: float64)",
            "sketch(speed: float64)",
            "count(stops: array<string>)",
        ]
    );
    let output = &plan.outputs()[0];
    assert_eq!(output.feature.as_str(), "delay_count_1h");
    assert_eq!((output.lane, output.window), (4, 0));
    assert_eq!(output.data_type, DataType::Scalar(ScalarType::Int64));
}

#[test]
fn windows_ascend_and_a_lane_knows_its_own() {
    let plan = plan(&["sum(delay) lifetime 1h 7d", "count(*) 1d 60m"]);
    let windows: Vec<String> = plan.windows().iter().map(Window::to_string).collect();
    assert_eq!(windows, ["1h", "1d", "7d", "lifetime"]);
    assert_eq!(plan.windows_of(0), [0, 1]);
    assert_eq!(plan.windows_of(1), [0, 2, 3]);
    assert_eq!(plan.longest(), Some(Window::Lifetime));
    let of_output: Vec<(usize, usize)> = plan
        .outputs()
        .iter()
        .map(|output| (output.lane, output.window))
        .collect();
    assert_eq!(of_output, [(1, 3), (1, 0), (1, 2), (0, 1), (0, 0)]);
}

#[test]
fn a_selection_needs_only_its_own_lanes_windows_and_filters() {
    let all = plan(&[
        "var_pop(delay) 1d",
        "sum(delay) 1h 7d",
        "max(speed) 1d where NOT diverted",
        "last_5(carrier) 1d",
        "last(carrier) 1h",
    ]);
    let some = all.select(&[5, 2]);
    assert_eq!(
        lanes(&some),
        ["last 1(carrier: string)", "sum(delay: int32)"]
    );
    assert_eq!(some.filters(), &[] as &[String]);
    let features: Vec<&str> = some.outputs().iter().map(|o| o.feature.as_str()).collect();
    assert_eq!(features, ["carrier_last_1h", "delay_sum_7d"]);
    assert_eq!(some.windows().len(), 2);
    assert_eq!(all.select(&[0, 1, 2, 3, 4, 5]), all);
    assert_eq!(all.select(&[]).lanes(), []);
}

#[test]
fn a_fingerprint_tells_what_is_kept_and_not_in_which_order_it_was_declared() {
    let one = plan(&["sum(delay) 1h 1d", "count(*) 7d where NOT diverted"]);
    let same = plan(&["count(*) 7d where NOT diverted", "avg(delay) 1d 1h"]);
    assert_eq!(one.fingerprint(), same.fingerprint());
    for other in [
        plan(&["sum(delay) 1h 1d", "count(*) 7d where diverted"]),
        plan(&["sum(delay) 1h 2d", "count(*) 7d where NOT diverted"]),
        plan(&["sum(speed) 1h 1d", "count(*) 7d where NOT diverted"]),
        plan(&["max(delay) 1h 1d", "count(*) 7d where NOT diverted"]),
        plan(&["sum(delay) 1h 1d"]),
    ] {
        assert_ne!(one.fingerprint(), other.fingerprint());
    }
    assert_eq!(
        one.lane_fingerprint(1),
        plan(&["avg(delay) 9d"]).lane_fingerprint(0)
    );
    assert_ne!(one.lane_fingerprint(0), one.lane_fingerprint(1));
    assert_eq!(one.lane_fingerprint(2), None);
}

#[test]
fn fingerprints_never_change() {
    let plan = plan(&["sum(delay) 1h lifetime", "count(*) 7d where NOT diverted"]);
    assert_eq!(plan.fingerprint(), 0xca4c_af7b_a3a9_efbd);
    assert_eq!(plan.lane_fingerprint(1), Some(0xe421_d2fc_1003_9ff5));
}

#[test]
fn when_events_count_is_part_of_the_fingerprint() {
    let aggregations = vec![aggregation("count(*) 1h")];
    let windows = Windows {
        inputs: vec![],
        aggregations,
    };
    let known_at = Rule {
        point_in_time: PointInTime::KnownAt,
        ..Rule::default()
    };
    let late = Rule {
        delay: Span::from_micros(1).unwrap(),
        ..Rule::default()
    };
    let print = |rule| WindowPlan::new(&windows, rule).unwrap().fingerprint();
    assert_ne!(print(Rule::default()), print(known_at));
    assert_ne!(print(Rule::default()), print(late));
}

#[test]
fn a_column_that_is_no_input_is_an_error() {
    let windows = Windows {
        inputs: vec![],
        aggregations: vec![aggregation("sum(delay) 1h")],
    };
    let error = WindowPlan::new(&windows, Rule::default()).unwrap_err();
    assert_eq!(error.to_string(), "`delay` is not a column of the events");
}
