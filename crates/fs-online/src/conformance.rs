//! What every online store promises, as checks that run against any of them.
//!
//! A check is a sentence. An adapter runs all of them in a test of its own:
//!
//! ```
//! # use std::sync::Arc;
//! # use fs_online::{MemoryStore, conformance};
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! conformance::run_all(async || Arc::new(MemoryStore::new()) as _).await
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Every check asks for a store. It may be the same one each time: the checks use projects of their
//! own (`conformance0`, `conformance1` …) and drop the views that they are going to use first.

mod claims;
mod concurrency;
mod fences;
mod fixture;
mod publishing;
mod replacing;
mod rows;
mod views;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use fixture::Fixture;

use crate::{Error, OnlineStore};

/// A promise that a store did not keep.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{store} breaks the promise that {sentence}: {problem}")]
pub struct Failure {
    /// What the store calls itself.
    pub store: String,
    /// The promise.
    pub sentence: String,
    /// What happened instead.
    pub problem: String,
}

/// What a check found.
#[derive(Debug)]
struct Problem(String);

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self(fs_core::code::report(&error))
    }
}

type Outcome = Result<(), Problem>;

type Check = fn(Fixture) -> Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// An error unless both sides are equal.
fn expect_eq<T: PartialEq + fmt::Debug>(what: &str, found: &T, expected: &T) -> Outcome {
    if found == expected {
        return Ok(());
    }
    let mut text = format!("{what} should be {expected:?} and is {found:?}");
    text.truncate(text.floor_char_boundary(1_000));
    Err(Problem(text))
}

macro_rules! checks {
    ($($module:ident :: $sentence:ident,)*) => {
        [$((stringify!($sentence), |fixture| Box::pin($module::$sentence(fixture))),)*]
    };
}

const CHECKS: [(&str, Check); 37] = checks![
    rows::a_row_is_read_as_it_was_written,
    rows::an_unknown_key_reads_as_nothing,
    rows::a_view_that_was_never_prepared_reads_as_nothing,
    rows::the_newest_row_wins_whichever_is_written_first,
    rows::a_row_of_equal_order_keeps_the_stored_one,
    rows::a_write_says_what_became_of_every_row,
    rows::a_key_that_appears_twice_in_a_batch_is_written_in_order,
    rows::rows_come_back_in_the_order_of_the_keys_with_duplicates,
    rows::several_views_are_read_at_once,
    rows::empty_requests_are_fine,
    rows::ten_thousand_rows_are_written_in_one_batch,
    rows::a_key_may_hold_any_bytes_and_be_long,
    rows::a_row_may_be_a_megabyte_long,
    replacing::a_replaced_row_gives_way_even_to_an_older_one,
    replacing::a_row_that_is_replaced_by_nothing_disappears,
    replacing::only_the_exact_row_is_replaced,
    replacing::a_replacement_of_nothing_is_an_ordinary_write,
    views::every_layout_is_remembered,
    views::the_published_state_is_absent_at_first_and_reads_back,
    views::views_and_projects_do_not_see_each_other,
    views::a_dropped_view_is_gone_and_no_other,
    views::pages_of_keys_meet_every_key_once,
    publishing::the_published_state_is_set_only_if_it_is_what_it_was,
    publishing::of_several_who_publish_at_once_one_succeeds,
    fences::a_writer_with_a_smaller_fence_changes_nothing,
    fences::a_writer_without_a_fence_is_never_shut_out,
    fences::a_fence_never_gets_lower,
    fences::views_and_projects_have_fences_of_their_own,
    fences::a_view_that_is_dropped_forgets_its_fence,
    fences::nothing_of_a_writer_that_was_shut_out_appears_later,
    claims::a_token_is_claimed_once,
    claims::a_claim_that_is_made_again_is_the_same_claim,
    claims::views_projects_and_tokens_are_claimed_apart,
    claims::of_several_claims_at_once_one_wins,
    concurrency::two_writers_of_the_same_keys_leave_the_newest_rows,
    concurrency::a_newer_row_survives_a_racing_removal_of_the_older,
    concurrency::a_reader_beside_a_writer_sees_whole_rows_that_never_get_older,
];

/// Runs every check; the first promise that is not kept is the error.
pub async fn run_all<F>(make: F) -> Result<(), Failure>
where
    F: AsyncFn() -> Arc<dyn OnlineStore>,
{
    for (number, (name, check)) in CHECKS.into_iter().enumerate() {
        let store = make().await;
        let failure = |problem: Problem| Failure {
            store: store.describe(),
            sentence: name.replace('_', " "),
            problem: problem.0,
        };
        let fixture = Fixture::new(Arc::clone(&store), number)
            .await
            .map_err(failure)?;
        check(fixture).await.map_err(failure)?;
    }
    Ok(())
}
