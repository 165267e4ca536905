//! Whatever happens to schedulers, every tick is covered, and nobody works beside a holder that lives.

use proptest::prelude::*;

use super::fixture::{Doing, World, at};

const NAMES: [&str; 3] = ["a", "b", "c"];
const VIEWS: [(&str, &str, &[&str]); 3] = [
    ("minutely", "* * * * *", &[]),
    ("below", "*/2 * * * *", &["minutely"]),
    ("alone", "1-59/3 * * * *", &[]),
];

/// How long the world lasts before it calms down, and then, in seconds.
const STORM: i64 = 420;
const CALM: i64 = 200;

#[derive(Debug, Clone, Copy)]
enum Happening {
    Kill,
    Start,
    Freeze,
    Thaw,
    ShutDown,
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        2 => Just(Happening::Kill),
        4 => Just(Happening::Start),
        2 => Just(Happening::Freeze),
        3 => Just(Happening::Thaw),
        1 => Just(Happening::ShutDown),
    ]
}

/// One history: when what happens to whom, whose clock is how wrong, and chance.
#[derive(Debug, Clone)]
struct History {
    happenings: Vec<(u64, usize, Happening)>,
    skews: [i64; 3],
    seed: u64,
}

fn history() -> impl Strategy<Value = History> {
    let happenings = prop::collection::vec((1_u64..40, 0_usize..3, happening()), 5..25);
    let skews = prop::array::uniform3(-60_i64..=60);
    (happenings, skews, any::<u64>()).prop_map(|(happenings, skews, seed)| History {
        happenings,
        skews,
        seed,
    })
}

/// Who is frozen since when; who died when.
#[derive(Default)]
struct Fates {
    frozen: [Option<i64>; 3],
    /// Spans in which a replica did nothing: frozen, or dead.
    out: Vec<(usize, i64, i64)>,
}

fn play(history: &History) -> (World, Fates) {
    let mut world = World::with(&VIEWS);
    world.dice = history.seed;
    // Runs of one to thirteen seconds, some of which fail at their first attempt.
    let seed = history.seed;
    world.each_run(move |run| {
        let chance = (seed ^ run.fence.wrapping_mul(0x9e37_79b9_7f4a_7c15)) >> 7;
        match chance % 5 {
            0 if run.attempt == 1 => Doing::Fails(fs_core::Code::Unavailable),
            _ => Doing::Works(1 + chance % 13),
        }
    });
    let mut fates = Fates::default();
    let mut now = 0;
    world.start_skewed(NAMES[0], history.skews[0]);
    for (wait, who, happening) in &history.happenings {
        let wait = i64::try_from(*wait).unwrap().min(STORM - now);
        world.pass(wait.unsigned_abs());
        now += wait;
        let (name, who) = (NAMES[*who], *who);
        let there = world.is_there(name);
        match happening {
            Happening::Start if !there => world.start_skewed(name, history.skews[who]),
            Happening::Kill if there => {
                world.kill(name);
                fates.frozen[who] = None;
            }
            Happening::Freeze if there && fates.frozen[who].is_none() => {
                world.freeze(name, true);
                fates.frozen[who] = Some(now);
            }
            Happening::Thaw => {
                if let Some(since) = fates.frozen[who].take() {
                    world.freeze(name, false);
                    fates.out.push((who, since, now));
                }
            }
            Happening::ShutDown if there => world.ask_to_shut_down(name),
            _ => {}
        }
    }
    world.pass((STORM - now).unsigned_abs());
    // Everybody wakes up, and one is there that nothing happens to.
    for (who, name) in NAMES.iter().enumerate() {
        if let Some(since) = fates.frozen[who].take() {
            world.freeze(name, false);
            fates.out.push((who, since, STORM));
        }
    }
    world.start("healthy");
    world.pass(CALM.unsigned_abs());
    (world, fates)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_tick_is_covered_and_no_two_work_at_once_while_both_may(history in history()) {
        let (world, _fates) = play(&history);
        let runs = world.runs();
        for (view, _, _) in VIEWS {
            let of_view: Vec<_> = runs.iter().filter(|run| run.view == view).collect();
            // Covered: what was due before the calm was half over is done.
            let due = at("10:00").as_micros() + (STORM + CALM / 2) * 1_000_000;
            let done = world.state(view).done.unwrap();
            let late = due - done.as_micros();
            prop_assert!(late < 180_000_000, "{} is {} s behind: {:#?}", view, late / 1_000_000, of_view);
            // Nothing runs before its time, by the clock of the store.
            for run in &of_view {
                let end = (run.end.as_micros() - at("10:00").as_micros()) / 1_000_000;
                prop_assert!(end <= run.began, "{run:#?}");
            }
            // Every holder has a fence of its own, and they grow.
            let fences: Vec<u64> = of_view.iter().map(|run| run.fence).collect();
            prop_assert!(fences.windows(2).all(|two| two[0] < two[1]), "{fences:?}");
            // What began later than another that had not ended took over from it: that one was dead
            // or out for a whole ttl, and is never done afterwards.
            for (at, run) in of_view.iter().enumerate() {
                let next = of_view.get(at + 1);
                if let Some(next) = next
                    && run.ended.is_none_or(|(ended, _)| ended > next.began)
                {
                    prop_assert!(next.taken_over, "{run:#?} {next:#?}");
                    prop_assert!(next.began - run.began >= 30, "{run:#?} {next:#?}");
                    prop_assert!(
                        !run.is_done() || run.ended.unwrap().0 > next.began,
                        "{run:#?} {next:#?}"
                    );
                }
            }
            // Ticks that succeeded only grow.
            let ticks = world.done(view);
            prop_assert!(ticks.windows(2).all(|two| two[0] <= two[1]), "{view}: {ticks:?}");
        }
    }
}
