//! What people see: whole sessions at the command line, with exit status, output and errors.
//!
//! Times, durations and the folder of the test are replaced; everything else is compared as it is.
//! A line that starts with `!` went to standard error.

#[path = "transcripts/session.rs"]
mod session;
#[path = "transcripts/tending.rs"]
mod tending;
#[path = "transcripts/windows.rs"]
mod windows;

use anyhow::Result;
use fs_testkit::net::free_address;

use crate::session::Session;

/// What of the service of the repo that `fs init` makes is asked for.
const SERVICE: &str = "--service churn_model_v1";

#[test]
fn a_first_session_goes_from_nothing_to_a_training_set() -> Result<()> {
    Session::new()
        .fs("init shop")
        .fs("init shop")
        .fs("-C shop validate")
        .fs("-C shop plan")
        .fs("-C shop apply")
        .fs("-C shop apply")
        .fs("-C shop materialize 2026-01-01 2026-02-01")
        .fs(&format!("-C shop get-online-features {SERVICE} --entity customer_id=1 --entity customer_id=2 --entity customer_id=9 --now 2026-01-21"))
        .fs(&format!("-C shop get-online-features {SERVICE} --entity customer_id=2 --now 2026-03-21"))
        .fs(&format!("-C shop get-historical-features {SERVICE} --spine shop/spine.csv --out training_set.csv"))
        .show("training_set.csv")
        .matches("first_session")
}

#[test]
fn the_catalogue_lists_and_describes_what_is_applied() -> Result<()> {
    Session::in_new_repo()
        .fs("feature-views list")
        .fs("apply")
        .fs("entities list")
        .fs("entities describe customer")
        .fs("sources list")
        .fs("sources describe orders")
        .fs("feature-views list")
        .fs("feature-views describe last_order")
        .fs("feature-services list")
        .fs("feature-services describe churn_model_v1")
        .fs("entities describe custmer")
        .matches("catalogue")
}

#[test]
fn a_change_that_hurts_a_service_is_refused_until_it_is_forced() -> Result<()> {
    Session::in_new_repo()
        .edit(
            "definitions.yaml",
            "  - last_order",
            "  - { view: last_order, features: [amount, items] }",
        )
        .fs("apply --note first")
        .edit(
            "definitions.yaml",
            "  - { name: items, type: int64, description: \"How many things were in it\" }\n",
            "",
        )
        .edit(
            "definitions.yaml",
            "features: [amount, items]",
            "features: [amount]",
        )
        .edit("definitions.yaml", "ttl: 30d", "ttl: 60d")
        .fs("plan")
        .fs("apply")
        .fs("apply --force --note 'without items'")
        .fs("registry rollback 1")
        .fs("registry rollback 1")
        .fs("registry history")
        .fs("registry show 9")
        .matches("hurt")
}

#[test]
fn every_problem_of_the_definitions_is_told_at_once() -> Result<()> {
    Session::in_new_repo()
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
        .matches("problems")
}

#[test]
fn definitions_are_checked_against_the_real_source() -> Result<()> {
    Session::in_new_repo()
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
        .fs("apply")
        .write("data/orders.parquet", "PAR1 and then nothing")
        .edit(
            "definitions.yaml",
            "format: csv\npath: data/nothing-*.csv",
            "format: parquet\npath: data/orders.parquet",
        )
        .fs("apply")
        .fs("registry history")
        .matches("source_problems")
}

#[test]
fn a_source_that_went_bad_after_the_apply_changes_nothing() -> Result<()> {
    Session::in_new_repo()
        .fs("apply")
        .fs("materialize 2026-01-01 2026-02-01")
        .edit("data/orders.csv", "3,2026-01-12T07:30:00Z,2026-01-12T07:30:04Z,8.50,1", ",2026-01-12T07:30:00Z,2026-01-12T07:30:04Z,8.50,1")
        .fs("materialize 2026-01-01 2026-02-01")
        .write("data/orders.csv", "customer_id,ordered_at,recorded_at,amount\n1,2026-01-03T09:15:00Z,2026-01-03T09:15:02Z,19.90\n")
        .fs("materialize 2026-01-01 2026-02-01")
        .fs("get-online-features --features last_order:amount --entity customer_id=3 --now 2026-01-21")
        .fs("jobs list")
        .fs("jobs show RUN")
        .matches("source_went_bad")
}

