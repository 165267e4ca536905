use fs_core::{Catalog, Code, Coded};

use super::*;
use crate::fixture::{at, everything, expected, windowed};

const GOLDEN: &str = include_str!("../../golden/version_v1.json");
/// Format 1 with the expectations and the freshness that it gained later.
const EXPECTING: &str = include_str!("../../golden/version_v1_expectations.json");
/// Format 1 with the windows that it gained after that.
const WINDOWED: &str = include_str!("../../golden/version_v1_windows.json");

fn project() -> ProjectName {
    "flights".parse().unwrap()
}

fn read(bytes: &[u8]) -> Result<Version, Error> {
    decode(&project(), 7, "/r/7.json", bytes)
}

fn golden_version() -> Version {
    Version {
        number: 7,
        applied_at: EventTime::from_micros(at(1).as_micros() + 250_001),
        note: Some("everything".to_owned()),
        catalog: everything().into(),
    }
}

fn expecting_version() -> Version {
    Version {
        note: None,
        catalog: expected().into(),
        ..golden_version()
    }
}

fn windowed_version() -> Version {
    Version {
        note: None,
        catalog: windowed().into(),
        ..golden_version()
    }
}

#[test]
fn version_files_of_format_1_are_read_for_ever() {
    assert_eq!(read(GOLDEN.as_bytes()).unwrap(), golden_version());
    assert_eq!(read(EXPECTING.as_bytes()).unwrap(), expecting_version());
    assert_eq!(read(WINDOWED.as_bytes()).unwrap(), windowed_version());
}

#[test]
fn format_1_is_written_as_it_was_frozen() {
    let written = encode(&project(), &golden_version()).unwrap();
    assert_eq!(std::str::from_utf8(&written).unwrap(), GOLDEN);
    let written = encode(&project(), &expecting_version()).unwrap();
    assert_eq!(std::str::from_utf8(&written).unwrap(), EXPECTING);
    let written = encode(&project(), &windowed_version()).unwrap();
    assert_eq!(std::str::from_utf8(&written).unwrap(), WINDOWED);
}

#[test]
fn a_version_without_definitions_and_note_survives_writing_and_reading() {
    let version = Version {
        number: 7,
        applied_at: at(0),
        note: None,
        catalog: Catalog::empty(project()).into(),
    };
    let written = encode(&project(), &version).unwrap();
    assert_eq!(read(&written).unwrap(), version);
}

#[test]
fn a_file_of_a_newer_fs_asks_to_upgrade_whatever_else_is_in_it() {
    let error = read(br#"{ "format": 3, "version": "VII", "shape": [] }"#).unwrap_err();
    assert_eq!(error.code(), Code::FailedPrecondition);
    assert_eq!(error.code().exit_status(), 2);
    assert_eq!(
        error.to_string(),
        "version 7 of project `flights` is written in format 3, and this fs reads formats up to 1: \
         upgrade fs"
    );
}

#[test]
fn a_broken_file_is_named_with_what_is_wrong_in_it() {
    let swapped = |from: &str, to: &str| {
        assert!(GOLDEN.contains(from), "{from}");
        GOLDEN.replacen(from, to, 1)
    };
    for (text, problem) in [
        (String::new(), "EOF"),
        (GOLDEN[..GOLDEN.len() / 2].to_owned(), "EOF"),
        (
            swapped("\"format\": 1", "\"format\": 0"),
            "there is no format 0",
        ),
        (
            swapped("\"version\": 7", "\"version\": 8"),
            "it holds version 8 of project `flights`",
        ),
        (
            swapped("\"project\": \"flights\"", "\"project\": \"trains\""),
            "it holds version 7 of project `trains`",
        ),
        (swapped("2013-04-01T", "yesterday "), "is not a timestamp"),
        (swapped("\"note\"", "\"remark\""), "unknown field `remark`"),
        (
            swapped("\"name\": \"lake\"", "\"name\": \"events\""),
            "source `events` is there twice",
        ),
    ] {
        let error = read(text.as_bytes()).unwrap_err();
        assert_eq!(error.code(), Code::Internal);
        let report = fs_core::code::report(&error);
        assert!(
            report.starts_with("`/r/7.json` is not a readable version"),
            "{report}"
        );
        assert!(report.contains(problem), "{report}");
    }
}
