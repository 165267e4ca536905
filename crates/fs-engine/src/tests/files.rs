//! Which files a path means, and what happens when it means none or broken ones.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int64Array};
use arrow::datatypes::DataType as ArrowType;
use fs_core::code::report;
use fs_core::{Code, Coded, FileFormat};
use object_store::ObjectStoreExt;
use object_store::memory::InMemory;

use super::fixture::*;
use crate::Error;

fn one_row(repo: &Repo, file: &str, temp: ArrayRef) {
    let columns = [
        ("origin", strings(&["JFK"])),
        ("t", times(&[1])),
        ("temp", temp),
    ];
    repo.parquet(file, &columns);
}

async fn temps(repo: &Repo) -> Result<Vec<String>, Error> {
    let found = repo.rows(&view("weather", &[("temp", "float64")])).await?;
    Ok(found
        .lines()
        .skip(3)
        .filter_map(|line| line.trim_matches('|').split('|').nth(3))
        .map(|temp| temp.trim().to_owned())
        .collect())
}

#[tokio::test]
async fn a_path_is_a_file_a_folder_a_glob_or_a_file_url() {
    let mut repo = Repo::new();
    one_row(&repo, "w/2013/a.parquet", floats(&[1.0]));
    one_row(&repo, "w/2014/b.parquet", floats(&[2.0]));
    one_row(&repo, "w/_old/c.parquet", floats(&[3.0]));
    repo.text("w/2013/README.md", "not data");
    let url = format!("file://{}", repo.path("w/2014").display());
    let both = vec!["1.0", "2.0"];
    for (path, expected) in [
        ("w/2013/a.parquet", vec!["1.0"]),
        ("w", both.clone()),
        ("./w/", both.clone()),
        ("w/20*/*.parquet", both.clone()),
        ("w/201[4-9]/*", vec!["2.0"]),
        ("w/**/?.parquet", vec!["1.0", "2.0", "3.0"]),
        (url.as_str(), vec!["2.0"]),
    ] {
        repo.source("weather", files(FileFormat::Parquet, path));
        assert_eq!(temps(&repo).await.unwrap(), expected, "{path}");
    }
}

#[tokio::test]
async fn a_path_that_matches_nothing_is_an_error_that_says_where_it_looked() {
    let mut repo = Repo::new();
    std::fs::create_dir(repo.dir.path().join("empty")).unwrap();
    for path in ["missing.parquet", "empty", "w/*.parquet", "empty/*.parquet"] {
        repo.source("weather", files(FileFormat::Parquet, path));
        let error = temps(&repo).await.unwrap_err();
        let shown = report(&error);
        assert!(matches!(error, Error::NoFiles { .. }), "{shown}");
        assert_eq!(error.code().exit_status(), 2);
        for part in ["`weather`", path, &repo.dir.path().display().to_string()] {
            assert!(shown.contains(part), "{part} is not in: {shown}");
        }
    }
}

#[tokio::test]
async fn a_damaged_parquet_file_is_named() {
    let mut repo = Repo::new();
    one_row(&repo, "w/a.parquet", floats(&[1.0]));
    one_row(&repo, "w/b.parquet", floats(&[2.0]));
    let whole = std::fs::read(repo.path("w/b.parquet")).unwrap();
    let mut flipped = whole.clone();
    let length = flipped.len();
    flipped[length - 20..length - 8].fill(0xff);
    let cut = whole[..whole.len() / 2].to_vec();
    for content in [cut, Vec::new(), b"origin,t\n".to_vec(), flipped] {
        std::fs::write(repo.path("w/b.parquet"), content).unwrap();
        repo.source("weather", files(FileFormat::Parquet, "w"));
        let error = temps(&repo).await.unwrap_err();
        assert!(matches!(error, Error::Unreadable { .. }), "{error:?}");
        assert!(
            error.to_string().contains("w/b.parquet as Parquet"),
            "{error}"
        );
        assert_eq!(error.code(), Code::InvalidArgument);
    }
}

#[tokio::test]
async fn files_with_different_columns_are_united_by_name_and_widened() {
    let mut repo = Repo::new();
    repo.parquet(
        "w/a.parquet",
        &[
            ("temp", ints(&[1])),
            ("t", times(&[1])),
            ("origin", strings(&["JFK"])),
        ],
    );
    one_row(&repo, "w/b.parquet", floats(&[2.5]));
    repo.parquet(
        "w/c.parquet",
        &[("origin", strings(&["LGA"])), ("t", times(&[3]))],
    );
    repo.source("weather", files(FileFormat::Parquet, "w"));
    assert_eq!(temps(&repo).await.unwrap(), ["1.0", "2.5", ""]);
}

