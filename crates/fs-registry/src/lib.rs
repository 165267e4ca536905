//! Numbered versions of the definitions, plans and applies.
//!
//! A registry is a folder of immutable objects. Version `N` of a project is one of them, created
//! with put-if-absent, so two applies never both win, and history costs nothing:
//!
//! ```text
//!   <location>/<project>/versions/00000000000000000001.json
//!                                 00000000000000000002.json      <- the current version
//!
//!   definitions ──► plan(new) ──► Plan { base: 2, changes, hurt, … } ──► apply(plan) ──► version 3
//!                                                  somebody wrote 3 first ──► Error::Conflict
//! ```
//!
//! The current version is the one with the greatest number; no other object points at it, so there
//! is nothing to repair after a crash.
//!
//! | Module | Holds |
//! |---|---|
//! | [`registry`] | [`Registry`]: open, read, plan, apply, roll back |
//! | [`plan`] | [`Plan`]: what an apply would change, and whom it would hurt |
//! | [`lease`] | [`Leases`]: who may materialize a view now |
//! | [`timer`] | [`Timer`]: how long things take, as an argument |
//! | [`version`] | [`Version`], and the pages of a history |
//! | [`error`] | [`Error`] |
//!
//! How a version is written is private to `format`; its golden files are in `golden/`.

pub mod error;
pub mod lease;
pub mod plan;
pub mod registry;
pub mod timer;
pub mod version;

mod format;
mod objects;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod unsteady;

pub use error::Error;
pub use lease::{HolderInfo, Lease, LeaseOptions, LeaseState, Leases, Stopped};
pub use plan::{Action, Backfill, Change, FieldChange, Hurt, Incompatible, Lost, LostReason, Plan};
pub use registry::{Applied, Force, Registry};
pub use timer::{ManualTimer, SystemTimer, Timer};
pub use version::{HistoryEntry, Version};
