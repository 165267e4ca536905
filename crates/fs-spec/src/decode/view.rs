//! `kind: feature_view`.

use fs_core::{
    Catalog, DataType, EntityName, Feature, FeatureName, FeatureView, Kind, Meta, PointInTime,
    SourceName, Span, Ttl, ViewName,
};

use crate::cron;
use crate::decode::expectation::{self, ExpectationDraft};
use crate::decode::fields::Fields;
use crate::decode::values::Words;
use crate::decode::{Grammar, Items, meta, open, values};
use crate::position::At;
use crate::problem::Sink;
use crate::tree::Node;

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
        "query",
        "schedule",
        "freshness",
        "expectations",
        "online",
        "description",
        "owner",
        "tags",
    ],
    later: &["aggregations", "request", "on_invalid"],
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

/// A feature view as far as it could be read.
#[derive(Debug)]
pub(crate) struct ViewDraft {
    pub(crate) name: At<ViewName>,
    pub(crate) entities: Items<At<EntityName>>,
    pub(crate) source: Option<At<SourceName>>,
    ttl: Option<Ttl>,
    delay: Span,
    pub(crate) point_in_time: Option<At<PointInTime>>,
    pub(crate) schema: Items<FeatureDraft>,
    pub(crate) query: Option<At<String>>,
    schedule: Option<String>,
    freshness: Option<Span>,
    pub(crate) expectations: Vec<ExpectationDraft>,
    online: bool,
    meta: Meta,
}

/// A feature as far as it could be read.
#[derive(Debug)]
pub(crate) struct FeatureDraft {
    pub(crate) name: At<FeatureName>,
    pub(crate) data_type: Option<At<DataType>>,
    description: Option<String>,
}

impl ViewDraft {
    /// The view, whose entities `catalog` has; `None` only if a problem was reported.
    pub(crate) fn finish(self, catalog: &Catalog) -> Option<FeatureView> {
        let entities = self.entities.items.into_iter();
        let schema = self.schema.items.into_iter().map(|feature| {
            Some(Feature {
                name: feature.name.value,
                data_type: feature.data_type?.value,
                description: feature.description,
            })
        });
        let mut view = FeatureView {
            name: self.name.value,
            entities: entities.map(|entity| entity.value).collect(),
            source: self.source?.value,
            ttl: self.ttl,
            delay: self.delay,
            point_in_time: self.point_in_time.map(|at| at.value).unwrap_or_default(),
            schema: schema.collect::<Option<_>>()?,
            windows: None,
            query: self.query.map(|query| query.value),
            schedule: self.schedule,
            freshness: self.freshness,
            expectations: Vec::new(),
            online: self.online,
            meta: self.meta,
        };
        let expectations = self.expectations.iter();
        view.expectations = expectations
            .map(|expectation| expectation.finish(catalog, &view))
            .collect::<Option<_>>()?;
        Some(view)
    }
}

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
    let point_in_time = fields
        .optional("point_in_time")
        .and_then(|node| POINT_IN_TIME.read(node, sink));
    let schema = schema(&fields, sink).unwrap_or_default();
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
    Some(ViewDraft {
        name: name?,
        entities,
        source,
        ttl,
        delay,
        point_in_time,
        schema,
        query,
        schedule: schedule.map(|schedule| schedule.value),
        freshness,
        expectations,
        online: online.unwrap_or(true),
        meta,
    })
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

fn schema(fields: &Fields<'_>, sink: &mut Sink) -> Option<Items<FeatureDraft>> {
    if fields.has("aggregations") && !fields.has("schema") {
        return None;
    }
    let node = fields.required("schema", "[{ name: some_feature, type: float64 }]", sink)?;
    let nodes = values::list(node, "`schema`", sink)?;
    if nodes.is_empty() {
        let message = format!("{} needs at least one feature", fields.called);
        sink.report(&node.at, message);
    }
    let features: Vec<FeatureDraft> = nodes
        .iter()
        .filter_map(|node| feature(node, fields, sink))
        .collect();
    Some(Items {
        complete: features.len() == nodes.len() && !fields.has("aggregations"),
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
