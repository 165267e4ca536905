//! Whatever happens to the source, to the clock and to the runs: after a run that succeeds, the online
//! store holds for every key the newest row that the offline table has, and the offline table holds
//! what the source said about the windows that were run.

use proptest::prelude::*;

use crate::fixture::{Click, Shop, at};

#[derive(Debug, Clone)]
enum Step {
    /// The source gets a row.
    Add(Click),
    /// The source loses a row; counted round and round.
    Remove(usize),
    /// Somebody corrects a row.
    Correct(usize, Option<i64>),
    /// A run over a window, after which the table says what the source says about it.
    Materialize(i64, i64),
    /// Seconds pass.
    Wait(i64),
    /// An incremental run, some seconds later.
    Incremental(i64),
    /// A run whose online store fails after so many writes.
    Crash(u64, Box<Step>),
    /// Everything is published again.
    Republish,
}

fn a_click() -> impl Strategy<Value = Click> {
    let created = prop::option::weighted(0.5, 0..80_i64);
    let clicks = prop::option::weighted(0.9, 0..100_i64);
    (0..4_i64, 0..60_i64, created, clicks).prop_map(|(user, event, created, clicks)| Click {
        user,
        event,
        created,
        clicks,
    })
}

fn a_run() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..50_i64, 1..60_i64).prop_map(|(start, length)| Step::Materialize(start, start + length)),
        (0..20_i64).prop_map(Step::Incremental),
    ]
}

fn a_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => a_click().prop_map(Step::Add),
        2 => (0..60_usize).prop_map(Step::Remove),
        1 => (1..30_i64).prop_map(Step::Wait),
        1 => (0..60_usize, prop::option::of(100..200_i64)).prop_map(|(at, to)| Step::Correct(at, to)),
        4 => a_run(),
        1 => (0..3_u64, a_run()).prop_map(|(writes, run)| Step::Crash(writes, Box::new(run))),
        1 => Just(Step::Republish),
    ]
}

struct World {
    shop: Shop,
    source: Vec<Click>,
    now: i64,
}

impl World {
    async fn take(&mut self, step: &Step) {
        match step {
            Step::Add(click) => self.source.push(*click),
            Step::Remove(at) if !self.source.is_empty() => {
                self.source.remove(at % self.source.len());
            }
            Step::Correct(at, clicks) if !self.source.is_empty() => {
                let rows = self.source.len();
                self.source[at % rows].clicks = *clicks;
            }
            Step::Remove(_) | Step::Correct(..) => {}
            Step::Wait(seconds) => {
                self.now += seconds;
                self.shop.clock.set(at(self.now));
            }
            Step::Materialize(start, end) => {
                self.shop.source(&self.source);
                self.shop.materialize(*start, *end).await.unwrap();
                self.compare(Some((*start, *end))).await;
            }
            Step::Incremental(later) => {
                self.now += later;
                self.shop.source(&self.source);
                self.shop.incremental(self.now).await.unwrap();
                self.compare(None).await;
            }
            Step::Crash(writes, run) => {
                self.shop.source(&self.source);
                self.shop.online.fail_after(*writes);
                // With few keys it may come through.
                match run.as_ref() {
                    Step::Materialize(start, end) => {
                        drop(self.shop.materialize(*start, *end).await);
                    }
                    Step::Incremental(later) => {
                        self.now += later;
                        drop(self.shop.incremental(self.now).await);
                    }
                    _ => {}
                }
                self.shop.online.recover();
            }
            Step::Republish => {
                if self.shop.republish().await.is_some() {
                    self.compare(None).await;
                }
            }
        }
    }

    async fn compare(&self, window: Option<(i64, i64)>) {
        assert_eq!(self.shop.stored().await, self.shop.expected().await);
        assert_eq!(self.shop.served().await, self.shop.joined().await);
        let Some((start, end)) = window else { return };
        let inside = |event: &i64| (start..end).contains(event);
        let facts = self.shop.facts().await;
        let mut facts: Vec<_> = facts
            .into_iter()
            .filter(|(_, event, _)| inside(event))
            .collect();
        let rows = self.source.iter().filter(|row| inside(&row.event));
        let mut said: Vec<_> = rows.map(|row| (row.user, row.event, row.clicks)).collect();
        facts.sort_unstable();
        said.sort_unstable();
        assert_eq!(facts, said);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn the_online_store_follows_the_offline_table_whatever_happens(
        source in prop::collection::vec(a_click(), 0..20),
        steps in prop::collection::vec(a_step(), 4..20),
        delay in prop_oneof![Just("0s"), Just("7s")],
        known_at in any::<bool>(),
        ttl in prop::option::of(Just("20s")),
        lateness in prop_oneof![Just("0s"), Just("15s")],
        cramped in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let shop = Shop::with(
                |view| {
                    let view = view.delay(delay);
                    let view = if known_at { view.known_at() } else { view };
                    ttl.map_or_else(|| view.clone(), |ttl| view.clone().ttl(ttl))
                },
                |source| source.lateness(lateness),
            );
            let shop = if cramped { shop.cramped() } else { shop };
            shop.clock.set(at(40));
            let mut world = World { shop, source, now: 40 };
            for step in &steps {
                world.take(step).await;
            }
            world.take(&Step::Incremental(1)).await;
        });
    }
}
