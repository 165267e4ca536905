use serde_json::Value;

use super::*;

const PATIENCE: Patience = Patience {
    attempts: 3,
    longest: 600_000_000,
};

fn at(text: &str) -> EventTime {
    format!("2013-04-01T{text}Z").parse().unwrap()
}

fn due(state: &JobState, now: &str) -> Due {
    let schedule: Schedule = "*/15 * * * *".parse().unwrap();
    state.due(&schedule, at(now), PATIENCE)
}

fn now(tick: &str, attempt: u32) -> Due {
    let tick = at(tick);
    Due::Now { tick, attempt }
}

fn next(at_time: &str) -> Due {
    Due::At(Some(at(at_time)))
}

#[test]
fn a_view_that_never_ran_is_due_at_once_for_the_last_tick() {
    assert_eq!(due(&JobState::default(), "10:07:30"), now("10:00:00", 1));
}

#[test]
fn a_tick_that_is_done_is_not_due_again_and_the_next_one_is() {
    let state = JobState::default()
        .begun(at("10:00:00"), 1, at("10:00:05"))
        .succeeded(at("10:00:01"), "run".to_owned());
    assert_eq!(due(&state, "10:00:02"), next("10:15:00"));
    assert_eq!(due(&state, "10:14:59.999999"), next("10:15:00"));
    assert_eq!(due(&state, "10:15:00"), now("10:15:00", 1));
}

#[test]
fn after_downtime_one_run_covers_all_ticks_that_were_missed() {
    let state = JobState::default()
        .begun(at("01:00:00"), 1, at("01:00:05"))
        .succeeded(at("01:00:01"), "run".to_owned());
    assert_eq!(due(&state, "10:16:00"), now("10:15:00", 1));
}

#[test]
fn a_clock_that_goes_back_repeats_nothing() {
    let state = JobState::default()
        .begun(at("10:15:00"), 1, at("10:15:05"))
        .succeeded(at("10:15:01"), "run".to_owned());
    assert_eq!(due(&state, "10:07:00"), next("10:15:00"));
}

#[test]
fn a_run_that_failed_waits_and_is_tried_again_until_its_attempts_are_over() {
    let mut state = JobState::default();
    for attempt in 1..=3 {
        state = state.begun(at("10:00:00"), attempt, at("10:00:30"));
        assert_eq!(state.last_success, None);
        let again = (attempt < 3).then(|| at("10:01:00"));
        state = state.failed("run".to_owned(), "away".to_owned(), again);
        let expected = if attempt < 3 {
            assert_eq!(due(&state, "10:00:59"), next("10:01:00"));
            now("10:00:00", attempt + 1)
        } else {
            next("10:15:00")
        };
        assert_eq!(due(&state, "10:01:00"), expected);
    }
    assert!(state.has_settled(at("10:00:00"), PATIENCE));
    assert!(!state.has_settled(at("10:15:00"), PATIENCE));
    assert_eq!(due(&state, "10:15:00"), now("10:15:00", 1));
}

#[test]
fn a_run_whose_process_died_counts_as_an_attempt() {
    let state = JobState::default().begun(at("10:00:00"), 2, at("10:00:20"));
    assert_eq!(due(&state, "10:00:10"), next("10:00:20"));
    assert_eq!(due(&state, "10:00:20"), now("10:00:00", 3));
    let last = JobState::default().begun(at("10:00:00"), 3, at("10:00:20"));
    assert_eq!(due(&last, "10:00:20"), next("10:15:00"));
}

#[test]
fn a_run_that_was_interrupted_goes_on_elsewhere_at_once_and_counts_for_nothing() {
    let state = JobState::default().begun(at("10:00:00"), 2, at("10:00:20"));
    let state = state.interrupted(at("10:00:03"));
    assert_eq!(due(&state, "10:00:03"), now("10:00:00", 2));
}

#[test]
fn an_instant_that_only_a_wrong_clock_can_have_written_is_not_waited_for() {
    let state = JobState::default().begun(at("10:00:00"), 1, at("23:00:00"));
    assert_eq!(due(&state, "10:00:10"), now("10:00:00", 2));
}

fn golden() -> JobState {
    JobState {
        done: Some(at("10:00:00")),
        tried: Some(Tried {
            tick: at("10:15:00"),
            attempt: 2,
            outcome: Outcome::Waiting {
                again: at("10:15:12.250"),
            },
        }),
        last_success: Some(at("10:00:01.500")),
        last_run: Some("1364810400000000-weather-7".to_owned()),
        last_error: Some("the source is away".to_owned()),
    }
}

#[test]
fn states_of_format_1_are_read_for_ever_and_written_as_they_were_frozen() {
    let frozen: Value = serde_json::from_str(include_str!("../../golden/job_v1.json")).unwrap();
    assert_eq!(JobState::read(&frozen).unwrap(), golden());
    assert_eq!(golden().write(), frozen);
}

#[test]
fn every_state_reads_as_it_was_written() {
    let states = [
        JobState::default(),
        golden(),
        JobState::default().begun(at("10:00:00"), 1, at("10:00:05")),
        JobState::default()
            .begun(at("10:00:00"), 1, at("10:00:05"))
            .succeeded(at("10:00:01"), "run".to_owned()),
        JobState::default()
            .begun(at("10:00:00"), 1, at("10:00:05"))
            .failed("run".to_owned(), "bad rows".to_owned(), None),
    ];
    for state in states {
        assert_eq!(JobState::read(&state.write()).unwrap(), state);
    }
    assert_eq!(JobState::read(&Value::Null).unwrap(), JobState::default());
}

#[test]
fn a_state_of_a_newer_fs_is_told_from_a_broken_one() {
    let read = |text: &str| JobState::read(&serde_json::from_str(text).unwrap()).unwrap_err();
    let newer = read(r#"{ "format": 2, "ticks": [] }"#);
    assert!(newer.to_string().ends_with("upgrade fs"), "{newer}");
    let broken = read(r#"{ "format": 1, "ticks": [] }"#);
    assert!(matches!(broken, FormatError::Corrupt { .. }), "{broken}");
}
