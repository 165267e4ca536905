//! The expectations of a view, held against its rows on their way to the offline table.

mod report;
mod validator;

pub use report::{Example, Report, Verdict};
pub use validator::{Quarantined, Validated, Validator};
