//! Many at once, in a folder and in memory, with real time.

use std::sync::Arc;
use std::time::Duration;

use fs_core::Location;
use tempfile::TempDir;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use super::fixture::{clock, weather};
use crate::lease::{LeaseOptions, Leases};
use crate::{Error, Registry};

fn both() -> (TempDir, [Leases; 2]) {
    let folder = TempDir::new().unwrap();
    let location = Location::folder(folder.path()).unwrap();
    let registry = Registry::open(&location, "flights".parse().unwrap(), []).unwrap();
    (
        folder,
        [registry.leases(clock()), Leases::in_memory(clock())],
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_at_once_exactly_one_gets_the_lease() {
    let (_folder, stores) = both();
    for leases in stores {
        for round in 1..=10_u64 {
            let barrier = Arc::new(Barrier::new(12));
            let mut racers = JoinSet::new();
            for racer in 0..12 {
                let leases = leases.as_process(&format!("racer:{racer}"), clock());
                let barrier = Arc::clone(&barrier);
                racers.spawn(async move {
                    barrier.wait().await;
                    leases.try_acquire(&weather(), "race").await.unwrap()
                });
            }
            let won: Vec<_> = racers.join_all().await.into_iter().flatten().collect();
            assert_eq!(won.len(), 1, "round {round}");
            for lease in won {
                assert_eq!(lease.fence().number(), round);
                lease.release().await.unwrap();
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn everybody_who_waits_has_it_once_and_nobody_together_with_another() {
    let (_folder, stores) = both();
    for leases in stores {
        let quick = LeaseOptions {
            heartbeat: Duration::from_millis(10),
            ..LeaseOptions::default()
        };
        let inside = Arc::new(tokio::sync::Mutex::new(Vec::new()));
        let mut racers = JoinSet::new();
        for racer in 0..8 {
            let leases = leases.as_process(&format!("racer:{racer}"), clock());
            let leases = leases.with_options(quick);
            let inside = Arc::clone(&inside);
            racers.spawn(async move {
                let wait = Duration::from_mins(1);
                let lease = leases.acquire(&weather(), "race", wait, |_| {}).await;
                let lease = lease.unwrap();
                {
                    let mut fences = inside.try_lock().expect("nobody else is inside");
                    tokio::task::yield_now().await;
                    fences.push(lease.fence().number());
                }
                lease.release().await.unwrap();
            });
        }
        racers.join_all().await;
        assert_eq!(*inside.lock().await, (1..=8).collect::<Vec<_>>());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_who_may_take_over_exactly_one_does() {
    let (_folder, stores) = both();
    for leases in stores {
        let short = LeaseOptions::with_ttl(Duration::from_millis(100));
        let dead = leases.clone().with_options(short);
        let dead = dead.try_acquire(&weather(), "dies").await.unwrap().unwrap();
        dead.abandon();
        let quick = LeaseOptions {
            heartbeat: Duration::from_millis(20),
            ..LeaseOptions::default()
        };
        let mut racers = JoinSet::new();
        for racer in 0..8 {
            let leases = leases.as_process(&format!("racer:{racer}"), clock());
            let leases = leases.with_options(quick);
            racers.spawn(async move {
                let wait = Duration::from_secs(1);
                let taken = leases.acquire(&weather(), "race", wait, |_| {}).await;
                match taken {
                    Ok(lease) => Some(lease),
                    Err(Error::Held { .. }) => None,
                    Err(error) => panic!("{error}"),
                }
            });
        }
        let won: Vec<_> = racers.join_all().await.into_iter().flatten().collect();
        assert_eq!(won.len(), 1);
        assert!(won[0].taken_over());
        assert_eq!(won[0].fence().number(), 2);
    }
}
