//! Windowed views: what definitions may say, what is told when they are wrong, and what plans show.

use anyhow::Result;

use crate::session::Session;

/// A windowed view over the orders of the repo that `fs init` makes. The source tells the types.
const WINDOWED: &str = "\
kind: feature_view
name: order_totals
entities: [customer]
source: orders
aggregations:
  - { column: amount, function: sum, windows: [1d, 30d] }
  - { column: amount, function: avg, windows: [30d], filter: \"items > 1\" }
  - { column: items, function: last_n, n: 3, windows: [lifetime], name: last_items }
  - { column: \"*\", function: count, windows: [30d], name: orders, description: How many orders }
---
kind: feature_service
name: totals_model
features:
  - { view: order_totals, features: [amount_sum_1d, orders_30d] }
";

#[test]
fn a_windowed_view_is_planned_applied_and_described() -> Result<()> {
    Session::in_new_repo()
        .write("windows.yaml", WINDOWED)
        .fs("validate")
        .fs("plan")
        .fs("apply")
        .fs("feature-views describe order_totals")
        .fs("apply")
        .edit(
            "windows.yaml",
            "windows: [1d, 30d]",
            "windows: [1d, 7d, 30d]",
        )
        .edit("windows.yaml", "items > 1", "items > 2")
        .fs("plan")
        .edit("windows.yaml", "windows: [1d, 7d, 30d]", "windows: [30d]")
        .edit(
            "windows.yaml",
            "[amount_sum_1d, orders_30d]",
            "[orders_30d]",
        )
        .fs("plan")
        .fs("apply")
        .matches("windows")
}

#[test]
fn every_problem_of_aggregations_is_told_with_its_place() -> Result<()> {
    Session::in_new_repo()
        .write("windows.yaml", WINDOWED)
        .edit("windows.yaml", "function: sum", "function: summ")
        .edit(
            "windows.yaml",
            "windows: [30d], filter",
            "windows: [0d], filter",
        )
        .edit("windows.yaml", "n: 3, ", "")
        .edit(
            "windows.yaml",
            "function: count, windows: [30d]",
            "function: max, windows: [30d]",
        )
        .fs("validate")
        .write("windows.yaml", WINDOWED)
        .edit("windows.yaml", "column: items", "column: itmes")
        .edit("windows.yaml", "items > 1", "itmes > 1")
        .edit(
            "definitions.yaml",
            "name: amount, type",
            "name: ammount, type",
        )
        .fs("validate")
        .write("windows.yaml", WINDOWED)
        .edit(
            "definitions.yaml",
            "name: ammount, type",
            "name: amount, type",
        )
        .edit(
            "windows.yaml",
            "aggregations:",
            "schema: [{ name: items, type: string }]\naggregations:",
        )
        .edit("windows.yaml", "function: last_n, n: 3", "function: sum")
        .fs("validate")
        .write("windows.yaml", WINDOWED)
        .edit("definitions.yaml", "data/orders.csv", "data/nothing.csv")
        .fs("validate")
        .fs("registry history")
        .matches("windows_problems")
}
