//! Tokens that are claimed once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;

use super::fixture::Fixture;
use super::{Outcome, Problem, expect_eq};
use crate::{TOKEN_BYTES, ViewId};

/// A token that no other run of a check has claimed: claims outlive their views.
fn token() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let token = format!("{} {number} :{{}}*?/é", std::process::id());
    format!("{token:~<width$}", width = TOKEN_BYTES - 1)
}

async fn claim(on: &Fixture, view: &ViewId, token: &str, value: &str) -> Result<String, Problem> {
    let earlier = on.store.once(view, token, value.as_bytes()).await?;
    let earlier = earlier.map(|value| String::from_utf8_lossy(&value).into_owned());
    Ok(earlier.unwrap_or_else(|| "claimed".to_owned()))
}

pub(super) async fn a_token_is_claimed_once(on: Fixture) -> Outcome {
    let token = token();
    let first = claim(&on, &on.view, &token, "first").await?;
    expect_eq("the first claim", &first.as_str(), &"claimed")?;
    for value in ["second", "", "third"] {
        let earlier = claim(&on, &on.view, &token, value).await?;
        expect_eq("a later claim", &earlier.as_str(), &"first")?;
    }
    Ok(())
}

pub(super) async fn a_claim_that_is_made_again_is_the_same_claim(on: Fixture) -> Outcome {
    let token = token();
    for _ in 0..3 {
        let again = claim(&on, &on.view, &token, "\0\u{1}same").await?;
        expect_eq("the claim", &again.as_str(), &"claimed")?;
    }
    Ok(())
}

pub(super) async fn views_projects_and_tokens_are_claimed_apart(on: Fixture) -> Outcome {
    let (token, other) = (token(), token());
    let places = [
        (&on.view, &token),
        (&on.other_view, &token),
        (&on.other_project, &token),
        (&on.view, &other),
    ];
    for (number, (view, token)) in places.into_iter().enumerate() {
        let claimed = claim(&on, view, token, &number.to_string()).await?;
        expect_eq("a claim elsewhere", &claimed.as_str(), &"claimed")?;
    }
    for (number, (view, token)) in places.into_iter().enumerate() {
        let earlier = claim(&on, view, token, "later").await?;
        expect_eq("the claim", &earlier, &number.to_string())?;
    }
    Ok(())
}

pub(super) async fn of_several_claims_at_once_one_wins(on: Fixture) -> Outcome {
    for _ in 0..20 {
        let token: Arc<str> = token().into();
        let claims = (0..8).map(|number: u32| {
            let (on, token) = (on.clone(), Arc::clone(&token));
            tokio::spawn(async move {
                let value = number.to_le_bytes();
                let earlier = on.store.once(&on.view, &token, &value).await;
                earlier.map(|earlier| earlier.unwrap_or_else(|| Bytes::copy_from_slice(&value)))
            })
        });
        let mut winners = Vec::new();
        for claim in claims.collect::<Vec<_>>() {
            let held = claim.await.map_err(|error| Problem(error.to_string()))?;
            winners.push(held?);
        }
        winners.dedup();
        expect_eq("the winners", &winners.len(), &1)?;
    }
    Ok(())
}
