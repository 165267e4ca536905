//! Readers beside materializations.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::parity::facts::Fact;
use super::parity::world::{Asked, Rule, World};

const USERS: i64 = 20;
const GENERATIONS: u8 = 6;

/// The source says the same of every user, and says it anew in every generation.
fn source(generation: u8) -> Vec<Fact> {
    let fact = |user| Fact {
        user,
        place: 0,
        event: 10,
        created: None,
        value: generation,
        nulls: 0,
    };
    (0..USERS).map(fact).collect()
}

/// Reads both sides until the writer is done; answers how often.
async fn read(world: Arc<World>, done: Arc<AtomicBool>) -> usize {
    let asked: Vec<Asked> = (0..USERS).map(|user| (Some(user), Some(0))).collect();
    let (mut reads, mut trained_before) = (0, 1);
    let mut served_before = vec![1; asked.len()];
    loop {
        let over = done.load(Ordering::SeqCst);
        // One commit changes all rows of a table: a training set has one generation.
        let trained = world.values_trained(&asked, 100).await;
        let generation = trained[0].expect("a user is gone from the table");
        assert!(
            trained.iter().all(|found| *found == Some(generation)),
            "{trained:?}"
        );
        assert!(generation >= trained_before, "the table went back");
        trained_before = generation;
        // Online a key is changed at once: it is always there, and never goes back.
        let served = world.values_served(&asked).await;
        for (found, before) in served.iter().zip(&mut served_before) {
            let found = found.expect("a user is gone online");
            assert!(found >= *before, "a key went back");
            *before = found;
        }
        reads += 1;
        if over {
            assert_eq!(trained_before, i64::from(GENERATIONS));
            assert_eq!(served_before, vec![i64::from(GENERATIONS); asked.len()]);
            return reads;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_see_the_last_good_data_while_it_is_replaced_and_when_a_run_fails() {
    let world = Arc::new(World::new([Rule::PLAIN; 3]));
    world.now(100);
    world.source(&source(1));
    world.window(0, 50).await;
    let done = Arc::new(AtomicBool::new(false));
    let reader = tokio::spawn(read(Arc::clone(&world), Arc::clone(&done)));
    for generation in 2..=GENERATIONS {
        world.break_source();
        world.failing_window(0, 50).await;
        world.source(&source(generation));
        world.window(0, 50).await;
    }
    done.store(true, Ordering::SeqCst);
    let reads = reader.await.unwrap();
    assert!(reads > 1, "nobody read beside the writer");
}
