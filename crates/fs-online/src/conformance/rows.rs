//! Writing and reading rows.

use bytes::Bytes;

use super::fixture::{Fixture, key, layout, newest, order, row};
use super::{Outcome, expect_eq};
use crate::{EncodedKey, KeyPage, RowWrite, ViewKeys, WriteOutcome};

pub(super) async fn a_row_is_read_as_it_was_written(on: Fixture) -> Outcome {
    let written = row(order(-7, Some(-1), u64::MAX), i64::MIN)?;
    on.write(vec![RowWrite::newest(key(1), written.clone())])
        .await?;
    on.expect("the row", &key(1), Some(&written)).await
}

pub(super) async fn an_unknown_key_reads_as_nothing(on: Fixture) -> Outcome {
    on.write(vec![newest(&key(1), order(1, None, 1), 1)?])
        .await?;
    on.expect("an unknown key", &key(2), None).await
}

pub(super) async fn a_view_that_was_never_prepared_reads_as_nothing(on: Fixture) -> Outcome {
    let view = &on.other_view;
    let rows = on.read(view, &[key(1), key(2)]).await?;
    expect_eq("its rows", &rows, &vec![None, None])?;
    expect_eq("its layouts", &on.store.layouts(view).await?, &vec![])?;
    expect_eq("its state", &on.store.published(view).await?, &None)?;
    let keys = on.store.keys(view, None, 10).await?.keys;
    expect_eq("its keys", &keys, &KeyPage::default().keys)?;
    Ok(on.store.drop_view(view).await?)
}

pub(super) async fn the_newest_row_wins_whichever_is_written_first(on: Fixture) -> Outcome {
    // Ascending. Compared as text, or as signed bytes, some of these come out the wrong way round.
    let orders = [
        order(-256, None, 9),
        order(-1, None, 1),
        order(0, None, 0),
        order(0, None, 1),
        order(0, None, 255),
        order(0, None, 256),
        order(0, Some(-300), 0),
        order(0, Some(-1), 0),
        order(0, Some(0), 0),
        order(0, Some(127), 5),
        order(0, Some(128), 4),
        order(1, None, 0),
        order(128, None, 0),
        order(1_356_998_400_000_000, None, 1 << 32),
        order(1_356_998_400_000_000, None, u64::MAX),
    ];
    let mut number = 0;
    for (low, older) in orders.into_iter().enumerate() {
        for newer in orders.into_iter().skip(low + 1) {
            let expected = row(newer, 2)?;
            for newer_first in [false, true] {
                number += 1;
                let mut writes = [
                    newest(&key(number), older, 1)?,
                    newest(&key(number), newer, 2)?,
                ];
                if newer_first {
                    writes.reverse();
                }
                for write in writes {
                    on.write(vec![write]).await?;
                }
                let what = format!("the row after {older:?} and {newer:?}");
                on.expect(&what, &key(number), Some(&expected)).await?;
            }
        }
    }
    Ok(())
}

pub(super) async fn a_row_of_equal_order_keeps_the_stored_one(on: Fixture) -> Outcome {
    let same = order(5, Some(6), 7);
    on.write(vec![newest(&key(1), same, 1)?]).await?;
    let outcome = on.write(vec![newest(&key(1), same, 2)?]).await?;
    expect_eq("the rows kept", &outcome.kept, &1)?;
    on.expect("the row", &key(1), Some(&row(same, 1)?)).await
}

pub(super) async fn a_write_says_what_became_of_every_row(on: Fixture) -> Outcome {
    let stored = order(5, None, 1);
    on.write(vec![
        newest(&key(1), stored, 1)?,
        newest(&key(2), stored, 1)?,
        newest(&key(3), stored, 1)?,
    ])
    .await?;
    let outcome = on
        .write(vec![
            newest(&key(1), order(4, None, 2), 2)?,
            newest(&key(2), order(6, None, 2), 2)?,
            RowWrite::replace(key(3), None, stored),
            RowWrite::replace(key(4), None, stored),
            newest(&key(5), stored, 2)?,
        ])
        .await?;
    let expected = WriteOutcome {
        written: 2,
        kept: 2,
        deleted: 1,
    };
    expect_eq("the outcome", &outcome, &expected)
}

pub(super) async fn a_key_that_appears_twice_in_a_batch_is_written_in_order(
    on: Fixture,
) -> Outcome {
    let outcome = on
        .write(vec![
            newest(&key(1), order(1, None, 1), 1)?,
            newest(&key(1), order(3, None, 3), 3)?,
            newest(&key(1), order(2, None, 2), 2)?,
            RowWrite::replace(key(1), Some(row(order(0, None, 4), 4)?), order(3, None, 3)),
        ])
        .await?;
    expect_eq(
        "the rows written",
        &(outcome.written, outcome.kept),
        &(3, 1),
    )?;
    let expected = row(order(0, None, 4), 4)?;
    on.expect("the row", &key(1), Some(&expected)).await
}

