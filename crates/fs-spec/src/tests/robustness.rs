//! No text breaks the reader.

use std::fmt::Write;

use proptest::prelude::*;

use super::files::{SETTINGS, problems, read_files};
use crate::{Style, render};

/// Pieces that make odd YAML more likely than random characters do.
const PIECES: &str = "(kind: |name: |entity|source|feature_view|feature_service|\n|\n  |\n- |---\n|: |, |\\[|\\]|\\{|\\}|\
    |join_keys: |schema: |features: |query: |format: sql|type: int64|\"|'|\\||>|&a |\\*a|!!str |\\$\\{|\\$\\{X:-|null|~|#|é|\t|\\?|<<|%|@|x|0){0,60}";

fn never_panics(text: &str) {
    for files in [
        [("feature_store.yaml", SETTINGS), ("a.yaml", text)],
        [("feature_store.yaml", text), ("a.yaml", "")],
    ] {
        if let Err(problems) = read_files(&files) {
            assert!(!problems.is_empty());
            render(&problems, Style::Plain);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn arbitrary_text_never_panics(text in "[\\PC\n\t\r]{0,200}") {
        never_panics(&text);
    }

    #[test]
    fn arbitrary_pieces_of_yaml_never_panic(text in PIECES) {
        never_panics(&text);
    }
}

#[test]
fn bytes_that_are_not_utf8_are_one_problem_with_its_position() {
    let files = vec![
        (
            "feature_store.yaml".to_owned(),
            SETTINGS.as_bytes().to_vec(),
        ),
        ("a.yaml".to_owned(), b"kind: entity\nname: \xff\n".to_vec()),
    ];
    let problems = crate::load::read(std::path::Path::new("/repo"), files, &|_| None).unwrap_err();
    assert_eq!(problems.len(), 1);
    assert!(
        problems[0]
            .to_string()
            .starts_with("a.yaml:2:7: this is not UTF-8"),
        "{}",
        problems[0]
    );
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_are_no_problem() {
    let definitions =
        "\u{feff}kind: entity\r\nname: e\r\njoin_keys: [{ name: k, type: int63 }]\r\n";
    let found = problems(definitions);
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("new.yaml:3:30: "), "{found:?}");
}

#[test]
fn nesting_size_and_growth_through_aliases_are_bounded() {
    let deep = format!("a: {}{}", "[".repeat(40), "]".repeat(40));
    assert!(problems(&deep)[0].contains("levels deep"));

    let mut bomb = String::from("a: &a [x, x, x, x, x, x, x, x, x, x]\n");
    for (from, to) in ('a'..'h').zip('b'..='h') {
        let alias = format!("*{from}, ").repeat(10);
        writeln!(bomb, "{to}: &{to} [{alias}]").unwrap();
    }
    assert!(problems(&bomb)[0].contains("more than 100000 values"));

    let long = format!("# {}\n", "x".repeat(1 << 20));
    assert!(problems(&long)[0].contains("longer than"));
}

#[test]
fn an_alias_to_itself_is_a_problem() {
    assert!(problems("a: &a [*a]")[0].contains("stands for nothing"));
}