#[test]
fn rows_are_pushed_from_a_file_once_and_told_one_by_one() -> Result<()> {
    let at = "--now 2026-01-21T12:00:00Z";
    Session::in_new_repo()
        .fs("push last_order --file new.csv")
        .fs("apply")
        .fs("materialize 2026-01-01 2026-01-11 --now 2026-01-21")
        .write("new.csv", "customer_id,ordered_at,amount,items\n1,2026-01-20T10:00:00Z,10.50,1\n7,2026-01-20T11:00:00Z,,3\n1,2026-01-01T10:00:00Z,1,1\n7,2026-01-22T00:00:00Z,4,4\n")
        .fs(&format!("push last_order --file new.csv --idempotency-key k1 {at}"))
        .fs(&format!("push last_order --file new.csv --idempotency-key k1 {at}"))
        .fs(&format!("get-online-features {SERVICE} --entity customer_id=1 --entity customer_id=7 {at}"))
        .write("row.json", "{\"customer_id\": 7, \"event_timestamp\": \"2026-01-20T11:30:00Z\", \"amount\": 5, \"items\": 5}\n")
        .fs(&format!("--format json push orders --file row.json --to online {at}"))
        .fs(&format!("push last_order --file row.json --to offline {at}"))
        .fs(&format!("push last_order --file new.csv --to online {at}"))
        .write("bad.csv", "customer_id,ordered_at,amount\n,yesterday,1\n")
        .fs("push last_order --file bad.csv")
        .write("bad.csv", "customer_id,ordered_at,amount,items\n1,2026-01-20,1,some\n")
        .fs("push last_order --file bad.csv")
        .fs("push last_ordr --file new.csv")
        .fs("push last_order --file new.txt")
        .fs("materialize 2026-01-11 2026-01-23 --now 2026-01-23")
        .fs(&format!("get-online-features {SERVICE} --entity customer_id=1 --entity customer_id=7 --now 2026-01-23"))
        .fs(&format!("get-historical-features {SERVICE} --as-of 2026-01-21T12:00:00Z --out as_of.csv"))
        .show("as_of.csv")
        .matches("push")
}

#[test]
fn wrong_input_is_told_and_changes_nothing() -> Result<()> {
    Session::in_new_repo()
        .fs("materialize 2026-01-01 2026-02-01")
        .fs("apply")
        .fs("materialize 2026-02-01 2026-01-01")
        .fs("materialize 2026-01-01 2026-01-01")
        .fs("materialize yesterday 2026-01-01")
        .fs("materialize 2026-01-01 2026-02-01 --views last_ordr")
        .fs("materialize 2026-01-01 9999-01-01")
        .fs("materialize-incremental 2026-13-01")
        .fs("materialize-incremental 9999-01-01")
        .fs("jobs list")
        .fs("jobs show nothing")
        .fs("registry show nothing")
        .fs("feature-views describe last_ordr")
        .fs("teardown --views last_ordr --yes")
        .matches("wrong_input")
}

#[test]
fn a_wrong_question_for_online_features_is_told() -> Result<()> {
    Session::in_new_repo()
        .fs("apply")
        .fs("get-online-features --entity customer_id=1")
        .fs("get-online-features --service churn_model_v2 --entity customer_id=1")
        .fs("get-online-features --features last_order --entity customer_id=1")
        .fs("get-online-features --features last_order:amuont --entity customer_id=1")
        .fs("get-online-features --features last_ordr:amount --entity customer_id=1")
        .fs("get-online-features --features last_order:amount --entity customer_id=one")
        .fs("get-online-features --features last_order:amount --entity customer=1")
        .fs("get-online-features --features last_order:amount --entity 1")
        .fs("get-online-features --features last_order:amount")
        .fs("get-online-features --features last_order:amount --entity customer_id=1 --now noon")
        .fs("get-online-features --features last_order:amount --entity customer_id=1 --server nowhere")
        .matches("wrong_question")
}

