//! The exact sum of values, and how many they are.

mod floats;
mod integers;

pub use floats::FloatSum;
pub(super) use floats::FloatTotal;
pub use integers::IntegerSum;
pub(super) use integers::IntegerTotal;
