//! The output of a process, read as it comes.

use std::io::Read;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

/// What came out of a pipe so far.
#[derive(Debug)]
pub(super) struct Collected {
    bytes: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
}

impl Collected {
    /// Reads `pipe` to its end on a thread of its own.
    pub(super) fn from(pipe: Option<impl Read + Send + 'static>) -> Self {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let collected = Arc::clone(&bytes);
        let reader = pipe.map(|mut pipe| {
            thread::spawn(move || {
                let mut chunk = [0; 4096];
                while let Ok(count @ 1..) = pipe.read(&mut chunk) {
                    let mut bytes = collected.lock().unwrap_or_else(PoisonError::into_inner);
                    bytes.extend_from_slice(&chunk[..count]);
                }
            })
        });
        Self { bytes, reader }
    }

    pub(super) fn text(&self) -> String {
        let bytes = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Waits for the end of the pipe; the process must have ended.
    pub(super) fn finish(&mut self) {
        if let Some(reader) = self.reader.take() {
            // The thread has nothing that could panic.
            reader.join().ok();
        }
    }
}
