//! Publishers that fall asleep at any step, and writes that overlap.

mod gated;
mod windows;

use fs_core::{Clock, EventTime, Fence};
use fs_online::{Error as OnlineError, OnlineStore};

use super::writing::IN_FLIGHT;
use super::{Publication, Publisher};
use crate::fixture::{Shop, click};
use crate::{Error, Options};
use gated::Gated;

fn publisher<'a>(shop: &'a Shop, online: &'a dyn OnlineStore) -> Publisher<'a> {
    let view = &shop.catalog.feature_views["activity"];
    let now: EventTime = shop.clock.now();
    Publisher::new(&shop.offline, online, &shop.catalog, view, now).with_options(Options {
        write_batch: 1,
        ..Options::default()
    })
}

/// A shop whose table has news that are not online yet: a correction, a row that gave way to an
/// earlier one, a key that went and one that came. The run that failed had fence 2.
async fn with_news() -> Shop {
    let shop = Shop::new();
    shop.source(&[click(1, 10, 1), click(2, 20, 2), click(3, 30, 3)]);
    shop.materialize(0, 100).await.unwrap();
    shop.source(&[click(1, 10, 7), click(3, 5, 3), click(4, 40, 4)]);
    shop.online.fail_after(0);
    shop.materialize(0, 100).await.unwrap_err();
    shop.online.recover();
    shop
}

fn is_fenced(published: &Result<Option<Publication>, Error>) -> bool {
    matches!(
        published,
        Err(Error::Online { source, .. }) if matches!(**source, OnlineError::Fenced { .. })
    )
}

#[tokio::test]
async fn a_publisher_that_slept_while_another_took_over_changes_nothing_wherever_it_fell_asleep() {
    for call in 0.. {
        let shop = with_news().await;
        let store = Gated::asleep_at(shop.online.clone(), call);
        let sleeper = publisher(&shop, &store).fenced(Some(Fence::new(2)));
        let mut sleeps = Box::pin(sleeper.changes());
        tokio::select! {
            biased;
            published = &mut sleeps => {
                // It came to its end without being stopped: all its calls have been tried.
                published.unwrap();
                assert_eq!(shop.stored().await, shop.expected().await);
                assert!(call > 6, "{call} calls cannot have done the work");
                return;
            }
            () = store.fell_asleep() => {}
        }
        shop.source(&[click(1, 10, 8), click(2, 60, 9)]);
        shop.materialize(0, 100).await.unwrap();
        let stored = shop.stored().await;
        let published = shop.online.published(&shop.id()).await.unwrap();
        assert_eq!(stored, shop.expected().await);

        store.wake();
        let slept = sleeps.await;
        assert!(is_fenced(&slept), "asleep at call {call}: {slept:?}");
        assert_eq!(shop.stored().await, stored, "asleep at call {call}");
        let after = shop.online.published(&shop.id()).await.unwrap();
        assert_eq!(after, published, "asleep at call {call}");
    }
}

#[tokio::test]
async fn writes_overlap_and_no_more_than_a_few_are_under_way() {
    let shop = Shop::new();
    let rows: Vec<_> = (0..50).map(|user| click(user, 10, user)).collect();
    shop.source(&rows);
    shop.online.fail_after(0);
    shop.materialize(0, 100).await.unwrap_err();
    shop.online.recover();
    let store = Gated::awake(shop.online.clone());
    let published = publisher(&shop, &store).changes().await.unwrap().unwrap();
    assert_eq!((published.written, published.full), (50, true));
    assert_eq!(store.most_writes(), IN_FLIGHT);
    assert_eq!(shop.stored().await, shop.expected().await);
}
