//! Publishers and pushers of windowed views that fall asleep at any step while somebody else works.

use std::sync::Arc;

use fs_core::{Clock, Fence};
use fs_online::OnlineStore;
use fs_pit::state::Limits;

use super::super::Publisher;
use super::gated::Gated;
use super::{is_fenced, publisher};
use crate::fixture::{Click, Shop, click, raw_rows};
use crate::{Error, PushReport, PushTo, Pusher, RowOutcome};

/// So little that what is pushed is merged soon.
const TIGHT: Limits = Limits {
    few: 2,
    instants: 3,
    pushed: 4,
};

/// A shop whose table has news that are not online yet: rows that came, one that went, one that was pushed
/// offline. The run that failed had fence 2.
async fn with_news() -> Shop {
    let shop = Shop::windowed();
    shop.source(&[click(1, 910, 1), click(2, 920, 2), click(3, 930, 3)]);
    shop.materialize(0, 2_000).await.unwrap();
    shop.source(&[click(1, 910, 7), click(3, 935, 3), click(4, 940, 4)]);
    let pushed = shop.push(&[click(1, 950, 5)], PushTo::Offline, None).await;
    pushed.unwrap();
    shop.online.fail_after(0);
    shop.materialize(0, 2_000).await.unwrap_err();
    shop.online.recover();
    shop
}

fn pushed() -> Vec<Click> {
    let hot = (0..6).map(|n| click(1, 960 + n, n));
    hot.chain([click(5, 970, 60)]).collect()
}

