//! One process: the promises, growing, opening twice, and folders that cannot be opened.

mod processes;

use std::fs;

use arrow::array::{ArrayRef, BinaryArray};
use fs_core::{Code, Coded, DataType, EventTime, KeyValue, ScalarType};
use fs_online::key::encode_key;
use fs_online::{RowEncoder, RowOrder, conformance};
use tempfile::TempDir;

use super::*;

/// Small enough that every test that writes grows it.
const TINY: LmdbOptions = LmdbOptions {
    map_bytes: 1 << 20,
    max_map_bytes: 1 << 30,
    max_views: 64,
    max_readers: 64,
};

fn view(name: &str) -> ViewId {
    ViewId::new("p".parse().unwrap(), name.parse().unwrap())
}

/// One feature, `payload`, of type `bytes`.
fn layout() -> RowLayout {
    let payload = (
        "payload".parse().unwrap(),
        DataType::Scalar(ScalarType::Bytes),
    );
    RowLayout::new(vec![payload])
}

fn key(number: i64) -> EncodedKey {
    encode_key(&[KeyValue::Int64(number)])
}

/// A row whose event is `round`, and whose payload says so in every byte.
fn row(round: u8, bytes: usize) -> Bytes {
    let payload = vec![round; bytes];
    let column: ArrayRef = Arc::new(BinaryArray::from_vec(vec![&payload]));
    let order = RowOrder {
        event: EventTime::from_micros(i64::from(round)),
        created: None,
        sequence: u64::from(round),
    };
    RowEncoder::new(&layout())
        .encode(&[column], &[order])
        .unwrap()
        .remove(0)
}

fn open(folder: &TempDir) -> LmdbStore {
    LmdbStore::open(folder.path(), TINY).unwrap()
}

async fn read(store: &LmdbStore, view: &ViewId, key: EncodedKey) -> Option<Bytes> {
    let keys = [key];
    let mut answers = store.read(&[ViewKeys { view, keys: &keys }]).await.unwrap();
    answers.remove(0).remove(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_embedded_store_keeps_every_promise() {
    let folders = std::sync::Mutex::new(Vec::new());
    let outcome = conformance::run_all(async || {
        let folder = TempDir::new().unwrap();
        let store = open(&folder);
        folders.lock().unwrap().push(folder);
        Arc::new(store) as _
    })
    .await;
    assert_eq!(outcome, Ok(()));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_promise_is_kept_in_a_folder_that_is_shared() {
    let folder = TempDir::new().unwrap();
    let outcome = conformance::run_all(async || Arc::new(open(&folder)) as _).await;
    assert_eq!(outcome, Ok(()));
}

#[tokio::test]
async fn a_full_map_grows_up_to_its_limit_and_then_says_so() {
    let folder = TempDir::new().unwrap();
    let options = LmdbOptions {
        max_map_bytes: 4 << 20,
        ..TINY
    };
    let store = LmdbStore::open(folder.path(), options).unwrap();
    let fits = (0..1_000).map(|n| RowWrite::newest(key(n), row(1, 2_000)));
    let outcome = store.write(&view("v"), fits.collect(), None).await.unwrap();
    assert_eq!(outcome.written, 1_000);
    let too_much = (1_000..9_000).map(|n| RowWrite::newest(key(n), row(1, 2_000)));
    let error = store
        .write(&view("v"), too_much.collect(), None)
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::ResourceExhausted);
    assert!(error.to_string().contains("is full"), "{error}");
    assert_eq!(read(&store, &view("v"), key(7)).await, Some(row(1, 2_000)));
}

#[tokio::test]
async fn a_folder_may_be_opened_twice_and_reopened() {
    let folder = TempDir::new().unwrap();
    let (first, second) = (open(&folder), open(&folder));
    let write = RowWrite::newest(key(1), row(1, 1));
    first.write(&view("v"), vec![write], None).await.unwrap();
    assert_eq!(read(&second, &view("v"), key(1)).await, Some(row(1, 1)));
    drop((first, second));
    let reopened = open(&folder);
    assert_eq!(read(&reopened, &view("v"), key(1)).await, Some(row(1, 1)));
}

#[tokio::test]
async fn long_keys_with_the_same_hash_are_different_keys() {
    // The first 20 bytes collide in FNV-1a, so whatever follows them does too.
    let keys = ["8yn0iYCKYHlIj4-BwPqk", "GReLUrM4wMqfg9yzV3KQ"].map(|collides| {
        let long = [collides.as_bytes(), &[7; 600]].concat();
        EncodedKey::from_bytes(long.into())
    });
    let folder = TempDir::new().unwrap();
    let (store, view) = (open(&folder), view("v"));
    for (round, key) in (1..).zip(&keys) {
        let write = RowWrite::newest(key.clone(), row(round, 1));
        store.write(&view, vec![write], None).await.unwrap();
    }
    for (round, key) in (1..).zip(&keys) {
        assert_eq!(read(&store, &view, key.clone()).await, Some(row(round, 1)));
    }
    let first = fs_online::row::order(&row(1, 1)).unwrap();
    let removal = RowWrite::replace(keys[0].clone(), None, first);
    store.write(&view, vec![removal], None).await.unwrap();
    assert_eq!(read(&store, &view, keys[0].clone()).await, None);
    assert_eq!(read(&store, &view, keys[1].clone()).await, Some(row(2, 1)));
}

#[test]
fn a_path_that_is_a_file_is_refused() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "x").unwrap();
    for path in [file.clone(), file.join("below")] {
        let error = LmdbStore::open(&path, TINY).unwrap_err();
        assert_eq!(error.code(), Code::FailedPrecondition);
        assert!(error.to_string().contains("cannot open"), "{error}");
    }
}

