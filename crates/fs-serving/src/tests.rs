//! The contract of an online read, on the memory store.

mod answers;
mod fixture;
mod layouts;
mod model;
mod requests;
mod round_trips;
mod windows;
