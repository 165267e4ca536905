//! Every schedule that definitions may hold means the same here as in a naive reading of it.

use chrono::{Datelike, Timelike};
use proptest::prelude::*;
use proptest::sample::select;

use super::*;

fn schedule(text: &str) -> Schedule {
    text.parse().unwrap()
}

fn at(text: &str) -> EventTime {
    text.parse().unwrap()
}

#[test]
fn ticks_are_minutes_and_the_latest_may_be_now() {
    let quarterly = schedule("*/15 * * * *");
    let latest = |now: &str| quarterly.latest(at(now)).unwrap().to_string();
    assert_eq!(latest("2013-04-01T10:15:00Z"), "2013-04-01T10:15:00Z");
    assert_eq!(
        latest("2013-04-01T10:14:59.999999Z"),
        "2013-04-01T10:00:00Z"
    );
    assert_eq!(
        latest("2013-04-01T10:15:00.000001Z"),
        "2013-04-01T10:15:00Z"
    );
    let next = |now: &str| quarterly.next(at(now)).unwrap().to_string();
    assert_eq!(next("2013-04-01T10:15:00Z"), "2013-04-01T10:30:00Z");
    assert_eq!(next("2013-04-01T10:14:59.5Z"), "2013-04-01T10:15:00Z");
}

#[test]
fn rare_ticks_are_found_years_away() {
    let leap = schedule("0 0 29 2 *");
    assert_eq!(
        leap.latest(at("2103-06-01")).unwrap(),
        at("2096-02-29T00:00:00Z")
    );
    assert_eq!(
        leap.next(at("2097-06-01")).unwrap(),
        at("2104-02-29T00:00:00Z")
    );
}

#[test]
fn of_a_day_of_the_month_and_one_of_the_week_either_is_enough() {
    let text = schedule("0 0 15 * FRI");
    // A Friday, and a Monday that is the fifteenth.
    assert_eq!(text.next(at("2013-04-08")).unwrap(), at("2013-04-12"));
    assert_eq!(text.next(at("2013-04-12")).unwrap(), at("2013-04-15"));
    for always in ["0 0 15 * *", "0 0 15 * */1", "0 0 15 */1 *"] {
        let next = schedule(always).next(at("2013-04-08")).unwrap();
        assert_eq!(next, at("2013-04-15"), "{always}");
    }
}

#[test]
fn a_text_that_is_no_schedule_is_refused() {
    for text in ["", "* * * *", "0 * * * * *", "x * * * *"] {
        let error = text.parse::<Schedule>().unwrap_err();
        assert!(error.to_string().contains("is not a schedule"), "{error}");
    }
}

/// The naive reading: the set of values of each field, one minute after the other.
struct Naive {
    fields: Vec<Vec<u32>>,
    any_day: bool,
    any_weekday: bool,
}

impl Naive {
    fn of(text: &str) -> Self {
        let names = |at: usize, word: &str| -> u32 {
            let word = word.to_uppercase();
            let months = "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC";
            let days = "SUNMONTUEWEDTHUFRISAT";
            let found = |list: &str| u32::try_from(list.find(&word).unwrap() / 3).unwrap();
            word.parse().unwrap_or_else(|_| match at {
                3 => found(months) + 1,
                _ => found(days),
            })
        };
        let bounds = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 7)];
        let parts: Vec<&str> = text.split_whitespace().collect();
        let any = |field: &str| field.split(',').any(|part| matches!(part, "*" | "*/1"));
        let fields = parts.iter().enumerate().map(|(at, field)| {
            let mut values = Vec::new();
            for part in field.split(',') {
                let (range, step) = part.split_once('/').unwrap_or((part, "1"));
                let (low, high) = match range.split_once('-') {
                    Some((low, high)) => (names(at, low), names(at, high)),
                    None if range == "*" => bounds[at],
                    None => (names(at, range), names(at, range)),
                };
                values.extend((low..=high).step_by(step.parse().unwrap()));
            }
            values
        });
        Self {
            fields: fields.collect(),
            any_day: any(parts[2]),
            any_weekday: any(parts[4]),
        }
    }

    fn is_tick(&self, at: DateTime<Utc>) -> bool {
        let has = |field: usize, value: u32| self.fields[field].contains(&value);
        let weekday = at.weekday().num_days_from_sunday();
        let weekday = has(4, weekday) || (weekday == 0 && has(4, 7));
        let day = has(2, at.day());
        let day = match (self.any_day, self.any_weekday) {
            (false, false) => day || weekday,
            (true, false) => weekday,
            (false, true) => day,
            (true, true) => true,
        };
        at.second() == 0 && has(0, at.minute()) && has(1, at.hour()) && day && has(3, at.month())
    }
}

