//! Rows of Feast's clients on their way to the stores.

use std::sync::Arc;

use arrow::array::RecordBatch;
use fs_core::suggest::did_you_mean;
use fs_core::{Catalog, FeatureView, ViewName};
use fs_materialize::{PushTo, Target};

use super::FeastError;
use super::frame::Frame;
use super::rows::rows;
use crate::Error;
use crate::shared::Shared;

/// Rows in the types of the views that they are for.
#[derive(Debug)]
pub(super) struct Writing {
    catalog: Arc<Catalog>,
    /// The source or the view.
    name: String,
    rows: RecordBatch,
    to: PushTo,
}

impl Writing {
    /// Rows for the views of a source, or for one view, to the place that `to` names.
    pub(super) fn push(
        shared: &Shared,
        name: &str,
        to: &str,
        frame: &Frame<'_>,
    ) -> Result<Self, Error> {
        let to = match to {
            "online" => PushTo::Online,
            "offline" => PushTo::Offline,
            "online_and_offline" => PushTo::Both,
            _ => return Err(FeastError::UnknownPlace { to: to.to_owned() }.into()),
        };
        let catalog = Arc::clone(&shared.live.snapshot()?.catalog);
        let views = Target::named(&catalog, name)?.views;
        let rows = rows(frame, &catalog, &views)?;
        let name = name.to_owned();
        Ok(Self {
            catalog,
            name,
            rows,
            to,
        })
    }

    /// Rows for one view, to the online store.
    pub(super) fn to_online_store(
        shared: &Shared,
        view: &str,
        frame: &Frame<'_>,
    ) -> Result<Self, Error> {
        let catalog = Arc::clone(&shared.live.snapshot()?.catalog);
        let rows = rows(frame, &catalog, &[find_view(&catalog, view)?])?;
        let name = view.to_owned();
        Ok(Self {
            catalog,
            name,
            rows,
            to: PushTo::Online,
        })
    }

    /// Writes them; a client that tries again with the same key writes nothing twice.
    pub(super) async fn write(self, shared: &Shared, key: Option<&str>) -> Result<(), Error> {
        let pushing = &shared.pusher;
        let pushed = pushing.push_to(&self.catalog, &self.name, &self.rows, self.to, key);
        pushed.await?;
        Ok(())
    }
}

/// The view called `name`.
pub(super) fn find_view<'a>(
    catalog: &'a Catalog,
    name: &str,
) -> Result<&'a FeatureView, FeastError> {
    let views = &catalog.feature_views;
    let found = views.values().find(|view| view.name.as_str() == name);
    found.ok_or_else(|| FeastError::UnknownView {
        name: name.to_owned(),
        nearest: did_you_mean(name, views.keys().map(ViewName::as_str)).map(str::to_owned),
    })
}
