//! The online store in Redis: shared by many servers, written while it is read.
//!
//! # Keys
//!
//! | Key | Type | Holds |
//! |---|---|---|
//! | `fs1:PROJECT:VIEW:meta` | hash | `format`: 1 · `layout:<id, 8 hex digits>`: the JSON of a row layout · `published`: the JSON of how far the view has come |
//! | `fs1:PROJECT:VIEW:rows:0` … `fs1:PROJECT:VIEW:rows:1023` | hash | from entity key to packed row |
//!
//! A row lives in the bucket that a hash of its key names ([FNV-1a](keyspace), frozen). Format 1
//! means 1,024 buckets; a view of a later format is refused by every read and write. Why this many:
//!
//! * A view is dropped by its known names: 1,024 `UNLINK`s, no `SCAN`. A bucket without rows does not
//!   exist and costs nothing.
//! * Names have no hash tag, so in a cluster every bucket falls into a slot of its own, and 1,024 spread
//!   a view evenly over any number of nodes; and every command and script here touches one key.
//! * A hundred million entities make buckets of 100,000 rows: small enough to grow and to free without a
//!   pause. More buckets would only split the `HMGET`s of a read further.
//!
//! # Who wins
//!
//! The [write script](https://redis.io/docs/latest/develop/interact/programmability/eval-intro/)
//! compares the orders of the stored and the new row on the server, byte by byte, so a row never gives
//! way to an older one, whoever writes. (Lua's `<` on strings goes by locale, and is not used.) Scripts
//! are called by hash; a server that does not know them, because it was restarted, is taught again.
//!
//! # When Redis is away
//!
//! | Redis | Then |
//! |---|---|
//! | cannot be reached when the store is opened | the store opens; the first use says so |
//! | is down | every use fails at once with [`Unavailable`](fs_online::Error::Unavailable) and its address |
//! | hangs | every use fails within its deadline ([`RedisOptions`]) |
//! | is back | the next use connects anew; nothing needs a restart |
//! | came back empty | views read as empty and unpublished, so the next materialization publishes all |
//! | is full | writes fail with [`Full`](fs_online::Error::Full), reads go on |
//!
//! Run Redis with `maxmemory-policy noeviction` (its default): any other may drop whole buckets
//! without a word. Rows survive a restart of Redis if it persists them (`appendonly yes`).
//!
//! For `rediss://` the program must have installed a rustls provider.

mod address;
mod connections;
mod failure;
pub mod keyspace;
mod once;
mod options;
mod page;
mod read;
mod reply;
mod scripts;
mod state;
mod store;
mod write;

pub use options::RedisOptions;
pub use store::RedisStore;
