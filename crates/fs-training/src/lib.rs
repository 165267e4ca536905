//! Training sets: a spine in, the same rows with features out.
//!
//! ```text
//!   spine                                 training set
//!   origin  event_timestamp      late     origin  event_timestamp      late  temp  wind_speed
//!   EWR     2013-01-01 10:15     true     EWR     2013-01-01 10:15     true  39.0  12.7
//!   JFK     2013-01-01 11:40     false    JFK     2013-01-01 11:40     false 39.9  null
//! ```
//!
//! Every spine row comes back exactly once, in the order it came, with the values that were true
//! at its time; the rules are those of [`fs_pit::Rule`]. A training set is one plan of the query engine:
//! the offline tables are streamed past the spine, which finds where the winners are, and features are
//! read of the winners only. So memory follows the spine and not the history; beyond a limit it goes to
//! disk, with the same answer.
//!
//! | Module | Holds |
//! |---|---|
//! | [`query`] | [`TrainingQuery`] and [`Versions`]: what is asked for, and what answers it |
//! | [`origin`] | spines that nobody gives: rows of a query, every key as of an instant |
//! | [`record`] | [`Record`]: what a training set was made of, which it carries |
//! | [`spine`] | [`Spine`]: the rows of a training set before features, from a file, batches, SQL, or every key as of a time |
//! | [`session`] | [`TrainingOptions`]: how training sets are made |
//! | [`training`] | [`TrainingSets`]: joins a spine with the features asked for |
//! | [`save`] | a training set into a dataset, which has a name |
//! | [`write`] | a training set into a Parquet or CSV file |

mod error;
#[cfg(test)]
mod fixture;
pub mod origin;
mod plan;
pub mod query;
pub mod record;
pub mod save;
pub mod session;
pub mod spine;
pub mod training;
mod versions;
mod workers;
pub mod write;

pub use error::{Carried, Error};
pub use query::{SpineOrigin, TrainingQuery, Versions};
pub use record::{Record, Recorded};
pub use session::TrainingOptions;
pub use spine::{Spine, SpineTable};
pub use training::{Plan, TrainingSet, TrainingSets, ViewReport};
pub use write::Written;
