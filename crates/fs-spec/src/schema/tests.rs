use std::collections::BTreeSet;

use super::*;
use crate::decode::{Grammar, grammar};

fn definition(name: &str) -> Value {
    let schema = json_schema();
    let definition = &schema["$defs"][name];
    assert!(
        definition.is_object(),
        "no definition `{name}` in {schema:#}"
    );
    definition.clone()
}

fn words(value: &Value) -> BTreeSet<String> {
    let items = value.as_array().into_iter().flatten();
    items
        .filter_map(|item| item.as_str().map(str::to_owned))
        .collect()
}

fn properties(name: &str) -> BTreeSet<String> {
    let definition = definition(name);
    assert_eq!(definition["additionalProperties"], false, "{name}");
    let properties = definition["properties"].as_object().unwrap();
    properties.keys().cloned().collect()
}

#[test]
fn the_schema_has_exactly_the_fields_that_the_decoders_accept() {
    let maps: [(&str, &Grammar); 13] = [
        ("entity", &grammar::ENTITY),
        ("join_key", &grammar::JOIN_KEY),
        ("source", &grammar::SOURCE),
        ("feature_view", &grammar::VIEW),
        ("feature", &grammar::FEATURE),
        ("aggregation", &grammar::AGGREGATION),
        ("feature_service", &grammar::SERVICE),
        ("service_entry", &grammar::ENTRY),
        ("feature_store", &grammar::SETTINGS),
        ("folder", &grammar::FOLDER),
        ("embedded", &grammar::EMBEDDED),
        ("redis", &grammar::REDIS),
        ("redis_tls", &grammar::TLS),
    ];
    for (name, grammar) in maps {
        let accepted: BTreeSet<String> = grammar.fields.iter().map(|f| (*f).to_owned()).collect();
        assert_eq!(properties(name), accepted, "{name}");
    }
    for (kind, grammar) in grammar::EXPECTATIONS {
        let accepted: BTreeSet<String> = grammar.fields.iter().map(|f| (*f).to_owned()).collect();
        assert_eq!(properties(&format!("expect_{kind}")), accepted, "{kind}");
    }
    let engine: BTreeSet<String> = grammar::ENGINE
        .fields
        .iter()
        .map(|f| (*f).to_owned())
        .collect();
    assert_eq!(properties("engine"), engine);
}

/// The fields that the decoders ask for when a document has none.
fn asked_for(file: &str, text: &str) -> BTreeSet<String> {
    let read = crate::load::read(
        std::path::Path::new("/repo"),
        vec![(file.to_owned(), text.as_bytes().to_vec())],
        &|_| None,
    );
    let problems = read.unwrap_err().into_iter();
    problems
        .filter_map(|problem| {
            let (_, field) = problem.message.split_once(" needs `")?;
            field.strip_suffix('`').map(str::to_owned)
        })
        .collect()
}

#[test]
fn the_schema_requires_exactly_the_fields_that_the_decoders_ask_for() {
    for kind in ["entity", "source", "feature_view", "feature_service"] {
        let mut required = words(&definition(kind)["required"]);
        assert!(required.remove("kind"));
        if kind == "feature_view" {
            // A windowed view has `aggregations` instead.
            let either = &definition(kind)["anyOf"];
            assert_eq!(
                words(&either[1]["required"]),
                words(&json!(["aggregations"]))
            );
            required.extend(words(&either[0]["required"]));
        }
        let asked = asked_for("a.yaml", &format!("kind: {kind}\n"));
        assert_eq!(required, asked, "{kind}");
    }
    let required = words(&definition("feature_store")["required"]);
    assert_eq!(required, asked_for("feature_store.yaml", "engine: null\n"));
}

#[test]
fn the_schema_offers_exactly_the_words_that_the_decoders_know() {
    let formats = grammar::formats();
    assert_eq!(words(&definition("format")["enum"]), formats);
    let point_in_time = grammar::point_in_time();
    assert_eq!(words(&definition("point_in_time")["enum"]), point_in_time);
    let kinds: BTreeSet<String> = grammar::EXPECTATIONS
        .iter()
        .map(|(kind, _)| (*kind).to_owned())
        .collect();
    assert_eq!(kinds, grammar::expect());
    let on_failure = definition("on_failure");
    let on_failure = on_failure["oneOf"].as_array().unwrap().iter();
    let on_failure: BTreeSet<String> = on_failure
        .filter_map(|word| word["const"].as_str().map(str::to_owned))
        .collect();
    assert_eq!(on_failure, grammar::on_failure());
    let functions = &definition("aggregation")["properties"]["function"]["anyOf"][0]["enum"];
    let known = fs_core::Function::NAMES.map(str::to_owned);
    assert_eq!(words(functions), BTreeSet::from(known));
    let types = &definition("feature")["properties"]["type"]["anyOf"][0]["enum"];
    for name in words(types) {
        assert!(name.parse::<fs_core::DataType>().is_ok(), "{name}");
    }
}

#[test]
fn the_schema_covers_all_kinds_and_the_settings() {
    let schema = json_schema();
    assert_eq!(schema["oneOf"].as_array().unwrap().len(), 5);
    for kind in ["entity", "source", "feature_view", "feature_service"] {
        let document = definition(kind);
        let word = &document["properties"]["kind"];
        let word = word["enum"].get(0).unwrap_or(&word["const"]);
        assert_eq!(word, kind);
    }
}

#[test]
fn the_schema_is_what_it_was() {
    insta::assert_snapshot!(format!("{:#}", json_schema()));
}
