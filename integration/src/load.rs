//! Clients that ask again and again, and remember what became of every call.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use fs_proto::v1::feature_store_client::FeatureStoreClient;
use fs_proto::v1::{GetOnlineFeaturesRequest, GetOnlineFeaturesResponse};
use tokio::task::JoinSet;
use tonic::{Code, Request};

/// How long a call waits; the server is told.
pub const CALL_TIME: Duration = Duration::from_secs(2);

/// How much later than that a call may end on a machine that does other things, too.
const SLACK: Duration = Duration::from_millis(500);

/// How long a client waits after an error before it asks again.
const PAUSE: Duration = Duration::from_millis(5);

/// One call.
#[derive(Debug, Clone)]
pub struct Call {
    /// When it was made.
    pub asked: Instant,
    /// How long it took.
    pub took: Duration,
    /// How it ended: `Ok`, and the version of the registry behind the answer, or a code and what
    /// was said.
    pub end: Result<u64, (Code, String)>,
}

/// What clients ask for, and what is right.
pub trait Question: Send + Sync + 'static {
    /// The next request of a client.
    fn request(&self, number: usize) -> GetOnlineFeaturesRequest;

    /// An error if this is no right answer.
    fn check(&self, answer: &GetOnlineFeaturesResponse) -> Result<()>;
}

/// Clients at work.
#[derive(Debug)]
pub struct Load {
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicUsize>,
    clients: JoinSet<Result<Vec<Call>>>,
}

impl Load {
    /// Starts so many clients of `http://…`, each on its own connection, who ask as fast as they can.
    pub async fn start(url: &str, clients: usize, question: impl Question) -> Result<Self> {
        Self::paced(url, clients, Duration::ZERO, question).await
    }

    /// The same; each client rests for `rest` between an answer and the next request.
    pub async fn paced(
        url: &str,
        clients: usize,
        rest: Duration,
        question: impl Question,
    ) -> Result<Self> {
        let (question, stop) = (Arc::new(question), Arc::new(AtomicBool::new(false)));
        let answered = Arc::new(AtomicUsize::new(0));
        let mut tasks = JoinSet::new();
        for number in 0..clients {
            let mut client = FeatureStoreClient::connect(url.to_owned()).await?;
            let (question, stop) = (Arc::clone(&question), Arc::clone(&stop));
            let answered = Arc::clone(&answered);
            tasks.spawn(async move {
                let mut calls = Vec::new();
                while !stop.load(Ordering::SeqCst) {
                    let request = question.request(number + calls.len() * 31);
                    let mut request = Request::new(request);
                    request.set_timeout(CALL_TIME);
                    let asked = Instant::now();
                    let answer = client.get_online_features(request).await;
                    let took = asked.elapsed();
                    let end = match answer {
                        Ok(answer) => {
                            let answer = answer.into_inner();
                            question.check(&answer)?;
                            answered.fetch_add(1, Ordering::SeqCst);
                            Ok(answer.registry_version)
                        }
                        Err(status) => {
                            tokio::time::sleep(PAUSE).await;
                            Err((status.code(), status.message().to_owned()))
                        }
                    };
                    calls.push(Call { asked, took, end });
                    if !rest.is_zero() {
                        tokio::time::sleep(rest).await;
                    }
                }
                Ok(calls)
            });
        }
        Ok(Self {
            stop,
            answered,
            clients: tasks,
        })
    }

    /// Returns once so many more calls were answered.
    pub async fn answers(&self, more: usize) -> Result<()> {
        let until = self.answered.load(Ordering::SeqCst) + more;
        let answered = async {
            while self.answered.load(Ordering::SeqCst) < until {
                tokio::time::sleep(PAUSE).await;
            }
        };
        Ok(tokio::time::timeout(fs_testkit::net::PATIENCE, answered).await?)
    }

    /// Stops the clients. An error if an answer was wrong, or a call took longer than its deadline.
    pub async fn stop(self) -> Result<Vec<Call>> {
        self.stop.store(true, Ordering::SeqCst);
        let clients = self.clients.join_all().await;
        let calls: Result<Vec<Vec<Call>>> = clients.into_iter().collect();
        let calls = calls?.concat();
        for call in &calls {
            ensure!(call.took <= CALL_TIME + SLACK, "it took too long: {call:?}");
        }
        Ok(calls)
    }
}
