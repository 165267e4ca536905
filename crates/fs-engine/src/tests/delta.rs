//! Delta tables as sources.

use std::sync::Arc;

use arrow::datatypes::Schema;
use deltalake::DeltaTable;
use deltalake::kernel::{StructField, StructType};
use deltalake::protocol::SaveMode;
use fs_core::SourceKind;
use url::Url;

use super::fixture::*;
use crate::Error;

pub(super) async fn append(repo: &Repo, temp: f64, at: i64) {
    write(repo, temp, at, SaveMode::Append).await;
}

/// One row more, or instead of all others.
pub(super) async fn write(repo: &Repo, temp: f64, at: i64, mode: SaveMode) {
    let columns = batch(&[
        ("origin", strings(&["JFK"])),
        ("t", times(&[at])),
        ("temp", floats(&[temp])),
    ]);
    let table = match deltalake::open_table(url(repo)).await {
        Ok(table) => table,
        Err(_) => create(url(repo), &columns.schema()).await,
    };
    let rows = table.write(vec![columns]).with_save_mode(mode);
    rows.await.unwrap();
}

pub(super) async fn table(repo: &Repo) -> DeltaTable {
    deltalake::open_table(url(repo)).await.unwrap()
}

fn url(repo: &Repo) -> Url {
    let folder = repo.path("w/x");
    Url::from_directory_path(folder.parent().unwrap()).unwrap()
}

async fn create(url: Url, schema: &Arc<Schema>) -> DeltaTable {
    use deltalake::kernel::engine::arrow_conversion::TryIntoKernel;
    let schema: StructType = schema.as_ref().try_into_kernel().unwrap();
    let columns: Vec<StructField> = schema.fields().cloned().collect();
    let table = DeltaTable::try_from_url(url).await.unwrap();
    table.create().with_columns(columns).await.unwrap()
}

pub(super) fn source(repo: &mut Repo) {
    repo.source(
        "weather",
        SourceKind::Delta {
            path: "w".to_owned(),
        },
    );
}

#[tokio::test]
async fn the_rows_of_a_delta_table_come_in_the_order_of_its_commits() {
    let mut repo = Repo::new();
    for temp in [1.0, 2.0, 3.0] {
        append(&repo, temp, 5).await;
    }
    source(&mut repo);
    let view = view("weather", &[("temp", "float64")]);
    let found = repo.rows(&view).await.unwrap();
    let row = |temp: &str| format!("JFK 1970-01-01T00:00:00.000005Z  {temp}");
    assert_rows(&found, &[&row("1.0"), &row("2.0"), &row("3.0")]);
    assert_eq!(repo.problems(&view).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_range_of_a_delta_table_holds_its_start_and_not_its_end() {
    let mut repo = Repo::new();
    for at in [-2, -1, 0, 1] {
        append(&repo, 0.5, at).await;
    }
    source(&mut repo);
    let view = view("weather", &[("temp", "float64")]);
    let found = repo.rows_in(&view, &range(-1, 1)).await.unwrap();
    assert_rows(
        &found,
        &[
            "JFK 1969-12-31T23:59:59.999999Z  0.5",
            "JFK 1970-01-01T00:00:00Z  0.5",
        ],
    );
}

#[tokio::test]
async fn a_folder_that_is_no_delta_table_is_named() {
    let mut repo = Repo::new();
    source(&mut repo);
    let view = view("weather", &[("temp", "float64")]);
    let error = repo.rows(&view).await.unwrap_err();
    assert!(matches!(error, Error::NoFiles { .. }), "{error:?}");
    repo.text("w/readme.txt", "nothing here");
    let error = repo.rows(&view).await.unwrap_err();
    assert!(matches!(error, Error::NoFiles { .. }), "{error:?}");
    assert!(error.to_string().contains("_delta_log"), "{error}");
}

/// Takes the statistics out of the log entry of a version, as writers that make none leave it.
pub(super) fn forget_statistics(repo: &Repo, version: u64) {
    let entry = repo.path(&format!("w/_delta_log/{version:020}.json"));
    let text = std::fs::read_to_string(&entry).unwrap();
    let lines = text.lines().map(|line| {
        let mut action: serde_json::Value = serde_json::from_str(line).unwrap();
        if let Some(add) = action.get_mut("add").and_then(|add| add.as_object_mut()) {
            add.remove("stats");
        }
        action.to_string() + "\n"
    });
    std::fs::write(entry, lines.collect::<String>()).unwrap();
}