#[test]
fn a_file_that_is_not_lmdb_is_refused_and_left_alone() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data.mdb");
    fs::write(&data, vec![0x5a; 100_000]).unwrap();
    let error = LmdbStore::open(folder.path(), TINY).unwrap_err();
    assert!(error.to_string().contains("not an LMDB file"), "{error}");
    assert_eq!(fs::read(&data).unwrap(), vec![0x5a; 100_000]);
}

#[test]
fn a_folder_of_a_later_format_is_refused() {
    let folder = TempDir::new().unwrap();
    let store = open(&folder);
    let on = &store.environment;
    on.map
        .transact(|env| {
            let mut txn = env.write_txn()?;
            on.meta.set_format(&mut txn, 2)?;
            Ok(txn.commit()?)
        })
        .unwrap();
    drop(store);
    let error = LmdbStore::open(folder.path(), TINY).unwrap_err();
    assert_eq!(error.code(), Code::FailedPrecondition);
    assert!(error.to_string().contains("newer release"), "{error}");
}

#[tokio::test]
async fn claims_last_for_a_day_and_go_a_few_at_a_time_as_new_ones_come() {
    const DAY: u64 = 24 * 60 * 60;
    let folder = TempDir::new().unwrap();
    let store = open(&folder);
    let on = &store.environment;
    let claim = |token: u64, now: u64| {
        on.map
            .transact(|env| {
                let mut txn = env.write_txn()?;
                let token = token.to_string();
                let earlier = on.meta.claim(&mut txn, &view("v"), &token, &[1], now)?;
                txn.commit()?;
                Ok(earlier)
            })
            .unwrap()
    };
    let count = || {
        let counted = |env: &heed::Env| on.meta.claims(&*env.read_txn()?);
        on.map.transact(counted).unwrap()
    };
    for token in 0..20 {
        assert_eq!(claim(token, 1_000), None);
    }
    claim(100, 1_000 + DAY);
    assert_eq!(count(), (21, 21));
    for (later, left) in [(200, 14), (201, 7), (202, 4), (203, 5)] {
        claim(later, 1_000 + DAY + 3_600);
        assert_eq!(count(), (left, left));
    }
}
