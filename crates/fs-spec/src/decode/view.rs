//! `kind: feature_view`.

mod draft;

use fs_core::{EntityName, Kind, PointInTime, Span, Ttl};

use crate::cron;
use crate::decode::fields::Fields;
use crate::decode::values::Words;
use crate::decode::{Grammar, Items, aggregation, expectation, meta, open, values};
use crate::position::At;
use crate::problem::Sink;
use crate::tree::Node;

pub(crate) use draft::{FeatureDraft, ViewDraft};

pub(crate) const VIEW: Grammar = Grammar {
    fields: &[
        "kind",
        "name",
        "entities",
        "source",
        "ttl",
        "delay",
        "point_in_time",
        "schema",
        "aggregations",
        "query",
        "schedule",
        "freshness",
        "expectations",
        "online",
        "description",
        "owner",
        "tags",
    ],
    later: &["request", "on_invalid"],
};
pub(crate) const FEATURE: Grammar = Grammar {
    fields: &["name", "type", "description"],
    later: &["expression", "expectations"],
};

pub(crate) const POINT_IN_TIME: Words<PointInTime> = Words {
    noun: "`point_in_time`",
    known: &[
        (PointInTime::EventTime.as_str(), PointInTime::EventTime),
        (PointInTime::KnownAt.as_str(), PointInTime::KnownAt),
    ],
    later: &[],
};

pub(crate) fn decode(document: &Node, sink: &mut Sink) -> Option<ViewDraft> {
    let (fields, name) = open(document, Kind::FeatureView, &VIEW, sink)?;
    let entities = entities(&fields, sink).unwrap_or_default();
    let source = fields
        .required("source", "some_source", sink)
        .and_then(|node| values::parsed(node, "`source`", sink));
    let mut span = |field: &str| {
        let node = fields.optional(field)?;
        let span = values::parsed::<Span>(node, &format!("`{field}`"), sink)?;
        Some(span.value)
    };
    let ttl = span("ttl").and_then(Ttl::new);
    let delay = span("delay").unwrap_or_default();
    if ttl.is_some() {
        report_ttl_of_windows(&fields, sink);
    }
    let point_in_time = fields
        .optional("point_in_time")
        .and_then(|node| POINT_IN_TIME.read(node, sink));
    let stored = schema(&fields, sink).unwrap_or_default();
    let aggregations = aggregation::decode(&fields, sink);
    let query = fields
        .optional("query")
        .and_then(|node| values::text(node, "`query`", sink));
    let schedule = fields.optional("schedule").and_then(|node| {
        let check = |text: &str| cron::check(text).map(|()| text.to_owned());
        values::checked(node, "`schedule`", check, sink)
    });
    let freshness = freshness(&fields, sink);
    let expectations = expectation::decode(&fields, sink);
    let online = fields
        .optional("online")
        .and_then(|node| values::boolean(node, "`online`", sink));
    let meta = meta(&fields, sink);
    let mut view = ViewDraft {
        name: name?,
        entities,
        source,
        ttl,
        delay,
        point_in_time,
        stored,
        aggregations,
        query,
        schedule: schedule.map(|schedule| schedule.value),
        freshness,
        expectations,
        online: online.unwrap_or(true),
        meta,
    };
    if view.wanted().is_some() {
        view.stored.complete = false;
    }
    Some(view)
}

fn report_ttl_of_windows(fields: &Fields<'_>, sink: &mut Sink) {
    if let Some(at) = fields.key_at("ttl")
        && fields.has("aggregations")
    {
        let message = format!(
            "{} has `aggregations`, whose windows say how far back they look, and a `ttl`",
            fields.called
        );
        sink.report_with_help(at, message, "leave `ttl` out");
    }
}

fn entities(fields: &Fields<'_>, sink: &mut Sink) -> Option<Items<At<EntityName>>> {
    let example = "[some_entity]`, or, for one global row, `entities: []";
    let node = fields.required("entities", example, sink)?;
    let nodes = values::list(node, "`entities`", sink)?;
    let names: Vec<At<EntityName>> = nodes
        .iter()
        .filter_map(|node| values::parsed(node, "an entity", sink))
        .collect();
    Some(Items {
        complete: names.len() == nodes.len(),
        items: names,
    })
}

fn freshness(fields: &Fields<'_>, sink: &mut Sink) -> Option<Span> {
    let node = fields.optional("freshness")?;
    let span = values::parsed::<Span>(node, "`freshness`", sink)?;
    if span.value.is_zero() {
        let message = "nothing is that fresh: `freshness` must be longer than 0";
        sink.report_with_help(&span.at, message, "leave it out for no objective");
    }
    Some(span.value)
}

/// The features of a plain view, which it needs; what is declared of the inputs of a windowed one.
fn schema(fields: &Fields<'_>, sink: &mut Sink) -> Option<Items<FeatureDraft>> {
    let windowed = fields.has("aggregations") || fields.misspells(&["aggregations"]);
    if windowed && fields.optional("schema").is_none() {
        return Some(Items {
            complete: true,
            items: Vec::new(),
        });
    }
    let node = fields.required("schema", "[{ name: some_feature, type: float64 }]", sink)?;
    let nodes = values::list(node, "`schema`", sink)?;
    if nodes.is_empty() && !windowed {
        let message = format!("{} needs at least one feature", fields.called);
        sink.report(&node.at, message);
    }
    let features: Vec<FeatureDraft> = nodes
        .iter()
        .filter_map(|node| feature(node, fields, sink))
        .collect();
    Some(Items {
        complete: features.len() == nodes.len(),
        items: features,
    })
}

fn feature(node: &Node, view: &Fields<'_>, sink: &mut Sink) -> Option<FeatureDraft> {
    let called = format!("a feature of {}", view.called);
    let fields = Fields::open(node, called, &FEATURE, sink)?;
    let name = fields
        .required("name", "some_feature", sink)
        .and_then(|node| values::parsed(node, "`name`", sink));
    let data_type = fields
        .required("type", "float64", sink)
        .and_then(|node| values::parsed(node, "`type`", sink));
    let description = fields
        .optional("description")
        .and_then(|node| values::text(node, "`description`", sink));
    Some(FeatureDraft {
        name: name?,
        data_type,
        description: description.map(|text| text.value),
    })
}
