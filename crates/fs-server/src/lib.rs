//! gRPC, Arrow Flight and HTTP: translation only.
//!
//! ```text
//!   one port (gRPC)                                    the other (HTTP)
//!   fs.v1.FeatureStore      feature vectors of now     GET /health    200 or 503, and why
//!   FlightService           training sets              GET /metrics   Prometheus text
//!   feast.serving.ServingService, GrpcFeatureServer    POST /get-online-features, /push …, as Feast has them
//!   grpc.health.v1.Health
//!   grpc.reflection.v1, v1alpha
//! ```
//!
//! | Question | Answer |
//! |---|---|
//! | Which definitions? | those of the newest registry version; a task looks for newer ones, and a request keeps the version it began with |
//! | The registry is away? | the last version goes on being served |
//! | The online store is away? | `UNAVAILABLE`, until it is back |
//! | Shutting down? | health says so, what has begun is finished, within a deadline |
//!
//! Errors become statuses in one place, by the table of [`fs_core::Code`]. The wire itself is described
//! in `proto/`.

mod admission;
mod beacon;
mod call;
mod encoded;
mod error;
mod feast;
mod flight;
mod grpc;
mod http;
mod limits;
mod live;
mod off_runtime;
mod online;
mod options;
mod push;
mod request;
mod server;
mod shared;
mod telemetry;
mod turn;
pub mod wire;

pub use beacon::{Beacon, Seen};
pub use error::Error;
pub use feast::{FeastError, JsonError};
pub use limits::Limits;
pub use live::Reloader;
pub use options::ServerOptions;
pub use server::{Backends, Server};
pub use telemetry::{TraceOptions, Traces};

#[cfg(test)]
mod tests;
