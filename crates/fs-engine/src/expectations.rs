//! The expectations of a view, held against its rows on their way to the offline table.

mod duplicates;
mod plan;
mod problems;
mod quarantined;
mod report;
mod row_check;
mod run;
mod sorted;
mod split;
mod tally;
mod unique;
mod validator;
mod window_check;

pub(crate) use plan::excused;
pub(crate) use problems::problems;
pub use quarantined::Quarantined;
pub use report::{Example, Report, Verdict};
pub use validator::{Validated, Validator};
