//! The rows, where `fs` keeps them in Redis.

use std::io;

use fs_core::KeyValue;
use fs_online::key::encode_key;
use fs_online::{EncodedKey, ViewId};
use fs_online_redis::keyspace::{Buckets, SLOTS};
use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::{AsyncConnectionConfig, Client, Pipeline, RedisResult, Value, cmd};

use crate::Place;

/// Entities that are looked for to find out how many buckets a view has.
const PROBES: i64 = 32;

/// Views in a Redis.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    connection: MultiplexedConnection,
    views: std::sync::Arc<[View]>,
}

/// A view, and the names of its buckets.
#[derive(Debug)]
struct View {
    buckets: Buckets,
    names: Vec<String>,
}

/// Rows as they came, and how many bytes they are.
#[derive(Debug)]
pub(crate) struct Rows {
    replies: Vec<Value>,
    pub(crate) bytes: usize,
}

/// A request: of how many views, and of which entities.
pub(crate) fn encode(views: u8, entities: &[KeyValue]) -> Vec<u8> {
    let mut request = vec![views];
    for entity in entities {
        if let KeyValue::Int64(number) = entity {
            request.extend_from_slice(&number.to_le_bytes());
        }
    }
    request
}

impl Store {
    pub(crate) async fn open(place: &Place) -> Result<Self, Box<dyn std::error::Error>> {
        let mut connection = connect(&place.redis).await?;
        let mut views = Vec::new();
        for id in place.ids() {
            views.push(View::find(&mut connection, &id).await?);
        }
        Ok(Self {
            connection,
            views: views.into(),
        })
    }

    /// The same views over a connection of its own.
    pub(crate) async fn beside(&self, url: &str) -> RedisResult<Self> {
        Ok(Self {
            connection: connect(url).await?,
            views: self.views.clone(),
        })
    }

    /// The hashes that hold the rows of the views.
    pub(crate) fn buckets(&self) -> impl Iterator<Item = &str> {
        let names = self.views.iter().flat_map(|view| &view.names);
        names.map(String::as_str)
    }

    /// What it asks on.
    pub(crate) fn connection(&mut self) -> &mut MultiplexedConnection {
        &mut self.connection
    }

    /// The rows that `request` asks for, in one round trip; an error if there is one that is not there.
    pub(crate) async fn read(&mut self, request: &[u8]) -> Result<Rows, String> {
        let pipeline = self.pipeline(request)?;
        let replies = self
            .connection
            .req_packed_commands(&pipeline, 0, pipeline.len())
            .await;
        Rows::new(replies.map_err(|error| error.to_string())?)
    }

    fn pipeline(&self, request: &[u8]) -> Result<Pipeline, String> {
        let malformed = || "not a number of views and the keys of entities".to_owned();
        let (&views, entities) = request.split_first().ok_or_else(malformed)?;
        let views = self.views.get(..usize::from(views)).ok_or_else(malformed)?;
        let (entities, []) = entities.as_chunks() else {
            return Err(malformed());
        };
        let key = |entity: &[u8; 8]| encode_key(&[KeyValue::Int64(i64::from_le_bytes(*entity))]);
        let keys: Vec<EncodedKey> = entities.iter().map(key).collect();
        let mut pipeline = Pipeline::new();
        for view in views {
            view.get(&keys, &mut pipeline);
        }
        Ok(pipeline)
    }
}

async fn connect(url: &str) -> RedisResult<MultiplexedConnection> {
    let config = AsyncConnectionConfig::new().set_response_timeout(None);
    Client::open(url)?
        .get_multiplexed_async_connection_with_config(&config)
        .await
}

impl View {
    fn new(id: &ViewId, buckets: Buckets) -> Self {
        let names = (0..buckets.count())
            .map(|bucket| buckets.key(id, bucket))
            .collect();
        Self { buckets, names }
    }

    /// Finds out how many buckets the view has: as many as let all probes be found.
    async fn find(
        connection: &mut MultiplexedConnection,
        id: &ViewId,
    ) -> Result<Self, Box<dyn std::error::Error>> {
        for bits in 0..=SLOTS.ilog2() {
            let Some(buckets) = Buckets::new(1 << bits) else {
                continue;
            };
            let view = Self::new(id, buckets);
            let mut pipeline = Pipeline::new();
            for number in 0..PROBES {
                let key = encode_key(&[KeyValue::Int64(number)]);
                let bucket = usize::from(view.buckets.of(&key));
                pipeline
                    .cmd("HEXISTS")
                    .arg(&view.names[bucket])
                    .arg(key.as_bytes());
            }
            let found: Vec<bool> = pipeline.query_async(connection).await?;
            if found.iter().all(|found| *found) {
                return Ok(view);
            }
        }
        let message = format!("{id:?} has no rows of entities 0 to {PROBES}: materialize it");
        Err(io::Error::other(message).into())
    }

    /// Adds one `HMGET` for every bucket that the keys fall into.
    fn get(&self, keys: &[EncodedKey], pipeline: &mut Pipeline) {
        let mut by_bucket: Vec<(u16, &EncodedKey)> =
            keys.iter().map(|key| (self.buckets.of(key), key)).collect();
        by_bucket.sort_unstable_by_key(|(bucket, _)| *bucket);
        for group in by_bucket.chunk_by(|(a, _), (b, _)| a == b) {
            let mut command = cmd("HMGET");
            command.arg(&self.names[usize::from(group[0].0)]);
            for (_, key) in group {
                command.arg(key.as_bytes());
            }
            pipeline.add_command(command);
        }
    }
}

impl Rows {
    fn new(replies: Vec<Value>) -> Result<Self, String> {
        let mut bytes = 0;
        for reply in &replies {
            let Value::Array(rows) = reply else {
                return Err(format!("Redis says {reply:?}"));
            };
            for row in rows {
                let Value::BulkString(row) = row else {
                    return Err("an entity has no row".to_owned());
                };
                bytes += row.len();
            }
        }
        Ok(Self { replies, bytes })
    }

    /// Row after row.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let rows = self.replies.iter().filter_map(|reply| reply.as_sequence());
        rows.flatten().filter_map(|row| match row {
            Value::BulkString(row) => Some(row.as_slice()),
            _ => None,
        })
    }
}
