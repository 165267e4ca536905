//! A training set made again, whatever happened since.

use std::path::Path;

use arrow::array::DictionaryArray;
use arrow::datatypes::Int32Type;

use super::*;
use crate::Recorded;

/// Makes the training set of a file again, into another.
async fn again(shop: &Shop, catalog: &Catalog, from: &Path, to: &Path) -> Result<(), Error> {
    let recorded = Recorded::open(from).await?;
    let (record, spine) = (&recorded.record, recorded.spine().await?);
    let versions = Some(&record.versions);
    let set = shop
        .sets()
        .get(
            catalog,
            record.versions.registry,
            &record.query,
            spine,
            versions,
        )
        .await?;
    set.write(to).await.map(|_written| ())
}

/// Rows in batches of odd sizes, with a dictionary, a list of nothing and text beside the keys.
fn odd_spine() -> Spine {
    let batch = |start: i64, rows: i64| {
        let users: Vec<Option<i64>> = (start..start + rows).map(|row| Some(row % 7)).collect();
        let labels: DictionaryArray<Int32Type> = (start..start + rows)
            .map(|row| (row % 5 > 0).then(|| ["late", "early"][usize::from(row % 2 == 0)]))
            .collect();
        let at: Vec<i64> = (start..start + rows).map(|row| row % 997).collect();
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("label", Arc::new(labels)),
            ("user", ints(&users)),
            ("t", times(&at)),
        ];
        RecordBatch::try_from_iter_with_nullable(
            columns
                .into_iter()
                .map(|(name, column)| (name, column, true)),
        )
        .unwrap()
    };
    let batches = vec![batch(0, 10_000), batch(10_000, 3), batch(10_003, 9_000)];
    let metadata = [("made".to_owned(), "by hand".to_owned())].into();
    let schema = Arc::new(Schema::clone(&batches[0].schema()).with_metadata(metadata));
    let batches = batches.into_iter();
    let batches = batches.map(|batch| batch.with_schema(schema.clone()).unwrap());
    Spine::new(schema.clone(), batches.collect())
}

#[tokio::test]
async fn a_training_set_is_reproduced_byte_for_byte_whatever_arrived_since() {
    let shop = Shop::new(Rule::default());
    let rows: Vec<Row> = (0..300).map(|n| row(n % 7, 3 * n, n)).collect();
    shop.replace(0..1000, &rows).await;
    let folder = tempfile::tempdir().unwrap();
    let [first, second] = ["first.parquet", "second.parquet"].map(|name| folder.path().join(name));
    let query = TrainingQuery::new(request(), Naming::Full).with_timestamp_field(Some("t"));
    let set = shop.sets();
    let set = set.get(&shop.catalog, 1, &query, odd_spine(), None).await;
    set.unwrap().write(&first).await.unwrap();

    // A correction of everything, and more.
    let rows: Vec<Row> = (0..900).map(|n| row(n % 7, n, -n)).collect();
    shop.replace(0..2000, &rows).await;
    again(&shop, &shop.catalog, &first, &second).await.unwrap();
    let bytes = |path| std::fs::read(path).unwrap();
    assert!(bytes(&first) == bytes(&second), "the files differ");

    // The newest rows would have given another one.
    let set = shop.sets();
    let set = set.get(&shop.catalog, 1, &query, odd_spine(), None).await;
    set.unwrap().write(&second).await.unwrap();
    assert!(bytes(&first) != bytes(&second), "nothing had changed");
}

#[tokio::test]
async fn a_parquet_file_has_the_record_as_a_key_of_its_own() {
    let shop = Shop::new(Rule::default());
    shop.replace(0..1000, &[row(7, 100, 1)]).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("set.parquet");
    let set = shop.training(visits(&[7], &[100]), None).await.unwrap();
    let record = set.record().unwrap().clone();
    set.write(&path).await.unwrap();
    let file = std::fs::File::open(&path).unwrap();
    let file = parquet::file::serialized_reader::SerializedFileReader::new(file).unwrap();
    let metadata = parquet::file::reader::FileReader::metadata(&file).file_metadata();
    let values = metadata.key_value_metadata().unwrap().iter();
    let values: Vec<_> = values.filter(|value| value.key == RECORD).collect();
    assert_eq!(values.len(), 1);
    assert_eq!(values[0].value, Some(record.to_json()));
    assert_eq!(record.versions.tables[VIEW].version, 0);
    assert_eq!(record.spine_columns, ["user", EVENT_TIMESTAMP]);
}

#[tokio::test]
async fn a_version_that_is_gone_or_was_never_recorded_is_no_reason_to_read_another() {
    let shop = Shop::new(Rule::default());
    shop.replace(0..1000, &[row(7, 100, 1)]).await;
    let set = shop.training(visits(&[7], &[100]), None).await.unwrap();
    let mut versions = set.record().unwrap().versions.clone();
    let get = async |versions: &Versions| {
        let query = TrainingQuery::new(request(), Naming::Short);
        let spine = visits(&[7], &[100]);
        let sets = shop.sets();
        let set = sets.get(&shop.catalog, 1, &query, spine, Some(versions));
        set.await.unwrap_err()
    };
    versions.tables.get_mut(VIEW).unwrap().version = 5;
    assert!(report(&get(&versions).await).contains("no version 5"));
    versions.tables.get_mut(VIEW).unwrap().id = "another".to_owned();
    assert!(report(&get(&versions).await).contains("made again since"));
    versions.tables.clear();
    let error = get(&versions).await;
    assert!(matches!(error, Error::NotPinned { .. }), "{error}");
}

#[tokio::test]
async fn what_is_described_is_what_comes_and_can_be_pinned() {
    let shop = Shop::new(Rule::default());
    shop.replace(0..1000, &[row(7, 100, 1)]).await;
    let query = TrainingQuery::new(request(), Naming::Short);
    let (spine, sets) = (visits(&[7], &[100]), shop.sets());
    let described = sets
        .describe(&shop.catalog, 1, &query, spine.clone(), None)
        .await;
    let (schema, record) = described.unwrap();
    shop.replace(0..1000, &[row(7, 100, 2)]).await;
    let pinned = Some(&record.versions);
    let set = sets.get(&shop.catalog, 1, &query, spine, pinned).await;
    let set = set.unwrap();
    assert_eq!(*set.schema(), schema);
    assert_eq!(clicks(&set.collect().await.unwrap()[0]), [Some(1)]);
}
