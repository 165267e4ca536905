//! The greatest fence that each view has seen.
//!
//! ```text
//!   "fence" 0 project/view      number (8, LE)
//! ```
//! A transaction that writes looks here first. LMDB has one writer at a time, so nobody can raise a
//! fence between that look and the commit.

use fs_core::Fence;
use fs_online::{Error, ViewId};
use heed::{RoTxn, RwTxn};

use super::Meta;
use crate::failure::Failure;

pub(super) fn fence_key(view: &ViewId) -> Vec<u8> {
    format!("fence\0{view}").into_bytes()
}

impl Meta {
    /// An error if the view has seen a greater fence than `shown`.
    pub(crate) fn check_fence(
        self,
        txn: &RoTxn<'_>,
        view: &ViewId,
        shown: Option<Fence>,
    ) -> Result<(), Failure> {
        let Some(shown) = shown else {
            return Ok(());
        };
        let seen = self.0.get(txn, &fence_key(view))?;
        let seen = seen.and_then(|number| number.try_into().ok());
        match seen.map(|number| Fence::new(u64::from_le_bytes(number))) {
            Some(seen) if seen > shown => Err(Error::Fenced {
                view: view.clone(),
                shown,
                seen,
            }
            .into()),
            _ => Ok(()),
        }
    }

    /// Remembers `fence`; an error if the view has seen a greater one.
    pub(crate) fn raise_fence(
        self,
        txn: &mut RwTxn<'_>,
        view: &ViewId,
        fence: Fence,
    ) -> Result<(), Failure> {
        self.check_fence(txn, view, Some(fence))?;
        let number = fence.number().to_le_bytes();
        Ok(self.0.put(txn, &fence_key(view), &number)?)
    }
}
