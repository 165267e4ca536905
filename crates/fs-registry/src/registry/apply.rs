//! Recording a new version: apply, roll back, tear down.
//!
//! An apply writes version `base + 1` with put-if-absent, where `base` is the version that its plan
//! was made on. Two applies of plans on one base want the same object, and one of them gets it:
//!
//! ```text
//!   A: plan on 6 ───────────── put 7 if absent ──► created          version 7 is A's
//!   B: plan on 6 ──── put 7 if absent ──────────► already there     Error::Conflict, nothing written
//! ```

use fs_core::EventTime;

use super::Registry;
use crate::objects::Put;
use crate::{Error, Plan, Version, format};

/// Whether to apply a plan that hurts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Force {
    /// Refuse it.
    #[default]
    No,
    /// Apply it all the same.
    Yes,
}

/// What an apply did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    /// It recorded this version, which is the current one now.
    Recorded {
        /// Its number.
        version: u64,
    },
    /// There was nothing to change.
    NothingToDo,
}

impl Registry {
    /// Records what `plan` would change as the next version.
    ///
    /// Either the whole of it is recorded or nothing is. An error if the plan hurts and is not
    /// forced, or if the version it was made on is not the current one any more.
    pub async fn apply(
        &self,
        plan: &Plan,
        force: Force,
        now: EventTime,
        note: Option<&str>,
    ) -> Result<Applied, Error> {
        if plan.project != self.project {
            return Err(Error::OtherProject {
                expected: self.project.clone(),
                found: plan.project.clone(),
            });
        }
        let newest = self.objects.numbers_after(0).await?.last().copied();
        if newest != plan.base {
            return Err(self.conflict(plan, newest).await);
        }
        if plan.is_empty() {
            return Ok(Applied::NothingToDo);
        }
        if plan.is_blocked() && force == Force::No {
            return Err(Error::WouldHurt {
                hurt: plan.hurt.clone(),
                incompatible: plan.incompatible.clone(),
            });
        }
        let version = Version {
            number: plan.next_version(),
            applied_at: now,
            note: note.map(str::to_owned),
            catalog: plan.catalog().clone().into(),
        };
        let number = version.number;
        let bytes = format::encode(&self.project, &version)?;
        match self.objects.create(number, bytes).await? {
            Put::Created => Ok(Applied::Recorded { version: number }),
            Put::AlreadyThere => Err(self.conflict(plan, Some(number)).await),
        }
    }

    /// Records a new version whose definitions are those of version `to`.
    ///
    /// It goes through a plan like every other change, so it is refused if it hurts, unless forced.
    pub async fn rollback(&self, to: u64, force: Force, now: EventTime) -> Result<Applied, Error> {
        let target = self.version(to).await?;
        let plan = self.plan(&target.catalog).await?;
        let note = format!("roll back to version {to}");
        self.apply(&plan, force, now, Some(&note)).await
    }

    /// Removes every version, oldest first, and returns how many there were.
    ///
    /// Killed in between, it leaves a registry whose current version is still the newest.
    pub async fn tear_down(&self) -> Result<usize, Error> {
        let numbers = self.objects.numbers_after(0).await?;
        for &number in &numbers {
            self.objects.remove(number).await?;
        }
        Ok(numbers.len())
    }

    async fn conflict(&self, plan: &Plan, winner: Option<u64>) -> Error {
        let mut applied_at = None;
        if let Some(winner) = winner {
            // An unreadable winner has won as well.
            applied_at = self
                .read(winner)
                .await
                .ok()
                .flatten()
                .map(|version| version.applied_at);
        }
        Error::Conflict {
            base: plan.base,
            winner,
            applied_at,
        }
    }
}
