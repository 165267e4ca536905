//! Spines from SQL.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::concat_batches;
use arrow::datatypes::{Int64Type, TimestampMicrosecondType};
use datafusion::prelude::SessionContext;
use fs_core::code::report;
use fs_core::{
    Code, Coded, FeatureSet, FileFormat, Meta, Naming, Source, SourceKind, SourceName, Span,
};
use fs_engine::EngineOptions;
use fs_pit::Rule;
use tempfile::TempDir;

use super::*;
use crate::fixture::{Row, Shop, VIEW, at, request};

/// A shop with the source `visits` (users 3, 1, 2) and three rows of users 1 and 2.
struct World {
    shop: Shop,
    engine: Engine,
    _folder: TempDir,
}

impl World {
    async fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let csv = "user,t,page\n3,2013-01-03,c\n1,2013-01-01,a\n2,2013-01-02,b\n";
        std::fs::write(folder.path().join("visits.csv"), csv).unwrap();
        let mut shop = Shop::new(Rule::default());
        let name = SourceName::new("visits").unwrap();
        let source = Source {
            name: name.clone(),
            kind: SourceKind::Files {
                file_format: FileFormat::Csv(fs_core::CsvOptions::default()),
                path: "visits.csv".to_owned(),
            },
            timestamp_field: "t".to_owned(),
            created_timestamp_column: None,
            field_mapping: BTreeMap::new(),
            lateness: Span::ZERO,
            meta: Meta::default(),
        };
        shop.catalog.sources.insert(name, source);
        let engine = Engine::new(EngineOptions {
            base_dir: folder.path().to_owned(),
            ..EngineOptions::default()
        });
        let world = Self {
            shop,
            engine: engine.unwrap(),
            _folder: folder,
        };
        world.commit(0..10, &[(1, 1), (2, 2), (1, 3)]).await;
        world
    }

    async fn commit(&self, window: std::ops::Range<i64>, rows: &[(i64, i64)]) {
        let row = |(user, event): &(i64, i64)| Row {
            user: *user,
            event: *event,
            created: None,
            clicks: Some(*event),
        };
        let rows: Vec<Row> = rows.iter().map(row).collect();
        self.shop.replace(window, &rows).await;
    }

    async fn spine(&self, sql: &str, pinned: Option<&Versions>) -> Result<Spine, Error> {
        let (offline, catalog) = (self.shop.offline(), &self.shop.catalog);
        Spine::sql(&self.engine, offline, catalog, sql, pinned).await
    }

    async fn rows(&self, spine: Spine) -> Result<RecordBatch, Error> {
        let features = FeatureSet::resolve(&self.shop.catalog, &request(), Naming::Short)?;
        let table = spine.open(&features, None).await?;
        let schema = table.schema();
        let frame = SessionContext::new().read_table(Arc::new(table));
        let rows = frame.map_err(Error::of_query)?.collect().await;
        Ok(concat_batches(&schema, &rows.map_err(Error::of_query)?)?)
    }

    async fn asked(&self, sql: &str) -> Result<RecordBatch, Error> {
        self.rows(self.spine(sql, None).await?).await
    }
}

fn ints(rows: &RecordBatch, column: &str) -> Vec<i64> {
    let column = rows.column_by_name(column).unwrap();
    column.as_primitive::<Int64Type>().values().to_vec()
}

#[tokio::test]
async fn rows_of_a_source_become_a_spine_in_their_order() {
    let world = World::new().await;
    let rows = world
        .asked("SELECT \"user\", t, page FROM visits")
        .await
        .unwrap();
    assert_eq!(ints(&rows, "user"), [3, 1, 2]);
    assert_eq!(ints(&rows, "fs:key:user"), [3, 1, 2]);
    let times = rows.column_by_name("fs:time").unwrap();
    let times = times.as_primitive::<TimestampMicrosecondType>();
    assert_eq!(times.value(0), at("2013-01-03"));
    assert_eq!(rows.column_by_name("page").unwrap().len(), 3);
}