#[test]
fn a_view_without_entities_is_asked_without_an_entity() -> Result<()> {
    Session::in_new_repo()
        .write("data/days.csv", "day,visitors\n2026-01-01T00:00:00Z,40\n2026-01-02T00:00:00Z,55\n")
        .write(
            "global.yaml",
            "kind: source\nname: days\nformat: csv\npath: data/days.csv\ntimestamp_field: day\n---\n\
             kind: feature_view\nname: shop_today\nentities: []\nsource: days\nschema:\n  - { name: visitors, type: int64 }\n",
        )
        .fs("apply")
        .fs("materialize 2026-01-01 2026-02-01")
        .fs("get-online-features --features shop_today:visitors")
        .fs("get-online-features --features shop_today:visitors --format json")
        .fs("get-online-features --features shop_today:visitors --entity customer_id=1")
        .fs("get-online-features --features shop_today:visitors,last_order:items --now 2026-01-21")
        .fs("get-online-features --features shop_today:visitors,last_order:items --entity customer_id=2 --now 2026-01-21")
        .write("data/days.csv", "day,visitors\n2026-01-01T00:00:00Z,many\n")
        .fs("materialize 2026-01-01 2026-02-01")
        .matches("no_entities")
}

#[test]
fn a_wrong_spine_is_told_and_writes_nothing() -> Result<()> {
    let get =
        |spine: &str| format!("get-historical-features {SERVICE} --spine {spine} --out out.csv");
    Session::in_new_repo()
        .fs("apply")
        .fs(&get("spine.csv"))
        .fs("materialize 2026-01-01 2026-02-01")
        .write(
            "no_key.csv",
            "customer,event_timestamp\n1,2026-01-10T00:00:00Z\n",
        )
        .fs(&get("no_key.csv"))
        .write(
            "wrong_type.csv",
            "customer_id,event_timestamp\none,2026-01-10T00:00:00Z\n",
        )
        .fs(&get("wrong_type.csv"))
        .write("no_time.csv", "customer_id\n1\n")
        .fs(&get("no_time.csv"))
        .write("wrong_time.csv", "customer_id,event_timestamp\n1,noon\n")
        .fs(&get("wrong_time.csv"))
        .fs(&(get("spine.csv") + " --timestamp-field event_tmestamp"))
        .write("truncated.parquet", "PAR1 and then nothing")
        .fs(&get("truncated.parquet"))
        .fs(&get("missing.parquet"))
        .fs(&get("README.md"))
        .fs("get-historical-features --features last_order:amuont --spine spine.csv --out out.csv")
        .fs(&format!(
            "get-historical-features {SERVICE} --spine spine.csv --out out.xlsx"
        ))
        .absent("out.csv")
        .matches("wrong_spine")
}

