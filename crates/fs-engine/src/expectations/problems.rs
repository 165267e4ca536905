//! What is wrong between the expectations of a view and its columns.

use fs_core::{CREATED_TIMESTAMP, Catalog, FeatureView};

use super::plan::{Plan, problem};
use crate::SourceProblem;
use crate::tables::Shared;

/// What is wrong with the expectations of `view`; `with_created` says whether its rows have a created
/// time.
pub(crate) fn problems(
    catalog: &Catalog,
    view: &FeatureView,
    shared: &Shared,
    with_created: bool,
) -> Vec<SourceProblem> {
    if view.expectations.is_empty() {
        return Vec::new();
    }
    let mut problems = Plan::of(catalog, view, shared).err().unwrap_or_default();
    if !with_created {
        let of_created = view
            .expectations
            .iter()
            .filter(|expectation| expectation.check.column() == Some(CREATED_TIMESTAMP));
        problems.extend(of_created.map(|expectation| {
            let message = format!(
                "`{CREATED_TIMESTAMP}` is null in every row, because source `{}` has no \
                 created_timestamp_column that the rows of the view have; name it there, or leave the \
                 expectation out",
                view.source
            );
            problem(view, &expectation.name, &message)
        }));
    }
    problems
}