#[tokio::test]
async fn an_offline_table_has_the_columns_of_its_definition_at_a_version_that_is_told() {
    let world = World::new().await;
    let spine = world
        .spine("SELECT * FROM views.activity", None)
        .await
        .unwrap();
    let version = spine.tables()[VIEW].clone();
    assert_eq!((spine.tables().len(), spine.rows()), (1, None));
    let columns = spine
        .clone()
        .into_batches(&features(&world))
        .await
        .unwrap()
        .0;
    let columns: Vec<&str> = columns.fields().iter().map(|f| f.name().as_str()).collect();
    let defined = [
        "user",
        "event_timestamp",
        "created_timestamp",
        "clicks",
        "score",
        "_sequence",
    ];
    assert_eq!(columns, defined);
    // Later rows are not seen where the version is pinned.
    world.commit(10..20, &[(9, 11)]).await;
    let tables = BTreeMap::from([(VIEW.parse().unwrap(), version)]);
    let pinned = Versions {
        registry: 1,
        tables,
    };
    let sql = "SELECT \"user\" , event_timestamp AS t FROM activity ORDER BY t";
    let then = world.spine(sql, Some(&pinned)).await.unwrap();
    assert_eq!(then.tables(), &pinned.tables);
    assert_eq!(ints(&world.rows(then).await.unwrap(), "user"), [1, 2, 1]);
    assert_eq!(ints(&world.asked(sql).await.unwrap(), "user"), [1, 2, 1, 9]);
}

fn features(world: &World) -> FeatureSet {
    FeatureSet::resolve(&world.shop.catalog, &request(), Naming::Short).unwrap()
}

#[tokio::test]
async fn sources_and_offline_tables_are_joined() {
    let world = World::new().await;
    let sql = "SELECT v.\"user\", v.t, max(a.clicks) AS most FROM visits v JOIN activity a \
               ON v.\"user\" = a.\"user\" GROUP BY 1, 2 ORDER BY 1";
    let rows = world.asked(sql).await.unwrap();
    assert_eq!(
        (ints(&rows, "user"), ints(&rows, "most")),
        (vec![1, 2], vec![3, 2])
    );
}

#[tokio::test]
async fn what_does_not_fit_the_features_is_refused_before_anything_runs() {
    let world = World::new().await;
    let error = world.asked("SELECT page, t FROM visits").await.unwrap_err();
    assert!(matches!(error, Error::MissingKey { .. }), "{error}");
    let error = world
        .asked("SELECT page AS \"user\", t FROM visits")
        .await
        .unwrap_err();
    assert!(matches!(error, Error::KeyType { .. }), "{error}");
    let error = world
        .asked("SELECT a.\"user\", a.t, b.t FROM visits a, visits b")
        .await;
    assert!(matches!(error, Err(Error::RepeatedColumn { .. })));
    let error = world
        .asked("SELECT \"user\", t FROM vists")
        .await
        .unwrap_err();
    assert_eq!(
        report(&error),
        "line 1, column 23 of the SQL: there is no source or view `vists`; did you mean `visits`?"
    );
    assert_eq!(error.code(), Code::InvalidArgument);
}

#[tokio::test]
async fn a_value_that_does_not_fit_is_named_with_its_row_in_the_answer() {
    let world = World::new().await;
    let sql =
        "SELECT \"user\", CASE \"user\" WHEN 2 THEN NULL ELSE t END AS event_timestamp FROM visits";
    let error = world.asked(sql).await.unwrap_err();
    assert!(matches!(error, Error::NullTime { row: 2, .. }), "{error}");
}

#[tokio::test]
async fn a_training_set_records_the_tables_that_its_spine_was_selected_from() {
    let mut world = World::new().await;
    world.shop.add_view("orders", Rule::default());
    let order = Row {
        user: 2,
        event: 5,
        created: None,
        clicks: None,
    };
    world.shop.replace_in("orders", 0..10, &[order]).await;
    let sql = "SELECT \"user\" , event_timestamp AS t FROM orders";
    let spine = world.spine(sql, None).await.unwrap();
    let set = world.shop.training(spine, None).await.unwrap();
    let tables = &set.record().unwrap().versions.tables;
    let tables: Vec<&str> = tables.keys().map(ViewName::as_str).collect();
    assert_eq!(tables, [VIEW, "orders"]);
    let rows = set.collect().await.unwrap();
    assert_eq!(ints(&rows[0], "clicks"), [2]);
}

#[tokio::test]
async fn a_view_that_was_never_materialized_or_is_not_pinned_is_named() {
    let mut world = World::new().await;
    world.shop.add_view("orders", Rule::default());
    let error = world.spine("SELECT * FROM orders", None).await.unwrap_err();
    assert!(matches!(error, Error::NotMaterialized { .. }), "{error}");
    let nothing = Versions {
        registry: 1,
        tables: BTreeMap::new(),
    };
    let error = world
        .spine("SELECT * FROM activity", Some(&nothing))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::NotPinned { .. }), "{error}");
}
