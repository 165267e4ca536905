//! Finding out who owns which slot: at first, and when somebody does not answer.

use std::sync::{Arc, PoisonError};

use fs_online::Error;
use tokio::time::Instant;

use super::Cluster;
use super::topology::{self, Place, Topology};
use crate::deadline::Deadline;
use crate::node::Node;

impl Cluster {
    /// Who owns what, as far as is known; learnt where nothing is, or where it may be outdated.
    pub(super) async fn topology(&self, deadline: Deadline) -> Result<Arc<Topology>, Error> {
        match self.topology.load_full() {
            Some(known) if !self.alarm.rang() => Ok(known),
            // An outdated one does for the nodes that are still there.
            Some(known) => Ok(self.learn(None, deadline).await.unwrap_or(known)),
            None => self.learn(None, deadline).await,
        }
    }

    /// Asks who owns what, unless somebody has done so since the operation began.
    pub(super) async fn learn(
        &self,
        failed: Option<&Place>,
        deadline: Deadline,
    ) -> Result<Arc<Topology>, Error> {
        let mut learnt = deadline.of(&self.store, self.learning.lock()).await?;
        if let (Some(at), Some(known)) = (*learnt, self.topology.load_full())
            && at >= deadline.begun()
        {
            return Ok(known);
        }
        let nodes = self.candidates(failed)?;
        let found = topology::ask(&nodes, self.options.connect_timeout, deadline).await?;
        let found = Arc::new(found);
        self.topology.store(Some(Arc::clone(&found)));
        self.forget_all_but(&found);
        *learnt = Some(Instant::now());
        tracing::debug!(
            store = self.store,
            nodes = found.places().len(),
            "learnt the slots"
        );
        Ok(found)
    }

    /// Whom to ask who owns what: nodes that own something first, then those of the URL.
    fn candidates(&self, failed: Option<&Place>) -> Result<Vec<(Place, Arc<Node>)>, Error> {
        let known = self.topology.load_full();
        let owners = known
            .iter()
            .flat_map(|known| known.places().iter().cloned());
        let mut places: Vec<Place> = Vec::new();
        for place in owners.chain(self.seeds.iter().cloned()) {
            if Some(&place) != failed && !places.contains(&place) {
                places.push(place);
            }
        }
        let nodes = places.into_iter().map(|place| {
            let node = self.node(&place)?;
            Ok((place, node))
        });
        nodes.collect()
    }

    /// Closes the connections to nodes that have left.
    fn forget_all_but(&self, topology: &Topology) {
        let mut nodes = self.nodes.lock().unwrap_or_else(PoisonError::into_inner);
        nodes.retain(|place, _| topology.places().contains(place));
    }
}
