//! Asking a holder to stop.

use super::fixture::{World, weather};
use crate::lease::Stopped;

#[tokio::test]
async fn a_holder_hears_within_a_second_that_it_is_to_stop_and_holds_on_until_it_has() {
    let world = World::new();
    let lease = world.take("run").await;
    world.pass(3.0).await;
    let other = world.process("other:1");
    let asked = other.ask_to_cancel(&weather()).await.unwrap().unwrap();
    assert_eq!(asked.id, lease.id());
    assert_eq!(lease.why_stopped(), None);
    world.pass(1.0).await;
    assert_eq!(lease.why_stopped(), Some(Stopped::Cancelled));
    assert!(lease.stop().is_cancelled());
    world.pass(120.0).await;
    assert!(
        other
            .try_acquire(&weather(), "other")
            .await
            .unwrap()
            .is_none()
    );
    lease.release().await.unwrap();
    let next = other
        .try_acquire(&weather(), "other")
        .await
        .unwrap()
        .unwrap();
    assert!(!next.taken_over() && next.why_stopped().is_none());
    world.pass(10.0).await;
    assert_eq!(next.why_stopped(), None, "it is another holder");
}

#[tokio::test]
async fn asking_again_changes_nothing_and_keeps_nobody_alive() {
    let world = World::new();
    let lease = world.take("run").await;
    let other = world.process("other:1");
    other.ask_to_cancel(&weather()).await.unwrap().unwrap();
    lease.abandon();
    for _ in 0..31 {
        other.ask_to_cancel(&weather()).await.unwrap();
        world.pass(1.0).await;
    }
    let taken = other.try_acquire(&weather(), "other").await.unwrap();
    assert!(taken.unwrap().taken_over());
}

#[tokio::test]
async fn there_is_nobody_to_stop_where_nobody_works() {
    let world = World::new();
    assert_eq!(world.leases.ask_to_cancel(&weather()).await.unwrap(), None);
    world.take("run").await.release().await.unwrap();
    assert_eq!(world.leases.ask_to_cancel(&weather()).await.unwrap(), None);
}
