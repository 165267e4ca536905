//! What an apply would change, and whom it would hurt.
//!
//! ```text
//!   current version ─┐                      ┌─► changes       definition by definition, field by field
//!                    ├─► Plan::between ─────┼─► hurt          services whose callers lose something
//!   new definitions ─┘                      ├─► incompatible  views whose stored rows cannot follow
//!                                           ├─► backfills     columns that stored rows do not have yet
//!                                           └─► notes         what to know, and do, afterwards
//! ```
//!
//! A plan prints as people read it ([`Display`](std::fmt::Display)) and serialises for programs. Its order is
//! the same every time: by kind, then by name, then by field.

mod backfill;
mod change;
mod facts;
mod hurt;
mod incompatible;
mod notes;
mod render;
mod windows;

use fs_core::{Catalog, ProjectName, ViewName};
use serde::Serialize;

pub use backfill::Backfill;
pub use change::{Action, Change, FieldChange};
pub use hurt::{Hurt, Lost, LostReason};
pub use incompatible::{ADVICE, Incompatible};
pub(crate) use render::{write_hurt, write_incompatible};

use crate::{Error, Version};

/// What an apply would change, made on one version and good for that version only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// The project.
    pub project: ProjectName,
    /// The version that it was made on; `None` for an empty registry.
    pub base: Option<u64>,
    /// What is added, changed and removed.
    pub changes: Vec<Change>,
    /// The services whose callers would lose something; blocks the apply unless forced.
    pub hurt: Vec<Hurt>,
    /// The views whose stored data cannot follow; blocks the apply unless forced.
    pub incompatible: Vec<Incompatible>,
    /// Columns that tables of views gain, null in the rows that are there already; blocks nothing.
    pub backfills: Vec<Backfill>,
    /// What is worth knowing before and after the apply; blocks nothing.
    pub notes: Vec<String>,
    /// The definitions that an apply would record.
    #[serde(skip)]
    catalog: Catalog,
}

/// How many definitions a plan touches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Counts {
    /// Definitions that are new.
    pub added: usize,
    /// Definitions that change.
    pub changed: usize,
    /// Definitions that go.
    pub removed: usize,
}

impl Plan {
    /// Compares the current version, if there is one, with `new`.
    ///
    /// An error if a service of `new` does not resolve: such a catalog is never recorded.
    pub fn between(current: Option<&Version>, new: &Catalog) -> Result<Self, Error> {
        let nothing = Catalog::empty(new.project.clone());
        let old = current.map_or(&nothing, |version| &version.catalog);
        let services = hurt::resolve_services(new)?;
        Ok(Self {
            project: new.project.clone(),
            base: current.map(|version| version.number),
            changes: change::between(old, new),
            hurt: hurt::find(old, new, &services),
            incompatible: incompatible::find(old, new),
            backfills: backfill::find(old, new),
            notes: notes::find(old, new, &services),
            catalog: new.clone(),
        })
    }

    /// The same plan, without the backfills of views that have no rows yet.
    ///
    /// A registry does not know which views have any: `has_rows` says so.
    #[must_use]
    pub fn with_backfills_where(mut self, has_rows: impl Fn(&ViewName) -> bool) -> Self {
        self.backfills.retain(|backfill| has_rows(&backfill.view));
        self
    }

    /// Whether there is nothing to apply.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Whether an apply needs force.
    pub fn is_blocked(&self) -> bool {
        !self.hurt.is_empty() || !self.incompatible.is_empty()
    }

    /// The number that the next version would have.
    pub fn next_version(&self) -> u64 {
        self.base.unwrap_or_default().saturating_add(1)
    }

    /// The definitions that an apply would record.
    pub const fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// How many definitions are added, changed and removed.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for change in &self.changes {
            match change.action {
                Action::Added => counts.added += 1,
                Action::Changed { .. } => counts.changed += 1,
                Action::Removed => counts.removed += 1,
            }
        }
        counts
    }
}

#[cfg(test)]
mod tests;
