//! Training sets that are kept under a name.

use fs_core::DatasetName;

use super::*;

fn name(name: &str) -> DatasetName {
    name.parse().unwrap()
}

const NOW: EventTime = EventTime::from_micros(1_000_000);

async fn shop() -> Shop {
    let shop = Shop::new(Rule::default());
    shop.replace(0..1000, &[row(7, 100, 1)]).await;
    shop
}

#[tokio::test]
async fn a_set_is_written_and_saved_at_once_with_the_same_rows_and_the_same_record() {
    let shop = shop().await;
    let sets = shop.sets();
    let users = vec![7; 20_000];
    let spine = visits(&users, &vec![100; users.len()]);
    let set = shop.training(spine, None).await.unwrap();
    let record = set.record().unwrap().to_json();
    let folder = tempfile::tempdir().unwrap();
    let (set, copy) = set.split();
    let saving = sets.save(copy, name("both"), NOW);
    let path = folder.path().join("set.parquet");
    let (written, saved) = tokio::join!(set.write(&path), saving.done());
    let saved = saved.unwrap();
    assert_eq!((written.unwrap().rows, saved.rows), (20_000, 20_000));
    assert_eq!(saved.record, Some(record));
    let error = sets.ensure_free(&name("both")).await.unwrap_err();
    assert_eq!(error.code(), Code::FailedPrecondition);
}

#[tokio::test]
async fn a_set_whose_other_taker_goes_away_is_not_saved() {
    let shop = shop().await;
    let sets = shop.sets();
    let users = vec![7; 200_000];
    let spine = visits(&users, &vec![100; users.len()]);
    let set = shop.training(spine, None).await.unwrap();
    let (mut set, copy) = set.split();
    let saving = sets.save(copy, name("half"), NOW);
    assert!(set.next().await.unwrap().is_ok());
    drop(set);
    let error = saving.done().await.unwrap_err();
    assert!(matches!(error, Error::Interrupted), "{error}");
    sets.ensure_free(&name("half")).await.unwrap();
}

#[tokio::test]
async fn a_set_that_cannot_be_saved_is_not_taken_for_whole_by_the_other_taker() {
    let shop = shop().await;
    let users = vec![7; 200_000];
    let spine = visits(&users, &vec![100; users.len()]);
    let (set, copy) = shop.training(spine, None).await.unwrap().split();
    drop(copy);
    assert!(set.collect().await.is_err());
}
