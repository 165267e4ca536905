//! Ways to lay out rows.

use std::collections::BTreeMap;
use std::fmt;

use fs_core::KeyValue;
use fs_online::key::encode_key;
use fs_online::{EncodedKey, ViewId};
use fs_online_redis::keyspace::Buckets;
use redis::aio::ConnectionLike as _;
use redis::{Cmd, Pipeline, cmd};

use crate::Outcome;
use crate::server::Server;

/// How many views there are.
pub(crate) const VIEWS: usize = 5;

/// A row of 50 `float64` features.
const ROW_BYTES: usize = 436;
const FEATURES: u32 = 50;

/// How many commands are sent at once while loading.
const BATCH: usize = 1_000;

/// Where the row of an entity and a view is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// As Feast lays features out: a hash per entity, a field per feature. One view, memory only.
    Feast,
    /// A string per row; with its expiry; in a set of the keys of its view, to drop it by.
    KeyPerRow { expiry: bool, index: bool },
    /// A hash per entity, a field per view: a view cannot be dropped without a scan.
    HashPerEntity,
    /// A few hashes per view, a field per row, and that many bytes for when it may be forgotten.
    Buckets { buckets: u16, prefix: usize },
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Feast => write!(f, "Feast's"),
            Self::KeyPerRow { expiry, index } => {
                let expiry = if *expiry { ", expiry" } else { "" };
                let index = if *index { ", index" } else { "" };
                write!(f, "a key per row{expiry}{index}")
            }
            Self::HashPerEntity => write!(f, "a hash per entity"),
            Self::Buckets { buckets, prefix } => {
                write!(f, "{buckets} hashes per view, rows + {prefix} bytes")
            }
        }
    }
}

impl Layout {
    /// Fills an empty server; the bytes that a row takes.
    pub(crate) async fn load(self, server: &Server, entities: u32) -> Outcome<f64> {
        let mut connection = server.connect().await?;
        cmd("FLUSHALL").exec_async(&mut connection).await?;
        let before = server.info("memory", "used_memory").await?;
        let views = if self == Self::Feast { 1 } else { VIEWS };
        let places = Places::of(self)?;
        for view in 0..views {
            let mut pipeline = Pipeline::with_capacity(BATCH);
            for entity in 0..entities {
                places.store(&mut pipeline, view, entity);
                if pipeline.len() >= BATCH || entity + 1 == entities {
                    let count = pipeline.len();
                    let sent = connection.req_packed_commands(&pipeline, 0, count);
                    for reply in sent.await? {
                        reply.extract_error()?;
                    }
                    pipeline = Pipeline::with_capacity(BATCH);
                }
            }
        }
        let taken = server.info("memory", "used_memory").await? - before;
        let rows = f64::from(entities) * f64::from(u32::try_from(views)?);
        Ok(taken / rows)
    }
}

/// A layout, with what its names are made of.
#[derive(Debug)]
pub(crate) struct Places {
    layout: Layout,
    buckets: Buckets,
    views: Vec<ViewId>,
}

impl Places {
    pub(crate) fn of(layout: Layout) -> Outcome<Self> {
        let count = match layout {
            Layout::Buckets { buckets, .. } => buckets,
            _ => 256,
        };
        let view = |number| -> Outcome<ViewId> {
            Ok(ViewId::new(
                "flights".parse()?,
                format!("view_{number}").parse()?,
            ))
        };
        Ok(Self {
            layout,
            buckets: Buckets::new(count).ok_or("no number of buckets")?,
            views: (0..VIEWS).map(view).collect::<Outcome<_>>()?,
        })
    }

