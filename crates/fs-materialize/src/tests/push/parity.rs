//! Whatever is pushed, materialized and broken off: every pushed row is offline once, and online there is
//! the newest of what should be there.

use std::collections::BTreeMap;

use fs_online::RowOrder;
use proptest::prelude::*;

use super::*;
use crate::fixture::Click;
use crate::{Error, PushTo};

#[derive(Debug, Clone)]
enum Step {
    /// The source gets a row.
    Add(Click),
    /// The source loses a row.
    Remove(usize),
    /// Rows are pushed; sent again with the same key as often as it takes, if it has one.
    Push {
        to: PushTo,
        rows: Vec<Click>,
        keyed: bool,
        /// After how many writes the online store fails the first time.
        fails: Option<u64>,
        /// How often it is sent again after it has succeeded.
        again: usize,
    },
    Materialize(i64, i64),
    Incremental(i64),
    /// A run whose online store fails after so many writes.
    Crash(u64, i64),
    Wait(i64),
}

fn a_click() -> impl Strategy<Value = Click> {
    let created = prop::option::weighted(0.3, 0..80_i64);
    (0..3_i64, 0..60_i64, created).prop_map(|(user, event, created)| Click {
        created,
        ..click(user, event, 0)
    })
}

fn a_push() -> impl Strategy<Value = Step> {
    let to = prop_oneof![
        Just(PushTo::Online),
        Just(PushTo::Offline),
        Just(PushTo::Both)
    ];
    let rows = prop::collection::vec(a_click(), 1..4);
    let fails = prop::option::weighted(0.3, 0..3_u64);
    (to, rows, any::<bool>(), fails, 0..2_usize).prop_map(|(to, rows, keyed, fails, again)| {
        Step::Push {
            to,
            rows,
            keyed,
            fails,
            again,
        }
    })
}

fn a_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => a_click().prop_map(Step::Add),
        1 => (0..60_usize).prop_map(Step::Remove),
        5 => a_push(),
        2 => (0..50_i64, 1..60_i64).prop_map(|(start, length)| Step::Materialize(start, start + length)),
        2 => (0..20_i64).prop_map(Step::Incremental),
        1 => (0..3_u64, 0..20_i64).prop_map(|(writes, later)| Step::Crash(writes, later)),
        1 => (1..30_i64).prop_map(Step::Wait),
    ]
}

/// A row: its order, and its value, which no other row has.
type Row = (RowOrder, Option<i64>);

struct World {
    shop: Shop,
    source: Vec<Click>,
    now: i64,
    /// How many values and keys were given out.
    given: i64,
    /// The values of all rows that were pushed to the offline table.
    offline: Vec<i64>,
    /// What the online store should hold.
    online: BTreeMap<i64, Row>,
}

