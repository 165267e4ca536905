use fs_core::Coded;
use proptest::prelude::*;

use super::*;
use crate::fixture::{Row, Shop, row, schema, window};

fn events(low: i64, high: i64) -> Scan {
    Scan {
        event: Some(Between { low, high }),
        ..Scan::default()
    }
}

async fn three_days() -> Shop {
    let shop = Shop::new();
    for day in 0..3 {
        let start = day * 1_000_000;
        let rows = [row("a", start, 1), row("b", start + 999_999, 2)];
        shop.replace(window(start, start + 1_000_000), &rows, None)
            .await
            .unwrap();
    }
    shop
}

#[tokio::test]
async fn files_that_cannot_hold_a_wanted_row_are_not_opened() {
    let shop = three_days().await;
    let scan = shop
        .store
        .scan(&schema(), &events(1_000_000, 1_500_000))
        .await
        .unwrap();
    assert_eq!(
        (scan.stats.files, scan.stats.pruned, scan.stats.rows),
        (1, 2, 2)
    );
    assert_eq!(shop.scan(&events(1_000_000, 1_500_000)).await.len(), 1);
}

#[tokio::test]
async fn a_bound_is_exact_to_the_microsecond() {
    let shop = three_days().await;
    for event in [999_999, 1_000_000, 1_999_999, 2_000_000] {
        assert_eq!(shop.scan(&events(event, event)).await.len(), 1, "{event}");
        assert_eq!(
            shop.scan(&events(event, event - 1)).await.len(),
            0,
            "{event}"
        );
    }
}

#[tokio::test]
async fn rows_can_be_found_by_created_time() {
    let shop = Shop::new();
    let created = |created| Row {
        created,
        ..row("a", 5, 1)
    };
    shop.replace(window(0, 10), &[created(None)], None)
        .await
        .unwrap();
    shop.replace(
        window(1_000_000, 1_000_020),
        &[Row {
            event: 1_000_015,
            ..created(Some(70_001))
        }],
        None,
    )
    .await
    .unwrap();
    let scan = |low, high| Scan {
        created: Some(Between { low, high }),
        ..Scan::default()
    };
    assert_eq!(shop.scan(&scan(70_001, 70_001)).await.len(), 1);
    assert_eq!(shop.scan(&scan(0, 70_000)).await.len(), 0);
    let stats = shop
        .store
        .scan(&schema(), &scan(0, 100_000))
        .await
        .unwrap()
        .stats;
    assert_eq!((stats.files, stats.pruned), (1, 1));
}

#[tokio::test]
async fn rows_of_later_ingests_are_found_without_opening_older_files() {
    let shop = three_days().await;
    let scan = Scan {
        since: Some(3 << 32),
        ..Scan::default()
    };
    let stats = shop.store.scan(&schema(), &scan).await.unwrap().stats;
    assert_eq!((stats.files, stats.pruned), (1, 2));
    // Replacing the last microsecond of the first day writes the rest of it again.
    shop.replace(window(999_999, 1_000_000), &[], None)
        .await
        .unwrap();
    assert_eq!(shop.scan(&scan).await.len(), 2);
}

#[tokio::test]
async fn only_the_columns_asked_for_come_back_in_that_order() {
    let shop = three_days().await;
    let columns = ["clicks", "user"].map(str::to_owned).to_vec();
    let scan = Scan {
        columns: Some(columns.clone()),
        ..events(0, 0)
    };
    let scan = shop.store.scan(&schema(), &scan).await.unwrap();
    let names: Vec<String> = scan
        .schema()
        .fields()
        .iter()
        .map(|f| f.name().clone())
        .collect();
    assert_eq!(names, columns);
    let unknown = Scan {
        columns: Some(vec!["klicks".to_owned()]),
        ..Scan::default()
    };
    let error = shop.store.scan(&schema(), &unknown).await.unwrap_err();
    assert!(error.to_string().contains("`klicks`"), "{error}");
}

#[tokio::test]
async fn an_older_version_is_read_as_it_was() {
    let shop = three_days().await;
    for (version, rows) in [(0, 2), (1, 4), (2, 6)] {
        let scan = Scan {
            version: Some(version),
            ..Scan::default()
        };
        assert_eq!(shop.scan(&scan).await.len(), rows);
        assert_eq!(
            shop.store.scan(&schema(), &scan).await.unwrap().version,
            version
        );
    }
    let scan = Scan {
        version: Some(3),
        ..Scan::default()
    };
    let error = shop.store.scan(&schema(), &scan).await.unwrap_err();
    assert!(
        matches!(error, Error::NoSuchVersion { newest: 2, .. }),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_table_that_was_never_written_is_a_typed_error() {
    let shop = Shop::new();
    let error = shop
        .store
        .scan(&schema(), &Scan::default())
        .await
        .unwrap_err();
    assert!(matches!(error, Error::NotMaterialized { .. }));
    assert_eq!(error.code(), fs_core::Code::FailedPrecondition);
}

#[tokio::test]
async fn a_dropped_table_is_gone_and_can_be_written_again() {
    let shop = three_days().await;
    let view = schema().view().clone();
    assert!(shop.store.drop_table(&view).await.unwrap());
    assert!(!shop.store.drop_table(&view).await.unwrap());
    assert_eq!(shop.version().await, None);
    shop.replace(window(0, 10), &[row("a", 1, 1)], None)
        .await
        .unwrap();
    assert_eq!(shop.rows().await, vec![row("a", 1, 1)]);
    assert!(shop.store.drop_project().await.unwrap());
    assert!(!shop.folder.path().join("shop").exists());
}

#[tokio::test]
async fn a_table_survives_its_checkpoints() {
    let shop = Shop::new();
    for day in 0..25 {
        let rows = [row("a", day * 10, day), row("b", day * 10 + 9, day)];
        shop.replace(window(day * 10, day * 10 + 10), &rows, Some(day))
            .await
            .unwrap();
    }
    let log = shop.folder.path().join("shop/activity/_delta_log");
    let checkpoints = std::fs::read_dir(log).unwrap().filter(|entry| {
        let name = entry.as_ref().unwrap().file_name();
        name.to_string_lossy().ends_with(".checkpoint.parquet")
    });
    assert!(checkpoints.count() > 0);
    let state = shop.store.state(schema().view()).await.unwrap().unwrap();
    assert_eq!(
        (state.ingest, state.rows, state.watermark),
        (25, 50, Some(crate::fixture::at(24)))
    );
    for event in [0, 9, 100, 109, 249] {
        assert_eq!(shop.scan(&events(event, event)).await.len(), 1, "{event}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn a_bound_never_loses_a_row(
        times in prop::collection::vec(0..5_000_i64, 1..60),
        bounds in prop::collection::vec((0..5_000_i64, 0..3_000_i64), 1..8),
    ) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let shop = Shop::with_small_files();
            let rows: Vec<Row> = times.iter().map(|event| row("a", *event, 0)).collect();
            shop.replace(window(0, 5_000), &rows, None).await.unwrap();
            for (low, length) in bounds {
                let high = low + length;
                let expected = times.iter().filter(|event| (low..=high).contains(event)).count();
                assert_eq!(shop.scan(&events(low, high)).await.len(), expected);
            }
        });
    }
}
