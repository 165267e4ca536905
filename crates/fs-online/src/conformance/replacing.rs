//! Taking back rows that are no longer true.

use super::fixture::{Fixture, key, newest, order, row};
use super::{Outcome, expect_eq};
use crate::{RowWrite, WriteOutcome};

pub(super) async fn a_replaced_row_gives_way_even_to_an_older_one(on: Fixture) -> Outcome {
    let (stored, older) = (order(9, Some(9), 9), order(3, None, 1));
    on.write(vec![newest(&key(1), stored, 1)?]).await?;
    let older_row = row(older, 2)?;
    let write = RowWrite::replace(key(1), Some(older_row.clone()), stored);
    let outcome = on.write(vec![write]).await?;
    expect_eq("the rows written", &outcome.written, &1)?;
    on.expect("the row", &key(1), Some(&older_row)).await
}

pub(super) async fn a_row_that_is_replaced_by_nothing_disappears(on: Fixture) -> Outcome {
    let stored = order(9, None, 9);
    on.write(vec![
        newest(&key(1), stored, 1)?,
        newest(&key(2), stored, 2)?,
    ])
    .await?;
    let outcome = on
        .write(vec![RowWrite::replace(key(1), None, stored)])
        .await?;
    expect_eq("the rows deleted", &outcome.deleted, &1)?;
    on.expect("the row", &key(1), None).await?;
    let untouched = row(stored, 2)?;
    on.expect("the row beside it", &key(2), Some(&untouched))
        .await?;
    // A key that has disappeared starts anew, with any row.
    on.write(vec![newest(&key(1), order(1, None, 1), 3)?])
        .await?;
    let anew = row(order(1, None, 1), 3)?;
    on.expect("the row written anew", &key(1), Some(&anew))
        .await
}

pub(super) async fn only_the_exact_row_is_replaced(on: Fixture) -> Outcome {
    let stored = order(9, Some(8), 7);
    let stored_row = row(stored, 1)?;
    on.write(vec![newest(&key(1), stored, 1)?]).await?;
    let others = [
        order(9, Some(8), 6),
        order(9, Some(8), 8),
        order(9, Some(7), 7),
        order(9, None, 7),
        order(10, Some(8), 7),
        order(8, Some(8), 7),
    ];
    for other in others {
        let outcome = on
            .write(vec![
                RowWrite::replace(key(1), None, other),
                RowWrite::replace(key(1), Some(row(order(1, None, 1), 2)?), other),
            ])
            .await?;
        expect_eq("the rows kept", &outcome.kept, &2)?;
        on.expect("the row", &key(1), Some(&stored_row)).await?;
    }
    // The row that comes instead is still a row: if it is newer, it wins.
    let newer = row(order(10, None, 8), 3)?;
    let write = RowWrite::replace(key(1), Some(newer.clone()), order(1, None, 1));
    on.write(vec![write]).await?;
    on.expect("the newer row", &key(1), Some(&newer)).await
}

pub(super) async fn a_replacement_of_nothing_is_an_ordinary_write(on: Fixture) -> Outcome {
    let absent = order(9, None, 9);
    let new = row(order(2, None, 2), 1)?;
    let outcome = on
        .write(vec![
            RowWrite::replace(key(1), Some(new.clone()), absent),
            RowWrite::replace(key(2), None, absent),
        ])
        .await?;
    let expected = WriteOutcome {
        written: 1,
        kept: 1,
        deleted: 0,
    };
    expect_eq("the outcome", &outcome, &expected)?;
    on.expect("the row", &key(1), Some(&new)).await?;
    on.expect("the other key", &key(2), None).await
}
