//! Leases in memory, with time that passes when it is told to; and in a folder, with many at once.

mod cancel;
mod fixture;
mod outages;
mod races;
mod takeover;

use fs_core::Fence;
use serde_json::{Value, json};

use self::fixture::{World, weather};
use super::*;

#[tokio::test]
async fn a_free_lease_is_taken_at_once_and_each_holder_has_a_greater_fence() {
    let world = World::new();
    for fence in 1..=3 {
        let lease = world.take("run").await;
        assert_eq!(lease.fence().number(), fence);
        assert!(!lease.taken_over() && lease.why_stopped().is_none());
        lease.release().await.unwrap();
    }
}

#[tokio::test]
async fn who_holds_a_lease_is_told_to_those_who_ask_and_to_those_who_wait() {
    let world = World::new();
    assert_eq!(world.leases.read(&weather()).await.unwrap(), None);
    let lease = world.take("materialize [a, b)").await;
    let state = world.leases.read(&weather()).await.unwrap().unwrap();
    let holder = state.holder.unwrap();
    assert_eq!(holder.id, lease.id());
    assert_eq!(holder.what, "materialize [a, b)");
    assert_eq!(holder.name, world.leases.name);
    assert!(!holder.is_gone() && !holder.cancel);

    let told = std::sync::Mutex::new(Vec::new());
    let other = world.process("other:1");
    let view = weather();
    let waiting = other.acquire(&view, "other", Duration::ZERO, |holder| {
        told.lock().unwrap().push(holder.what.clone());
    });
    let error = waiting.await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "view `weather` is being materialized by {} since {} (materialize [a, b)): nothing was \
             done; try again, or `fs jobs cancel weather`",
            world.leases.name, holder.since
        )
    );
    assert!(told.into_inner().unwrap().is_empty(), "it did not wait");
    assert_eq!(world.leases.list().await.unwrap().len(), 1);
}

#[tokio::test]
async fn whoever_waits_gets_the_lease_when_it_is_released() {
    let world = World::new();
    let lease = world.take("first").await;
    let other = world.process("other:1");
    let waiting = tokio::spawn(async move {
        let told = std::sync::atomic::AtomicUsize::new(0);
        let count = |_: &HolderInfo| {
            told.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        };
        let wait = Duration::from_mins(1);
        let lease = other.acquire(&weather(), "second", wait, count).await;
        (lease.unwrap(), told.into_inner())
    });
    world.pass(10.0).await;
    assert!(!waiting.is_finished());
    lease.release().await.unwrap();
    world.pass(2.0).await;
    let (second, told) = waiting.await.unwrap();
    assert_eq!((second.fence().number(), told), (2, 1));
    assert!(!second.taken_over());
}

#[tokio::test]
async fn what_the_schedule_remembers_outlives_holders() {
    let world = World::new();
    let lease = world.take("run").await;
    assert_eq!(lease.job(), Value::Null);
    lease.set_job(json!({ "tick": 7 })).await.unwrap();
    assert_eq!(lease.job(), json!({ "tick": 7 }));
    lease.abandon();
    world.pass(31.0).await;
    let other = world.process("other:1");
    let lease = world.take_over(&other).await;
    assert_eq!(lease.job(), json!({ "tick": 7 }));
    lease.release().await.unwrap();
    let state = world.leases.read(&weather()).await.unwrap().unwrap();
    assert_eq!((state.job, state.holder), (json!({ "tick": 7 }), None));
}

#[tokio::test]
async fn only_the_newest_objects_stay_and_fences_grow_over_them() {
    let world = World::new();
    for fence in 1..=20 {
        let lease = world.take("run").await;
        assert_eq!(lease.fence().number(), fence);
        world.pass(20.0).await;
        lease.release().await.unwrap();
    }
    assert!(world.store.writes() > 60);
    let objects = world.leases.objects.lease_of(&weather());
    assert_eq!(objects.listing().await.unwrap().len(), 3);
}

#[tokio::test]
async fn a_lease_that_is_dropped_is_free_at_once_but_its_work_is_suspected() {
    let world = World::new();
    drop(world.take("run").await);
    world.settle().await;
    let next = world.take("next").await;
    assert_eq!(next.fence().number(), 2);
    assert!(next.taken_over());
    assert_eq!(next.predecessor().unwrap().what, "run");
    next.release().await.unwrap();
    assert!(!world.take("last").await.taken_over());
}

#[tokio::test]
async fn a_fence_can_outgrow_what_a_store_has_seen_while_nobody_else_holds_the_lease() {
    let world = World::new();
    let lease = world.take("run").await;
    assert_eq!(lease.outgrow(Fence::new(41)).await.unwrap().number(), 42);
    assert_eq!(lease.outgrow(Fence::new(7)).await.unwrap().number(), 42);
    lease.release().await.unwrap();
    assert_eq!(world.take("next").await.fence().number(), 43);
}

#[tokio::test]
async fn leases_of_a_project_that_is_torn_down_are_forgotten() {
    let world = World::new();
    world.take("run").await.release().await.unwrap();
    world.leases.remove_all().await.unwrap();
    assert!(world.leases.list().await.unwrap().is_empty());
    assert_eq!(world.take("run").await.fence().number(), 1);
}
