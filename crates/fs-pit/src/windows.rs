//! Sliding windows: when events count, what is kept of them, and what is made of it.

pub mod plan;

pub use plan::WindowPlan;
