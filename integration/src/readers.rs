//! People who read while others write: online lookups and training sets, all of which must be whole.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use arrow::array::RecordBatch;

use crate::generations::{self, FEATURES, NOW, Newest, VIEW};
use crate::{Load, Repo, Served, read_parquet};

/// Readers leave the machine to those whom they watch, most of the time.
const LOOKUP_REST: Duration = Duration::from_millis(8);
const TRAINING_REST: Duration = Duration::from_millis(400);

/// A server, a client that looks up rows, and somebody who makes training sets, in this process's tool or
/// in the server, by turns.
#[derive(Debug)]
pub struct Readers {
    server: Served,
    load: Load,
    over: Arc<AtomicBool>,
    training: JoinHandle<Result<usize>>,
}

impl Readers {
    /// Begins to read; everything must have been materialized once.
    pub async fn start(repo: &Arc<Repo>, question: Newest) -> Result<Self> {
        Self::of(repo, question, |rows| {
            generations::generation(rows).map(drop)
        })
        .await
    }

    /// The same, where training sets are to be `whole` in another way.
    pub async fn of(
        repo: &Arc<Repo>,
        question: Newest,
        whole: fn(&RecordBatch) -> Result<()>,
    ) -> Result<Self> {
        let server = repo.serve(&["--now", NOW])?;
        let load = Load::paced(&server.url(), 1, LOOKUP_REST, question).await?;
        let over = Arc::new(AtomicBool::new(false));
        let training = thread::spawn({
            let (repo, over, url) = (Arc::clone(repo), Arc::clone(&over), server.url());
            move || {
                let mut made = 0;
                while !over.load(Ordering::SeqCst) {
                    let remote = ["--server", &url];
                    let remote = if made % 2 == 0 { &remote[..] } else { &[] };
                    training_set(&repo, remote, whole)
                        .with_context(|| format!("training set {made}, {remote:?}"))?;
                    made += 1;
                    thread::sleep(TRAINING_REST);
                }
                Ok(made)
            }
        });
        Ok(Self {
            server,
            load,
            over,
            training,
        })
    }

    /// The server.
    pub const fn server(&self) -> &Served {
        &self.server
    }

    /// Ends; an error if anything that was read was wrong, or if a lookup failed and `may_fail` does not
    /// excuse it.
    pub async fn stop(self, may_fail: impl Fn(&crate::Call) -> bool) -> Result<()> {
        let answered = self.load.answers(20).await;
        self.over.store(true, Ordering::SeqCst);
        let calls = self.load.stop().await?;
        answered.context("nothing is answered any more")?;
        for call in &calls {
            ensure!(
                call.end.is_ok() || may_fail(call),
                "a lookup failed: {call:?}"
            );
        }
        let made = tokio::task::spawn_blocking(|| self.training.join()).await?;
        let made = made.map_err(|_panic| anyhow!("making training sets panicked"))??;
        ensure!(made > 0, "no training set was made");
        eprintln!("read {} answers and {made} training sets", calls.len());
        self.server.stop()?.success()?;
        Ok(())
    }
}

/// Makes a training set of all rows of the table.
fn training_set(repo: &Repo, remote: &[&str], whole: fn(&RecordBatch) -> Result<()>) -> Result<()> {
    let out = repo.file("training.parquet");
    let out = out.to_str().context("a folder with a plain name")?;
    let features = (0..FEATURES).map(|feature| format!("{VIEW}:f{feature}"));
    let features = features.collect::<Vec<_>>().join(",");
    let sql = format!("SELECT user_id, event_timestamp FROM views.{VIEW}");
    let ask = ["get-historical-features", "--features", &features];
    repo.json(&[&ask[..], &["--spine-sql", &sql, "--out", out], remote].concat())?;
    whole(read_parquet(out.as_ref())?.batch())
}
