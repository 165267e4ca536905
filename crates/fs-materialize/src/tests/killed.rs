//! Runs that are killed between any two steps, and run again.

use std::collections::BTreeMap;
use std::sync::Arc;

use fs_core::Clock;
use fs_offline::RunStatus;

use crate::Silent;
use crate::fixture::{Served, Shop, click, further, killed_after};

/// What readers can tell of a shop.
#[derive(Debug, PartialEq)]
struct Whole {
    facts: Vec<(i64, i64, Option<i64>)>,
    served: Served,
    watermark: Option<fs_core::EventTime>,
    quarantined: usize,
}

impl Whole {
    async fn of(shop: &Shop) -> Self {
        Self {
            facts: shop.facts().await,
            served: shop.served().await,
            watermark: shop.watermark().await,
            quarantined: shop.quarantined().await.len(),
        }
    }
}

impl Shop {
    /// The same shop as another process finds it.
    fn in_another_process(&mut self, name: &str) {
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        self.leases = self.leases.as_process(name, clock);
        self.materializer.leases = self.leases.clone();
    }
}

/// A shop that has been materialized, and then was given other rows: some new, some changed, some
/// gone, and one that goes to quarantine.
async fn shop() -> Shop {
    let mut shop = Shop::of_days(20);
    shop.quarantine_negative();
    shop.materialize_telling(Arc::new(Silent)).await.unwrap();
    shop.write_day(1, &[click(1, 110, 11), click(2, 111, -5)]);
    shop.write_day(4, &[click(9, 499, 99)]);
    shop.write_day(5, &[click(3, 501, 7)]);
    shop
}

#[tokio::test]
async fn a_run_that_is_dropped_anywhere_and_run_again_leaves_what_an_undisturbed_run_leaves() {
    let undisturbed = shop().await;
    undisturbed
        .materialize_telling(Arc::new(Silent))
        .await
        .unwrap();
    let expected = Whole::of(&undisturbed).await;
    let mut shop = shop().await;
    let mut outcomes = BTreeMap::from([("killed", 0), ("done", 0)]);
    // Further every time, in one shop, so that a run also finds what several dead ones left.
    for polls in further() {
        let run = shop.materialize_telling(Arc::new(Silent));
        let done = killed_after(polls, run).await;
        shop.in_another_process(&format!("after {polls}"));
        let Some(done) = done else {
            *outcomes.entry("killed").or_default() += 1;
            continue;
        };
        done.unwrap();
        *outcomes.entry("done").or_default() += 1;
        break;
    }
    assert!(outcomes["killed"] >= 8, "{outcomes:?}");
    assert_eq!(Whole::of(&shop).await, expected);
    assert_eq!(shop.stored().await, shop.expected().await);
    let lost = shop.offline.list_runs(None, 1_000).await.unwrap();
    let lost = lost.iter().filter(|run| run.status == RunStatus::Lost);
    assert!(lost.count() >= 5);
}

#[tokio::test]
async fn a_run_that_is_dropped_once_leaves_readers_what_was_there_or_what_will_be() {
    let expected = {
        let undisturbed = shop().await;
        let before = undisturbed.served().await;
        undisturbed
            .materialize_telling(Arc::new(Silent))
            .await
            .unwrap();
        (before, undisturbed.served().await)
    };
    for polls in [60, 150, 300] {
        let mut shop = shop().await;
        let run = shop.materialize_telling(Arc::new(Silent));
        killed_after(polls, run).await;
        for (user, row) in shop.served().await {
            let known = [expected.0.get(&user), expected.1.get(&user)];
            assert!(
                known.contains(&Some(&row)),
                "{user} is {row:?} after {polls}"
            );
        }
        shop.in_another_process("the next");
        shop.materialize_telling(Arc::new(Silent)).await.unwrap();
        assert_eq!(shop.served().await, expected.1, "after {polls}");
    }
}
