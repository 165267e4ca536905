//! Spines that were uploaded with DoPut, kept for a while.

use std::collections::VecDeque;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fs_core::EventTime;
use fs_training::Spine;

use crate::{Error, Limits};

/// One uploaded spine.
#[derive(Debug)]
pub(super) struct Upload {
    pub(super) spine: Spine,
    pub(super) bytes: usize,
}

/// The uploaded spines of all clients, bounded in number, bytes and age.
#[derive(Debug, Default)]
pub(crate) struct Uploads {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    count: u64,
    /// Random, so that a ticket cannot be guessed.
    secrets: [RandomState; 2],
    /// Oldest first.
    spines: VecDeque<KeptSpine>,
}

#[derive(Debug)]
struct KeptSpine {
    ticket: String,
    since: EventTime,
    upload: Arc<Upload>,
}

impl Uploads {
    /// Keeps `upload` and returns its ticket. The oldest make room for it.
    pub(super) fn keep(
        &self,
        upload: Upload,
        now: EventTime,
        limits: &Limits,
    ) -> Result<String, Error> {
        if upload.bytes > limits.upload_bytes {
            let limit = limits.upload_bytes;
            return Err(Error::SpineTooLarge { limit });
        }
        let mut kept = self.lock();
        kept.forget_expired(now, limits);
        while kept.spines.len() >= limits.uploads.max(1)
            || kept.bytes() + upload.bytes > limits.upload_bytes
        {
            if kept.spines.pop_front().is_none() {
                break;
            }
        }
        let ticket = kept.next_ticket();
        kept.spines.push_back(KeptSpine {
            ticket: ticket.clone(),
            since: now,
            upload: Arc::new(upload),
        });
        Ok(ticket)
    }

    /// The spine of a ticket.
    pub(super) fn get(
        &self,
        ticket: &str,
        now: EventTime,
        limits: &Limits,
    ) -> Result<Arc<Upload>, Error> {
        let mut kept = self.lock();
        kept.forget_expired(now, limits);
        let found = kept.spines.iter().find(|spine| spine.ticket == ticket);
        found
            .map(|spine| spine.upload.clone())
            .ok_or_else(|| Error::UnknownSpine {
                ticket: ticket.to_owned(),
            })
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn bytes(&self) -> usize {
        self.spines.iter().map(|spine| spine.upload.bytes).sum()
    }

    fn forget_expired(&mut self, now: EventTime, limits: &Limits) {
        let age = i64::try_from(limits.upload_age.as_micros()).unwrap_or(i64::MAX);
        let earliest = now.as_micros().saturating_sub(age);
        self.spines
            .retain(|spine| spine.since.as_micros() >= earliest);
    }

    fn next_ticket(&mut self) -> String {
        self.count += 1;
        let [first, second] = self
            .secrets
            .each_ref()
            .map(|secret| secret.hash_one(self.count));
        format!("spine-{first:016x}{second:016x}")
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use arrow::datatypes::{Schema, SchemaRef};

    use super::*;

    fn limits() -> Limits {
        Limits {
            uploads: 2,
            upload_bytes: 100,
            upload_age: Duration::from_micros(10),
            ..Limits::default()
        }
    }

    fn upload(bytes: usize) -> Upload {
        let schema = SchemaRef::new(Schema::empty());
        Upload {
            spine: Spine::new(schema, vec![]),
            bytes,
        }
    }

    const fn at(micros: i64) -> EventTime {
        EventTime::from_micros(micros)
    }

    #[test]
    fn an_upload_is_kept_until_its_age_is_over() {
        let uploads = Uploads::default();
        let ticket = uploads.keep(upload(1), at(0), &limits()).unwrap();
        assert!(uploads.get(&ticket, at(10), &limits()).is_ok());
        let error = uploads.get(&ticket, at(11), &limits()).unwrap_err();
        assert!(error.to_string().contains("upload it again"), "{error}");
    }

    #[test]
    fn the_oldest_upload_makes_room_for_a_new_one() {
        let uploads = Uploads::default();
        let keep = |bytes| uploads.keep(upload(bytes), at(0), &limits()).unwrap();
        let is_there = |ticket: &str| uploads.get(ticket, at(0), &limits()).is_ok();
        let (first, second, third) = (keep(1), keep(1), keep(1));
        assert!(!is_there(&first) && is_there(&second) && is_there(&third));
        let large = keep(99);
        assert!(!is_there(&second) && is_there(&third) && is_there(&large));
    }

    #[test]
    fn an_upload_that_never_fits_is_refused_and_changes_nothing() {
        let uploads = Uploads::default();
        let ticket = uploads.keep(upload(1), at(0), &limits()).unwrap();
        let error = uploads.keep(upload(101), at(0), &limits()).unwrap_err();
        assert!(matches!(error, Error::SpineTooLarge { limit: 100 }));
        assert!(uploads.get(&ticket, at(0), &limits()).is_ok());
    }
}
