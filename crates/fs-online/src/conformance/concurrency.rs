//! Several who write, and read, at once.

use tokio::task::JoinSet;

use super::fixture::{Fixture, key, newest, order, row};
use super::{Outcome, Problem, expect_eq};
use crate::{EncodedKey, RowWrite, row as packed};

const KEYS: i64 = 50;
const ROUNDS: i64 = 20;

/// Waits for every task; the first problem is the answer.
async fn all(mut tasks: JoinSet<Outcome>) -> Outcome {
    while let Some(ended) = tasks.join_next().await {
        ended.map_err(|error| Problem(error.to_string()))??;
    }
    Ok(())
}

fn keys() -> Vec<EncodedKey> {
    (0..KEYS).map(key).collect()
}

fn sequence(number: i64) -> u64 {
    number.unsigned_abs()
}

pub(super) async fn two_writers_of_the_same_keys_leave_the_newest_rows(on: Fixture) -> Outcome {
    // One writes odd events forwards, the other even events backwards; the newest is 2 * ROUNDS.
    let mut tasks = JoinSet::new();
    for writer in [0, 1] {
        let on = on.clone();
        tasks.spawn(async move {
            for round in 0..ROUNDS {
                let event = if writer == 0 {
                    2 * round + 1
                } else {
                    2 * (ROUNDS - round)
                };
                let at = order(event, None, sequence(event));
                let rows = (0..KEYS).map(|n| newest(&key(n), at, event));
                on.write(rows.collect::<Result<_, _>>()?).await?;
            }
            Ok(())
        });
    }
    all(tasks).await?;
    let newest = 2 * ROUNDS;
    let expected = row(order(newest, None, sequence(newest)), newest)?;
    let found = on.read(&on.view, &keys()).await?;
    expect_eq("the rows", &found, &vec![Some(expected); keys().len()])
}

pub(super) async fn a_newer_row_survives_a_racing_removal_of_the_older(on: Fixture) -> Outcome {
    let (older, newer) = (order(1, None, 1), order(2, None, 2));
    for _ in 0..ROUNDS {
        let rows = (0..KEYS).map(|n| newest(&key(n), older, 1));
        on.write(rows.collect::<Result<_, _>>()?).await?;
        let mut tasks = JoinSet::new();
        let removing = on.clone();
        tasks.spawn(async move {
            let removals = keys()
                .into_iter()
                .map(|key| RowWrite::replace(key, None, older));
            removing.write(removals.collect()).await?;
            Ok(())
        });
        let writing = on.clone();
        tasks.spawn(async move {
            let rows = (0..KEYS).rev().map(|n| newest(&key(n), newer, 2));
            writing.write(rows.collect::<Result<_, _>>()?).await?;
            Ok(())
        });
        all(tasks).await?;
        let found = on.read(&on.view, &keys()).await?;
        let expected = vec![Some(row(newer, 2)?); keys().len()];
        expect_eq("the rows", &found, &expected)?;
        let removals = keys()
            .into_iter()
            .map(|key| RowWrite::replace(key, None, newer));
        on.write(removals.collect()).await?;
    }
    Ok(())
}

pub(super) async fn a_reader_beside_a_writer_sees_whole_rows_that_never_get_older(
    on: Fixture,
) -> Outcome {
    let mut tasks = JoinSet::new();
    let writing = on.clone();
    tasks.spawn(async move {
        for round in 1..=ROUNDS {
            let at = order(round, None, sequence(round));
            let rows = (0..KEYS).map(|n| newest(&key(n), at, round));
            writing.write(rows.collect::<Result<_, _>>()?).await?;
        }
        Ok(())
    });
    tasks.spawn(async move {
        let mut seen = vec![0; keys().len()];
        while seen.iter().any(|event| *event < ROUNDS) {
            let rows = on.read(&on.view, &keys()).await?;
            for (seen, found) in seen.iter_mut().zip(rows) {
                let Some(found) = found else {
                    expect_eq("the event of a row that is gone", seen, &0)?;
                    continue;
                };
                let at = packed::order(&found)?;
                let event = at.event.as_micros();
                expect_eq("a row", &found, &row(at, event)?)?;
                expect_eq("whether a row got older", &(event < *seen), &false)?;
                *seen = event;
            }
            tokio::task::yield_now().await;
        }
        Ok(())
    });
    all(tasks).await
}
