//! Shutting down, and cancelling runs.

use super::fixture::{Doing, End, World, at};

#[test]
fn a_scheduler_that_shuts_down_lets_its_runs_end_and_begins_no_more() {
    let mut world = World::with(&[("weather", "* * * * *", &[]), ("planes", "* * * * *", &[])]);
    world.options.jobs = 1;
    world.each_run(|_| Doing::Works(20));
    world.start("a");
    world.pass(5);
    world.ask_to_shut_down("a");
    world.pass(10);
    assert!(!world.has_ended("a") && world.health("a").draining());
    world.pass(10);
    assert!(world.has_ended("a"));
    let runs = world.runs();
    assert_eq!(runs.len(), 1);
    assert_eq!(runs[0].ended.unwrap().1, End::Done);
}

#[test]
fn a_run_that_outlasts_the_grace_is_stopped_and_goes_on_elsewhere_as_if_nothing_had_failed() {
    let mut world = World::with(&[("weather", "0 * * * *", &[])]);
    world.each_run(|run| Doing::Works(if run.replica == "a" { 600 } else { 5 }));
    world.start("a");
    world.pass(5);
    world.ask_to_shut_down("a");
    world.pass(29);
    assert!(!world.has_ended("a"));
    world.pass(3);
    assert!(world.has_ended("a"));
    assert_eq!(world.runs()[0].ended.unwrap().1, End::Stopped);
    world.start("b");
    world.pass(10);
    let runs = world.runs();
    assert_eq!(runs.len(), 2);
    assert_eq!((runs[1].attempt, runs[1].taken_over), (1, false));
    assert_eq!(world.done("weather"), [at("10:00")]);
}

#[test]
fn a_run_that_is_cancelled_stops_and_is_not_begun_again_before_the_next_tick() {
    let mut world = World::with(&[("weather", "*/5 * * * *", &[])]);
    world.each_run(|run| Doing::Works(if run.end == at("10:00") { 200 } else { 5 }));
    world.start("a");
    world.start("b");
    world.pass(20);
    world.cancel("weather");
    world.pass(3);
    assert_eq!(world.runs()[0].ended.unwrap().1, End::Stopped);
    world.pass(270);
    assert_eq!(world.runs().len(), 1);
    world.pass(30);
    assert_eq!(world.done("weather"), [at("10:05")]);
}