impl World {
    async fn take(&mut self, step: &Step) {
        match step {
            Step::Add(row) => {
                let row = self.with_value(*row);
                self.source.push(row);
            }
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
                keyed,
                fails,
                again,
            } => {
                let rows: Vec<Click> = rows.iter().map(|row| self.with_value(*row)).collect();
                self.given += 1;
                let key = format!("key {}", self.given);
                let key = keyed.then_some(key.as_str());
                self.push(*to, &rows, key, *fails, *again).await;
            }
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
                self.now += later;
                self.shop.source(&self.source);
                self.shop.online.fail_after(*writes);
                drop(self.shop.incremental(self.now).await);
                self.shop.online.recover();
                // Some of it may be there; what it is shows with the next run.
                self.online = self.shop.stored().await;
            }
        }
        self.compare().await;
    }

    fn with_value(&mut self, row: Click) -> Click {
        self.given += 1;
        Click {
            clicks: Some(self.given),
            ..row
        }
    }

    async fn push(
        &mut self,
        to: PushTo,
        rows: &[Click],
        key: Option<&str>,
        fails: Option<u64>,
        again: usize,
    ) {
        let received = self.now;
        if let Some(writes) = fails {
            self.shop.online.fail_after(writes);
        }
        let pushed = self.shop.push(rows, to, key).await;
        self.shop.online.recover();
        if to == PushTo::Online && rows.iter().any(|row| !self.is_visible(row, received)) {
            assert!(
                matches!(pushed, Err(Error::NotVisibleYet { .. })),
                "{pushed:?}"
            );
            return;
        }
        if to != PushTo::Online {
            self.offline
                .extend(rows.iter().filter_map(|row| row.clicks));
        }
        // Without a claim, the first attempt left nothing that a later one would find.
        let mut claimed = fails != Some(0);
        let mut receipt = received;
        if pushed.is_ok() {
            self.stored(to, rows, receipt).await;
        }
        let Some(key) = key else { return };
        for _ in 0..=again {
            self.now += 1;
            self.shop.clock.set(at(self.now));
            let report = self.shop.push(rows, to, Some(key)).await.unwrap();
            assert_eq!(report.repeated, claimed || to != PushTo::Online);
            if !claimed {
                receipt = self.now;
            }
            claimed = true;
            self.stored(to, rows, receipt).await;
        }
    }

    /// Takes pushed rows, received at `receipt`, into what the online store should hold.
    async fn stored(&mut self, to: PushTo, rows: &[Click], receipt: i64) {
        if to == PushTo::Offline {
            return;
        }
        let in_table = self.shop.table().await;
        for row in rows {
            let order = if to == PushTo::Online {
                let created = row.created.unwrap_or(receipt) * 1_000_000;
                RowOrder {
                    event: at(row.event),
                    created: Some(CreatedTime::from_micros(created)),
                    sequence: 0,
                }
            } else {
                let mut found = in_table.iter();
                found.find(|(_, _, value)| *value == row.clicks).unwrap().1
            };
            let created = order.created.map(CreatedTime::as_micros);
            let rule = self.shop.rule();
            if rule.visible_from(order.event.as_micros(), created) > self.now * 1_000_000 {
                continue;
            }
            // Of equal rows, which only those of one push can be, the last wins.
            let is_new = |best: &Row| {
                let same_push = rows.iter().any(|row| row.clicks == best.1);
                order > best.0 || (order == best.0 && same_push && row.clicks > best.1)
            };
            let best = self.online.entry(row.user).or_insert((order, row.clicks));
            if is_new(best) {
                *best = (order, row.clicks);
            }
        }
    }

    fn is_visible(&self, row: &Click, now: i64) -> bool {
        let micros = |seconds: i64| seconds * 1_000_000;
        let created = micros(row.created.unwrap_or(i64::from(i32::MIN)));
        let from = self
            .shop
            .rule()
            .visible_from(micros(row.event), Some(created));
        from <= micros(now)
    }

    /// A run has published: rows of the table are the newest there are, others stay unless outdone.
    async fn published(&mut self) {
        let newest = self.shop.expected().await;
        self.online
            .retain(|user, (order, _)| order.sequence == 0 || newest.contains_key(user));
        for (user, row) in newest {
            let best = self.online.entry(user).or_insert(row);
            if best.0.sequence > 0 || row.0 > best.0 {
                *best = row;
            }
        }
    }

    async fn compare(&self) {
        assert_eq!(self.shop.stored().await, self.online);
        let pushed = |order: &RowOrder| order.sequence & (1 << 31) != 0;
        let table = self.shop.table().await.into_iter();
        let mut offline: Vec<i64> = table
            .filter(|(_, order, _)| pushed(order))
            .filter_map(|(_, _, value)| value)
            .collect();
        offline.sort_unstable();
        let mut expected = self.offline.clone();
        expected.sort_unstable();
        assert_eq!(offline, expected);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn every_pushed_row_is_offline_once_and_the_newest_is_online_whatever_happens(
        steps in prop::collection::vec(a_step(), 4..16),
        delay in prop_oneof![3 => Just("0s"), 1 => Just("7s")],
        known_at in any::<bool>(),
        cramped in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let shop = Shop::with(
                |view| {
                    let view = view.delay(delay);
                    if known_at { view.known_at() } else { view }
                },
                |source| source,
            );
            let shop = if cramped { shop.cramped() } else { shop };
            shop.clock.set(at(40));
            let mut world = World {
                shop,
                source: Vec::new(),
                now: 40,
                given: 0,
                offline: Vec::new(),
                online: BTreeMap::new(),
            };
            for step in &steps {
                world.take(step).await;
            }
            world.take(&Step::Incremental(1)).await;
        });
    }
}
