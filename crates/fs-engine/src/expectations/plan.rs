//! [`Plan`]: the expectations of a view, made ready for its rows.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::prelude::SessionContext;
use fs_core::{Catalog, Check, Expectation, FeatureView, OnFailure, ViewName};

use super::row_check::{RowCheck, position};
use crate::problem::{Place, SourceProblem, ViewField};
use crate::tables::Shared;
use crate::view_schema::{loose_schema, view_schema};

/// The expectations of a view, made ready for its rows.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) view: ViewName,
    pub(super) expectations: Vec<Expectation>,
    /// One for each expectation; none for those of a window, and `unique`.
    pub(super) row_checks: Vec<Option<RowCheck>>,
    /// How many columns are join keys; the event time comes next.
    pub(super) keys: usize,
    /// The columns of the rows as the offline table takes them.
    pub(super) strict: SchemaRef,
}

impl Plan {
    /// Makes all expectations ready; every problem if any cannot be.
    pub(super) fn of(
        catalog: &Catalog,
        view: &FeatureView,
        shared: &Shared,
    ) -> Result<Self, Vec<SourceProblem>> {
        let session = session(shared);
        let loose = loose_schema(catalog, view);
        let mut row_checks = Vec::with_capacity(view.expectations.len());
        let mut problems = Vec::new();
        for expectation in &view.expectations {
            let Expectation { name, check, .. } = expectation;
            let ready = RowCheck::of(check, &loose, &session).and_then(|ready| {
                if let Check::NullFraction { column, .. } = check {
                    position(&loose, column)?;
                }
                Ok(ready)
            });
            match ready {
                Ok(ready) => row_checks.push(ready),
                Err(message) => problems.push(problem(view, name, &message)),
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Self {
            view: view.name.clone(),
            expectations: view.expectations.clone(),
            row_checks,
            keys: catalog.join_keys(view).count(),
            strict: view_schema(catalog, view),
        })
    }

    /// The positions of the expectations that say `unique`.
    pub(super) fn unique(&self) -> impl Iterator<Item = usize> {
        let is_unique = |(_, e): &(usize, &Expectation)| matches!(e.check, Check::Unique {});
        self.expectations
            .iter()
            .enumerate()
            .filter(is_unique)
            .map(|(at, _)| at)
    }

    /// Whether rows that fail this expectation are put aside.
    pub(super) fn quarantines(&self, expectation: usize) -> bool {
        self.expectations
            .get(expectation)
            .is_some_and(|expectation| expectation.on_failure == OnFailure::Quarantine)
    }
}

/// A session that reads SQL like those of sources, and tells where it is wrong.
fn session(shared: &Shared) -> SessionContext {
    let mut config = Shared::config();
    config.options_mut().sql_parser.collect_spans = true;
    SessionContext::new_with_config_rt(config, Arc::clone(&shared.runtime))
}

pub(super) fn problem(view: &FeatureView, expectation: &str, message: &str) -> SourceProblem {
    SourceProblem {
        place: Place::View {
            view: view.name.clone(),
            field: ViewField::Expectation(expectation.to_owned()),
        },
        code: fs_core::Code::InvalidArgument,
        message: format!(
            "view `{}`: expectation `{expectation}`: {message}",
            view.name
        ),
    }
}

/// The join keys and the event time that may be missing in a row because a `not_null` says what
/// happens to it: one flag for each key, and one for the event time.
pub(crate) fn excused(catalog: &Catalog, view: &FeatureView) -> Vec<bool> {
    let loose = loose_schema(catalog, view);
    let keys = catalog.join_keys(view).count();
    let says = |column: &Arc<arrow::datatypes::Field>| {
        view.expectations.iter().any(|expectation| {
            // A row without a key cannot be committed, so a warning does not help it.
            expectation.on_failure != OnFailure::Warn
                && matches!(&expectation.check, Check::NotNull { column: name } if name == column.name())
        })
    };
    loose.fields().iter().take(keys + 1).map(says).collect()
}
