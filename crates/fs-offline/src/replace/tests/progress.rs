//! How far a run of several windows has come.

use super::*;
use crate::RunProgress;

const DAY: i64 = 24 * 3_600 * 1_000_000;

async fn replace_with(shop: &Shop, progress: RunProgress) {
    let replacement = Replacement {
        source_version: Some(17),
        progress: Some(progress),
        ..Replacement::of(window(0, 10), stream(vec![]))
    };
    shop.store
        .replace_window(&schema(), replacement)
        .await
        .unwrap();
}

fn progress(key: &str, done: i64, used: Option<i64>) -> RunProgress {
    RunProgress {
        key: key.to_owned(),
        done: at(done),
        at: used.map(at),
    }
}

/// An instant that Delta takes for a moment ago.
fn now() -> i64 {
    let now = std::time::UNIX_EPOCH.elapsed().unwrap();
    i64::try_from(now.as_micros()).unwrap()
}

#[tokio::test]
async fn a_run_goes_on_where_its_last_window_ended() {
    let shop = Shop::new();
    let view = schema().view().clone();
    let come = async |key: &str| shop.store.run_progress(&view, key).await.unwrap();
    assert_eq!(come("a/1").await, None);
    replace_with(&shop, progress("a/1", 40, Some(now()))).await;
    replace_with(&shop, progress("b", 70, None)).await;
    replace_with(&shop, progress("a/1", 50, Some(now()))).await;
    assert_eq!(come("a/1").await, Some(at(50)));
    assert_eq!(come("b").await, Some(at(70)));
    assert_eq!(come("c").await, None);
    let state = shop.store.state(&view).await.unwrap().unwrap();
    assert_eq!(state.source_version, Some(17));
    // What says nothing of them leaves them.
    shop.replace(window(0, 10), &[], None).await.unwrap();
    assert_eq!(come("a/1").await, Some(at(50)));
    let state = shop.store.state(&view).await.unwrap().unwrap();
    assert_eq!(state.source_version, Some(17));
}

#[tokio::test]
async fn a_run_of_days_ago_is_forgotten() {
    let shop = Shop::new();
    replace_with(&shop, progress("old", 40, Some(now() - 2 * DAY))).await;
    replace_with(&shop, progress("lasting", 40, None)).await;
    let view = schema().view().clone();
    assert_eq!(shop.store.run_progress(&view, "old").await.unwrap(), None);
    let lasting = shop.store.run_progress(&view, "lasting").await.unwrap();
    assert_eq!(lasting, Some(at(40)));
}