    /// The commands that store one row.
    fn store(&self, pipeline: &mut Pipeline, view: usize, entity: u32) {
        let key = entity_key(entity);
        let id = &self.views[view];
        let row = |prefix: usize| vec![7_u8; ROW_BYTES + prefix];
        match self.layout {
            Layout::Feast => pipeline.add_command(feast(&key, entity)),
            Layout::KeyPerRow { expiry, index } => {
                let mut set = cmd("SET");
                set.arg(row_name(id, &key)).arg(row(0));
                if expiry {
                    set.arg("PX").arg(1_000_000_000 + u64::from(entity));
                }
                if index {
                    let name = self.buckets.key(id, self.buckets.of(&key));
                    pipeline.cmd("SADD").arg(name).arg(key.as_bytes());
                }
                pipeline.add_command(set)
            }
            Layout::HashPerEntity => {
                let hset = pipeline.cmd("HSET").arg(entity_name(&key));
                hset.arg(view).arg(row(0))
            }
            Layout::Buckets { prefix, .. } => {
                let name = self.buckets.key(id, self.buckets.of(&key));
                pipeline
                    .cmd("HSET")
                    .arg(name)
                    .arg(key.as_bytes())
                    .arg(row(prefix))
            }
        };
    }

    /// The commands that read the rows of some entities in the first `views` views.
    pub(crate) fn read(&self, views: usize, entities: &[u32]) -> Pipeline {
        let keys: Vec<EncodedKey> = entities.iter().map(|entity| entity_key(*entity)).collect();
        let mut pipeline = Pipeline::new();
        if self.layout == Layout::HashPerEntity {
            for key in &keys {
                let mut get = cmd("HMGET");
                get.arg(entity_name(key));
                (0..views).for_each(|view| {
                    get.arg(view);
                });
                pipeline.add_command(get);
            }
            return pipeline;
        }
        for id in &self.views[..views] {
            if let Layout::KeyPerRow { .. } = self.layout {
                let mut get = cmd("MGET");
                for key in &keys {
                    get.arg(row_name(id, key));
                }
                pipeline.add_command(get);
                continue;
            }
            let mut by_bucket: BTreeMap<u16, Cmd> = BTreeMap::new();
            for key in &keys {
                let bucket = self.buckets.of(key);
                let get = by_bucket.entry(bucket).or_insert_with(|| {
                    let mut get = cmd("HMGET");
                    get.arg(self.buckets.key(id, bucket));
                    get
                });
                get.arg(key.as_bytes());
            }
            for get in by_bucket.into_values() {
                pipeline.add_command(get);
            }
        }
        pipeline
    }
}

fn entity_key(entity: u32) -> EncodedKey {
    encode_key(&[KeyValue::Int64(entity.into())])
}

fn row_name(view: &ViewId, key: &EncodedKey) -> Vec<u8> {
    let name = format!("fs1:{}:{}:", view.project, view.view);
    [name.as_bytes(), key.as_bytes()].concat()
}

fn entity_name(key: &EncodedKey) -> Vec<u8> {
    [b"fs1:flights:", key.as_bytes()].concat()
}

/// `HSET` of 50 values and a time, as Feast 0.67 does for an entity with the key `driver_id`.
fn feast(key: &EncodedKey, entity: u32) -> Cmd {
    let mut name = vec![1, 0, 0, 0, 2, 0, 0, 0, 9, 0, 0, 0];
    name.extend(b"driver_id");
    name.extend([4, 0, 0, 0, 8, 0, 0, 0]);
    name.extend(&key.as_bytes()[key.as_bytes().len() - 8..]);
    name.extend(b"flights");
    let mut set = cmd("HSET");
    set.arg(name);
    for feature in 0..FEATURES {
        // A hash of its name, and a `feast.types.Value` that holds a double.
        let field = feature.wrapping_mul(0x9E37_79B9).to_le_bytes();
        let mut value = vec![0x29];
        value.extend((f64::from(entity) + 0.1).to_le_bytes());
        set.arg(&field).arg(value);
    }
    set.arg("_ts:driver_hourly_stats")
        .arg(b"\x08\xf0\xf1\xb3\xab\x06");
    set
}
