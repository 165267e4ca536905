//! Serving at an instant gives what training gives at that instant, to the bit: from the source
//! through the tables, the packed rows and both ways of reading.

pub(super) mod facts;
pub(super) mod world;

use fs_serving::Status;
use proptest::prelude::*;

use facts::Fact;
use world::{Asked, Rule, World};

/// What happens between two comparisons.
#[derive(Debug, Clone)]
struct Round {
    /// Rows that the source gets: some of them late, some from the future.
    add: Vec<Fact>,
    /// The row that it loses or that somebody corrects, counted round and round.
    remove: Option<usize>,
    correct: Option<(usize, u8)>,
    /// A window that is run again.
    window: Option<(i64, i64)>,
    /// To which instant time goes on.
    next: Next,
}

#[derive(Debug, Clone, Copy)]
enum Next {
    After(i64),
    /// An instant at which a row is first visible or last within a ttl, or one beside it.
    Edge {
        row: usize,
        which: usize,
        beside: i64,
    },
}

impl Next {
    fn instant(self, now: i64, source: &[Fact], rules: [Rule; 3]) -> i64 {
        match self {
            Self::After(micros) => now + micros,
            Self::Edge { .. } if source.is_empty() => now,
            Self::Edge { row, which, beside } => {
                let fact = &source[row % source.len()];
                let starts = rules.map(|rule| rule.visible_from(fact));
                let ends = rules.map(|rule| fact.event + rule.ttl);
                [starts, ends].concat()[which] + beside
            }
        }
    }
}

fn a_fact() -> impl Strategy<Value = Fact> {
    let created = prop::option::of(0..60_i64);
    // Half of the rows have no null, the others any.
    let nulls = prop_oneof![Just(0_u16), 0..1024_u16];
    (0..3_i64, 0..3_u8, 0..45_i64, created, any::<u8>(), nulls).prop_map(
        |(user, place, event, created, value, nulls)| Fact {
            user,
            place,
            event,
            created,
            value,
            nulls,
        },
    )
}

fn a_rule() -> impl Strategy<Value = Rule> {
    let ttl = prop_oneof![1 => Just(0), 2 => 1..40_i64];
    let delay = prop_oneof![Just(0), 1..10_i64];
    (ttl, delay, any::<bool>()).prop_map(|(ttl, delay, known_at)| Rule {
        ttl,
        delay,
        known_at,
    })
}

fn a_round() -> impl Strategy<Value = Round> {
    let edge = (any::<usize>(), 0..6_usize, -1..=1_i64);
    (
        prop::collection::vec(a_fact(), 0..8),
        prop::option::of(any::<usize>()),
        prop::option::of((any::<usize>(), any::<u8>())),
        prop::option::of((0..30_i64, 1..40_i64)),
        prop_oneof![
            (1..12_i64).prop_map(Next::After),
            edge.prop_map(|(row, which, beside)| Next::Edge { row, which, beside }),
        ],
    )
        .prop_map(|(add, remove, correct, window, next)| Round {
            add,
            remove,
            correct,
            window: window.map(|(start, length)| (start, start + length)),
            next,
        })
}

/// Every entity that may have rows, some that have none, and nulls in either part.
fn everybody() -> Vec<Asked> {
    let users = [Some(0), Some(1), Some(2), Some(11), None];
    let places = [Some(0), Some(1), Some(2), None];
    users
        .into_iter()
        .flat_map(|user| places.map(|place| (user, place)))
        .collect()
}

fn change(source: &mut Vec<Fact>, round: &Round) {
    source.extend(&round.add);
    let rows = source.len();
    if let Some(at) = round.remove.filter(|_| rows > 0) {
        source.remove(at % rows);
    }
    let rows = source.len();
    if let Some((at, value)) = round.correct.filter(|_| rows > 0) {
        source[at % rows].value = value;
    }
}

