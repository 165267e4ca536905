//! The inputs of windowed views that only their sources tell.

use std::sync::Arc;

use arrow::array::{
    BooleanArray, Date32Array, Decimal128Array, Float32Array, Int16Array, UInt64Array,
};
use fs_core::model::{WantedColumn, WantedFilter};
use fs_core::{Code, Feature, FileFormat, WantedInputs, Window};

use super::fixture::*;
use crate::{Place, SourceField, SourceProblem, ViewField};

/// Flights, with a column for each way in which types can be found, or not.
fn flights() -> Repo {
    let mut repo = Repo::new();
    let price = Decimal128Array::from(vec![1]).with_precision_and_scale(10, 2);
    repo.parquet(
        "f.parquet",
        &[
            ("origin", strings(&["JFK"])),
            ("t", times(&[1])),
            ("seen", times(&[1])),
            ("delay", floats(&[6.0])),
            ("diverted", Arc::new(BooleanArray::from(vec![false]))),
            ("small", Arc::new(Int16Array::from(vec![3]))),
            ("half", Arc::new(Float32Array::from(vec![0.5]))),
            ("day", Arc::new(Date32Array::from(vec![3]))),
            ("huge", Arc::new(UInt64Array::from(vec![4]))),
            ("price", Arc::new(price.unwrap())),
            ("tail num", strings(&["N1"])),
        ],
    );
    let source = repo.source("flights", files(FileFormat::Parquet, "f.parquet"));
    source.created_timestamp_column = Some("seen".to_owned());
    repo
}

fn wanted(columns: &[&str], filters: &[&str]) -> WantedInputs {
    let view = view("flights", &[]);
    WantedInputs {
        view: view.name,
        entities: view.entities,
        source: view.source,
        query: None,
        declared: Vec::new(),
        columns: columns
            .iter()
            .map(|column| WantedColumn {
                column: column.parse().unwrap(),
                feature: format!("{column}_max_1h").parse().unwrap(),
            })
            .collect(),
        filters: filters
            .iter()
            .map(|filter| WantedFilter {
                filter: (*filter).to_owned(),
                feature: "count_1h".parse().unwrap(),
            })
            .collect(),
    }
}

async fn found(repo: &Repo, wanted: &WantedInputs) -> Result<Vec<String>, Vec<SourceProblem>> {
    let found = repo.engine.view_inputs(&repo.catalog, wanted).await?;
    let found = found.iter();
    Ok(found
        .map(|input| format!("{} {}", input.name, input.data_type))
        .collect())
}

/// The messages of what is wrong, and where.
async fn refused(repo: &Repo, wanted: &WantedInputs) -> Vec<(ViewField, String)> {
    let problems = found(repo, wanted).await.unwrap_err();
    let problems = problems.into_iter().map(|problem| match problem.place {
        Place::View { field, .. } => (field, problem.message),
        Place::Source { .. } => panic!("{problem}"),
    });
    problems.collect()
}

fn column(feature: &str) -> ViewField {
    ViewField::FeatureColumn(feature.parse().unwrap())
}

fn filter() -> ViewField {
    ViewField::FeatureFilter("count_1h".parse().unwrap())
}

#[tokio::test]
async fn a_column_has_the_narrowest_type_that_holds_all_its_values() {
    let repo = flights();
    let wanted = wanted(&["delay", "diverted", "small", "half", "day"], &[]);
    assert_eq!(
        found(&repo, &wanted).await.unwrap(),
        [
            "delay float64",
            "diverted bool",
            "small int32",
            "half float32",
            "day timestamp"
        ]
    );
}

#[tokio::test]
async fn a_filter_brings_the_columns_that_it_reads_beside_keys_times_and_what_is_declared() {
    let repo = flights();
    let filter = "NOT diverted AND origin <> 'JFK' AND delay > small AND half < 1 \
                  AND event_timestamp > created_timestamp";
    let mut wanted = wanted(&["delay"], &[filter, "diverted"]);
    wanted.declared = vec![Feature {
        name: "small".parse().unwrap(),
        data_type: "int64".parse().unwrap(),
        description: None,
    }];
    assert_eq!(
        found(&repo, &wanted).await.unwrap(),
        ["delay float64", "diverted bool", "half float32"]
    );
}

#[tokio::test]
async fn a_query_gives_the_columns_of_a_view_that_has_one() {
    let repo = flights();
    let mut wanted = wanted(&["minutes"], &["late"]);
    wanted.query = Some("SELECT *, delay * 60 AS minutes, delay > 15 AS late FROM flights".into());
    assert_eq!(
        found(&repo, &wanted).await.unwrap(),
        ["minutes float64", "late bool"]
    );
    wanted.query = Some("SELECT * FROM fligths".to_owned());
    let problems = refused(&repo, &wanted).await;
    assert_eq!(problems[0].0, ViewField::Query);
    assert!(problems[0].1.contains("fligths"), "{problems:?}");
}

