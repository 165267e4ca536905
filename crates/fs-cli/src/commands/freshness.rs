//! How far views have come, asked of both stores.

use fs_core::{Catalog, FeatureView};
use fs_materialize::Freshness;
use fs_offline::TableState;
use fs_online::{OnlineStore, ViewId};
use futures::StreamExt;

use crate::failure::Failure;
use crate::project::Project;

/// Views that are asked for at the same time.
const AT_ONCE: usize = 8;

/// How far a view has come, or why nobody knows.
pub(super) type Known = Result<Freshness, String>;

/// How far each of `views` has come.
///
/// A store that is away makes a view unknown: the catalogue is there all the same. The online store is
/// only opened where there is something to publish.
pub(super) async fn of(project: &Project, catalog: &Catalog, views: &[&FeatureView]) -> Vec<Known> {
    let offline = project.offline();
    let states = futures::stream::iter(views).map(|view| offline.state(&view.name));
    let states: Vec<_> = states.buffered(AT_ONCE).collect().await;
    let published = views.iter().zip(&states);
    let is_published =
        |(view, state): (&&FeatureView, _)| view.online && matches!(state, &Ok(Some(_)));
    let online = if published.into_iter().any(is_published) {
        Some(project.online())
    } else {
        None
    };
    let known = views.iter().zip(states).map(|(view, state)| {
        let online = online.as_ref();
        async move {
            let state = state.map_err(|error| fs_core::code::report(&error))?;
            one(catalog, view, state.as_ref(), online).await
        }
    });
    futures::stream::iter(known)
        .buffered(AT_ONCE)
        .collect()
        .await
}

async fn one(
    catalog: &Catalog,
    view: &FeatureView,
    state: Option<&TableState>,
    online: Option<&Result<std::sync::Arc<dyn OnlineStore>, Failure>>,
) -> Known {
    let published = match online.filter(|_| view.online && state.is_some()) {
        None => None,
        Some(Err(failure)) => return Err(failure.to_string()),
        Some(Ok(online)) => {
            let id = ViewId::new(catalog.project.clone(), view.name.clone());
            let published = online.published(&id).await;
            published.map_err(|error| fs_core::code::report(&error))?
        }
    };
    Ok(Freshness::from_states(view, state, published.as_ref()))
}