fn tight(publisher: Publisher<'_>) -> Publisher<'_> {
    let options = crate::Options {
        states: TIGHT,
        ..publisher.options
    };
    publisher.with_options(options)
}

impl Shop {
    /// Who pushes into another store than the shop does.
    fn pusher_into(&self, online: Arc<dyn OnlineStore>) -> Pusher {
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        Pusher::new(Arc::clone(&self.offline), online, clock)
    }

    async fn push_with(&self, pusher: &Pusher, rows: &[Click]) -> Result<PushReport, Error> {
        let (view, rows) = ("activity".parse().unwrap(), raw_rows(rows));
        pusher
            .push(&self.catalog, &view, &rows, PushTo::Both, Some("k"))
            .await
    }

    /// Pushes so, one event after the other, as a process of its own.
    async fn push_one_by_one(&self, limits: Limits) {
        let pusher = self.pusher_into(self.online.clone()).with_states(limits);
        let view = "activity".parse().unwrap();
        for row in pushed() {
            let rows = raw_rows(&[row]);
            let report = pusher.push(&self.catalog, &view, &rows, PushTo::Both, None);
            assert_eq!(report.await.unwrap().outcomes, [RowOutcome::Stored]);
        }
    }
}

#[tokio::test]
async fn what_is_pushed_while_a_publisher_sleeps_counts_once_wherever_it_fell_asleep() {
    for limits in [Limits::default(), TIGHT] {
        for call in 0.. {
            let shop = with_news().await;
            let store = Gated::asleep_at(shop.online.clone(), call);
            let sleeper = publisher(&shop, &store);
            let sleeper = if limits == TIGHT {
                tight(sleeper)
            } else {
                sleeper
            };
            let mut sleeps = Box::pin(sleeper.changes());
            tokio::select! {
                biased;
                published = &mut sleeps => {
                    // It came to its end without being stopped: all its calls have been tried.
                    published.unwrap();
                    shop.must_be_exact(&shop.events().await).await;
                    assert!(call > 6, "{call} calls cannot have done the work");
                    break;
                }
                () = store.fell_asleep() => {}
            }
            shop.push_one_by_one(limits).await;
            store.wake();
            sleeps.await.unwrap();
            let withheld = shop.must_be_exact(&shop.events().await).await;
            assert!(limits == TIGHT || withheld == 0, "asleep at call {call}");
            shop.incremental(1_000).await.unwrap();
            assert_eq!(shop.must_be_exact(&shop.events().await).await, 0);
        }
    }
}

#[tokio::test]
async fn what_a_pusher_that_slept_through_a_publication_pushes_counts_once() {
    for call in 0.. {
        let shop = with_news().await;
        let store = Arc::new(Gated::asleep_at(shop.online.clone(), call));
        let sleeper = shop.pusher_into(Arc::clone(&store) as Arc<dyn OnlineStore>);
        let rows = pushed();
        let mut sleeps = Box::pin(shop.push_with(&sleeper, &rows));
        tokio::select! {
            biased;
            done = &mut sleeps => {
                done.unwrap();
                assert!(call > 2, "{call} calls cannot have done the work");
                return;
            }
            () = store.fell_asleep() => {}
        }
        let run = shop.incremental(1_000).await.unwrap();
        assert!(run.record.published > 0);
        shop.push_one_by_one(Limits::default()).await;
        store.wake();
        sleeps.await.unwrap();
        let withheld = shop.must_be_exact(&shop.events().await).await;
        assert_eq!(withheld, 0, "asleep at call {call}");
        // Sent again, with its key.
        let again = shop.push_with(&sleeper, &rows).await.unwrap();
        assert!(again.repeated);
        assert_eq!(shop.must_be_exact(&shop.events().await).await, 0);
    }
}

#[tokio::test]
async fn a_publisher_of_windows_that_slept_while_another_took_over_changes_nothing() {
    for call in 0.. {
        let shop = with_news().await;
        let store = Gated::asleep_at(shop.online.clone(), call);
        let sleeper = publisher(&shop, &store).fenced(Some(Fence::new(2)));
        let mut sleeps = Box::pin(sleeper.changes());
        tokio::select! {
            biased;
            published = &mut sleeps => {
                published.unwrap();
                assert!(call > 6, "{call} calls cannot have done the work");
                return;
            }
            () = store.fell_asleep() => {}
        }
        shop.source(&[click(1, 910, 8), click(2, 960, 9)]);
        shop.materialize(0, 2_000).await.unwrap();
        let page = shop.online.keys(&shop.id(), None, 100).await.unwrap();
        let published = shop.online.published(&shop.id()).await.unwrap();

        store.wake();
        let slept = sleeps.await;
        assert!(is_fenced(&slept), "asleep at call {call}: {slept:?}");
        // Whatever is written makes the order of a state greater.
        let after = shop.online.keys(&shop.id(), None, 100).await.unwrap();
        assert_eq!(after, page, "asleep at call {call}");
        let after = shop.online.published(&shop.id()).await.unwrap();
        assert_eq!(after, published, "asleep at call {call}");
        assert_eq!(shop.must_be_exact(&shop.events().await).await, 0);
    }
}

#[tokio::test]
async fn a_publication_that_dies_anywhere_leaves_every_key_whole() {
    for writes in 0..8 {
        let shop = with_news().await;
        let before = shop.answers().await;
        shop.online.fail_after(writes);
        let done = publisher(&shop, shop.online.as_ref()).changes().await;
        shop.online.recover();
        let expected = shop.counted(&shop.events().await);
        for (user, answers) in shop.answers().await {
            let known = [before.get(&user), expected.get(&user)];
            let is_gone = answers[0] == Some(Some(0)) && !expected.contains_key(&user);
            assert!(
                is_gone || known.contains(&Some(&answers)),
                "{user} is told {answers:?} after {writes} writes"
            );
        }
        shop.push_one_by_one(Limits::default()).await;
        shop.incremental(1_000).await.unwrap();
        assert_eq!(shop.must_be_exact(&shop.events().await).await, 0);
        if done.is_ok() {
            assert!(writes > 3, "{writes} writes cannot have done the work");
            return;
        }
    }
    panic!("eight writes were not enough");
}

#[tokio::test]
async fn a_table_that_was_made_anew_is_published_with_what_is_pushed_to_it() {
    let shop = Shop::windowed();
    for n in 0..4 {
        shop.source(&[click(1, 910, 1), click(2, 920 + n, 2)]);
        shop.materialize(0, 2_000).await.unwrap();
        shop.push(&[click(1, 950 + n, 5)], PushTo::Both, None)
            .await
            .unwrap();
    }
    let view = "activity".parse().unwrap();
    assert!(shop.offline.drop_table(&view).await.unwrap());
    // Pushed to the new table, whose numbers the states take for old ones.
    shop.push(&[click(1, 990, 9)], PushTo::Both, None)
        .await
        .unwrap();
    shop.source(&[click(3, 930, 3)]);
    shop.materialize(0, 2_000).await.unwrap();
    assert_eq!(shop.must_be_exact(&shop.events().await).await, 0);
    shop.push(&[click(1, 991, 9)], PushTo::Both, None)
        .await
        .unwrap();
    assert_eq!(shop.must_be_exact(&shop.events().await).await, 0);
}

#[tokio::test]
async fn little_memory_gives_the_same_states() {
    let rows: Vec<_> = (0..300).map(|n| click(n % 40, 500 + n, n)).collect();
    let mut pages = Vec::new();
    for publish_memory in [usize::MAX, 40_000, 1] {
        let shop = Shop::windowed();
        shop.source(&rows);
        shop.online.fail_after(0);
        shop.materialize(0, 2_000).await.unwrap_err();
        shop.online.recover();
        let options = crate::Options {
            publish_memory,
            write_batch: 7,
            ..crate::Options::default()
        };
        let done = publisher(&shop, shop.online.as_ref()).with_options(options);
        let done = done.changes().await.unwrap().unwrap();
        assert_eq!((done.written, done.full), (40, true));
        assert_eq!(shop.must_be_exact(&shop.events().await).await, 0);
        pages.push(shop.answers().await);
    }
    assert_eq!(pages[0], pages[1]);
    assert_eq!(pages[0], pages[2]);
}
