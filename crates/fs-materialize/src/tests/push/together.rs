//! Pushes that come at the same time.

use std::sync::Arc;

use super::*;
use crate::fixture::Click;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn pushes_to_one_view_at_once_share_commits_and_are_all_there_once() {
    let shop = Arc::new(Shop::new());
    let pushes = (0..40).map(|n: i64| {
        let shop = Arc::clone(&shop);
        tokio::spawn(async move {
            let rows: Vec<Click> = (0..3).map(|user| click(user, n, 10 * n + user)).collect();
            let key = format!("k{}", n / 2);
            shop.push(&rows, PushTo::Both, Some(&key)).await.unwrap()
        })
    });
    let mut repeated = 0;
    for push in pushes.collect::<Vec<_>>() {
        repeated += usize::from(push.await.unwrap().repeated);
    }
    assert_eq!(repeated, 20);
    assert_eq!(shop.facts().await.len(), 60);
    assert_eq!(shop.stored().await, shop.expected().await);
    let state = shop.offline.state(&"activity".parse().unwrap()).await;
    let commits = state.unwrap().unwrap().version + 1;
    assert!(commits <= 20, "{commits} commits for 20 pushes");
}

#[tokio::test]
async fn a_push_that_nobody_waits_for_any_more_is_finished() {
    let shop = Shop::new();
    {
        let rows = [click(1, 10, 1)];
        let mut push = Box::pin(shop.push(&rows, PushTo::Both, Some("k")));
        // Begun, and given up.
        let waited = futures::poll!(&mut push);
        assert!(waited.is_pending());
    }
    let report = shop.push(&[click(2, 20, 2)], PushTo::Both, None).await;
    assert_eq!(report.unwrap(), counted(&[Stored]));
    let again = shop.push(&[click(1, 10, 1)], PushTo::Both, Some("k")).await;
    assert!(again.unwrap().repeated);
    assert_eq!(shop.facts().await.len(), 2);
}
