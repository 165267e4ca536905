//! What people see: whole sessions at the command line, with exit status, output and errors.
//!
//! Times, durations and the folder of the test are replaced; everything else is compared as it is.

use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// A session in a folder of its own.
struct Session {
    folder: TempDir,
    text: String,
}

impl Session {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            text: String::new(),
        }
    }

    /// A session in the repo that `fs init` makes.
    fn in_new_repo() -> Self {
        let session = Self::new();
        let made = session.command("init .").output().unwrap();
        assert!(made.status.success(), "{made:?}");
        session
    }

    fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fs"));
        command.args(words(line)).current_dir(self.folder.path());
        command
            .env_remove("RUST_LOG")
            .env("COLUMNS", "100")
            .stdin(Stdio::null());
        command
    }

    /// Runs `fs LINE` and writes down what happens.
    fn fs(&mut self, line: &str) -> &mut Self {
        let output = self.command(line).output().unwrap();
        self.text.push_str(&format!("$ fs {line}\n"));
        self.text
            .push_str(&String::from_utf8(output.stdout).unwrap());
        for line in String::from_utf8(output.stderr).unwrap().lines() {
            self.text.push_str(&format!("! {line}\n"));
        }
        match output.status.code() {
            Some(0) => {}
            status => self.text.push_str(&format!("exit status {status:?}\n")),
        }
        self.text.push('\n');
        self
    }

    fn write(&mut self, name: &str, text: &str) -> &mut Self {
        std::fs::write(self.folder.path().join(name), text).unwrap();
        self
    }

    fn edit(&mut self, name: &str, from: &str, to: &str) -> &mut Self {
        let path = self.folder.path().join(name);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{name} has no {from:?}");
        self.text.push_str(&format!(
            "# {name}: {} becomes {}\n\n",
            from.trim(),
            to.trim()
        ));
        std::fs::write(path, text.replace(from, to)).unwrap();
        self
    }

    fn show(&mut self, name: &str) -> &mut Self {
        let text = std::fs::read_to_string(self.folder.path().join(name)).unwrap();
        self.text.push_str(&format!("# {name}\n{text}\n"));
        self
    }

    fn matches(&self, name: &str) {
        let folder = real(self.folder.path());
        let mut settings = insta::Settings::clone_current();
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.add_filter(&folder, "REPO");
        settings.add_filter(r"20[2-9]\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,9}Z", "NOW");
        settings.add_filter(r"\b\d{16}-", "ID-");
        settings.add_filter(r"\b\d+(\.\d+)? m?s\b", "TIME");
        settings.bind(|| insta::assert_snapshot!(name, self.text.trim_end()));
    }
}

fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (at, piece) in line.split('\'').enumerate() {
        if at % 2 == 1 {
            words.push(piece.to_owned());
        } else {
            words.extend(piece.split_whitespace().map(str::to_owned));
        }
    }
    words
}

fn real(path: &Path) -> String {
    path.canonicalize().unwrap().to_str().unwrap().to_owned()
}

#[test]
fn a_first_session_goes_from_nothing_to_a_training_set() {
    let mut session = Session::new();
    session
        .fs("init shop")
        .fs("-C shop validate")
        .fs("-C shop plan")
        .fs("-C shop apply")
        .fs("-C shop apply")
        .fs("-C shop materialize 2026-01-01 2026-02-01")
        .fs("-C shop get-online-features --service churn_model_v1 --entity customer_id=1 --entity customer_id=2 --entity customer_id=9 --now 2026-01-21")
        .fs("-C shop get-online-features --service churn_model_v1 --entity customer_id=2 --now 2026-03-21")
        .fs("-C shop get-historical-features --service churn_model_v1 --spine shop/spine.csv --out training_set.csv")
        .show("training_set.csv")
        .matches("first_session");
}

#[test]
fn the_catalogue_lists_and_describes_what_is_applied() {
    let mut session = Session::in_new_repo();
    session
        .fs("feature-views list")
        .fs("apply")
        .fs("entities list")
        .fs("sources list")
        .fs("sources describe orders")
        .fs("feature-views list")
        .fs("feature-views describe last_order")
        .fs("feature-services list")
        .fs("feature-services describe churn_model_v1")
        .fs("entities describe custmer")
        .fs("entities list --format json")
        .matches("catalogue");
}

