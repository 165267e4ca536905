//! A read of Feast's, from what is asked for to what is found.

use std::sync::Arc;

use fs_serving::{FeatureVectors, Plan};

use super::answer::Answer;
use super::entities::Entities;
use super::frame::Frame;
use crate::Error;
use crate::request::{feature_request, naming};
use crate::shared::Shared;

/// Which features, and how they are to be told.
#[derive(Debug)]
pub(super) struct Selection<'a> {
    pub(super) service: Option<&'a str>,
    pub(super) features: &'a [String],
    pub(super) full_feature_names: bool,
    pub(super) with_versions: bool,
}

/// A request that is understood.
#[derive(Debug)]
pub(super) struct Asked {
    plan: Arc<Plan>,
    entities: Entities,
    with_versions: bool,
}

/// What is answered to it.
#[derive(Debug)]
pub(super) struct Found {
    entities: Entities,
    vectors: FeatureVectors,
    with_versions: bool,
}

impl Asked {
    /// Resolves a selection, and types the entities as it needs them.
    pub(super) fn new(
        shared: &Shared,
        selection: &Selection<'_>,
        entities: &Frame<'_>,
    ) -> Result<Self, Error> {
        let plan = plan(shared, selection)?;
        let entities = Entities::bind(entities, plan.key_columns())?;
        Ok(Self {
            plan,
            entities,
            with_versions: selection.with_versions,
        })
    }

    /// Fetches what was asked for.
    pub(super) async fn find(self, shared: &Shared) -> Result<Found, Error> {
        let vectors = shared.vectors(&self.plan, &self.entities.columns).await?;
        Ok(Found {
            entities: self.entities,
            vectors,
            with_versions: self.with_versions,
        })
    }
}

fn plan(shared: &Shared, selection: &Selection<'_>) -> Result<Arc<Plan>, Error> {
    let Selection {
        service, features, ..
    } = *selection;
    let naming = naming(selection.full_feature_names);
    if service.is_some() {
        // Feast's clients send an empty list beside a service.
        let features = Some(features).filter(|features| !features.is_empty());
        let request = feature_request(service, features)?;
        return Ok(shared.plan(&request, naming)?.1);
    }
    // As a list of features is written in protobuf, so that all wires share its plan.
    let mut written = Vec::new();
    prost::encoding::string::encode_repeated(1, features, &mut written);
    shared.plan_as_written(&written, naming, || feature_request(None, Some(features)))
}

impl Found {
    /// How many values there are, join keys not counted.
    pub(super) fn values(&self) -> usize {
        let columns = self.vectors.columns().len();
        self.entities.rows.saturating_mul(columns)
    }

    pub(super) const fn answer(&self) -> Answer<'_> {
        Answer {
            entities: &self.entities,
            vectors: &self.vectors,
            with_versions: self.with_versions,
        }
    }
}
