//! Schedulers in a world whose time passes when it is told to, on runtimes that can be killed.

mod faults;
mod fixture;
mod order;
mod property;
mod stopping;

use std::time::Duration;

use fs_core::Code;

use self::fixture::{Doing, World, at};

#[test]
fn a_view_is_run_up_to_each_tick_and_not_in_between() {
    let mut world = World::with(&[("weather", "*/5 * * * *", &[])]);
    world.start("a");
    world.pass(1_000);
    // Never run before: at once for the last tick, then at every tick.
    assert_eq!(
        world.done("weather"),
        ["10:00", "10:05", "10:10", "10:15"].map(at)
    );
    assert_eq!(world.runs().len(), 4);
}

#[test]
fn of_many_schedulers_one_runs_each_tick() {
    let mut world = World::with(&[
        ("weather", "* * * * *", &[]),
        ("planes", "*/2 * * * *", &[]),
    ]);
    for name in ["a", "b", "c", "d"] {
        world.start(name);
    }
    world.pass(610);
    for (view, ticks) in [("weather", 11), ("planes", 6)] {
        let done = world.done(view);
        assert_eq!(done.len(), ticks, "{view}: {done:?}");
        assert!(done.is_sorted() && done.windows(2).all(|two| two[0] < two[1]));
    }
}

#[test]
fn after_downtime_one_run_covers_what_was_missed() {
    let mut world = World::with(&[("weather", "* * * * *", &[])]);
    world.start("a");
    world.pass(90);
    world.kill("a");
    world.pass(1_800);
    world.start("b");
    world.pass(40);
    assert_eq!(
        world.done("weather"),
        ["10:00", "10:01", "10:31", "10:32"].map(at)
    );
}

#[test]
fn a_view_that_a_new_version_brings_is_run_and_one_that_it_takes_away_is_not() {
    let mut world = World::with(&[("weather", "* * * * *", &[])]);
    world.start("a");
    world.pass(70);
    world.apply(&[("planes", "* * * * *", &[])]);
    world.pass(120);
    assert_eq!(world.done("weather"), ["10:00", "10:01"].map(at));
    assert_eq!(world.done("planes"), ["10:01", "10:02", "10:03"].map(at));
}

#[test]
fn another_schedule_counts_from_what_was_done_by_the_old_one() {
    let mut world = World::with(&[("weather", "* * * * *", &[])]);
    world.start("a");
    world.pass(70);
    world.apply(&[("weather", "*/3 * * * *", &[])]);
    world.pass(150);
    assert_eq!(world.done("weather"), ["10:00", "10:01", "10:03"].map(at));
}

#[test]
fn no_more_runs_at_once_than_was_asked_for() {
    let views = ["a", "b", "c", "d", "e"].map(|name| (name, "0 * * * *", &[][..]));
    let mut world = World::with(&views);
    world.each_run(|_| Doing::Works(20));
    world.options.jobs = 2;
    world.start("one");
    world.pass(65);
    assert_eq!(world.most_at_once(), 2);
    assert_eq!(world.runs().iter().filter(|run| run.is_done()).count(), 5);
}

#[test]
fn a_run_that_failed_is_tried_again_after_a_while_and_the_wait_grows() {
    let mut world = World::with(&[("weather", "0 * * * *", &[])]);
    world.each_run(|run| match run.attempt {
        1..=3 => Doing::Fails(Code::Unavailable),
        _ => Doing::Works(1),
    });
    world.start("a");
    world.pass(300);
    let runs = world.runs();
    let attempts: Vec<u32> = runs.iter().map(|run| run.attempt).collect();
    assert_eq!(attempts, [1, 2, 3, 4]);
    let waits: Vec<i64> = runs
        .windows(2)
        .map(|two| two[1].began - two[0].began)
        .collect();
    for (wait, least) in waits.iter().zip([5, 10, 20]) {
        assert!((least..=2 * least + 3).contains(wait), "{waits:?}");
    }
    assert_eq!(world.done("weather"), [at("10:00")]);
    let state = world.state("weather");
    assert_eq!((state.last_error, state.done), (None, Some(at("10:00"))));
}

#[test]
fn what_cannot_succeed_waits_for_the_next_tick() {
    let mut world = World::with(&[("weather", "*/5 * * * *", &[])]);
    world.each_run(|run| {
        if run.end == at("10:00") {
            Doing::Fails(Code::InvalidArgument)
        } else {
            Doing::Works(1)
        }
    });
    world.start("a");
    world.start("b");
    world.pass(280);
    assert_eq!(world.runs().len(), 1);
    assert_eq!(world.state("weather").last_error.unwrap(), "told to fail");
    world.pass(60);
    assert_eq!(world.done("weather"), [at("10:05")]);
}

#[test]
fn a_source_that_stays_away_is_given_up_until_the_next_tick() {
    let mut world = World::with(&[("weather", "0 * * * *", &[])]);
    world.options.retries.attempts = 3;
    world.each_run(|run| {
        if run.end == at("10:00") {
            Doing::Fails(Code::Unavailable)
        } else {
            Doing::Works(1)
        }
    });
    world.start("a");
    world.pass(3_500);
    assert_eq!(world.runs().len(), 3);
    world.pass(200);
    assert_eq!(world.done("weather"), [at("11:00")]);
}

#[test]
fn a_clock_that_runs_ahead_runs_nothing_before_its_time() {
    let mut world = World::with(&[("weather", "*/5 * * * *", &[])]);
    world.start_skewed("ahead", 60);
    world.pass(290);
    assert_eq!(world.done("weather"), [at("10:00")]);
    world.pass(20);
    assert_eq!(world.done("weather"), ["10:00", "10:05"].map(at));
}

#[test]
fn a_clock_that_is_behind_is_late_and_misses_nothing() {
    let mut world = World::with(&[("weather", "*/5 * * * *", &[])]);
    world.start_skewed("behind", -60);
    world.pass(340);
    assert_eq!(world.done("weather").last(), Some(&at("10:00")));
    world.pass(30);
    assert_eq!(world.done("weather").last(), Some(&at("10:05")));
}

#[test]
fn a_scheduler_waits_for_the_first_version_of_a_registry() {
    let mut world = World::empty();
    world.start("a");
    world.pass(10);
    assert!(world.runs().is_empty());
    assert_eq!(world.health("a").version(), None);
    world.apply(&[("weather", "* * * * *", &[])]);
    world.pass(10);
    assert_eq!(world.done("weather"), [at("10:00")]);
    assert_eq!(world.health("a").version(), Some(1));
    assert!(world.options.poll < Duration::from_secs(2));
}
