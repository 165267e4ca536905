//! The online store in Redis: shared by many servers, written while it is read.
//!
//! # Keys
//!
//! | Key | Type | Holds |
//! |---|---|---|
//! | `fs1:PROJECT:VIEW:meta` | hash | `format`: 1 · `buckets`: how many the view has · `layout:<id, 8 hex digits>`: the JSON of a row layout · `published`: the JSON of how far the view has come |
//! | `fs1:PROJECT:VIEW:once:TOKEN` | string | who has claimed a token, for two days |
//! | `fs1:{TAG}:PROJECT:VIEW:fence` for each bucket | hash | `fence`: the greatest [fence](fs_core::Fence) that was raised for the view; the same field of its `meta` guards `published` |
//! | `fs1:{TAG}:PROJECT:VIEW` for each [bucket](keyspace::Buckets) | hash | from entity key to packed row, behind 4 bytes that say until when the row must be kept |
//!
//! A row lives in the bucket that a hash of its key names. A view that a later release has taken over
//! has another format; it is refused by every write, and by every read that finds nothing.
//!
//! # Why hashes, and how many
//!
//! Measured by `redis_layouts` in `benches/`: 100,000 entities, rows of 50 `float64`.
//!
//! * A key for every row takes more memory, and more still with an expiry; and its view could be
//!   dropped only by scanning the keyspace, or with an index that takes yet more. A view in hashes is
//!   dropped by their names.
//! * Every bucket that a read touches is a command to the server. So few are best: 16. In a
//!   cluster they are also what is spread over the nodes, and what moves from node to node at once, so
//!   there a view has 256. A view keeps the number that it began with, which is in its `meta`.
//! * In a cluster, a bucket's tag alone decides where it lies. All views keep the rows of one entity
//!   on the same node, and a request for one entity asks that node only, however many views it needs.
//!
//! # Who wins
//!
//! The [write script](https://redis.io/docs/latest/develop/interact/programmability/eval-intro/)
//! compares the orders of the stored and the new row on the server, as numbers of four bytes, so a row
//! never gives way to an older one, whoever writes. (Lua's `<` on strings goes by locale, and is not
//! used.) It reads all rows of a call by one command and writes them by one. Scripts are called by hash;
//! a server that does not know them, because it was restarted, is taught again.
//!
//! A writer that holds a lease shows its fence, and the script refuses it once a greater one was raised:
//! what a process sent before it was frozen, or sends after it wakes up, changes nothing. A view
//! that is dropped forgets its fence.
//!
//! # What is forgotten
//!
//! A row that need not be [kept](fs_online::RowWrite::keep_until) any more goes when chance meets it:
//! every write of a row that has such a time looks at a few others of its bucket, and goes on while
//! many of them are past theirs, as Redis does with keys. A bucket whose rows all have such a time
//! expires with the last of them, so a view that nobody writes any more goes by itself. (Set
//! `lazyfree-lazy-expire yes`, so that a large one goes without a pause.) Redis 7.4 could expire the
//! fields of a hash; earlier ones could not, and it takes more memory.
//!
//! # Connections
//!
//! Requests share a few connections to each server, and so share system calls; large writes have
//! connections of their own and do not stand in the way of reads.
//!
//! # When Redis is away
//!
//! | Redis | Then |
//! |---|---|
//! | cannot be reached when the store is opened | the store opens; the first use says so |
//! | is down | every use fails at once with [`Unavailable`](fs_online::Error::Unavailable) and its address |
//! | hangs | every use fails within its deadline ([`RedisOptions`]) |
//! | is back | the next use connects anew; nothing needs a restart |
//! | became a replica | the next use connects anew: whoever moves its address to the new primary is followed |
//! | came back empty | views read as empty and unpublished, so the next materialization publishes all |
//! | is full | writes fail with [`Full`](fs_online::Error::Full), reads go on |
//! | loses a node of a cluster | uses of its slots fail until another node owns them, and all others go on |
//! | moves slots between nodes | nobody notices |
//!
//! # What Redis must be
//!
//! 6.2 or later, with `maxmemory-policy noeviction` (its default): any other may drop whole buckets
//! without a word. Rows survive a restart of Redis if it persists them (`appendonly yes`).
//!
//! The user in the URL needs no more than this, the second line to read, the third to write as well,
//! and `+cluster|slots +asking` in a cluster:
//!
//! ```text
//! ACL SETUSER fs on >PASSWORD ~fs1:*
//!     +ping +hget +hmget +hgetall +get
//!     +eval +evalsha +set +exists +pttl +pexpireat +persist +time +unlink +hset +hsetnx +hdel +hlen +hscan +hrandfield
//! ```
//!
//! For `rediss://` the program must have installed a rustls provider.

mod address;
mod claim;
mod cluster;
mod connections;
mod deadline;
mod failure;
mod fence;
pub mod keyspace;
mod lane;
mod link;
mod meter;
mod node;
mod options;
mod page;
mod read;
mod reply;
mod scripts;
mod state;
mod store;
mod stored;
mod views;
mod write;

pub use options::{RedisClientCertificate, RedisOptions, RedisTls};
pub use store::RedisStore;
