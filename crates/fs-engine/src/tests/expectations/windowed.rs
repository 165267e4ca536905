//! The rows of windowed views are their events: inputs, not features.

use fs_core::{Aggregation, Function, Windows};

use super::*;

/// A windowed view: how many temperatures there were, and their mean where they are believed.
fn windowed(mut view: FeatureView) -> FeatureView {
    let windows = ["1h".parse().unwrap(), "lifetime".parse().unwrap()];
    let temp = Some("temp".parse().unwrap());
    let windows = Windows {
        inputs: std::mem::take(&mut view.schema),
        aggregations: vec![
            Aggregation::new(None, Function::Count, &windows).unwrap(),
            Aggregation {
                filter: Some("temp < 900 AND source_quality = 'good'".to_owned()),
                ..Aggregation::new(temp, Function::Avg, &windows).unwrap()
            },
        ],
    };
    view.schema = windows.schema().unwrap();
    view.windows = Some(windows);
    view
}

fn events() -> (Repo, FeatureView) {
    let columns = [
        ("origin", strings(&["JFK", "EWR", "JFK"])),
        ("t", times(&[0, 1, 2])),
        ("temp", floats(&[60.0, 999.0, -70.0])),
        ("source_quality", strings(&["good", "bad", "good"])),
        ("unread", floats(&[1.0, 2.0, 3.0])),
    ];
    let inputs = [("temp", "float64"), ("source_quality", "string")];
    let (repo, view) = weather(&columns, &inputs);
    (repo, windowed(view))
}

#[tokio::test]
async fn a_windowed_view_is_read_as_events_with_the_columns_that_it_aggregates() {
    let (repo, view) = events();
    assert_eq!(repo.problems(&view).await, [""; 0]);
    let rows = repo.view_rows(&view, &always()).await.unwrap();
    let names: Vec<&str> = rows
        .schema
        .fields()
        .iter()
        .map(|f| f.name().as_str())
        .collect();
    let inputs = ["temp", "source_quality"];
    assert_eq!(names[..1], ["origin"]);
    assert_eq!(names[3..], inputs);
    assert_rows(
        &collect(rows).await.unwrap(),
        &[
            "JFK 1970-01-01T00:00:00Z  60.0 good",
            "EWR 1970-01-01T00:00:00.000001Z  999.0 bad",
            "JFK 1970-01-01T00:00:00.000002Z  -70.0 good",
        ],
    );
}

#[tokio::test]
async fn expectations_of_a_windowed_view_are_about_its_events() {
    let (repo, mut view) = events();
    let possible = between("temp", Some(float(-60.0)), Some(float(60.0)));
    view.expectations = vec![quarantine(possible)];
    let outcome = validate(&repo, &view).await;
    assert_eq!(outcome.temps(), [60.0]);
    assert_eq!(outcome.failed("between_temp"), 2);
}

#[tokio::test]
async fn an_input_that_the_source_lacks_is_a_problem_before_anything_is_read() {
    let (repo, mut view) = events();
    let windows = view.windows.as_mut().unwrap();
    windows.inputs[0].name = "temperature".parse().unwrap();
    windows.aggregations[1].column = Some("temperature".parse().unwrap());
    let problems = repo.problems(&view).await;
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].contains("`temperature`"), "{problems:?}");
}
