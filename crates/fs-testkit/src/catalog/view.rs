//! Feature views as values.

use fs_core::{
    Aggregation, Feature, FeatureView, Function, Meta, PointInTime, Span, Ttl, Window, Windows,
};

use super::{fits, parsed};

/// Builds a [`FeatureView`].
#[derive(Debug, Clone)]
pub struct ViewBuilder(FeatureView);

impl ViewBuilder {
    #[track_caller]
    pub(super) fn new(name: &str) -> Self {
        Self(FeatureView {
            name: parsed(name),
            entities: Vec::new(),
            source: parsed("source"),
            ttl: None,
            delay: Span::ZERO,
            point_in_time: PointInTime::EventTime,
            schema: Vec::new(),
            windows: None,
            query: None,
            schedule: None,
            freshness: None,
            expectations: Vec::new(),
            online: true,
            meta: Meta::default(),
        })
    }

    /// Adds an entity.
    #[must_use]
    #[track_caller]
    pub fn entity(mut self, name: &str) -> Self {
        self.0.entities.push(parsed(name));
        self
    }

    /// Where the rows come from.
    #[must_use]
    #[track_caller]
    pub fn source(mut self, name: &str) -> Self {
        self.0.source = parsed(name);
        self
    }

    /// Adds a feature: `.feature("temp", "float64")`.
    #[must_use]
    #[track_caller]
    pub fn feature(mut self, name: &str, data_type: &str) -> Self {
        self.0.schema.push(Feature {
            name: parsed(name),
            data_type: parsed(data_type),
            description: None,
        });
        self
    }

    /// Adds a column of the events of a windowed view: `.input("delay", "float64")`.
    #[must_use]
    #[track_caller]
    pub fn input(mut self, name: &str, data_type: &str) -> Self {
        self.windows().inputs.push(Feature {
            name: parsed(name),
            data_type: parsed(data_type),
            description: None,
        });
        self
    }

    /// Adds an aggregation of an input, or of `*`: `.aggregate("delay", Function::Avg, &["1h", "lifetime"])`
    /// gives `delay_avg_1h` and `delay_avg_lifetime`.
    #[must_use]
    #[track_caller]
    pub fn aggregate(self, column: &str, function: Function, windows: &[&str]) -> Self {
        let column = (column != "*").then(|| parsed(column));
        let windows: Vec<Window> = windows.iter().map(|window| parsed(window)).collect();
        self.aggregation(fits(Aggregation::new(column, function, &windows)))
    }

    /// Adds an aggregation; its column is an [`input`](Self::input) already.
    #[must_use]
    #[track_caller]
    pub fn aggregation(mut self, aggregation: Aggregation) -> Self {
        let windows = self.windows();
        windows.aggregations.push(aggregation);
        self.0.schema = fits(windows.schema());
        self
    }

    fn windows(&mut self) -> &mut Windows {
        self.0.windows.get_or_insert_with(|| Windows {
            inputs: Vec::new(),
            aggregations: Vec::new(),
        })
    }

    /// How long a row may be used; `0` is no limit.
    #[must_use]
    #[track_caller]
    pub fn ttl(mut self, span: &str) -> Self {
        self.0.ttl = Ttl::new(parsed(span));
        self
    }

    /// How long after its event time a row becomes visible.
    #[must_use]
    #[track_caller]
    pub fn delay(mut self, span: &str) -> Self {
        self.0.delay = parsed(span);
        self
    }

    /// A row is visible only once it was known.
    #[must_use]
    pub fn known_at(mut self) -> Self {
        self.0.point_in_time = PointInTime::KnownAt;
        self
    }

    /// SQL over the source.
    #[must_use]
    pub fn query(mut self, sql: &str) -> Self {
        self.0.query = Some(sql.to_owned());
        self
    }

    /// When to materialize, as a cron expression.
    #[must_use]
    pub fn schedule(mut self, cron: &str) -> Self {
        self.0.schedule = Some(cron.to_owned());
        self
    }

    /// Not published online.
    #[must_use]
    pub fn offline_only(mut self) -> Self {
        self.0.online = false;
        self
    }

    /// The view.
    pub fn build(self) -> FeatureView {
        self.0
    }
}

impl From<ViewBuilder> for FeatureView {
    fn from(builder: ViewBuilder) -> Self {
        builder.build()
    }
}
