//! The online store: the newest row of every entity, ready to be served.
//!
//! This crate is the *port*. It says what an online store promises ([`OnlineStore`]), fixes the
//! bytes that every store holds, and ships a store in memory. Adapters (Redis, LMDB) depend on it
//! and never on each other; [`conformance::run_all`] proves each of them sentence by sentence.
//!
//! | Module | Holds |
//! |---|---|
//! | [`store`] | [`OnlineStore`] and the types that go in and out of it |
//! | [`order`] | [`RowOrder`]: which of two rows is newer |
//! | [`layout`] | [`RowLayout`]: which features a packed row holds, in which order |
//! | [`key`] | entity keys as bytes |
//! | [`row`] | feature rows as bytes |
//! | [`state_row`] | states of windowed views as rows, read and written back by one at a time |
//! | [`memory`] | [`MemoryStore`] |
//! | [`conformance`] | the promises, as checks that run against any store |
//!
//! Keys and rows are *frozen*: each starts with a version byte, and the files in `golden/` are read
//! by every later release.

mod column;
pub mod conformance;
pub mod error;
pub mod key;
pub mod layout;
pub mod memory;
pub mod order;
pub mod row;
pub mod state_row;
pub mod store;

pub use error::{Error, KeyProblem, RowProblem};
pub use key::EncodedKey;
pub use layout::RowLayout;
pub use memory::MemoryStore;
pub use order::RowOrder;
pub use row::{Cell, ListCell, OpenRows, RowDecoder, RowEncoder};
pub use state_row::StateRow;
pub use store::{
    Decision, KeyCursor, KeyPage, OnlineStore, Published, RowWrite, StoreUsage, TOKEN_BYTES,
    ViewId, ViewKeys, WriteOutcome,
};
