//! A registry that goes away while leases are held.

use serde_json::json;

use super::fixture::{World, weather};
use crate::Error;
use crate::lease::Stopped;
use crate::unsteady::Mood;

#[tokio::test]
async fn a_store_that_comes_back_within_the_ttl_costs_nothing() {
    for mood in [Mood::Away, Mood::Silent] {
        let world = World::new();
        let lease = world.take("run").await;
        world.pass(8.0).await;
        world.store.set(mood);
        world.pass(17.0).await;
        assert_eq!(lease.why_stopped(), None);
        world.store.set(Mood::Well);
        world.pass(60.0).await;
        assert_eq!(lease.why_stopped(), None, "{mood:?}");
        let other = world.process("other:1");
        assert!(other.try_acquire(&weather(), "x").await.unwrap().is_none());
        lease.release().await.unwrap();
    }
}

#[tokio::test]
async fn a_holder_that_cannot_renew_is_lost_before_anybody_may_take_over() {
    for mood in [Mood::Away, Mood::Silent] {
        let world = World::new();
        let lease = world.take("run").await;
        let other = world.process("other:1");
        assert!(other.try_acquire(&weather(), "x").await.unwrap().is_none());
        world.store.set(mood);
        world.pass(29.0).await;
        assert_eq!(lease.why_stopped(), None);
        world.pass(2.0).await;
        assert_eq!(lease.why_stopped(), Some(Stopped::Lost), "{mood:?}");
        world.store.set(Mood::Well);
        let taken = other.try_acquire(&weather(), "x").await.unwrap();
        assert_eq!(taken.unwrap().fence().number(), 2);
    }
}

#[tokio::test]
async fn a_lease_cannot_be_had_from_a_store_that_is_away() {
    let world = World::new();
    world.store.set(Mood::Away);
    let error = world.leases.try_acquire(&weather(), "run").await;
    let error = error.unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error}");
    world.store.set(Mood::Well);
    world.take("run").await;
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_counts_once() {
    let world = World::new();
    let lease = world.take("run").await;
    world.store.set(Mood::LosesAnAnswer);
    let lost = lease.set_job(json!({ "tick": 1 })).await;
    assert!(matches!(lost, Err(Error::Unavailable { .. })));
    // The next change finds its own write, and goes on from there.
    lease.set_job(json!({ "tick": 2 })).await.unwrap();
    world.store.set(Mood::LosesAnAnswer);
    world.pass(20.0).await;
    assert_eq!(lease.why_stopped(), None);
    lease.release().await.unwrap();
    let state = world.leases.read(&weather()).await.unwrap().unwrap();
    assert_eq!((state.job, state.holder), (json!({ "tick": 2 }), None));
}
