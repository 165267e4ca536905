use super::*;
use crate::{Entity, Feature, FeatureService, JoinKey, Meta, PointInTime, ScalarType, Span};

fn view(name: &str, entity: &str, features: &[&str]) -> FeatureView {
    FeatureView {
        name: name.parse().unwrap(),
        entities: vec![entity.parse().unwrap()],
        source: "s".parse().unwrap(),
        ttl: None,
        delay: Span::ZERO,
        point_in_time: PointInTime::EventTime,
        schema: features
            .iter()
            .map(|name| Feature {
                name: name.parse().unwrap(),
                data_type: DataType::Scalar(ScalarType::Float64),
                description: None,
            })
            .collect(),
        windows: None,
        query: None,
        schedule: None,
        freshness: None,
        expectations: Vec::new(),
        online: true,
        meta: Meta::default(),
    }
}

fn entity(name: &str, key: &str, key_type: KeyType) -> Entity {
    let join_keys = vec![JoinKey {
        name: key.parse().unwrap(),
        key_type,
    }];
    Entity {
        name: name.parse().unwrap(),
        join_keys,
        meta: Meta::default(),
    }
}

fn entry(
    view: &str,
    alias: Option<&str>,
    keys: &[(&str, &str)],
    features: Selected,
) -> ServiceEntry {
    ServiceEntry {
        view: view.parse().unwrap(),
        alias: alias.map(|name| name.parse().unwrap()),
        join_keys: keys
            .iter()
            .map(|(k, c)| (k.parse().unwrap(), (*c).to_owned()))
            .collect(),
        features,
    }
}

fn catalog(entries: Vec<ServiceEntry>) -> Catalog {
    let mut catalog = Catalog::empty("p".parse().unwrap());
    for entity in [
        entity("airport", "origin", KeyType::String),
        entity("plane", "tailnum", KeyType::Int64),
    ] {
        catalog.entities.insert(entity.name.clone(), entity);
    }
    for view in [
        view("weather", "airport", &["temp", "wind"]),
        view("planes", "plane", &["year", "temp"]),
    ] {
        catalog.feature_views.insert(view.name.clone(), view);
    }
    let name: ServiceName = "model".parse().unwrap();
    let service = FeatureService {
        name: name.clone(),
        features: entries,
        meta: Meta::default(),
    };
    catalog.feature_services.insert(name, service);
    catalog
}

fn resolve(entries: Vec<ServiceEntry>, naming: Naming) -> Result<FeatureSet, SelectionError> {
    let request = FeatureRequest::Service("model".parse().unwrap());
    FeatureSet::resolve(&catalog(entries), &request, naming)
}

fn names(set: &FeatureSet) -> Vec<&str> {
    set.columns
        .iter()
        .map(|column| column.name.as_str())
        .collect()
}

#[test]
fn features_come_back_in_the_order_asked_for_also_when_views_alternate() {
    let features = ["weather:wind", "planes:year", "weather:temp"];
    let request = FeatureRequest::Features(features.map(|f| f.parse().unwrap()).to_vec());
    let set = FeatureSet::resolve(&catalog(vec![]), &request, Naming::Short).unwrap();
    assert_eq!(names(&set), ["wind", "year", "temp"]);
    assert_eq!(set.views.len(), 2);
}

#[test]
fn one_view_under_two_names_is_looked_up_by_two_columns() {
    let set = resolve(
        vec![
            entry("weather", None, &[], Selected::All),
            entry(
                "weather",
                Some("dest_weather"),
                &[("origin", "dest")],
                Selected::All,
            ),
        ],
        Naming::Full,
    )
    .unwrap();
    assert_eq!(
        names(&set),
        [
            "weather__temp",
            "weather__wind",
            "dest_weather__temp",
            "dest_weather__wind"
        ]
    );
    let columns: Vec<_> = set
        .key_columns()
        .iter()
        .map(|key| key.column.as_str())
        .collect();
    assert_eq!(columns, ["origin", "dest"]);
}

#[test]
fn two_features_of_one_name_clash_and_the_error_names_both() {
    let entries = || {
        vec![
            entry("weather", None, &[], Selected::All),
            entry("planes", None, &[], Selected::All),
        ]
    };
    let error = resolve(entries(), Naming::Short).unwrap_err().to_string();
    assert!(
        error.contains("weather:temp") && error.contains("planes:temp"),
        "{error}"
    );
    assert!(resolve(entries(), Naming::Full).is_ok());
}

#[test]
fn an_unknown_feature_is_refused_with_the_nearest_name() {
    let request = FeatureRequest::Features(vec!["weather:tmp".parse().unwrap()]);
    let error = FeatureSet::resolve(&catalog(vec![]), &request, Naming::Short).unwrap_err();
    assert_eq!(
        error.to_string(),
        "view `weather` has no feature `tmp`; did you mean `temp`?"
    );
    assert_eq!(error.code(), Code::NotFound);
}

#[test]
fn one_column_cannot_be_the_key_of_two_types() {
    let entries = vec![
        entry(
            "weather",
            None,
            &[],
            Selected::Only(vec!["wind".parse().unwrap()]),
        ),
        entry(
            "planes",
            None,
            &[("tailnum", "origin")],
            Selected::Only(vec!["year".parse().unwrap()]),
        ),
    ];
    assert!(matches!(
        resolve(entries, Naming::Short),
        Err(SelectionError::KeyTypeClash { .. })
    ));
}
