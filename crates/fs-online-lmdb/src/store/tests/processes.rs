//! Two processes: the test binary starts itself again, with [`CHILD`] set.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use super::*;

/// What the child is to do; absent in the parent.
const CHILD: &str = "FS_LMDB_TEST_CHILD";
/// In which folder.
const FOLDER: &str = "FS_LMDB_TEST_FOLDER";

const KEYS: i64 = 100;
const ROW_BYTES: usize = 3_000;

/// The entry of the child; in the parent's run, a test of nothing.
#[tokio::test]
async fn child() {
    let Some(task) = std::env::var_os(CHILD) else {
        return;
    };
    let folder = std::env::var_os(FOLDER).unwrap();
    let store = LmdbStore::open(Path::new(&folder), TINY).unwrap();
    if task == "drop" {
        store.drop_view(&view("shared")).await.unwrap();
        return;
    }
    store.prepare(&view("shared"), &layout()).await.unwrap();
    for round in 1..=u8::MAX {
        store
            .write(&view("shared"), rows(round), None)
            .await
            .unwrap();
        // Past the capture of the test runner, which takes only what `print!` writes.
        writeln!(std::io::stdout(), "\nacked {round}").unwrap();
    }
}

fn rows(round: u8) -> Vec<RowWrite> {
    (0..KEYS)
        .map(|n| RowWrite::newest(key(n), row(round, ROW_BYTES)))
        .collect()
}

fn start(task: &str, folder: &TempDir) -> (Child, BufReader<ChildStdout>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["store::tests::processes::child", "--exact", "--nocapture"])
        .env(CHILD, task)
        .env(FOLDER, folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    (child, output)
}

/// Waits until the child has said that a round is written; `None` when it has ended.
fn acked(output: &mut BufReader<ChildStdout>) -> Option<u8> {
    loop {
        let mut line = String::new();
        if output.read_line(&mut line).unwrap() == 0 {
            return None;
        }
        if let Some(round) = line.trim().strip_prefix("acked ") {
            return Some(round.parse().unwrap());
        }
    }
}

/// The rounds of all keys; every row is whole, or this panics.
async fn rounds(store: &LmdbStore) -> Vec<u8> {
    let keys: Vec<EncodedKey> = (0..KEYS).map(key).collect();
    let view = view("shared");
    let request = ViewKeys {
        view: &view,
        keys: &keys,
    };
    let rows = store.read(&[request]).await.unwrap().remove(0);
    let round = |found: Option<Bytes>| {
        let Some(found) = found else { return 0 };
        let event = fs_online::row::order(&found).unwrap().event.as_micros();
        let round = u8::try_from(event).unwrap();
        assert!(found == row(round, ROW_BYTES), "a torn row");
        round
    };
    rows.into_iter().map(round).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_sees_what_another_process_writes_whole_and_at_once() {
    let folder = TempDir::new().unwrap();
    // Opened first, with a map of 1 MiB: the child makes the view, and grows the map, afterwards.
    let store = open(&folder);
    assert_eq!(store.environment.map.bytes(), 1 << 20);
    let (mut child, mut output) = start("write", &folder);
    let mut last = 0;
    while let Some(round) = acked(&mut output) {
        // The child goes on writing while these are read.
        for _ in 0..3 {
            let found = rounds(&store).await;
            // A batch is one transaction, and so is a read: all keys are of one round.
            assert!(found.iter().all(|other| *other == found[0]), "{found:?}");
            assert!(found[0] >= round.max(last), "{found:?} after {round}");
            last = found[0];
        }
    }
    assert!(child.wait().unwrap().success());
    assert_eq!(last, u8::MAX);
    assert!(
        store.environment.map.bytes() > 1 << 20,
        "the map never grew"
    );
    assert_eq!(store.layouts(&view("shared")).await.unwrap(), [layout()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_kill_9_and_others_go_on_writing() {
    let folder = TempDir::new().unwrap();
    let (mut child, mut output) = start("write", &folder);
    let mut last = 0;
    while last < 20 {
        last = acked(&mut output).unwrap();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    while let Some(round) = acked(&mut output) {
        last = round;
    }
    let store = open(&folder);
    let found = rounds(&store).await;
    assert!(found.iter().all(|round| *round >= last), "{found:?}");
    let outcome = store
        .write(&view("shared"), rows(u8::MAX), None)
        .await
        .unwrap();
    assert_eq!(outcome.written, KEYS.unsigned_abs());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_that_another_process_dropped_can_be_published_again() {
    let folder = TempDir::new().unwrap();
    let store = open(&folder);
    store.prepare(&view("shared"), &layout()).await.unwrap();
    store.write(&view("shared"), rows(9), None).await.unwrap();
    let (mut child, _output) = start("drop", &folder);
    assert!(child.wait().unwrap().success());
    assert_eq!(rounds(&store).await, vec![0; 100]);
    assert_eq!(store.layouts(&view("shared")).await.unwrap(), []);
    store.prepare(&view("shared"), &layout()).await.unwrap();
    store.write(&view("shared"), rows(1), None).await.unwrap();
    assert_eq!(rounds(&store).await, vec![1; 100]);
}
