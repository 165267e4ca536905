//! SQL over sources and views.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::util::pretty::pretty_format_batches;
use async_trait::async_trait;
use datafusion::catalog::{SchemaProvider, TableProvider};
use datafusion::datasource::MemTable;
use datafusion::error::DataFusionError;
use fs_core::code::report;
use fs_core::{Code, Coded, FileFormat};
use futures::TryStreamExt;

use super::fixture::*;
use crate::{Engine, EngineOptions, Error};

/// Tables in memory, as views.
#[derive(Debug, Default)]
struct Views(BTreeMap<String, Arc<dyn TableProvider>>);

#[async_trait]
impl SchemaProvider for Views {
    fn table_names(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>, DataFusionError> {
        Ok(self.0.get(name).cloned())
    }

    fn table_exist(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }
}

/// Sources `flights` (12 rows), `weather` and `broken`; views `weather` and `delays`.
fn repo() -> (Repo, Arc<Views>) {
    let mut repo = Repo::new();
    let numbers: Vec<i32> = (0..12).collect();
    repo.parquet_in_groups("f.parquet", &[("number", ints(&numbers))], 3);
    repo.source("flights", files(FileFormat::Parquet, "f.parquet"));
    repo.parquet("w.parquet", &[("tempF", floats(&[50.0, 68.0]))]);
    repo.source("weather", files(FileFormat::Parquet, "w.parquet"));
    repo.source("broken", files(FileFormat::Parquet, "missing.parquet"));
    repo.source(
        "both",
        sql("SELECT * FROM flights UNION ALL SELECT * FROM flights"),
    );
    let mut views = Views::default();
    for name in ["weather", "delays"] {
        let rows = batch(&[("carrier", strings(&["AA", "UA"])), ("late", ints(&[1, 2]))]);
        let table = MemTable::try_new(rows.schema(), vec![vec![rows]]).unwrap();
        views.0.insert(name.to_owned(), Arc::new(table));
    }
    (repo, Arc::new(views))
}

async fn asked(sql: &str) -> Result<String, Error> {
    let (repo, views) = repo();
    run(&repo.engine, &repo, views, sql).await
}

async fn run(engine: &Engine, repo: &Repo, views: Arc<Views>, sql: &str) -> Result<String, Error> {
    let query = engine.query(&repo.catalog, views, sql).await?;
    let rows: Vec<_> = query
        .rows()
        .try_collect()
        .await
        .map_err(|error| Error::of_query("the test".to_owned(), error))?;
    Ok(pretty_format_batches(&rows).unwrap().to_string())
}

async fn refused(sql: &str) -> String {
    let error = asked(sql).await.unwrap_err();
    assert_eq!(error.code(), Code::InvalidArgument, "{}", report(&error));
    report(&error)
}

#[tokio::test]
async fn sources_and_views_are_tables_with_or_without_saying_which() {
    let rows = asked("SELECT late FROM delays d JOIN flights f ON d.late = f.number ORDER BY 1");
    assert_rows(&rows.await.unwrap(), &["1", "2"]);
    let rows = asked("SELECT \"tempF\" FROM sources.weather");
    assert_rows(&rows.await.unwrap(), &["50.0", "68.0"]);
    let rows = asked("SELECT late FROM views.weather");
    assert_rows(&rows.await.unwrap(), &["1", "2"]);
    let rows = asked("WITH late AS (SELECT 7 AS n) SELECT n FROM late UNION ALL VALUES (8)");
    assert_rows(&rows.await.unwrap(), &["7", "8"]);
    let rows =
        asked("SELECT value FROM generate_series(1, 3) WHERE value IN (SELECT late FROM delays)");
    assert_rows(&rows.await.unwrap(), &["1", "2"]);
}

#[tokio::test]
async fn a_name_that_is_a_source_and_a_view_has_to_say_which() {
    let error = refused("SELECT *\n  FROM weather").await;
    assert_eq!(
        error,
        "line 2, column 8 of the SQL: `weather` is a source and a view: write `sources.weather` or \
         `views.weather`"
    );
}

#[tokio::test]
async fn unknown_names_are_refused_with_their_place_and_the_nearest_name() {
    for (sql, expected) in [
        (
            "SELECT 1 FROM flight",
            "line 1, column 15 of the SQL: there is no source or view `flight`; did you mean `flights`?",
        ),
        (
            "SELECT 1 FROM flights, views.delay",
            "line 1, column 24 of the SQL: there is no view `delay`; did you mean `delays`?",
        ),
        (
            "SELECT 1 FROM view.delays",
            "line 1, column 15 of the SQL: there is no schema `view`; did you mean `views`?; tables \
             are `sources.NAME` and `views.NAME`",
        ),
        (
            "SELECT 1,\n  numbr FROM flights",
            "line 2, column 3 of the SQL: there is no column `numbr`; did you mean `number`?; there \
             are number",
        ),
    ] {
        assert_eq!(refused(sql).await, expected);
    }
}

#[tokio::test]
async fn anything_but_one_select_is_refused() {
    for sql in [
        "",
        "SELECT 1; SELECT 2",
        "DROP TABLE flights",
        "CREATE TABLE a AS SELECT 1",
        "INSERT INTO flights VALUES (1)",
        "COPY flights TO 'stolen.parquet'",
        "SET datafusion.execution.batch_size = 1",
        "EXPLAIN SELECT 1",
        "SHOW TABLES",
        "DELETE FROM flights",
    ] {
        let error = refused(sql).await;
        assert!(error.contains("has to be one SELECT"), "{sql}: {error}");
    }
    let error = refused("SELECT number FORM flights WHERE").await;
    assert!(error.starts_with("line 1, column "), "{error}");
    let error = refused("SELECT nosuch(number) FROM flights").await;
    assert!(error.contains("nosuch"), "{error}");
    let error = refused("SELECT * FROM 'f.parquet'").await;
    assert!(error.contains("no source or view"), "{error}");
}

#[tokio::test]
async fn only_the_tables_that_a_query_names_are_opened() {
    assert!(asked("SELECT 1 FROM flights").await.is_ok());
    let error = asked("SELECT * FROM broken").await.unwrap_err();
    assert!(matches!(error, Error::NoFiles { .. }), "{error}");
}

#[tokio::test]
async fn rows_keep_the_order_of_their_source_also_through_unions() {
    let ordered: Vec<String> = (0..12).chain(0..12).map(|n| n.to_string()).collect();
    let ordered: Vec<&str> = ordered.iter().map(String::as_str).collect();
    let union = "SELECT number FROM flights UNION ALL SELECT number FROM flights";
    let limited = format!("SELECT * FROM ({union}) LIMIT 14");
    let counted = format!("SELECT number FROM (SELECT number, count(*) FROM ({union}) GROUP BY 1)");
    for _ in 0..20 {
        assert_rows(&asked(union).await.unwrap(), &ordered);
        assert_rows(&asked("SELECT * FROM both").await.unwrap(), &ordered);
        assert_rows(&asked(&limited).await.unwrap(), &ordered[..14]);
        assert_rows(&asked(&counted).await.unwrap(), &ordered[..12]);
    }
}

#[tokio::test]
async fn a_query_runs_as_often_as_it_is_asked() {
    let (repo, views) = repo();
    let sql = "SELECT late FROM delays d JOIN flights f ON d.late = f.number ORDER BY late LIMIT 1";
    let query = repo.engine.query(&repo.catalog, views, sql).await.unwrap();
    for _ in 0..3 {
        let rows: Vec<_> = query.rows().try_collect().await.unwrap();
        assert_rows(&pretty_format_batches(&rows).unwrap().to_string(), &["1"]);
    }
    assert_eq!(query.schema().fields().len(), 1);
}

#[tokio::test]
async fn a_query_that_sorts_more_than_memory_allows_spills() {
    let (repo, views) = repo();
    let sql = "SELECT a.value FROM generate_series(1, 300000) a ORDER BY a.value DESC";
    let engine = |memory_limit| {
        Engine::new(EngineOptions {
            base_dir: repo.dir.path().to_owned(),
            memory_limit,
            ..EngineOptions::default()
        })
        .unwrap()
    };
    let roomy = run(&engine(None), &repo, Arc::clone(&views), sql)
        .await
        .unwrap();
    let tight = run(&engine(Some(2 << 20)), &repo, Arc::clone(&views), sql)
        .await
        .unwrap();
    assert!(roomy == tight);
    let error = run(&engine(Some(1 << 10)), &repo, views, sql)
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::ResourceExhausted, "{}", report(&error));
}
