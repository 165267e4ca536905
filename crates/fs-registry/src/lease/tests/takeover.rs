//! When a lease may be taken over, and from whom.

use fs_core::Fence;

use super::fixture::{World, attempt, weather};
use crate::Error;
use crate::lease::register::{Register, Wrote};
use crate::lease::{LeaseOptions, Stopped};
use std::time::Duration;

#[tokio::test]
async fn a_dead_holder_is_taken_over_after_the_ttl_and_not_before() {
    let world = World::new();
    world.take("run").await.abandon();
    let other = world.process("other:1");
    assert!(attempt(&other).await.is_none());
    world.pass(29.75).await;
    assert!(attempt(&other).await.is_none());
    world.pass(0.25).await;
    let lease = attempt(&other).await.expect("the ttl is over");
    assert_eq!(lease.fence(), Fence::new(2));
    assert!(lease.taken_over());
    assert_eq!(lease.predecessor().unwrap().what, "run");
}

#[tokio::test]
async fn a_watcher_counts_from_when_it_first_looked_whatever_passed_before() {
    let world = World::new();
    world.take("run").await.abandon();
    world.pass(3_600.0).await;
    let other = world.process("other:1");
    assert!(attempt(&other).await.is_none());
    world.pass(29.75).await;
    assert!(attempt(&other).await.is_none());
    world.pass(0.25).await;
    assert!(attempt(&other).await.is_some());
}

#[tokio::test]
async fn a_holder_that_lives_is_never_taken_over() {
    let world = World::new();
    let lease = world.take("run").await;
    let other = world.process("other:1");
    for _ in 0..200 {
        world.pass(3.0).await;
        assert!(attempt(&other).await.is_none());
    }
    assert_eq!(lease.why_stopped(), None);
    lease.release().await.unwrap();
    assert!(attempt(&other).await.is_some());
}

#[tokio::test]
async fn a_watcher_goes_by_the_ttl_that_the_holder_has_chosen() {
    let world = World::new();
    let patient = LeaseOptions::with_ttl(Duration::from_mins(5));
    let holder = world.process("patient:1").with_options(patient);
    let lease = holder.try_acquire(&weather(), "run").await.unwrap();
    lease.unwrap().abandon();
    let other = world.process("other:1");
    assert!(attempt(&other).await.is_none());
    world.pass(299.0).await;
    assert!(attempt(&other).await.is_none());
    world.pass(1.0).await;
    assert!(attempt(&other).await.is_some());
}

#[tokio::test]
async fn a_holder_that_wakes_up_after_it_was_taken_over_learns_that_it_is_lost() {
    let world = World::new();
    // Its own time stands still, as that of a process that is frozen.
    let frozen = crate::ManualTimer::new();
    let frozen = std::sync::Arc::new(frozen);
    let sleeper = world.process("sleeper:1").with_timer(frozen.clone());
    let lease = sleeper.try_acquire(&weather(), "run").await.unwrap();
    let lease = lease.unwrap();
    let other = world.process("other:1");
    let taken = world.take_over(&other).await;
    assert!(taken.fence() > lease.fence());
    assert_eq!(lease.why_stopped(), None, "it has not looked yet");
    frozen.advance(Duration::from_secs(40));
    world.settle().await;
    assert_eq!(lease.why_stopped(), Some(Stopped::Lost));
    assert!(lease.stop().is_cancelled());
    let refused = lease.set_job(serde_json::json!({ "tick": 1 })).await;
    assert!(matches!(refused, Err(Error::LeaseLost { .. })));
    assert!(matches!(
        lease.outgrow(taken.fence()).await,
        Err(Error::LeaseLost { .. })
    ));
    assert!(matches!(
        lease.release().await,
        Err(Error::LeaseLost { .. })
    ));
    assert_eq!(taken.why_stopped(), None);
    taken.release().await.unwrap();
}

#[tokio::test]
async fn a_holder_that_wakes_up_late_keeps_a_lease_that_nobody_has_taken() {
    let world = World::new();
    let frozen = std::sync::Arc::new(crate::ManualTimer::new());
    let sleeper = world.process("sleeper:1").with_timer(frozen.clone());
    let lease = sleeper.try_acquire(&weather(), "run").await.unwrap();
    let lease = lease.unwrap();
    world.settle().await;
    frozen.advance(Duration::from_hours(1));
    world.settle().await;
    assert_eq!(lease.why_stopped(), None);
    lease.release().await.unwrap();
}

#[tokio::test]
async fn a_very_late_writer_changes_nothing_although_its_number_is_free_again() {
    let world = World::new();
    let register = Register::new(&world.leases.objects, &weather());
    // It reads, and is stopped before it writes.
    let late = register.read().await.unwrap();
    assert_eq!(late.number, 0);
    for _ in 0..5 {
        world.take("run").await.release().await.unwrap();
    }
    let before = register.read().await.unwrap();
    let next = late.state.beaten();
    let wrote = register.write_after(late.number, &next).await.unwrap();
    assert!(matches!(wrote, Wrote::Passed), "{wrote:?}");
    let after = register.read().await.unwrap();
    assert_eq!((after.number, &after.state), (before.number, &before.state));
    assert_eq!(world.take("run").await.fence(), Fence::new(6));
}