#[test]
fn a_training_set_is_made_again_byte_for_byte_after_rows_and_definitions_changed() -> Result<()> {
    let get = |rest: &str| format!("get-historical-features {rest}");
    Session::in_new_repo()
        .fs("apply")
        .fs("materialize 2026-01-01 2026-02-01")
        .fs(&get(&format!("{SERVICE} --spine spine.csv --out first.parquet")))
        .edit("data/orders.csv", "19.90,1", "29.90,4")
        .fs("materialize 2026-01-01 2026-02-01")
        .edit("definitions.yaml", "ttl: 30d", "ttl: 1d")
        .edit("definitions.yaml", "name: churn_model_v1", "name: churn_model_v2")
        .fs("apply --force")
        .fs(&get("--at-versions first.parquet --out again.parquet"))
        .same("first.parquet", "again.parquet")
        .fs(&get("--service churn_model_v2 --spine spine.csv --out now.parquet"))
        .other("first.parquet", "now.parquet")
        .fs(&get("--at-versions first.parquet --features last_order:items --full-feature-names --out items.csv"))
        .show("items.csv")
        .write("more.csv", "customer_id,seen_at\n2,2026-01-21T00:00:00Z\n")
        .fs(&get("--at-versions first.parquet --spine more.csv --out more_with_features.csv"))
        .show("more_with_features.csv")
        .fs(&get("--out out.csv"))
        .fs(&get("--spine spine.csv --out out.csv"))
        .fs(&get("--at-versions first.parquet"))
        .fs(&get("--at-versions spine.csv --out out.csv"))
        .fs(&get("--at-versions first.parquet --full-feature-names --out out.csv"))
        .edit("feature_store.yaml", "project: shop", "project: mall")
        .fs(&get("--at-versions first.parquet --out out.csv"))
        .edit("feature_store.yaml", "project: mall", "project: shop")
        .fs("teardown --yes")
        .fs(&get("--at-versions first.parquet --out out.csv"))
        .edit("definitions.yaml", "name: churn_model_v2", "name: churn_model_v1")
        .fs("apply")
        .fs("materialize 2026-01-01 2026-02-01")
        .fs(&get("--at-versions first.parquet --out out.csv"))
        .absent("out.csv")
        .matches("at_versions")
}

#[test]
fn rows_come_from_sql_or_are_every_key_as_of_an_instant() -> Result<()> {
    let get = format!("get-historical-features {SERVICE}");
    let sql = "'SELECT customer_id, max(ordered_at) AS event_timestamp FROM orders GROUP BY customer_id ORDER BY customer_id'";
    Session::in_new_repo()
        .fs("apply")
        .fs("materialize 2026-01-01 2026-02-01")
        .fs(&format!("{get} --as-of 2026-01-21 --out every_key.csv"))
        .show("every_key.csv")
        .fs(&format!("{get} --as-of 2026-01-21 --out every_key.parquet"))
        .fs(&format!("{get} --spine-sql {sql} --out last_orders.csv"))
        .show("last_orders.csv")
        .edit("data/orders.csv", "120.25,7", "99.00,9")
        .fs("materialize 2026-01-01 2026-02-01")
        .fs("get-historical-features --at-versions every_key.parquet --out again.parquet")
        .same("every_key.parquet", "again.parquet")
        .fs(&format!(
            "{get} --at-versions every_key.parquet --as-of 2026-01-10 --out earlier.csv"
        ))
        .show("earlier.csv")
        .fs(&format!(
            "{get} --as-of 2026-01-21 --spine spine.csv --out out.csv"
        ))
        .fs(&format!("{get} --as-of noon --out out.csv"))
        .fs(&format!(
            "{get} --spine-sql 'SELECT * FROM ordrs' --out out.csv"
        ))
        .absent("out.csv")
        .matches("no_spine")
}

#[test]
fn training_sets_are_kept_under_a_name() -> Result<()> {
    let get = format!("get-historical-features {SERVICE} --spine spine.csv");
    Session::in_new_repo()
        .fs("apply")
        .fs("materialize 2026-01-01 2026-02-01")
        .fs("datasets list")
        .fs(&format!("{get} --save churn_january"))
        .fs(&format!("{get} --save churn_january --out out.csv"))
        .absent("out.csv")
        .fs(&format!("{get} --save kept --out kept.csv"))
        .show("kept.csv")
        .fs("datasets list")
        .fs("datasets show churn_january")
        .fs("datasets show churn_janury")
        .fs("datasets drop kept")
        .fs("datasets drop kept --yes")
        .fs("--format json datasets list")
        .fs("--format json datasets show churn_january")
        .fs(&format!("{get} --save no-name"))
        .fs("teardown")
        .fs("teardown --yes")
        .fs("datasets list")
        .matches("datasets")
}

