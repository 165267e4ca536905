//! Feast's wires, by what goes over them.

pub(super) mod fixture;
mod grpc;
mod http;
mod materialize;
mod refusals;
mod write;