/// One field: lists of numbers, names, ranges and steps, as definitions may hold them.
fn field(low: u32, high: u32, words: &'static [&'static str]) -> BoxedStrategy<String> {
    let number = move |value: u32| -> BoxedStrategy<String> {
        let mut ways = vec![value.to_string()];
        if let Some(word) = words.get((value - low) as usize) {
            ways.extend([(*word).to_owned(), word.to_lowercase()]);
        }
        select(ways).boxed()
    };
    let one = (low..=high).prop_flat_map(number);
    let range = (low..=high)
        .prop_flat_map(move |start| (Just(start), start..=high))
        .prop_flat_map(move |(start, end)| {
            (number(start), number(end)).prop_map(|(start, end)| format!("{start}-{end}"))
        });
    let step = 1..=high.max(1);
    let part = prop_oneof![
        3 => Just("*".to_owned()),
        3 => one,
        2 => range.clone(),
        1 => step.clone().prop_map(|step| format!("*/{step}")),
        1 => (range, step).prop_map(|(range, step)| format!("{range}/{step}")),
    ];
    prop::collection::vec(part, 1..3)
        .prop_map(|parts| parts.join(","))
        .boxed()
}

fn expression() -> impl Strategy<Value = String> {
    const MONTHS: [&str; 12] = [
        "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
    ];
    const DAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
    let fields = (
        field(0, 59, &[]),
        field(0, 23, &[]),
        field(1, 31, &[]),
        field(1, 12, &MONTHS),
        field(0, 7, &DAYS),
    );
    fields
        .prop_map(|(a, b, c, d, e)| format!("{a} {b} {c} {d} {e}"))
        .prop_filter("definitions refuse it", |text| {
            fs_spec::cron::check(text).is_ok()
        })
}

const MINUTES: i64 = 3 * 24 * 60;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn every_schedule_of_a_definition_has_the_ticks_that_it_says(
        text in expression(),
        start in 0_i64..4_000_000_000,
    ) {
        let schedule = schedule(&text);
        let naive = Naive::of(&text);
        let start = EventTime::from_micros(start * 1_000_000);
        // Forwards and backwards over three days of minutes.
        let first_minute = start.as_micros().div_euclid(60_000_000);
        let minute = |number: i64| DateTime::from_timestamp(number * 60, 0).unwrap();
        let ahead = (first_minute + 1..first_minute + MINUTES).map(minute);
        let expected = ahead.clone().find(|at| naive.is_tick(*at)).map(EventTime::from);
        let found = schedule.next(start);
        match expected {
            Some(tick) => prop_assert_eq!(found, Some(tick), "after {}: {}", start, text),
            None => prop_assert!(
                found.is_none_or(|tick| tick >= EventTime::from(minute(first_minute + MINUTES))),
                "{text} after {start}: {found:?}"
            ),
        }
        let behind = (first_minute - MINUTES..=first_minute).rev().map(minute);
        let expected = behind.clone().find(|at| naive.is_tick(*at)).map(EventTime::from);
        let found = schedule.latest(start);
        match expected {
            Some(tick) => prop_assert_eq!(found, Some(tick), "before {}: {}", start, text),
            None => prop_assert!(
                found.is_none_or(|tick| tick < EventTime::from(minute(first_minute - MINUTES))),
                "{text} before {start}: {found:?}"
            ),
        }
    }
}
