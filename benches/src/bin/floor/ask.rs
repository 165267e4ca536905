//! Load on the floor, and on Redis itself.

use std::error::Error;

use crate::store::{Store, encode};
use crate::{Asked, Place, serve};
use bytes::Bytes;
use fs_load::{
    Answer, Entities, GrpcTarget, Lane, Outcome, Question, Refusal, Selection, Target, Values,
};

/// Asks a floor.
pub(crate) fn grpc(server: &str, asked: &Asked) -> Result<Outcome, Box<dyn Error>> {
    let count = asked.load.entities_per_request;
    // Nobody reads the rows; that there are any is what can be seen.
    let check = |answer: Bytes, _rows: usize| match answer.len() {
        0 => Err("there are no rows".to_owned()),
        _ => Ok(Values::default()),
    };
    let target = GrpcTarget::raw(server, serve::METHOD, &requests(asked)?, count, check)?;
    Ok(asked.load.run(&target)?)
}

/// Asks Redis.
pub(crate) fn redis(place: Place, asked: &Asked) -> Result<Outcome, Box<dyn Error>> {
    let requests = requests(asked)?;
    let entities_per_request = asked.load.entities_per_request;
    let target = Bare {
        place,
        requests,
        entities_per_request,
    };
    Ok(asked.load.run(&target)?)
}

fn requests(asked: &Asked) -> Result<Vec<Bytes>, fs_load::Error> {
    let question = Question {
        selection: Selection::Features(Vec::new()),
        entities: Entities::Ranges(vec![asked.key.clone()]),
        entities_per_request: asked.load.entities_per_request,
        distinct: asked.load.distinct,
        seed: asked.load.seed,
    };
    question.encoded(|keys| {
        encode(
            asked.first_views,
            keys.first().map_or(&[], |key| &key.values),
        )
    })
}

/// Redis, asked by one pipeline per request.
struct Bare {
    place: Place,
    requests: Vec<Bytes>,
    entities_per_request: usize,
}

struct BareLane {
    store: Store,
    requests: std::sync::Arc<[Bytes]>,
}

impl Target for Bare {
    type Lane = BareLane;

    fn requests(&self) -> usize {
        self.requests.len()
    }

    fn entities_per_request(&self) -> usize {
        self.entities_per_request
    }

    async fn lanes(
        &self,
        connections: usize,
        in_flight: usize,
    ) -> Result<Vec<BareLane>, fs_load::Error> {
        let failed = |cause: String| fs_load::Error::Connect {
            address: self.place.redis.clone(),
            cause,
        };
        let store = Store::open(&self.place)
            .await
            .map_err(|error| failed(error.to_string()))?;
        let mut stores = Vec::new();
        for _ in 0..connections {
            let beside = store.beside(&self.place.redis).await;
            stores.push(beside.map_err(|error| failed(error.to_string()))?);
        }
        let requests: std::sync::Arc<[Bytes]> = self.requests.as_slice().into();
        let lane = |store: &Store| BareLane {
            store: store.clone(),
            requests: requests.clone(),
        };
        Ok((0..in_flight).flat_map(|_| &stores).map(lane).collect())
    }
}

impl Lane for BareLane {
    async fn ask(&mut self, number: usize, _check: bool) -> Result<Answer, Refusal> {
        let wrong = |message| Refusal {
            code: Refusal::WRONG_ANSWER.into(),
            message,
        };
        let request = self
            .requests
            .get(number)
            .ok_or_else(|| wrong("no such request".to_owned()))?;
        let rows = self.store.read(request).await.map_err(wrong)?;
        Ok(Answer {
            sent: request.len(),
            received: rows.bytes,
            values: None,
        })
    }
}