#[tokio::test]
async fn files_whose_columns_do_not_go_together_are_refused() {
    let mut repo = Repo::new();
    one_row(&repo, "w/a.parquet", floats(&[1.0]));
    one_row(&repo, "w/b.parquet", strings(&["cold"]));
    repo.source("weather", files(FileFormat::Parquet, "w"));
    let error = temps(&repo).await.unwrap_err().to_string();
    assert!(
        error.contains("column `temp` is float64 in some files and string in"),
        "{error}"
    );
}

#[tokio::test]
async fn a_url_is_read_from_its_object_store() {
    let mut repo = Repo::new();
    one_row(&repo, "a.parquet", floats(&[1.0]));
    let content = std::fs::read(repo.path("a.parquet")).unwrap();
    let store = InMemory::new();
    for file in ["w/a.parquet", "w/b.parquet", "other/c.parquet"] {
        store
            .put(&file.into(), content.clone().into())
            .await
            .unwrap();
    }
    let url = "s3://bucket".try_into().unwrap();
    let runtime = Arc::clone(&repo.engine.shared().runtime);
    runtime.register_object_store(&url, Arc::new(store));
    for (path, rows) in [
        ("s3://bucket/w/a.parquet", 1),
        ("s3://bucket/w", 2),
        ("s3://bucket/*/?.parquet", 3),
    ] {
        repo.source("weather", files(FileFormat::Parquet, path));
        assert_eq!(temps(&repo).await.unwrap().len(), rows, "{path}");
    }
    repo.source("weather", files(FileFormat::Parquet, "s3://bucket/none"));
    let error = temps(&repo).await.unwrap_err();
    assert!(matches!(error, Error::NoFiles { .. }), "{error}");
}

#[tokio::test]
async fn columns_get_the_names_of_the_field_mapping() {
    let mut repo = Repo::new();
    repo.parquet(
        "w.parquet",
        &[
            ("faa", strings(&["JFK"])),
            ("time.hour", times(&[1])),
            ("Temp F", ints(&[7])),
        ],
    );
    let source = repo.source("weather", files(FileFormat::Parquet, "w.parquet"));
    for (from, to) in [("faa", "origin"), ("time.hour", "t"), ("Temp F", "temp")] {
        source.field_mapping.insert(from.to_owned(), to.to_owned());
    }
    assert_eq!(temps(&repo).await.unwrap(), ["7.0"]);
}

#[tokio::test]
async fn an_engine_with_little_memory_still_streams_a_source() {
    let mut repo = Repo::new();
    repo.engine = crate::Engine::new(crate::EngineOptions {
        base_dir: repo.dir.path().to_owned(),
        memory_limit: Some(1 << 20),
        ..crate::EngineOptions::default()
    })
    .unwrap();
    let rows = 200_000;
    let ids: ArrayRef = Arc::new((0..rows).collect::<Int64Array>());
    let count = ids.len();
    repo.parquet(
        "w.parquet",
        &[
            ("origin", strings(&vec!["JFK"; count])),
            ("t", times(&vec![1; count])),
            ("id", ids),
        ],
    );
    repo.source("weather", files(FileFormat::Parquet, "w.parquet"));
    let view = view("weather", &[("id", "int64")]);
    let rows = repo.view_rows(&view, &always()).await.unwrap();
    assert_eq!(*rows.schema.field(0).data_type(), ArrowType::Utf8);
    assert_eq!(collect(rows).await.unwrap().lines().count(), count + 4);
}

#[tokio::test]
async fn a_parquet_file_whose_pages_are_damaged_fails_the_run_and_the_path_is_named() {
    let mut repo = Repo::new();
    one_row(&repo, "w.parquet", floats(&[1.0]));
    let mut content = std::fs::read(repo.path("w.parquet")).unwrap();
    let pages = content.len() / 4;
    content[4..pages].fill(0xff);
    std::fs::write(repo.path("w.parquet"), content).unwrap();
    repo.source("weather", files(FileFormat::Parquet, "w.parquet"));
    let error = temps(&repo).await.unwrap_err();
    assert!(error.to_string().contains("w.parquet"), "{error:?}");
    assert_eq!(error.code(), Code::InvalidArgument);
}