#[tokio::test]
async fn types_of_text_are_those_of_a_sample() {
    let mut repo = Repo::new();
    repo.text("f.csv", "origin,t,delay,kind\nJFK,2013-01-01,3,late\n");
    let csv = FileFormat::Csv(fs_core::CsvOptions::default());
    repo.source("flights", files(csv, "f.csv"));
    let wanted = wanted(&["delay", "kind"], &[]);
    let found = found(&repo, &wanted).await.unwrap();
    assert_eq!(found, ["delay int64", "kind string"]);
}

#[tokio::test]
async fn an_unknown_column_is_refused_where_it_stands_with_the_nearest_one() {
    let repo = flights();
    let wanted = wanted(&["dealy"], &["NOT divertd"]);
    let problems = refused(&repo, &wanted).await;
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert_eq!(
        problems[0],
        (
            column("dealy_max_1h"),
            "view `weather_now`: there is no column `dealy` in source `flights`; did you mean `delay`?"
                .to_owned()
        )
    );
    assert_eq!(problems[1].0, filter());
    assert!(
        problems[1].1.contains("did you mean `diverted`?"),
        "{problems:?}"
    );
}

#[tokio::test]
async fn a_filter_that_is_no_condition_over_one_event_is_refused() {
    let repo = flights();
    for (condition, problem) in [
        ("delay", "has to be true or false"),
        ("max(delay) > 3", "computed from many rows"),
        ("random() > 0.5", "gives another answer at another time"),
        ("t > '2013-01-01'", "`t` is called `event_timestamp`"),
        ("price > 3", "CAST it in a `query:`"),
        ("\"tail num\" = 'N1'", "rename it with the `field_mapping`"),
    ] {
        let problems = refused(&repo, &wanted(&[], &[condition])).await;
        assert_eq!(problems.len(), 1, "{condition}: {problems:?}");
        assert_eq!(problems[0].0, filter());
        assert!(problems[0].1.contains(problem), "{condition}: {problems:?}");
    }
}

#[tokio::test]
async fn what_no_type_of_ours_holds_is_refused_with_what_to_do() {
    let mut repo = flights();
    for (name, problem) in [
        (
            "huge",
            "is uint64, which no type of fs holds without loss; CAST it in a `query:`",
        ),
        ("price", "CAST it in a `query:`"),
        (
            "seen",
            "`seen` is called `created_timestamp` in the events of a view",
        ),
    ] {
        let problems = refused(&repo, &wanted(&[name], &[])).await;
        assert_eq!(problems.len(), 1);
        assert!(problems[0].1.contains(problem), "{problems:?}");
    }
    repo.source("nothing", sql("SELECT *, NULL AS empty FROM flights"));
    let mut wanted = wanted(&["empty"], &[]);
    wanted.source = "nothing".parse().unwrap();
    let problems = refused(&repo, &wanted).await;
    assert!(
        problems[0]
            .1
            .contains("declare it: `schema: [{ name: empty, type: float64 }]`"),
        "{problems:?}"
    );
}

#[tokio::test]
async fn a_source_that_cannot_be_read_is_told_with_the_columns_to_declare() {
    let mut repo = Repo::new();
    repo.source("flights", files(FileFormat::Parquet, "nowhere.parquet"));
    let problems = found(&repo, &wanted(&["delay", "small"], &[]))
        .await
        .unwrap_err();
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(matches!(
        problems[0].place,
        Place::Source {
            field: SourceField::Path,
            ..
        }
    ));
    assert_eq!(
        problems[1].message,
        "view `weather_now`: the types of `delay`, `small` are not known, because source `flights` cannot be \
         read; declare them in `schema:`, as in `- { name: delay, type: float64 }`"
    );
    assert_eq!(problems[1].code, Code::InvalidArgument);
}

#[tokio::test]
async fn the_filters_of_a_windowed_view_are_checked_with_it() {
    let repo = flights();
    let mut windowed = view("flights", &[("delay", "float64"), ("small", "int64")]);
    let hour: Window = "1h".parse().unwrap();
    let mut count = fs_core::Aggregation::new(None, fs_core::Function::Count, &[hour]).unwrap();
    count.filter = Some("delay > small".to_owned());
    let windows = fs_core::Windows {
        inputs: std::mem::take(&mut windowed.schema),
        aggregations: vec![count],
    };
    windowed.schema = windows.schema().unwrap();
    windowed.windows = Some(windows);
    assert_eq!(repo.problems(&windowed).await, Vec::<String>::new());
    if let Some(windows) = &mut windowed.windows {
        windows.aggregations[0].filter = Some("delay > smal".to_owned());
    }
    let problems = repo.problems(&windowed).await;
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(
        problems[0].contains("FeatureFilter(\"count_1h\")")
            && problems[0].contains("did you mean `small`?"),
        "{problems:?}"
    );
}