#[test]
fn a_change_that_hurts_a_service_is_refused_until_it_is_forced() {
    let mut session = Session::in_new_repo();
    session
        .fs("apply --note first")
        .edit(
            "definitions.yaml",
            "  - { name: items, type: int64, description: \"How many things were in it\" }\n",
            "",
        )
        .edit("definitions.yaml", "ttl: 30d", "ttl: 60d")
        .fs("plan")
        .fs("apply")
        .fs("apply --force")
        .fs("registry rollback 1")
        .fs("registry history")
        .fs("registry show 9")
        .matches("hurt");
}

#[test]
fn every_problem_of_the_definitions_is_told_at_once() {
    let mut session = Session::in_new_repo();
    session
        .edit("definitions.yaml", "ttl: 30d", "ttl: 3 bananas")
        .edit(
            "definitions.yaml",
            "entities: [customer]",
            "entities: [custmer]",
        )
        .edit("definitions.yaml", "type: float64", "type: flaot64")
        .fs("validate")
        .fs("apply")
        .fs("registry history")
        .matches("problems");
}

#[test]
fn definitions_are_checked_against_the_real_source() {
    let mut session = Session::in_new_repo();
    session
        .edit(
            "definitions.yaml",
            "name: amount, type: float64",
            "name: ammount, type: float64",
        )
        .edit(
            "definitions.yaml",
            "timestamp_field: ordered_at",
            "timestamp_field: orderd_at",
        )
        .fs("validate")
        .edit("definitions.yaml", "data/orders.csv", "data/nothing-*.csv")
        .fs("validate")
        .matches("source_problems");
}

#[test]
fn wrong_input_is_told_and_changes_nothing() {
    let mut session = Session::in_new_repo();
    session
        .fs("materialize 2026-01-01 2026-02-01")
        .fs("apply")
        .fs("materialize 2026-02-01 2026-01-01")
        .fs("materialize 2026-01-01 2026-01-01")
        .fs("materialize yesterday 2026-01-01")
        .fs("materialize 2026-01-01 2026-02-01 --views last_ordr")
        .fs("materialize 2026-01-01 9999-01-01")
        .fs("get-online-features --service churn_model_v2 --entity customer_id=1")
        .fs("get-online-features --features last_order:amuont --entity customer_id=1")
        .fs("get-online-features --features last_order:amount --entity customer_id=one")
        .fs("get-online-features --features last_order:amount --entity customer=1")
        .fs("jobs list")
        .fs("jobs show nothing")
        .matches("wrong_input");
}

#[test]
fn a_wrong_spine_is_told_and_writes_nothing() {
    let mut session = Session::in_new_repo();
    session
        .fs("apply")
        .fs("get-historical-features --service churn_model_v1 --spine spine.csv --out out.csv")
        .fs("materialize 2026-01-01 2026-02-01")
        .write("no_key.csv", "customer,event_timestamp\n1,2026-01-10T00:00:00Z\n")
        .write("wrong_type.csv", "customer_id,event_timestamp\none,2026-01-10T00:00:00Z\n")
        .write("no_time.csv", "customer_id\n1\n")
        .write("truncated.parquet", "PAR1 and then nothing")
        .fs("get-historical-features --service churn_model_v1 --spine no_key.csv --out out.csv")
        .fs("get-historical-features --service churn_model_v1 --spine wrong_type.csv --out out.csv")
        .fs("get-historical-features --service churn_model_v1 --spine no_time.csv --out out.csv")
        .fs("get-historical-features --service churn_model_v1 --spine truncated.parquet --out out.csv")
        .fs("get-historical-features --service churn_model_v1 --spine missing.parquet --out out.csv");
    assert!(!session.folder.path().join("out.csv").exists());
    session.matches("wrong_spine");
}

#[test]
fn runs_are_recorded_and_teardown_asks_first() {
    let mut session = Session::in_new_repo();
    session
        .fs("apply")
        .fs("materialize 2026-01-01 2026-01-15")
        .fs("materialize-incremental 2026-02-01")
        .fs("materialize-incremental 2026-02-01")
        .fs("jobs list")
        .fs("teardown")
        .fs("teardown --yes")
        .fs("jobs list")
        .fs("feature-views list");
    session.matches("runs_and_teardown");
}

#[test]
fn a_folder_without_a_repo_is_told_what_to_do() {
    let mut session = Session::new();
    session
        .fs("validate")
        .fs("-C nowhere apply")
        .fs("apply --format json")
        .matches("no_repo");
}
