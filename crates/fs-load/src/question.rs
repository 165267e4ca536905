//! What is asked, again and again, of other entities each time.

use bytes::Bytes;

use crate::entities::KeyColumn;
use crate::random::Random;
use crate::{Entities, Error, Wire};

/// The most memory that requests may take; rather than more, there are fewer different ones.
const MOST_BYTES: usize = 64 << 20;

/// What is asked, again and again, of other entities each time. Equal questions make equal requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Which features.
    pub selection: Selection,
    /// Whose.
    pub entities: Entities,
    /// How many entities are in each request; at least 1.
    pub entities_per_request: usize,
    /// How many different requests are made before the first is sent again; at least 1.
    pub distinct: usize,
    /// Decides which entities are drawn.
    pub seed: u64,
}

/// Which features.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// Those of a feature service.
    Service(String),
    /// These, each `view:feature`.
    Features(Vec<String>),
}

impl Question {
    /// The requests of `wire`.
    pub fn requests(&self, wire: Wire) -> Result<Vec<Bytes>, Error> {
        self.encoded(|entities| wire.encode(&self.selection, entities))
    }

    /// The requests of a protocol of one's own.
    pub fn encoded(&self, encode: impl Fn(Vec<KeyColumn>) -> Vec<u8>) -> Result<Vec<Bytes>, Error> {
        self.entities.check()?;
        if self.entities_per_request == 0 || self.distinct == 0 {
            return Err(Error::Load("a request is about at least one entity"));
        }
        let mut random = Random::new(self.seed);
        let mut requests = Vec::new();
        let mut bytes = 0;
        while requests.len() < self.distinct && bytes < MOST_BYTES {
            let entities = self.entities.draw(self.entities_per_request, &mut random);
            let request = Bytes::from(encode(entities));
            bytes += request.len();
            requests.push(request);
        }
        Ok(requests)
    }
}
