//! Load for feature servers, and what it took to answer.
//!
//! ```text
//!   Question ─► requests, encoded before the clock starts ─► lanes ─► Tally ─► Report
//!   features,   Wire: fs.v1, Feast's gRPC, HTTP + JSON        │
//!   entities                                                  └ closed: ask, wait, ask again
//!                                                               open: ask when the plan says so
//! ```
//!
//! Two kinds of [`Load`]:
//!
//! | | A request is sent | Its time starts | Says |
//! |---|---|---|---|
//! | closed | when the one before it in its lane is answered | when it is sent | how long a caller waits, and with many lanes how much the server can do |
//! | open | at its time of a plan with a fixed rate | at that time, sent or not | how long callers wait who come by themselves |
//!
//! A closed loop asks less when the server stalls, so its percentiles leave out whoever would have come
//! meanwhile. An open loop leaves out nobody (no coordinated omission): what could not be sent in time has
//! been waiting since its time, and is measured from there.
//!
//! The generator is to cost little beside what it measures: requests are encoded beforehand, answers are
//! counted and not decoded, but for every n-th where a [check](Load::check_every) is wanted; one thread does
//! it all unless told otherwise. Whatever can be asked can be loaded: see [`Target`].

mod answer;
mod args;
mod closed;
mod connection;
mod entities;
mod error;
mod grpc;
mod http;
mod load;
mod measure;
mod open;
mod pacing;
mod question;
mod random;
mod rate_search;
mod report;
mod tally;
mod target;
mod wire;

pub use answer::Values;
pub use args::{BadKeyRange, LoadArgs, Outcome};
pub use entities::{Entities, KeyColumn, KeyRange};
pub use error::Error;
pub use grpc::GrpcTarget;
pub use http::HttpTarget;
pub use load::{Arrivals, Load, Mode};
pub use measure::measure;
pub use question::{Question, Selection};
pub use rate_search::{RateSearch, SearchReport, Step};
pub use report::{Checked, Failures, Micros, Report};
pub use target::{Answer, Lane, Refusal, Target};
pub use wire::Wire;
