//! Writers that somebody has taken over from.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use fs_core::{EventTime, Fence};

use super::fixture::{Fixture, key, layout, newest, order, row};
use super::{Outcome, Problem, expect_eq};
use crate::{EncodedKey, Error, Published, ViewId};

const KEYS: i64 = 300;

fn keys() -> Vec<EncodedKey> {
    (0..KEYS).map(key).collect()
}

fn state(version: i64) -> Published {
    Published {
        table_version: version,
        as_of: EventTime::from_micros(version),
        visibility: "event_time".to_owned(),
    }
}

/// The greater fence that shut a writer out; nothing if it was let through.
fn shut_out<T>(result: Result<T, Error>, shown: u64) -> Result<Option<u64>, Problem> {
    match result {
        Ok(_) => Ok(None),
        Err(Error::Fenced {
            shown: told, seen, ..
        }) => {
            expect_eq("the fence that was shown", &told.number(), &shown)?;
            Ok(Some(seen.number()))
        }
        Err(error) => Err(error.into()),
    }
}

/// Writes rows with this event time under all keys; the greater fence if it was shut out.
async fn write(
    on: &Fixture,
    view: &ViewId,
    event: i64,
    fence: u64,
) -> Result<Option<u64>, Problem> {
    let rows = (0..KEYS).map(|n| newest(&key(n), order(event, None, 0), event));
    let rows = rows.collect::<Result<_, _>>()?;
    let written = on.store.write(view, rows, Some(Fence::new(fence)));
    shut_out(written.await, fence)
}

async fn raise(on: &Fixture, view: &ViewId, fence: u64) -> Result<Option<u64>, Problem> {
    let raised = on.store.raise_fence(view, Fence::new(fence));
    shut_out(raised.await, fence)
}

/// Records a version of the view; the greater fence if it was shut out.
async fn publish(on: &Fixture, version: i64, fence: u64) -> Result<Option<u64>, Problem> {
    let after = state(version);
    let shown = Some(Fence::new(fence));
    let set = on.store.set_published(&on.view, None, after, shown);
    shut_out(set.await, fence)
}

/// An error unless all keys have rows with this event time.
async fn expect_event(on: &Fixture, view: &ViewId, event: i64) -> Outcome {
    let expected = row(order(event, None, 0), event)?;
    let found = on.read(view, &keys()).await?;
    expect_eq("the rows", &found, &vec![Some(expected); keys().len()])
}

pub(super) async fn a_writer_with_a_smaller_fence_changes_nothing(on: Fixture) -> Outcome {
    let view = &on.view;
    expect_eq("fence 7", &write(&on, view, 1, 7).await?, &None)?;
    expect_eq("raising 7", &raise(&on, view, 7).await?, &None)?;
    expect_eq("fence 6", &write(&on, view, 9, 6).await?, &Some(7))?;
    expect_event(&on, view, 1).await?;
    for (event, fence) in [(2, 7), (3, 8), (4, 7)] {
        expect_eq(
            "a fence that is not smaller",
            &write(&on, view, event, fence).await?,
            &None,
        )?;
        expect_event(&on, view, event).await?;
    }
    expect_eq("publishing with 6", &publish(&on, 1, 6).await?, &Some(7))?;
    expect_eq("the state", &on.store.published(view).await?, &None)?;
    expect_eq("publishing with 7", &publish(&on, 2, 7).await?, &None)?;
    expect_eq(
        "the state",
        &on.store.published(view).await?,
        &Some(state(2)),
    )?;
    expect_eq(
        "publishing the same with 6",
        &publish(&on, 2, 6).await?,
        &Some(7),
    )
}

pub(super) async fn a_writer_without_a_fence_is_never_shut_out(on: Fixture) -> Outcome {
    raise(&on, &on.view, 7).await?;
    let at = order(1, None, 0);
    on.write(vec![newest(&key(1), at, 1)?]).await?;
    on.expect("the row", &key(1), Some(&row(at, 1)?)).await?;
    let set = on
        .store
        .set_published(&on.view, None, state(1), None)
        .await?;
    expect_eq("whether it is published", &set, &true)
}

pub(super) async fn a_fence_never_gets_lower(on: Fixture) -> Outcome {
    let view = &on.view;
    // As numbers, to the last digit: neither as text nor as doubles.
    let fences = [
        0,
        9,
        10,
        99,
        100,
        1 << 53,
        (1 << 53) + 1,
        u64::MAX - 1,
        u64::MAX,
    ];
    for (at, fence) in fences.into_iter().enumerate() {
        for _ in 0..2 {
            expect_eq("raising it", &raise(&on, view, fence).await?, &None)?;
        }
        for smaller in &fences[..at] {
            let refused = Some(fence);
            expect_eq("lowering it", &raise(&on, view, *smaller).await?, &refused)?;
            expect_eq("a smaller", &write(&on, view, 1, *smaller).await?, &refused)?;
        }
    }
    Ok(())
}

pub(super) async fn views_and_projects_have_fences_of_their_own(on: Fixture) -> Outcome {
    raise(&on, &on.view, 7).await?;
    for view in [&on.other_view, &on.other_project] {
        on.store.prepare(view, &layout()).await?;
        expect_eq("another's fence", &write(&on, view, 1, 1).await?, &None)?;
        expect_event(&on, view, 1).await?;
    }
    Ok(())
}

pub(super) async fn a_view_that_is_dropped_forgets_its_fence(on: Fixture) -> Outcome {
    let view = &on.view;
    raise(&on, view, 7).await?;
    on.store.drop_view(view).await?;
    on.store.prepare(view, &layout()).await?;
    expect_eq("fence 1", &write(&on, view, 1, 1).await?, &None)?;
    expect_eq("raising 2", &raise(&on, view, 2).await?, &None)?;
    expect_eq("fence 1", &write(&on, view, 2, 1).await?, &Some(2))?;
    expect_event(&on, view, 1).await
}

pub(super) async fn nothing_of_a_writer_that_was_shut_out_appears_later(on: Fixture) -> Outcome {
    for round in 0..5 {
        let (old, new) = (2 * round + 1, 2 * round + 2);
        let writing = Arc::new(AtomicBool::new(false));
        let (writer, begun) = (on.clone(), Arc::clone(&writing));
        let slow = tokio::spawn(async move {
            for event in 1.. {
                let event = i64::try_from(round * 1_000_000 + event).unwrap_or(i64::MAX);
                if let Some(seen) = write(&writer, &writer.view, event, old).await? {
                    return Ok::<_, Problem>(seen);
                }
                begun.store(true, Ordering::Release);
            }
            Ok(0)
        });
        while !writing.load(Ordering::Acquire) && !slow.is_finished() {
            tokio::task::yield_now().await;
        }
        expect_eq("raising it", &raise(&on, &on.view, new).await?, &None)?;
        let before = on.read(&on.view, &keys()).await?;
        let seen = slow.await.map_err(|error| Problem(error.to_string()))?;
        expect_eq("what shut it out", &seen?, &new)?;
        let after = on.read(&on.view, &keys()).await?;
        expect_eq("the rows", &after, &before)?;
    }
    Ok(())
}