pub(super) async fn rows_come_back_in_the_order_of_the_keys_with_duplicates(
    on: Fixture,
) -> Outcome {
    let at = order(1, None, 1);
    on.write(
        (0..5)
            .map(|n| newest(&key(n), at, n))
            .collect::<Result<_, _>>()?,
    )
    .await?;
    let numbers = [4, 0, 9, 4, 2, 9, 0];
    let found = on.read(&on.view, &numbers.map(key)).await?;
    let mut expected = Vec::new();
    for number in numbers {
        let row = if number < 5 {
            Some(row(at, number)?)
        } else {
            None
        };
        expected.push(row);
    }
    expect_eq("the rows", &found, &expected)
}

pub(super) async fn several_views_are_read_at_once(on: Fixture) -> Outcome {
    let at = order(1, None, 1);
    on.write(vec![newest(&key(1), at, 1)?, newest(&key(2), at, 2)?])
        .await?;
    on.store.prepare(&on.other_view, &layout()).await?;
    on.store
        .write(&on.other_view, vec![newest(&key(1), at, 3)?], None)
        .await?;
    let (first, second, none) = ([key(2), key(1)], [key(2), key(1)], [key(1)]);
    let request = |view, keys| ViewKeys { view, keys };
    let found = on
        .store
        .read(&[
            request(&on.view, &first),
            request(&on.other_view, &second),
            request(&on.view, &[]),
            request(&on.other_project, &none),
            request(&on.view, &none),
        ])
        .await?;
    let expected = vec![
        vec![Some(row(at, 2)?), Some(row(at, 1)?)],
        vec![None, Some(row(at, 3)?)],
        vec![],
        vec![None],
        vec![Some(row(at, 1)?)],
    ];
    expect_eq("the rows", &found, &expected)
}

pub(super) async fn empty_requests_are_fine(on: Fixture) -> Outcome {
    expect_eq("no answers", &on.store.read(&[]).await?, &vec![])?;
    expect_eq("no rows", &on.read(&on.view, &[]).await?, &vec![])?;
    let outcome = on.write(vec![]).await?;
    expect_eq("the outcome", &outcome, &WriteOutcome::default())
}

pub(super) async fn ten_thousand_rows_are_written_in_one_batch(on: Fixture) -> Outcome {
    let at = order(1, None, 1);
    let numbers = 0..10_000;
    let writes = numbers.clone().map(|n| newest(&key(n), at, n));
    let outcome = on.write(writes.collect::<Result<_, _>>()?).await?;
    expect_eq("the rows written", &outcome.written, &10_000)?;
    let keys: Vec<EncodedKey> = numbers.clone().map(key).collect();
    let found = on.read(&on.view, &keys).await?;
    let mut expected = Vec::new();
    for number in numbers {
        expected.push(Some(row(at, number)?));
    }
    expect_eq("the rows", &found, &expected)
}

pub(super) async fn a_key_may_hold_any_bytes_and_be_long(on: Fixture) -> Outcome {
    let mut keys: Vec<Vec<u8>> = vec![
        vec![0],
        vec![0, 0],
        vec![0xff],
        vec![0xff, 0xff],
        b"a:b".to_vec(),
        b"a:b:".to_vec(),
        b"{a}*?[b]\r\n ".to_vec(),
        vec![0xc3, 0x28],
        (0..=255).collect(),
    ];
    // Two long keys with the same first 4,095 bytes, and one that is the beginning of another.
    for last in [1, 2] {
        keys.push([vec![7; 4_095], vec![last]].concat());
    }
    for length in [500, 511, 512, 513, 600, 4_095] {
        keys.push(vec![7; length]);
        keys.push(vec![0xff; length]);
    }
    let keys: Vec<EncodedKey> = keys
        .into_iter()
        .map(|key| EncodedKey::from_bytes(Bytes::from(key)))
        .collect();
    let at = order(1, None, 1);
    let mut writes = Vec::new();
    let mut expected = Vec::new();
    for (number, key) in (0..).zip(&keys) {
        writes.push(newest(key, at, number)?);
        expected.push(Some(row(at, number)?));
    }
    on.write(writes).await?;
    let found = on.read(&on.view, &keys).await?;
    expect_eq("the rows", &found, &expected)?;
    for key in &keys {
        on.expect("the row", key, expected.remove(0).as_ref())
            .await?;
        on.write(vec![RowWrite::replace(key.clone(), None, at)])
            .await?;
        on.expect("a removed row", key, None).await?;
    }
    Ok(())
}

pub(super) async fn a_row_may_be_a_megabyte_long(on: Fixture) -> Outcome {
    // Any bytes after the order are the row's own business.
    let mut long = row(order(1, None, 1), 1)?.to_vec();
    long.extend((0..1 << 20).map(|n: u32| n.to_le_bytes()[0]));
    let long = Bytes::from(long);
    on.write(vec![RowWrite::newest(key(1), long.clone())])
        .await?;
    on.expect("the row", &key(1), Some(&long)).await
}
