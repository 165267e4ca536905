//! Spines that nobody gives: rows of a query, or every key as of an instant.

use std::sync::Arc;

use fs_core::{Catalog, FeatureSet};
use fs_engine::Engine;

use crate::{Error, Spine, SpineOrigin, TrainingQuery, TrainingSets, Versions};

impl TrainingSets {
    /// The spine that the origin of `query` stands for; `None` if its rows are to be given.
    ///
    /// Tables are read at the versions that are `pinned`, or at their newest; features of the same
    /// tables will be, too. No rows are read here.
    pub async fn spine(
        &self,
        engine: &Arc<Engine>,
        catalog: &Catalog,
        query: &TrainingQuery,
        pinned: Option<&Versions>,
    ) -> Result<Option<Spine>, Error> {
        let offline = &self.offline;
        let spine = match &query.origin {
            SpineOrigin::Given => return Ok(None),
            SpineOrigin::Sql(sql) => Spine::sql(engine, offline, catalog, sql, pinned).await?,
            SpineOrigin::AsOf(at) => {
                let features = FeatureSet::resolve(catalog, &query.request, query.naming)?;
                Spine::as_of(engine, offline, catalog, &features, *at, pinned).await?
            }
        };
        Ok(Some(spine))
    }
}
