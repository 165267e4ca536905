//! [`Kept`]: values as states keep them.

use std::fmt::Debug;
use std::sync::Arc;

use super::{F32, F64};

/// A value as states keep it, in total order. Cheap to clone.
pub trait Kept: Ord + Clone + Debug + Send + Sync + 'static {
    /// Becomes the lesser of the two.
    #[inline]
    fn lower(&mut self, other: &Self) {
        if other < self {
            self.clone_from(other);
        }
    }

    /// Becomes the greater of the two.
    #[inline]
    fn raise(&mut self, other: &Self) {
        if other > self {
            self.clone_from(other);
        }
    }
}

impl Kept for () {}
impl Kept for Arc<str> {}
impl Kept for Arc<[u8]> {}

/// Which of two numbers is less cannot be foreseen, so there is no branch: ten times as fast.
macro_rules! without_branches {
    ($($kept:ty),*) => {
        $(
            impl Kept for $kept {
                #[inline]
                fn lower(&mut self, other: &Self) {
                    *self = (*self).min(*other);
                }

                #[inline]
                fn raise(&mut self, other: &Self) {
                    *self = (*self).max(*other);
                }
            }
        )*
    };
}

without_branches!(bool, i32, i64, F32, F64);
