//! Views that are computed from other views.

use fs_core::Code;

use super::fixture::{Doing, World, at};

/// When the run of `view` that succeeded up to `tick` began and ended.
fn span(world: &World, view: &str, tick: &str) -> (i64, i64) {
    let runs = world.runs();
    let found = runs
        .iter()
        .find(|run| run.view == view && run.end == at(tick) && run.is_done());
    let run = found.unwrap_or_else(|| panic!("{view} at {tick}: {runs:#?}"));
    (run.began, run.ended.unwrap().0)
}

#[test]
fn a_view_runs_after_those_that_it_is_computed_from_wherever_they_run() {
    let mut world = World::with(&[
        ("alpha", "*/5 * * * *", &["beta", "gamma"]),
        ("beta", "*/5 * * * *", &["gamma"]),
        ("gamma", "*/5 * * * *", &[]),
    ]);
    world.each_run(|_| Doing::Works(7));
    for name in ["a", "b", "c"] {
        world.start(name);
    }
    world.pass(360);
    for tick in ["10:00", "10:05"] {
        let [alpha, beta, gamma] = ["alpha", "beta", "gamma"].map(|view| span(&world, view, tick));
        assert!(gamma.1 <= beta.0 && beta.1 <= alpha.0, "{tick}");
    }
}

#[test]
fn a_view_waits_for_the_last_tick_of_its_upstream_and_not_for_later_ones() {
    let mut world = World::with(&[
        ("hourly", "0 * * * *", &["quick"]),
        ("quick", "* * * * *", &[]),
    ]);
    world.each_run(|run| Doing::Works(if run.view == "quick" { 30 } else { 200 }));
    world.start("a");
    world.pass(300);
    let (began, ended) = span(&world, "hourly", "10:00");
    assert!((30..40).contains(&began) && ended < 250, "{began} {ended}");
    // It did not hold up its upstream either.
    assert!(world.done("quick").len() >= 4);
}

#[test]
fn a_view_whose_upstream_is_given_up_runs_all_the_same() {
    let mut world = World::with(&[
        ("below", "*/10 * * * *", &["above"]),
        ("above", "*/10 * * * *", &[]),
    ]);
    world.options.retries.attempts = 2;
    world.each_run(|run| match run.view.as_str() {
        "above" => Doing::Fails(Code::Unavailable),
        _ => Doing::Works(1),
    });
    world.start("a");
    world.start("b");
    world.pass(5);
    assert!(world.done("below").is_empty());
    world.pass(60);
    assert_eq!(world.done("below"), [at("10:00")]);
}

#[test]
fn an_upstream_without_a_schedule_is_not_waited_for() {
    let mut world = World::with(&[("below", "*/10 * * * *", &["above"])]);
    world.start("a");
    world.pass(10);
    assert_eq!(world.done("below"), [at("10:00")]);
}
