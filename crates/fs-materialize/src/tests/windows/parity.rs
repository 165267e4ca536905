//! Whatever happens to the source, to the clock, to runs and to pushes: readers are told what the events say that
//! are online, or that it is not known; and after a run these are the events of the table.

use proptest::prelude::*;

use crate::PushTo;
use crate::fixture::{Click, Fact, Shop, at, windowed};

#[derive(Debug, Clone)]
enum Step {
    /// The source gets rows.
    Add(Vec<Click>),
    /// The source loses a row; counted round and round.
    Remove(usize),
    /// Rows are pushed; sent again with the same key as often as it takes, if it has one.
    Push {
        to: PushTo,
        rows: Vec<Click>,
        /// After how many writes the online store fails the first time.
        fails: Option<u64>,
        /// How often it is sent again after it has succeeded.
        again: usize,
    },
    /// A run over a window.
    Materialize(i64, i64),
    /// Seconds pass.
    Wait(i64),
    /// An incremental run, some seconds later.
    Incremental(i64),
    /// A run whose online store fails after so many writes.
    Crash(u64, i64),
    /// Everything is published again.
    Republish,
    /// Files are put together, which changes nothing.
    Optimize,
}

fn a_click() -> impl Strategy<Value = Click> {
    let created = prop::option::weighted(0.5, 0..120_i64);
    let clicks = prop::option::weighted(0.9, 0..100_i64);
    (0..3_i64, 0..110_i64, created, clicks).prop_map(|(user, event, created, clicks)| Click {
        user,
        event,
        created,
        clicks,
    })
}

fn a_step() -> impl Strategy<Value = Step> {
    let to = prop_oneof![
        Just(PushTo::Both),
        Just(PushTo::Both),
        Just(PushTo::Online),
        Just(PushTo::Offline)
    ];
    let rows = || prop::collection::vec(a_click(), 1..7);
    let fails = prop::option::weighted(0.3, 0..3_u64);
    let push = (to, rows(), fails, 0..2_usize);
    prop_oneof![
        3 => rows().prop_map(Step::Add),
        2 => (0..60_usize).prop_map(Step::Remove),
        6 => push.prop_map(|(to, rows, fails, again)| Step::Push { to, rows, fails, again }),
        1 => (0..80_i64, 1..60_i64).prop_map(|(start, length)| Step::Materialize(start, start + length)),
        2 => prop_oneof![1..30_i64, 1_000..200_000_i64].prop_map(Step::Wait),
        3 => (0..20_i64).prop_map(Step::Incremental),
        1 => (0..3_u64, 0..20_i64).prop_map(|(writes, later)| Step::Crash(writes, later)),
        1 => Just(Step::Republish),
        1 => Just(Step::Optimize),
    ]
}

struct World {
    shop: Shop,
    source: Vec<Click>,
    now: i64,
    /// What is online; not known after a crash, until a run comes to its end.
    online: Option<Vec<Fact>>,
    /// What is online only.
    provisional: Vec<Fact>,
    pushes: usize,
    /// Whether so little is kept that answers may be withheld.
    tight: bool,
}

impl World {
    async fn take(&mut self, step: &Step) {
        match step {
            Step::Add(rows) => self.source.extend(rows),
            Step::Remove(at) if !self.source.is_empty() => {
                self.source.remove(at % self.source.len());
            }
            Step::Remove(_) => {}
            Step::Wait(seconds) => {
                self.now += seconds;
                self.shop.clock.set(at(self.now));
            }
            Step::Push {
                to,
                rows,
                fails,
                again,
            } => self.push(*to, rows, *fails, *again).await,
            Step::Materialize(start, end) => {
                self.shop.source(&self.source);
                self.shop.materialize(*start, *end).await.unwrap();
                self.published().await;
            }
            Step::Incremental(later) => {
                self.now += later;
                self.shop.source(&self.source);
                self.shop.incremental(self.now).await.unwrap();
                self.published().await;
            }
            Step::Crash(writes, later) => {
                self.shop.source(&self.source);
                self.shop.online.fail_after(*writes);
                self.now += later;
                // With few keys it may come through.
                match self.shop.incremental(self.now).await {
                    Ok(_) => self.published().await,
                    Err(_) => self.online = None,
                }
                self.shop.online.recover();
            }
            Step::Republish => {
                if self.shop.republish().await.is_some() {
                    self.published().await;
                }
            }
            Step::Optimize => {
                let view = "activity".parse().unwrap();
                self.shop.offline.optimize(&view).await.unwrap();
            }
        }
        if let Some(online) = &self.online {
            let withheld = self.shop.must_be_exact(online).await;
            assert!(self.tight || withheld == 0, "{withheld} are withheld");
        }
    }

    /// A push, until it succeeds, and again.
    async fn push(&mut self, to: PushTo, rows: &[Click], fails: Option<u64>, again: usize) {
        self.pushes += 1;
        let key = format!("push {}", self.pushes);
        let before = self.shop.events().await;
        if let Some(writes) = fails {
            self.shop.online.fail_after(writes);
            drop(self.shop.push(rows, to, Some(&key)).await);
            self.shop.online.recover();
        }
        for _ in 0..=again {
            self.shop.push(rows, to, Some(&key)).await.unwrap();
        }
        let receipt = at(self.now).as_micros();
        let new: Vec<Fact> = match to {
            PushTo::Online => rows.iter().map(|row| Fact::pushed(*row, receipt)).collect(),
            PushTo::Offline => Vec::new(),
            PushTo::Both => {
                let events = self.shop.events().await.into_iter();
                events.filter(|event| !before.contains(event)).collect()
            }
        };
        if to == PushTo::Online {
            self.provisional.extend(&new);
        }
        if let Some(online) = &mut self.online {
            online.extend(new);
        }
    }

    /// What is online after a publication: the table, and what it has not come to.
    async fn published(&mut self) {
        let watermark = self.shop.watermark().await;
        self.provisional
            .retain(|event| watermark.is_none_or(|watermark| event.event >= watermark.as_micros()));
        let mut online = self.shop.events().await;
        online.extend(&self.provisional);
        self.online = Some(online);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn readers_are_told_what_the_events_say_or_nothing_whatever_happens(
        source in prop::collection::vec(a_click(), 0..20),
        steps in prop::collection::vec(a_step(), 4..16),
        delay in prop_oneof![Just("0s"), Just("7s")],
        known_at in any::<bool>(),
        tight in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let shop = Shop::with(
                |view| {
                    let view = windowed(view.delay(delay));
                    if known_at { view.known_at() } else { view }
                },
                |source| source,
            );
            let shop = if tight { shop.tight() } else { shop };
            shop.clock.set(at(60));
            let mut world = World {
                shop,
                source,
                now: 60,
                online: Some(Vec::new()),
                provisional: Vec::new(),
                pushes: 0,
                tight,
            };
            for step in &steps {
                world.take(step).await;
            }
            world.take(&Step::Incremental(1)).await;
        });
    }
}
