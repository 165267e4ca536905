//! Training sets against the naive reference, on generated rows in a real table.

use std::ops::Range;

use fs_core::PointInTime;
use fs_pit::{FeatureRows, naive};
use proptest::prelude::*;

use super::*;

/// The answer of the naive reference, with the rows numbered as they were committed.
pub(super) fn expected(
    rule: Rule,
    spine: &[(Option<i64>, i64)],
    commits: &[Vec<Row>],
) -> Vec<Option<i64>> {
    let rows: Vec<&Row> = commits.iter().flatten().collect();
    let keys = [ints(
        &rows.iter().map(|row| Some(row.user)).collect::<Vec<_>>(),
    )];
    let event = TimestampMicrosecondArray::from_iter_values(rows.iter().map(|row| row.event));
    let created: TimestampMicrosecondArray = rows.iter().map(|row| row.created).collect();
    let features = [FeatureRows {
        keys: &keys,
        event: &event,
        created: Some(&created),
        sequence: None,
    }];
    let users: Vec<Option<i64>> = spine.iter().map(|(user, _)| *user).collect();
    let at = TimestampMicrosecondArray::from_iter_values(spine.iter().map(|(_, at)| *at));
    naive::point_in_time_join(&[ints(&users)], &at, rule, &features)
        .unwrap()
        .into_iter()
        .map(|id| id.and_then(|id| rows[id.row as usize].clicks))
        .collect()
}

const WINDOW: i64 = 50;

pub(super) fn rule() -> impl Strategy<Value = Rule> {
    let kinds = vec![PointInTime::EventTime, PointInTime::KnownAt];
    (0_i64..60, 0_i64..20, prop::sample::select(kinds)).prop_map(|(ttl, delay, point_in_time)| {
        Rule {
            ttl: Span::from_micros(ttl).and_then(Ttl::new),
            delay: Span::from_micros(delay).unwrap(),
            point_in_time,
        }
    })
}

/// Rows for the window that starts at `window * WINDOW`.
pub(super) fn window_rows(window: i64) -> impl Strategy<Value = Vec<Row>> {
    let event = window * WINDOW..(window + 1) * WINDOW;
    let created = prop::option::of(0_i64..170);
    let row = (0_i64..4, event, created, prop::option::of(0_i64..1000)).prop_map(
        |(user, event, created, clicks)| Row {
            user,
            event,
            created,
            clicks,
        },
    );
    prop::collection::vec(row, 0..20)
}

pub(super) fn range(window: i64) -> Range<i64> {
    window * WINDOW..(window + 1) * WINDOW
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_training_set_equals_the_naive_reference_and_the_future_changes_nothing(
        rule in rule(),
        spine in prop::collection::vec((prop::option::of(0_i64..5), 0_i64..170), 0..30),
        windows in (window_rows(0), window_rows(1), window_rows(2)),
    ) {
        let commits = [windows.0, windows.1, windows.2];
        let users: Vec<Option<i64>> = spine.iter().map(|(user, _)| *user).collect();
        let at: Vec<i64> = spine.iter().map(|(_, at)| *at).collect();
        let rows = || super::spine(vec![("user", ints(&users)), (EVENT_TIMESTAMP, times(&at))]);
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let shop = Shop::new(rule);
            for (window, commit) in (0..).zip(&commits) {
                shop.replace(range(window), commit).await;
            }
            let before = clicks(&joined(&shop, rows()).await);
            prop_assert_eq!(&before, &expected(rule, &spine, &commits));
            let future: Vec<Row> = (0..5).map(|user| row(user, 200, -1)).collect();
            shop.replace(200..250, &future).await;
            prop_assert_eq!(&clicks(&joined(&shop, rows()).await), &before);
            Ok(())
        })?;
    }
}
