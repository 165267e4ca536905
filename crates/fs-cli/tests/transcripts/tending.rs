//! Looking after tables and views: how old they are, what was put aside, and making files fewer.

use anyhow::Result;

use crate::session::Session;

/// What is added to the view of the repo that `fs init` makes.
const EXPECTING: &str = "ttl: 30d\nfreshness: 2h\nexpectations:\n  \
                         - { expect: unique }\n  \
                         - { expect: between, column: amount, min: 0, max: 100, on_failure: quarantine }\n  \
                         - { expect: row_count, max: 1000, on_failure: warn }";

/// A session whose ages and sizes, which differ from run to run, are hidden.
fn session() -> Session {
    Session::in_new_repo()
        .hide_all(r"\b\d+d\d+h\b", "AGE")
        .hide_all(r"age_seconds(.*) \d+", "age_seconds$1 AGE")
        .hide_all(r"[\d,]+ KiB", "SIZE")
        .hide_all(r"bytes(.*) \d+", "bytes$1 SIZE")
        .hide_all(r"(\S) {3,}", "$1  ")
}

#[test]
fn views_say_how_old_they_are_and_whether_that_is_fresh_enough() -> Result<()> {
    session()
        .edit("definitions.yaml", "ttl: 30d", EXPECTING)
        .fs("apply")
        .fs("feature-views list")
        .fs("materialize 2026-01-01 2026-02-01")
        .fs("feature-views list")
        .fs("feature-views describe last_order")
        .fs("feature-views list --format json")
        .matches("freshness")
}

#[test]
fn rows_that_were_put_aside_are_listed_with_the_reason() -> Result<()> {
    session()
        .edit("definitions.yaml", "ttl: 30d", EXPECTING)
        .fs("apply")
        .fs("quarantine list last_order")
        .fs("materialize 2026-01-01 2026-02-01")
        .fs("quarantine list last_order")
        .fs("quarantine list last_order --limit 1 --format json")
        .edit("data/orders.csv", "120.25,7", "20.25,7")
        .fs("materialize 2026-01-01 2026-02-01")
        .fs("quarantine list last_order")
        .fs("quarantine list last_orders")
        .matches("quarantine")
}

#[test]
fn small_files_are_put_together_and_old_ones_removed_without_changing_an_answer() -> Result<()> {
    let get = "get-historical-features --service churn_model_v1 --spine spine.csv --out";
    session()
        .fs("optimize")
        .fs("apply")
        .fs("optimize")
        .fs("materialize 2026-01-01 2026-01-10")
        .fs("materialize 2026-01-10 2026-01-20")
        .fs("materialize 2026-01-20 2026-02-01")
        .fs(&format!("{get} before.csv"))
        .fs("optimize")
        .fs("optimize --views last_order --format json")
        .fs("vacuum")
        .fs("vacuum --retention 1us --dry-run")
        .fs("vacuum --retention 1us --views last_order --format json")
        .fs(&format!("{get} after.csv"))
        .same("before.csv", "after.csv")
        .fs("vacuum --retention soon")
        .fs("optimize --views last_orders")
        .matches("tending")
}

#[test]
fn a_plan_says_which_rows_lack_a_new_feature_once_there_are_rows() -> Result<()> {
    let orders = "customer_id,ordered_at,recorded_at,amount,items,channel\n\
                  1,2026-01-03T09:15:00Z,2026-01-03T09:15:02Z,19.90,1,web\n";
    let added = "  - { name: channel, type: string }\n  - { name: items,";
    Session::in_new_repo()
        .fs("apply")
        .write("data/orders.csv", orders)
        .edit("definitions.yaml", "  - { name: items,", added)
        .fs("plan")
        .fs("materialize 2026-01-01 2026-02-01")
        .fs("plan")
        .fs("apply")
        .matches("plan_backfill")
}
