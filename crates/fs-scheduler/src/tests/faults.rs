//! Schedulers that are killed and frozen.

use super::fixture::{Doing, End, World, at};

#[test]
fn when_a_scheduler_is_killed_in_the_middle_of_a_run_another_takes_over() {
    let mut world = World::with(&[("weather", "0 * * * *", &[])]);
    world.each_run(|run| Doing::Works(if run.attempt == 1 { 600 } else { 5 }));
    world.start("a");
    world.pass(20);
    assert_eq!(world.runs().len(), 1);
    world.start("b");
    world.pass(10);
    world.kill("a");
    world.pass(60);
    let runs = world.runs();
    assert_eq!(runs.len(), 2, "{runs:#?}");
    assert_eq!(runs[1].replica, "b");
    assert_eq!((runs[1].attempt, runs[1].taken_over), (2, true));
    assert!(runs[1].fence > runs[0].fence);
    // A lease stands for half a minute.
    assert!(runs[1].began >= 50 && runs[1].began <= 75, "{runs:#?}");
    assert_eq!(world.done("weather"), [at("10:00")]);
    assert_eq!(runs[1].ended.unwrap().1, End::Done);
}

#[test]
fn a_frozen_scheduler_is_taken_over_and_stops_when_it_wakes_up() {
    let mut world = World::with(&[("weather", "0 * * * *", &[])]);
    world.each_run(|run| Doing::Works(if run.replica == "a" { 500 } else { 5 }));
    world.start("a");
    world.pass(15);
    world.start("b");
    world.pass(15);
    world.freeze("a", true);
    world.pass(90);
    assert_eq!(world.done("weather"), [at("10:00")]);
    world.freeze("a", false);
    world.pass(10);
    let runs = world.runs();
    assert_eq!(runs.len(), 2);
    assert_eq!(runs[0].ended.unwrap().1, End::Stopped);
    // What the sleeper knew is overwritten by nothing: the view stays done.
    world.pass(120);
    assert_eq!(world.runs().len(), 2);
    assert_eq!(world.state("weather").done, Some(at("10:00")));
}

#[test]
fn a_run_that_takes_its_process_down_does_not_take_down_one_after_the_other_for_ever() {
    let mut world = World::with(&[("weather", "0 * * * *", &[])]);
    world.options.retries.attempts = 3;
    world.each_run(|_| Doing::Hangs);
    let mut dead = 0;
    for _ in 0..1_800 {
        if !world.is_there("a") {
            world.start("a");
        }
        world.pass(1);
        if world.runs().len() > dead {
            dead += 1;
            world.kill("a");
        }
    }
    assert_eq!(dead, 3);
}
