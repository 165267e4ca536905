use arrow::array::{ArrayRef, BinaryArray};
use fs_core::{KeyValue, ProjectName};
use proptest::prelude::*;
use std::sync::Arc;

use super::*;
use crate::key::encode_key;
use crate::{Decision, MemoryStore, OnlineStore, RowEncoder, ViewId, ViewKeys};

fn key() -> EncodedKey {
    encode_key(&[KeyValue::String("AA".to_owned())])
}

fn decide(write: &RowWrite, stored: Option<&Bytes>) -> Decision {
    write.decide(stored.map(AsRef::as_ref)).unwrap()
}

fn written(write: &RowWrite) -> Bytes {
    write.row.clone().unwrap()
}

#[test]
fn a_state_is_an_ordinary_row_of_its_layout() {
    let write = StateRow::read(None).unwrap().write(key(), b"abc").unwrap();
    let column: ArrayRef = Arc::new(BinaryArray::from_vec(vec![b"abc"]));
    let ordinary = RowEncoder::new(&layout())
        .encode(&[column], &[order(0)])
        .unwrap()
        .remove(0);
    assert_eq!(written(&write), ordinary);
    assert_eq!(layout().features().len(), 1);
}

#[test]
fn the_bytes_of_a_state_row_are_frozen() {
    let row = pack(7, b"abc").unwrap();
    let mut expected = vec![1, 0x32, 0xcd, 0x8e, 0x56];
    expected.extend([0; 16]);
    expected.extend(7_u64.to_be_bytes());
    expected.extend([1, 3, 0, 0, 0, b'a', b'b', b'c']);
    assert_eq!(row, expected);
    assert_eq!(layout().id(), 0x568e_cd32);
}

#[test]
fn of_two_that_read_the_same_the_first_is_stored_and_the_other_is_kept_out() {
    let nothing = StateRow::read(None).unwrap();
    let first = nothing.write(key(), b"first").unwrap();
    let second = nothing.write(key(), b"second").unwrap();
    assert_eq!(decide(&first, None), Decision::Store);
    let stored = written(&first);
    assert_eq!(decide(&second, Some(&stored)), Decision::Keep);

    let read = StateRow::read(Some(&stored)).unwrap();
    assert_eq!(read.state().unwrap(), &b"first"[..]);
    let third = read.write(key(), b"third").unwrap();
    let fourth = read.write(key(), b"fourth").unwrap();
    assert_eq!(decide(&third, Some(&stored)), Decision::Store);
    let stored = written(&third);
    assert_eq!(decide(&fourth, Some(&stored)), Decision::Keep);
    assert_eq!(row::order(&stored).unwrap(), order(1));
}

#[test]
fn a_row_from_before_the_view_had_windows_gives_way_once() {
    let plain = RowOrder {
        event: EventTime::from_micros(5),
        created: None,
        sequence: 9,
    };
    let stored = RowEncoder::new(&RowLayout::new(vec![]))
        .encode(&[], &[plain])
        .unwrap()
        .remove(0);
    let read = StateRow::read(Some(&stored)).unwrap();
    assert_eq!(read.state(), None);
    let first = read.write(key(), b"first").unwrap();
    let second = read.write(key(), b"second").unwrap();
    assert_eq!(decide(&first, Some(&stored)), Decision::Store);
    assert_eq!(decide(&second, Some(&written(&first))), Decision::Keep);
}

#[test]
fn a_plain_row_wins_over_a_state_again_when_a_view_loses_its_windows() {
    let state = pack(u64::MAX, b"abc").unwrap();
    let plain = RowOrder {
        event: EventTime::from_micros(i64::MIN + 1),
        created: None,
        sequence: 0,
    };
    let row = RowEncoder::new(&RowLayout::new(vec![]))
        .encode(&[], &[plain])
        .unwrap()
        .remove(0);
    let write = RowWrite::newest(key(), row);
    assert_eq!(decide(&write, Some(&state)), Decision::Store);
}

#[tokio::test]
async fn writers_at_once_lose_no_change() {
    let store = Arc::new(MemoryStore::default());
    let project: ProjectName = "flights".parse().unwrap();
    let view = Arc::new(ViewId::new(project, "delays".parse().unwrap()));
    let writers = (0..8_u8).map(|writer| {
        let (store, view) = (Arc::clone(&store), Arc::clone(&view));
        tokio::spawn(async move {
            for _ in 0..20 {
                loop {
                    let keys = [key()];
                    let request = ViewKeys {
                        view: &view,
                        keys: &keys,
                    };
                    let rows = store.read(&[request]).await.unwrap();
                    let read = StateRow::read(rows[0][0].as_ref()).unwrap();
                    let mut state = read.state().map_or_else(Vec::new, |it| it.to_vec());
                    state.push(writer);
                    tokio::task::yield_now().await;
                    let write = read.write(key(), &state).unwrap();
                    let outcome = store.write(&view, vec![write], None).await.unwrap();
                    if outcome.written == 1 {
                        break;
                    }
                }
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    let keys = [key()];
    let request = ViewKeys {
        view: &view,
        keys: &keys,
    };
    let rows = store.read(&[request]).await.unwrap();
    let read = StateRow::read(rows[0][0].as_ref()).unwrap();
    assert_eq!(read.state().unwrap().len(), 8 * 20);
}

proptest! {
    #[test]
    fn no_bytes_make_a_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        let mut row = pack(3, b"abc").unwrap().to_vec();
        drop(StateRow::read(Some(&Bytes::from(bytes.clone()))));
        for (place, byte) in row.iter_mut().zip(&bytes) {
            *place ^= byte;
        }
        drop(StateRow::read(Some(&Bytes::from(row))));
    }

    #[test]
    fn a_state_cut_short_is_refused(cut in 0_usize..36) {
        let row = pack(3, b"abc").unwrap();
        prop_assert_eq!(row.len(), 37);
        let cut = StateRow::read(Some(&row.slice(..cut)));
        // Without its layout it is a row without windows.
        prop_assert!(cut.is_err());
    }
}
