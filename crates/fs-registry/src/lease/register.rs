//! One value that many change, out of objects that nobody changes.
//!
//! ```text
//!   leases/weather/00…41.json      read: the greatest number is the value
//!                  00…42.json  <── write after 42: put 43 if absent
//!                  00…43.json          there already   somebody was faster: read again
//!                                      created         list once more:
//!                                                        43 is the greatest    it is the value
//!                                                        else                  it is not: read again
//! ```
//! The second listing is for a writer that is very late: the number that it creates may have been
//! used and cleaned up long ago. Numbers below the newest few are removed by whoever wrote last; the
//! greatest is never removed, so numbers never come again, and a late object is never the greatest.
//!
//! Put-if-absent and listings are atomic and consistent on S3, GCS, Azure and local file systems;
//! conditional overwriting is not to be had on the last.

use std::time::Duration;

use fs_core::{EventTime, ViewName};
use futures::StreamExt;

use super::format;
use super::state::LeaseState;
use crate::Error;
use crate::objects::{Objects, Put};

/// So many objects stay: those who have just listed them want to read one.
const KEPT: u64 = 3;

/// Objects that are removed at once, where many were left.
const REMOVED_AT_ONCE: usize = 8;

/// How often a read is begun again because what it was to read is cleaned up.
const READS: usize = 10;

/// The register of one view.
#[derive(Debug, Clone)]
pub(super) struct Register {
    view: ViewName,
    objects: Objects,
}

/// The value, and its number; 0 before there is one.
#[derive(Debug, Clone)]
pub(super) struct Numbered {
    pub(super) number: u64,
    pub(super) state: LeaseState,
}

/// What became of a write.
#[derive(Debug)]
pub(super) enum Wrote {
    /// It is the value.
    Newest(Written),
    /// Its number was free, and is not the greatest: others have changed the value since, or long before
    /// and have cleaned up. Who knows that nobody was allowed to before knows that it was the former.
    Passed,
    /// Somebody was faster.
    Refused,
}

/// A value that was written.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) number: u64,
    /// When, by the clock of the store.
    pub(super) at: EventTime,
}

impl Register {
    /// Of `view`, among the objects of the registry.
    pub(super) fn new(registry: &Objects, view: &ViewName) -> Self {
        Self {
            view: view.clone(),
            objects: registry.lease_of(view),
        }
    }

    /// The value.
    pub(super) async fn read(&self) -> Result<Numbered, Error> {
        for _ in 0..READS {
            let Some(newest) = self.objects.listing().await?.last().copied() else {
                return Ok(Numbered {
                    number: 0,
                    state: LeaseState::new(self.view.clone()),
                });
            };
            let number = newest.number;
            if let Some(bytes) = self.objects.read(number).await? {
                let object = self.objects.describe(number);
                let state = format::decode(&self.view, number, &object, &bytes)?;
                return Ok(Numbered { number, state });
            }
        }
        Err(Error::LeaseContended {
            view: self.view.clone(),
        })
    }

    /// Whether anybody has written after `number`. Cheaper than reading.
    pub(super) async fn has_changed(&self, number: u64) -> Result<bool, Error> {
        self.objects.exists(number.saturating_add(1)).await
    }

    /// Makes `next` the value, if that of `number` still is.
    pub(super) async fn write_after(&self, number: u64, next: &LeaseState) -> Result<Wrote, Error> {
        let number = number.saturating_add(1);
        let bytes = format::encode(number, next)?;
        if self.objects.create(number, bytes).await? == Put::AlreadyThere {
            return Ok(Wrote::Refused);
        }
        let listing = self.objects.listing().await?;
        let newest = listing.last().filter(|newest| newest.number == number);
        let Some(newest) = newest else {
            return Ok(Wrote::Passed);
        };
        let old = listing
            .iter()
            .map(|object| object.number)
            .take_while(|old| old.saturating_add(KEPT) <= number);
        self.clean_up(old).await;
        Ok(Wrote::Newest(Written {
            number,
            at: newest.written,
        }))
    }

    /// The store has not answered for so long.
    pub(super) fn timeout(&self, after: Duration) -> Error {
        self.objects.timeout(after)
    }

    /// Removes everything, the newest last. Only for views that nobody materializes any more.
    pub(super) async fn remove(&self) -> Result<(), Error> {
        for object in self.objects.listing().await? {
            self.objects.remove(object.number).await?;
        }
        Ok(())
    }

    /// What cannot be removed now is removed by the next who writes.
    async fn clean_up(&self, old: impl Iterator<Item = u64>) {
        futures::stream::iter(old)
            .for_each_concurrent(REMOVED_AT_ONCE, async |number| {
                if let Err(error) = self.objects.remove(number).await {
                    tracing::debug!(%error, number, view = %self.view, "not cleaned up");
                }
            })
            .await;
    }
}
