//! A push that is sent again.

use super::*;
use crate::fixture::Click;

fn rows() -> [Click; 2] {
    [click(1, 10, 1), click(2, 20, 2)]
}

#[tokio::test]
async fn a_repeated_push_counts_once_wherever_it_went() {
    for to in [PushTo::Both, PushTo::Offline, PushTo::Online] {
        let shop = Shop::new();
        let first = shop.push(&rows(), to, Some("k")).await.unwrap();
        let (facts, stored) = (shop.facts().await, shop.stored().await);
        shop.clock.set(at(2_000));
        let again = shop.push(&rows(), to, Some("k")).await.unwrap();
        assert!(again.repeated, "{to:?}");
        assert_eq!(again.outcomes, first.outcomes);
        assert_eq!((shop.facts().await, shop.stored().await), (facts, stored));
        let other = shop.push(&rows(), to, Some("other")).await.unwrap();
        assert!(!other.repeated);
    }
}

#[tokio::test]
async fn a_push_that_died_between_the_stores_is_completed_when_it_is_sent_again() {
    let shop = Shop::new();
    shop.online.fail_after(0);
    let error = shop
        .push(&rows(), PushTo::Both, Some("k"))
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("the offline store has its rows"),
        "{error}"
    );
    assert_eq!(shop.facts().await.len(), 2);
    shop.online.recover();
    shop.clock.set(at(2_000));
    let report = shop.push(&rows(), PushTo::Both, Some("k")).await.unwrap();
    assert_eq!(report.outcomes, [Stored, Stored]);
    assert!(report.repeated);
    assert_eq!(shop.facts().await.len(), 2);
    assert_eq!(shop.stored().await, shop.expected().await);
}

#[tokio::test]
async fn a_push_that_died_between_the_stores_is_completed_by_the_next_run() {
    let shop = Shop::new();
    shop.source(&[]);
    shop.materialize(0, 5).await.unwrap();
    shop.online.fail_after(0);
    drop(shop.push(&rows(), PushTo::Both, None).await);
    shop.online.recover();
    assert_eq!(shop.served().await, Served::new());
    shop.incremental(1_000).await.unwrap();
    assert_eq!(shop.stored().await, shop.expected().await);
    assert_eq!(shop.served().await.len(), 2);
}

#[tokio::test]
async fn an_online_push_that_died_after_its_claim_keeps_the_time_of_its_first_receipt() {
    let shop = Shop::new();
    shop.online.fail_after(1);
    let error = shop
        .push(&rows(), PushTo::Online, Some("k"))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("push them again"), "{error}");
    shop.online.recover();
    shop.clock.set(at(1_500));
    let newer = shop.push(&[click(1, 10, 9)], PushTo::Online, None).await;
    assert_eq!(newer.unwrap(), counted(&[Stored]));
    shop.clock.set(at(2_000));
    let report = shop.push(&rows(), PushTo::Online, Some("k")).await.unwrap();
    assert_eq!(report.outcomes, [Outdone, Stored]);
    let (order, _) = shop.stored().await[&2];
    assert_eq!(order.created, Some(CreatedTime::from_micros(1_000_000_000)));
    assert_eq!(shop.served().await[&1], (10, Some(9)));
}

#[tokio::test]
async fn a_known_key_decides_and_not_the_rows_that_come_with_it() {
    let shop = Shop::new();
    shop.push(&rows(), PushTo::Both, Some("k")).await.unwrap();
    let others = [click(7, 70, 7), click(8, 80, 8), click(9, 90, 9)];
    let report = shop.push(&others, PushTo::Both, Some("k")).await.unwrap();
    assert_eq!(report.outcomes, [Stored, Stored, RowOutcome::Ignored]);
    let one = shop
        .push(&others[..1], PushTo::Both, Some("k"))
        .await
        .unwrap();
    assert_eq!(one.outcomes, [Stored]);
    assert_eq!(shop.facts().await, [(1, 10, Some(1)), (2, 20, Some(2))]);
    assert_eq!(shop.served().await.len(), 2);
}

#[tokio::test]
async fn a_key_that_is_empty_or_too_long_is_refused() {
    let shop = Shop::new();
    for key in [String::new(), "x".repeat(201)] {
        let error = shop.push(&rows(), PushTo::Both, Some(&key)).await;
        let error = error.unwrap_err().to_string();
        assert!(error.contains("1 to 200 bytes"), "{error}");
    }
    let longest = "x".repeat(200);
    for to in [PushTo::Both, PushTo::Online] {
        shop.push(&rows(), to, Some(&longest)).await.unwrap();
    }
}
