use fs_core::{Code, Coded};
use serde_json::json;

use super::*;
use crate::fixture::at;

const HELD: &str = include_str!("../../../golden/lease_v1.json");
const FREE: &str = include_str!("../../../golden/lease_free_v1.json");

fn view() -> ViewName {
    "origin_weather".parse().unwrap()
}

fn read(number: u64, bytes: &str) -> Result<LeaseState, Error> {
    decode(&view(), number, "/r/42.json", bytes.as_bytes())
}

fn free() -> LeaseState {
    LeaseState::new(view()).beaten()
}

fn held() -> LeaseState {
    let process = json!({
        "boot": "5d8b3c1e-0f5e-4c9a-9a57-0d6f0e1f2a3b", "namespace": "pid:[4026531836]",
        "pid": 4711, "started": 123_456
    });
    LeaseState {
        view: view(),
        fence: Fence::new(7),
        beat: 41,
        holder: Some(HolderInfo {
            id: "8a3e9f52-6c1d-4b7e-9f1a-2b3c4d5e6f70".parse().unwrap(),
            name: "worker-3:4711".to_owned(),
            since: at(90),
            what: "schedule 2013-04-01T00:00:00Z".to_owned(),
            cancel: true,
            ttl: Duration::from_secs(30),
            gone: true,
            process: serde_json::from_value(process).unwrap(),
        }),
        job: json!({ "format": 1 }),
    }
}

#[test]
fn leases_of_format_1_are_read_for_ever() {
    assert_eq!(read(42, HELD).unwrap(), held());
    assert_eq!(read(1, FREE).unwrap(), free());
}

#[test]
fn format_1_is_written_as_it_was_frozen() {
    for (number, state, golden) in [(42, held(), HELD), (1, free(), FREE)] {
        let written = encode(number, &state).unwrap();
        assert_eq!(std::str::from_utf8(&written).unwrap(), golden);
    }
}

#[test]
fn what_is_no_lease_says_which_object_and_what_to_do() {
    for (text, says) in [
        ("{", "EOF"),
        (r#"{ "format": 0 }"#, "there is no format 0"),
        (
            &HELD.replace("42", "43"),
            "it holds 43 of view `origin_weather`",
        ),
        (
            &HELD.replace("origin_weather", "other"),
            "it holds 42 of view `other`",
        ),
        (
            &HELD.replace("\"beat\"", "\"beet\""),
            "unknown field `beet`",
        ),
    ] {
        let error = read(42, text).unwrap_err();
        assert_eq!(error.code(), Code::Internal);
        let text = fs_core::code::report(&error);
        assert!(
            text.contains("`/r/42.json` is not the state of a lease"),
            "{text}"
        );
        assert!(text.contains(says), "{text}");
    }
}

#[test]
fn a_lease_of_a_newer_fs_is_told_from_a_broken_one() {
    let error = read(42, r#"{ "format": 2, "holders": [] }"#).unwrap_err();
    assert_eq!(error.code(), Code::FailedPrecondition);
    assert!(error.to_string().ends_with("upgrade fs"), "{error}");
}
