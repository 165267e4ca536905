//! Many applies at once, on a folder and in memory.

use std::collections::BTreeSet;

use fs_core::{Entity, Meta};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_racing_applies_exactly_one_wins_and_the_others_are_told_who() {
    let (_folder, registries) = both();
    for registry in registries {
        for round in 1..=10_u64 {
            let mut tasks = JoinSet::new();
            let barrier = Arc::new(Barrier::new(16));
            for racer in 0..16 {
                let (registry, barrier) = (registry.clone(), Arc::clone(&barrier));
                // Half of them want the very same thing.
                let catalog = flights_with_ttl(&format!("{round}h{}m", racer % 8 + 1));
                tasks.spawn(async move {
                    let plan = registry.plan(&catalog).await.unwrap();
                    barrier.wait().await;
                    let applied = registry.apply(&plan, Force::No, at(1), None).await;
                    (applied, catalog)
                });
            }
            let mut winners = Vec::new();
            for (applied, catalog) in tasks.join_all().await {
                match applied {
                    Ok(applied) => winners.push((applied, catalog)),
                    Err(Error::Conflict { base, winner, .. }) => {
                        assert_eq!(base.unwrap_or_default(), round - 1);
                        assert_eq!(winner, Some(round));
                    }
                    Err(error) => panic!("{error}"),
                }
            }
            let [(applied, catalog)] = &winners[..] else {
                panic!("{} applies won", winners.len());
            };
            assert_eq!(*applied, Applied::Recorded { version: round });
            let current = registry.current().await.unwrap().unwrap();
            assert_eq!((current.number, &*current.catalog), (round, catalog));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_update_is_lost_when_everybody_plans_again_after_losing() {
    let (_folder, registries) = both();
    for registry in registries {
        let mut tasks = JoinSet::new();
        for writer in 0..12 {
            let registry = registry.clone();
            tasks.spawn(async move { add_entity(&registry, &format!("e{writer}")).await });
        }
        let versions: BTreeSet<u64> = tasks.join_all().await.into_iter().collect();
        assert_eq!(versions, (1..=12).collect());
        let current = registry.current().await.unwrap().unwrap();
        assert_eq!(current.catalog.entities.len(), 12);
    }
}

/// Adds an entity to whatever is current, planning again until it wins; returns its version.
async fn add_entity(registry: &Registry, name: &str) -> u64 {
    let entity = Entity {
        name: name.parse().unwrap(),
        join_keys: vec![],
        meta: Meta::default(),
    };
    loop {
        let current = registry.current().await.unwrap();
        let mut catalog = current.as_ref().map_or_else(
            || Catalog::empty("flights".parse().unwrap()),
            |version| (*version.catalog).clone(),
        );
        catalog.entities.insert(entity.name.clone(), entity.clone());
        let plan = Plan::between(current.as_ref(), &catalog).unwrap();
        match registry.apply(&plan, Force::No, at(0), None).await {
            Ok(Applied::Recorded { version }) => return version,
            Err(Error::Conflict { .. }) => {}
            other => panic!("{other:?}"),
        }
    }
}
