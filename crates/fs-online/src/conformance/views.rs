//! What a store knows about a view besides its rows.

use fs_core::{DataType, EventTime, ScalarType};

use super::fixture::{Fixture, key, layout, newest, order, row};
use super::{Outcome, Problem, expect_eq};
use crate::{EncodedKey, Published, RowLayout, RowOrder, ViewId};

/// With a rule that no view has, and that no store may trip over.
fn state() -> Published {
    Published {
        table_version: 41,
        as_of: EventTime::from_micros(1_356_998_400_000_001),
        visibility: r#"as "known"\ at"#.to_owned(),
    }
}

/// A layout that no other check uses.
fn second_layout() -> RowLayout {
    let mut features = layout().features().to_vec();
    if let Ok(name) = "tags".parse() {
        features.push((name, DataType::Array(ScalarType::String)));
    }
    RowLayout::new(features)
}

async fn layouts(on: &Fixture, view: &ViewId) -> Result<Vec<RowLayout>, Problem> {
    let mut layouts = on.store.layouts(view).await?;
    layouts.sort_by_key(|layout| layout.features().len());
    Ok(layouts)
}

pub(super) async fn every_layout_is_remembered(on: Fixture) -> Outcome {
    expect_eq(
        "the layouts",
        &layouts(&on, &on.view).await?,
        &vec![layout()],
    )?;
    for again in [second_layout(), layout(), second_layout()] {
        on.store.prepare(&on.view, &again).await?;
        let expected = vec![layout(), second_layout()];
        expect_eq("the layouts", &layouts(&on, &on.view).await?, &expected)?;
    }
    expect_eq("another's", &layouts(&on, &on.other_view).await?, &vec![])
}

pub(super) async fn the_published_state_is_absent_at_first_and_reads_back(on: Fixture) -> Outcome {
    let view = &on.view;
    expect_eq("the state", &on.store.published(view).await?, &None)?;
    let set = on.store.set_published(view, None, state(), None).await?;
    expect_eq("whether it is set", &set, &true)?;
    expect_eq(
        "the state",
        &on.store.published(view).await?,
        &Some(state()),
    )?;
    let back = Published {
        table_version: 0,
        as_of: EventTime::from_micros(i64::MIN),
        visibility: String::new(),
    };
    let before = Some(&state());
    let set = on.store.set_published(view, before, back.clone(), None);
    expect_eq("whether it is set", &set.await?, &true)?;
    expect_eq("the state", &on.store.published(view).await?, &Some(back))?;
    let other = on.store.published(&on.other_view).await?;
    expect_eq("another's state", &other, &None)
}

pub(super) async fn views_and_projects_do_not_see_each_other(on: Fixture) -> Outcome {
    let at = order(1, None, 1);
    let views = [&on.view, &on.other_view, &on.other_project];
    for (number, view) in (0..).zip(views) {
        on.store.prepare(view, &layout()).await?;
        on.store
            .write(view, vec![newest(&key(1), at, number)?], None)
            .await?;
    }
    for (number, view) in (0..).zip(views) {
        let found = on.read(view, &[key(1)]).await?;
        expect_eq("the row", &found, &vec![Some(row(at, number)?)])?;
        let keys = on.store.keys(view, None, 10).await?.keys;
        expect_eq("the keys", &keys, &vec![(key(1), at)])?;
    }
    Ok(())
}

pub(super) async fn a_dropped_view_is_gone_and_no_other(on: Fixture) -> Outcome {
    let at = order(5, None, 1);
    let views = [&on.view, &on.other_view, &on.other_project];
    for view in views {
        on.store.prepare(view, &layout()).await?;
        on.store.prepare(view, &second_layout()).await?;
        on.store.set_published(view, None, state(), None).await?;
        let rows: Result<_, Problem> = (0..300).map(|n| newest(&key(n), at, n)).collect();
        on.store.write(view, rows?, None).await?;
    }
    on.store.drop_view(&on.view).await?;
    let keys: Vec<EncodedKey> = (0..300).map(key).collect();
    for view in views {
        let gone = *view == on.view;
        let rows = on.read(view, &keys).await?;
        let found = rows.iter().flatten().count();
        expect_eq("the rows", &found, &if gone { 0 } else { 300 })?;
        let found = layouts(&on, view).await?.len();
        expect_eq("the layouts", &found, &if gone { 0 } else { 2 })?;
        let found = on.store.published(view).await?;
        expect_eq("the state", &found, &(!gone).then(state))?;
        let page = on.store.keys(view, None, 1_000).await?;
        expect_eq("whether keys are gone", &page.keys.is_empty(), &gone)?;
    }
    // The view may come back, and what it held before counts for nothing.
    on.store.prepare(&on.view, &layout()).await?;
    on.write(vec![newest(&key(1), order(1, None, 0), 2)?])
        .await?;
    let anew = row(order(1, None, 0), 2)?;
    on.expect("the row written anew", &key(1), Some(&anew))
        .await?;
    on.expect("a row of before", &key(2), None).await
}

pub(super) async fn pages_of_keys_meet_every_key_once(on: Fixture) -> Outcome {
    let mut expected: Vec<(EncodedKey, RowOrder)> = (0..250)
        .map(|n| (key(n), order(n, (n % 2 == 0).then_some(n), 1)))
        .collect();
    let long = EncodedKey::from_bytes(vec![9; 3_000].into());
    expected.push((long, order(7, None, 7)));
    expected.sort();
    let writes: Result<_, Problem> = expected
        .iter()
        .map(|(key, order)| newest(key, *order, 0))
        .collect();
    on.write(writes?).await?;
    for limit in [1, 7, 251, 10_000] {
        let mut found = Vec::new();
        let mut from = None;
        // More pages than keys and buckets would be going round in circles.
        for _ in 0..100_000 {
            let page = on.store.keys(&on.view, from.as_ref(), limit).await?;
            found.extend(page.keys);
            from = page.next;
            if from.is_none() {
                break;
            }
        }
        found.sort();
        expect_eq("whether pages end", &from, &None)?;
        expect_eq("the number of keys", &found.len(), &expected.len())?;
        expect_eq("the keys", &found, &expected)?;
    }
    Ok(())
}
