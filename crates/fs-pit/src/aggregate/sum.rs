//! The exact sum of values, and how many they are.

mod integers;

pub use integers::IntegerSum;
