//! How far a view has come, told by several.

use fs_core::EventTime;

use super::fixture::Fixture;
use super::{Outcome, Problem, expect_eq};
use crate::Published;

fn state(version: i64) -> Published {
    Published {
        table_version: version,
        as_of: EventTime::from_micros(5),
        visibility: "known_at+1h".to_owned(),
    }
}

pub(super) async fn the_published_state_is_set_only_if_it_is_what_it_was(on: Fixture) -> Outcome {
    let set = async |before: Option<i64>, after| {
        let before = before.map(state);
        let set = on
            .store
            .set_published(&on.view, before.as_ref(), state(after), None);
        Ok::<_, Problem>((set.await?, on.store.published(&on.view).await?))
    };
    for (before, after, expected) in [
        (Some(1), 2, (false, None)),
        (None, 1, (true, Some(1))),
        (None, 2, (false, Some(1))),
        (Some(3), 2, (false, Some(1))),
        (Some(1), 2, (true, Some(2))),
        // Again: it is so already.
        (Some(1), 2, (true, Some(2))),
        (Some(2), 2, (true, Some(2))),
        (Some(2), 1, (true, Some(1))),
    ] {
        let (is_set, found) = expected;
        let expected = (is_set, found.map(state));
        let what = format!("{before:?} to {after}");
        expect_eq(&what, &set(before, after).await?, &expected)?;
    }
    Ok(())
}

pub(super) async fn of_several_who_publish_at_once_one_succeeds(on: Fixture) -> Outcome {
    let mut before = None;
    for round in 0..20 {
        let setting = (0..8).map(|number: i64| {
            let (on, before) = (on.clone(), before.clone());
            let after = state(100 * (round + 1) + number);
            tokio::spawn(async move {
                let set = on
                    .store
                    .set_published(&on.view, before.as_ref(), after.clone(), None);
                set.await.map(|is_set| is_set.then_some(after))
            })
        });
        let mut winners = Vec::new();
        for one in setting.collect::<Vec<_>>() {
            let ended = one.await.map_err(|error| Problem(error.to_string()))?;
            winners.extend(ended?);
        }
        let found = on.store.published(&on.view).await?;
        expect_eq("who succeeded", &winners, &Vec::from_iter(found.clone()))?;
        before = found;
    }
    Ok(())
}
