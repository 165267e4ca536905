//! The embedded online store: one folder, one memory-mapped file, no server.
//!
//! It is the store of a first hour and of a single machine. Several processes may use a folder at
//! once: a server reads while a materialization writes. The folder must be on a local disk; LMDB's
//! locks do not work over a network.
//!
//! ```text
//!   data.mdb
//!     meta                       "format"                       1
//!                                "layout" 0 project/view 0 id   a RowLayout as JSON
//!                                "published" 0 project/view     a Published as JSON
//!                                "claim" 0 project/view 0 token when, and who has claimed it
//!     rows project/view          entity key                     packed row
//! ```
//!
//! **Reads** run where they are called, in a read transaction of a few microseconds that waits for
//! no writer. They may wait for the disk where the file is larger than memory. **Writes** go to a
//! blocking thread, in transactions of bounded size, so that no other writer waits for long.
//! **Durable**: LMDB's default flags stay as they are, so a commit is on disk, data before the page
//! that makes it valid, when it returns; killing the process at any moment leaves the last commit.
//!
//! | Module | Holds |
//! |---|---|
//! | `store` | [`LmdbStore`] |
//! | `options` | [`LmdbOptions`] |
//! | `environment` | the opened folder, shared by everybody in the process who opens it |
//! | `map` | the memory map: transactions, and how it grows |
//! | `meta` | the format version, layouts and published states |
//! | `rows` | the rows of one view, keys of any length included |
//! | `failure` | what LMDB says, in the words of `fs-online` |

mod environment;
mod failure;
mod map;
mod meta;
mod options;
mod rows;
mod store;

pub use options::LmdbOptions;
pub use store::LmdbStore;

/// The format of the folder; a folder of a later one is refused.
pub const FORMAT: u32 = 1;
