//! How many buckets each view has: recorded in Redis, remembered here.
//!
//! A view keeps its number for as long as it exists. One that is dropped may come back with another,
//! under other names; then what is remembered leads to buckets that are empty. So whoever finds
//! nothing at all looks again, at most once a second.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use fs_online::ViewId;
use tokio::time::Instant;

use crate::keyspace::Buckets;

/// How long a view that reads as empty is believed to be.
const BELIEVED_FOR: Duration = Duration::from_secs(1);

/// The views that were used lately.
#[derive(Debug, Default)]
pub(crate) struct Views {
    known: RwLock<HashMap<ViewId, Known>>,
}

#[derive(Debug, Clone)]
struct Known {
    buckets: Arc<Buckets>,
    looked: Instant,
}

impl Views {
    pub(crate) fn buckets(&self, view: &ViewId) -> Option<Arc<Buckets>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.get(view).map(|known| Arc::clone(&known.buckets))
    }

    /// Whether it is time to look again, should the view read as empty.
    pub(crate) fn is_doubtful(&self, view: &ViewId) -> bool {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known
            .get(view)
            .is_some_and(|known| known.looked.elapsed() >= BELIEVED_FOR)
    }

    /// Remembers what was found; `None`: the view is not there.
    pub(crate) fn learn(&self, view: &ViewId, found: Option<Arc<Buckets>>) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        match found {
            Some(buckets) => {
                let looked = Instant::now();
                known.insert(view.clone(), Known { buckets, looked });
            }
            None => {
                known.remove(view);
            }
        }
    }
}
