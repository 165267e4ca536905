//! Reading one file, for spines.

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType as ArrowType, Field, Schema};
use arrow::util::pretty::pretty_format_batches;
use fs_core::{Code, Coded};
use futures::TryStreamExt;

use super::fixture::*;
use crate::Error;

async fn read(repo: &Repo, name: &str, declared: &Schema) -> Result<String, Error> {
    let path = repo.path(name);
    let rows = repo.engine.read_file(&path, declared).await?;
    let schema = rows.schema;
    let batches: Vec<RecordBatch> = rows
        .stream
        .try_collect()
        .await
        .map_err(|error| Error::of_query(name.to_owned(), error))?;
    assert!(batches.iter().all(|batch| batch.schema() == schema));
    Ok(pretty_format_batches(&batches).unwrap().to_string())
}

#[tokio::test]
async fn parquet_is_read_as_it_is() {
    let repo = Repo::new();
    repo.parquet(
        "s.parquet",
        &[("origin", strings(&["JFK", "LGA"])), ("n", ints(&[2, 1]))],
    );
    let found = read(&repo, "s.parquet", &Schema::empty()).await.unwrap();
    assert_rows(&found, &["JFK 2", "LGA 1"]);
}

#[tokio::test]
async fn csv_columns_have_the_declared_type_or_the_one_that_all_their_values_have() {
    let repo = Repo::new();
    repo.text("s.csv", "origin,n,late\n12,1,true\n013,2.5,\n");
    let declared = Schema::new(vec![
        Field::new("origin", ArrowType::Utf8, true),
        Field::new("elsewhere", ArrowType::Utf8, true),
    ]);
    let found = read(&repo, "s.csv", &declared).await.unwrap();
    assert_rows(&found, &["12 1.0 true", "013 2.5 "]);
}

#[tokio::test]
async fn what_cannot_be_read_is_named() {
    let repo = Repo::new();
    repo.text("s.parquet", "PAR1");
    repo.text("s.xlsx", "");
    for (name, part) in [
        ("s.parquet", "damaged, cut short"),
        ("s.xlsx", "use .parquet or .csv"),
        ("gone.csv", "there is no file"),
    ] {
        let error = read(&repo, name, &Schema::empty()).await.unwrap_err();
        let shown = error.to_string();
        assert!(shown.contains(part) && shown.contains(name), "{shown}");
        assert_eq!(error.code().exit_status(), 2);
    }
    assert_eq!(
        read(&repo, "s.parquet", &Schema::empty())
            .await
            .unwrap_err()
            .code(),
        Code::InvalidArgument
    );
}
