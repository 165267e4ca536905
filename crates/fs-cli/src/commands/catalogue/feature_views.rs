//! Feature views, with how far they have come.

use fs_core::{Catalog, EventTime, FeatureView, Kind};
use serde_json::{Value, json};

use super::{head, join, windows};
use crate::commands::freshness::{self, Known};
use crate::output::{Output, age, table};
use crate::project::Project;
use crate::wall_clock;

pub(super) async fn list(project: &Project, catalog: &Catalog, output: Output) {
    let views: Vec<&FeatureView> = catalog.feature_views.values().collect();
    let known = freshness::of(project, catalog, &views).await;
    let now = wall_clock::clock(None).now();
    let all: Vec<(&FeatureView, Known)> = views.into_iter().zip(known).collect();
    let answer: Vec<Value> = all
        .iter()
        .map(|(view, known)| to_json(view, known, now))
        .collect();
    output.answer(&answer, || {
        let header = [
            "feature view",
            "entities",
            "source",
            "features",
            "ttl",
            "online",
            "age",
            "objective",
            "fresh",
        ];
        table(
            header,
            all.iter().map(|(view, known)| row(view, known, now)),
        )
    });
}

pub(super) async fn describe(
    project: &Project,
    catalog: &Catalog,
    view: &FeatureView,
    output: Output,
) {
    let known = freshness::of(project, catalog, &[view]).await;
    let known = known
        .into_iter()
        .next()
        .unwrap_or_else(|| Err(String::new()));
    let now = wall_clock::clock(None).now();
    output.answer(&to_json(view, &known, now), || {
        let mut text = head(Kind::FeatureView, view.name.as_str(), &view.meta);
        text.push_str(&table(["", ""], facts(catalog, view, &known, now)));
        text.push('\n');
        text.push_str(&match &view.windows {
            Some(of) => windows::describe(view, of),
            None => features(view),
        });
        if !view.expectations.is_empty() {
            text.push('\n');
            text.push_str(&expectations(view));
        }
        text
    });
}

fn row(view: &FeatureView, known: &Known, now: EventTime) -> [String; 9] {
    let entities = view.entities.iter().map(ToString::to_string);
    [
        view.name.to_string(),
        join(entities),
        view.source.to_string(),
        view.schema.len().to_string(),
        or_dash(view.ttl),
        yes_or_no(view.online).to_owned(),
        aged(known, now),
        or_dash(view.freshness),
        met(known, now).to_owned(),
    ]
}

fn facts(catalog: &Catalog, view: &FeatureView, known: &Known, now: EventTime) -> Vec<[String; 2]> {
    let fact = |name: &str, value: String| [name.to_owned(), value];
    let keys = catalog
        .join_keys(view)
        .map(|key| format!("{} {}", key.name, key.key_type));
    let ttl = view
        .ttl
        .map_or_else(|| "none".to_owned(), |ttl| ttl.to_string());
    let mut facts = vec![
        fact("join keys", join(keys)),
        fact("source", view.source.to_string()),
        match view.windows {
            Some(_) => fact("windows", "of events; each feature has its own".to_owned()),
            None => fact("ttl", ttl),
        },
        fact("point in time", view.point_in_time.to_string()),
        fact("online", yes_or_no(view.online).to_owned()),
    ];
    if !view.delay.is_zero() {
        facts.push(fact("delay", view.delay.to_string()));
    }
    if let Some(schedule) = &view.schedule {
        facts.push(fact("schedule", schedule.clone()));
    }
    match known {
        Ok(freshness) => {
            if let Some(until) = freshness.until {
                facts.push(fact("complete up to", until.to_string()));
            }
            facts.push(fact("age", aged(known, now)));
        }
        Err(why) => facts.push(fact("age", format!("unknown: {why}"))),
    }
    if let Some(objective) = view.freshness {
        facts.push(fact("objective", objective.to_string()));
        facts.push(fact("fresh", met(known, now).to_owned()));
    }
    facts
}

fn features(view: &FeatureView) -> String {
    let features = view.schema.iter().map(|feature| {
        let description = feature.description.clone().unwrap_or_default();
        [
            feature.name.to_string(),
            feature.data_type.to_string(),
            description,
        ]
    });
    table(["feature", "type", "description"], features)
}

fn expectations(view: &FeatureView) -> String {
    let expectations = view.expectations.iter().map(|expectation| {
        [
            expectation.name.clone(),
            expectation.check.to_string(),
            expectation.on_failure.to_string(),
        ]
    });
    table(["expectation", "check", "on failure"], expectations)
}

fn to_json(view: &FeatureView, known: &Known, now: EventTime) -> Value {
    let mut json = json!(view);
    json["state"] = match known {
        Ok(freshness) => json!({
            "complete_up_to": freshness.until.map(|until| until.to_string()),
            "age_seconds": freshness.age(now).map(|age| age.as_micros() / 1_000_000),
            "fresh": freshness.is_met(now),
        }),
        Err(why) => json!({ "unknown": why }),
    };
    json
}

/// How old the newest of what is complete is.
fn aged(known: &Known, now: EventTime) -> String {
    match known {
        Ok(freshness) => freshness
            .age(now)
            .map_or_else(|| "never materialized".to_owned(), age),
        Err(_) => "unknown".to_owned(),
    }
}

/// Whether the objective is met.
fn met(known: &Known, now: EventTime) -> &'static str {
    match known {
        Ok(freshness) => freshness.is_met(now).map_or("-", yes_or_no),
        Err(_) => "unknown",
    }
}

const fn yes_or_no(yes: bool) -> &'static str {
    if yes { "yes" } else { "no" }
}

fn or_dash(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}
