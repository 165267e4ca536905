//! Definitions as values, in a line each.
//!
//! ```
//! use fs_testkit::catalog;
//!
//! let catalog = catalog::project("demo")
//!     .entity(catalog::entity("user").key("user_id", "int64"))
//!     .source(catalog::source("clicks").parquet("data/clicks.parquet"))
//!     .view(catalog::view("user_clicks").entity("user").source("clicks")
//!         .feature("clicks", "int64").ttl("2h"))
//!     .service(catalog::service("model").all("user_clicks"))
//!     .build();
//! assert_eq!(catalog.feature_views["user_clicks"].schema.len(), 1);
//! ```
//!
//! A name, type or duration that does not parse panics at the line that wrote it.

mod service;
mod source;
mod view;

use std::fmt::Display;
use std::str::FromStr;

use fs_core::{Catalog, Entity, JoinKey, Meta};

pub use service::ServiceBuilder;
pub use source::SourceBuilder;
pub use view::ViewBuilder;

/// Reads a name, a type, a duration or an instant.
///
/// # Panics
///
/// When `text` is none.
#[track_caller]
pub fn parsed<T: FromStr<Err: Display>>(text: &str) -> T {
    fits(text.parse())
}

#[track_caller]
#[expect(
    clippy::panic,
    reason = "a fixture that is wrong ends the test that uses it"
)]
fn fits<T>(result: Result<T, impl Display>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("a fixture is wrong: {error}"),
    }
}

/// A project that defines nothing yet.
#[track_caller]
pub fn project(name: &str) -> CatalogBuilder {
    CatalogBuilder(Catalog::empty(parsed(name)))
}

/// An entity without keys yet.
#[track_caller]
pub fn entity(name: &str) -> EntityBuilder {
    EntityBuilder(Entity {
        name: parsed(name),
        join_keys: Vec::new(),
        meta: Meta::default(),
    })
}

/// A source: Parquet at `data/<name>.parquet` unless you say otherwise.
#[track_caller]
pub fn source(name: &str) -> SourceBuilder {
    SourceBuilder::new(name)
}

/// A view of the source `source`, online, without entities, features and limits yet.
#[track_caller]
pub fn view(name: &str) -> ViewBuilder {
    ViewBuilder::new(name)
}

/// A service without features yet.
#[track_caller]
pub fn service(name: &str) -> ServiceBuilder {
    ServiceBuilder::new(name)
}

/// Builds a [`Catalog`].
#[derive(Debug, Clone)]
pub struct CatalogBuilder(Catalog);

impl CatalogBuilder {
    /// Adds an entity.
    #[must_use]
    pub fn entity(mut self, entity: impl Into<Entity>) -> Self {
        let entity = entity.into();
        self.0.entities.insert(entity.name.clone(), entity);
        self
    }

    /// Adds a source.
    #[must_use]
    pub fn source(mut self, source: impl Into<fs_core::Source>) -> Self {
        let source = source.into();
        self.0.sources.insert(source.name.clone(), source);
        self
    }

    /// Adds a view.
    #[must_use]
    pub fn view(mut self, view: impl Into<fs_core::FeatureView>) -> Self {
        let view = view.into();
        self.0.feature_views.insert(view.name.clone(), view);
        self
    }

    /// Adds a service.
    #[must_use]
    pub fn service(mut self, service: impl Into<fs_core::FeatureService>) -> Self {
        let service = service.into();
        self.0
            .feature_services
            .insert(service.name.clone(), service);
        self
    }

    /// The catalog; its references are not checked.
    pub fn build(self) -> Catalog {
        self.0
    }
}

/// Builds an [`Entity`].
#[derive(Debug, Clone)]
pub struct EntityBuilder(Entity);

impl EntityBuilder {
    /// Adds a join key.
    #[must_use]
    #[track_caller]
    pub fn key(mut self, name: &str, key_type: &str) -> Self {
        self.0.join_keys.push(JoinKey {
            name: parsed(name),
            key_type: parsed(key_type),
        });
        self
    }

    /// The entity.
    pub fn build(self) -> Entity {
        self.0
    }
}

impl From<EntityBuilder> for Entity {
    fn from(builder: EntityBuilder) -> Self {
        builder.build()
    }
}