#[test]
fn an_online_store_that_is_down_is_named_by_its_address() -> Result<()> {
    let address = free_address()?.to_string();
    Session::in_new_repo()
        .hide(address.clone(), "ADDRESS")
        .edit(
            "feature_store.yaml",
            "{ type: embedded, path: .fs/online }",
            &format!("{{ type: redis, url: \"redis://{address}\" }}"),
        )
        .fs("apply")
        .fs("materialize 2026-01-01 2026-02-01")
        .fs("get-online-features --features last_order:amount --entity customer_id=1")
        .fs("teardown --yes")
        .fs("registry history")
        .matches("store_down")
}

#[test]
fn a_server_that_is_not_there_is_named_by_its_address() -> Result<()> {
    let address = free_address()?.to_string();
    Session::in_new_repo()
        .hide(address.clone(), "ADDRESS")
        .fs("apply")
        .fs(&format!("health --server http://{address}"))
        .fs(&format!("get-online-features {SERVICE} --entity customer_id=1 --server http://{address}"))
        .fs(&format!("get-historical-features {SERVICE} --spine spine.csv --out out.csv --server http://{address}"))
        .absent("out.csv")
        .matches("no_server")
}

#[test]
fn a_registry_of_a_newer_version_is_not_touched() -> Result<()> {
    let version = ".fs/registry/shop/versions/00000000000000000001.json";
    Session::in_new_repo()
        .fs("apply")
        .edit(version, "\"format\": 1,", "\"format\": 99,")
        .fs("plan")
        .fs("apply")
        .fs("materialize 2026-01-01 2026-02-01")
        .fs(&format!(
            "get-online-features {SERVICE} --entity customer_id=1"
        ))
        .fs("registry history")
        .fs("registry show 1")
        .matches("newer_registry")
}

#[test]
fn runs_are_recorded_and_teardown_asks_first() -> Result<()> {
    Session::in_new_repo()
        .fs("apply")
        .fs("jobs list")
        .fs("materialize 2026-01-01 2026-01-15")
        .fs("materialize-incremental 2026-02-01")
        .fs("materialize-incremental 2026-02-01")
        .fs("jobs list")
        .fs("teardown")
        .fs("teardown --yes")
        .fs("jobs list")
        .fs("feature-views list")
        .matches("runs_and_teardown")
}

#[test]
fn a_folder_without_a_repo_is_told_what_to_do() -> Result<()> {
    Session::new()
        .fs("validate")
        .fs("-C nowhere apply")
        .fs("apply --format json")
        .fs("")
        .fs("aply")
        .matches("no_repo")
}

#[test]
fn programs_get_json() -> Result<()> {
    let json = |line: &str| format!("--format json {line}");
    Session::in_new_repo()
        .fs(&json("validate"))
        .fs(&json("plan"))
        .fs(&json("apply"))
        .fs(&json("apply"))
        .fs(&json("entities list"))
        .fs(&json("feature-services describe churn_model_v1"))
        .fs(&json("materialize 2026-01-01 2026-02-01"))
        .fs(&json(&format!("get-online-features {SERVICE} --entity customer_id=1 --entity customer_id=9 --now 2026-01-21")))
        .fs(&json(&format!("get-historical-features {SERVICE} --spine spine.csv --out training_set.csv")))
        .fs(&json("registry history"))
        .fs(&json("jobs list"))
        .fs(&json("teardown --yes"))
        .matches("json")
}

#[test]
fn programs_get_errors_as_json_too() -> Result<()> {
    Session::in_new_repo()
        .fs("--format json entities list")
        .edit("definitions.yaml", "ttl: 30d", "ttl: 3 bananas")
        .fs("--format json apply")
        .edit("definitions.yaml", "ttl: 3 bananas", "ttl: 30d")
        .fs("--format json apply")
        .fs("--format json materialize 2026-02-01 2026-01-01")
        .fs("--format json get-online-features --features last_order:amuont --entity customer_id=1")
        .fs("materialize yesterday 2026-02-01 --format json")
        .matches("json_errors")
}
