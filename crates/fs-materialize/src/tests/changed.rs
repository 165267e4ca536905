//! Sources that are replaced while they are read.

use std::sync::Arc;

use fs_core::{Code, Coded};
use fs_testkit::repo::Folder;

use crate::fixture::{Shop, Told, click, day, raw_rows};
use crate::{Phase, Silent};

/// A folder that writes files of the source from within a report.
fn writer(shop: &Shop) -> impl Fn(i64, &[crate::fixture::Click]) + Send + Sync + use<> {
    let folder = shop.base_dir();
    move |n, rows| {
        let scratch = Folder::new().unwrap();
        let written = scratch.parquet("rows", &raw_rows(rows)).unwrap();
        let target = folder.join(format!("clicks/{n}.parquet"));
        std::fs::copy(written, target.with_extension("new")).unwrap();
        std::fs::rename(target.with_extension("new"), target).unwrap();
    }
}

#[tokio::test]
async fn a_file_that_is_replaced_while_it_is_read_is_read_again() {
    // In the third chunk, and in the only one.
    for (rows_per_chunk, reports) in [(20, 2), (1_000, 0)] {
        let shop = Shop::of_days(rows_per_chunk);
        let write = writer(&shop);
        let told = Told::at(Phase::Ingest, move |report| {
            if report == reports {
                write(0, &[click(1, 10, 77)]);
                write(5, &[click(1, 510, 78)]);
            }
        });
        shop.materialize_telling(told.clone()).await.unwrap();
        assert!(
            told.notes()[0].contains("reading it again"),
            "{:?}",
            told.notes()
        );
        let undisturbed = Shop::of_days(1_000);
        undisturbed.write_day(0, &[click(1, 10, 77)]);
        undisturbed.write_day(5, &[click(1, 510, 78)]);
        undisturbed
            .materialize_telling(Arc::new(Silent))
            .await
            .unwrap();
        assert_eq!(shop.facts().await, undisturbed.facts().await);
        assert_eq!(shop.served().await, undisturbed.served().await);
    }
}

#[tokio::test]
async fn a_source_that_never_stands_still_fails_the_run_and_changes_nothing() {
    let shop = Shop::of_days(1_000);
    shop.materialize_telling(Arc::new(Silent)).await.unwrap();
    let before = (shop.facts().await, shop.served().await);
    let write = writer(&shop);
    let told = Told::at(Phase::Ingest, move |report| {
        let mut rows = day(0);
        rows.truncate(1 + usize::try_from(report % 15).unwrap());
        write(0, &rows);
    });
    let error = shop.materialize_telling(told.clone()).await.unwrap_err();
    assert_eq!(error.code(), Code::Unavailable);
    let report = fs_core::code::report(&error);
    assert!(report.contains("changed while it was read"), "{report}");
    assert_eq!(told.notes().len(), 2);
    assert_eq!((shop.facts().await, shop.served().await), before);
}