/// After everything that will ever be visible is: each edge of each ttl, and a microsecond to both
/// sides of it, with nothing new in between.
async fn compare_around_the_edges(world: &World, source: &[Fact], rules: [Rule; 3], now: i64) {
    let visible = source
        .iter()
        .flat_map(|fact| rules.map(|rule| rule.visible_from(fact)));
    let settled = visible.max().unwrap_or(now).max(now);
    world.now(settled);
    world.incremental().await;
    let mut edges: Vec<i64> = source
        .iter()
        .flat_map(|fact| rules.map(|rule| fact.event + rule.ttl))
        .flat_map(|edge| [edge - 1, edge, edge + 1])
        .filter(|edge| *edge >= settled)
        .chain([settled, settled + 1, settled + 1_000_000])
        .collect();
    edges.sort_unstable();
    edges.dedup();
    world.compare(&everybody(), &edges).await;
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn what_is_served_at_an_instant_is_what_training_sees_at_that_instant(
        source in prop::collection::vec(a_fact(), 0..24),
        rules in prop::array::uniform3(a_rule()),
        rounds in prop::collection::vec(a_round(), 1..4),
    ) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let world = World::new(rules);
            let (mut source, mut now) = (source, 10);
            for round in &rounds {
                change(&mut source, round);
                now = now.max(round.next.instant(now, &source, rules));
                world.source(&source);
                world.now(now);
                world.incremental().await;
                if let Some((start, end)) = round.window {
                    world.window(start, end).await;
                }
                world.compare(&everybody(), &[now]).await;
            }
            compare_around_the_edges(&world, &source, rules, now).await;
        });
    }
}

fn fact(user: i64, event: i64, value: u8) -> Fact {
    Fact {
        user,
        place: 0,
        event,
        created: None,
        value,
        nulls: 0,
    }
}

/// The value of feature `single__large`, as the `value` that it was made from, and its status.
async fn both(world: &World, now: i64) -> Vec<(Option<i64>, Status)> {
    let asked: Vec<Asked> = (0..3).map(|user| (Some(user), Some(0))).collect();
    world.compare(&asked, &[now]).await;
    let values = world.values_served(&asked).await;
    let served = world.served(&asked).await;
    let column = served.columns().find(|c| c.name() == "single__large");
    let column = column.unwrap();
    let statuses = (0..served.rows()).map(|row| column.status(row));
    values.into_iter().zip(statuses).collect()
}

async fn settled(rule: Rule, source: &[Fact], now: i64) -> World {
    let world = World::new([rule; 3]);
    world.source(source);
    world.now(now);
    world.incremental().await;
    world
}

#[tokio::test]
async fn a_null_in_the_winning_row_stays_null_on_both_sides() {
    let mut newest = fact(0, 20, 9);
    newest.nulls = u16::MAX;
    let source = [fact(0, 10, 1), newest, fact(1, 20, 2)];
    let world = settled(Rule::PLAIN, &source, 30).await;
    assert_eq!(
        both(&world, 30).await,
        [
            (None, Status::NullValue),
            (Some(2), Status::Present),
            (None, Status::NotFound)
        ]
    );
}

#[tokio::test]
async fn both_ends_of_visibility_are_inclusive_on_both_sides() {
    let rule = Rule {
        ttl: 20,
        delay: 5,
        known_at: false,
    };
    let source = [fact(0, 10, 1), fact(1, 11, 2)];
    for (now, first, second) in [
        (14, (None, Status::NotFound), (None, Status::NotFound)),
        (15, (Some(1), Status::Present), (None, Status::NotFound)),
        (16, (Some(1), Status::Present), (Some(2), Status::Present)),
        (30, (Some(1), Status::Present), (Some(2), Status::Present)),
        (
            31,
            (None, Status::OutsideMaxAge),
            (Some(2), Status::Present),
        ),
        (
            32,
            (None, Status::OutsideMaxAge),
            (None, Status::OutsideMaxAge),
        ),
    ] {
        let world = settled(rule, &source, now).await;
        assert_eq!(both(&world, now).await[..2], [first, second], "at {now}");
    }
}

#[tokio::test]
async fn ties_and_late_rows_are_decided_alike_on_both_sides() {
    let known = |fact: Fact, created| Fact {
        created: Some(created),
        ..fact
    };
    let mut source = vec![
        known(fact(0, 10, 1), 12),
        known(fact(0, 10, 2), 11),
        fact(0, 10, 3),
        fact(1, 10, 4),
        fact(1, 10, 5),
        fact(2, 20, 6),
    ];
    let world = settled(Rule::PLAIN, &source, 30).await;
    let there = |values: [i64; 3]| values.map(|value| (Some(value), Status::Present));
    assert_eq!(both(&world, 30).await, there([1, 5, 6]));
    // Late, known after the last run: newer than what one user has, older than what another has.
    source.push(known(fact(1, 15, 7), 35));
    source.push(known(fact(2, 15, 8), 35));
    world.source(&source);
    world.now(40);
    world.incremental().await;
    assert_eq!(both(&world, 40).await, there([1, 7, 6]));
    // A correction with an equal event time, and a row that is taken back.
    source[5].value = 9;
    source.remove(6);
    world.source(&source);
    world.window(0, 40).await;
    assert_eq!(both(&world, 40).await, there([1, 5, 9]));
}
