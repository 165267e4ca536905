//! More requests than can be answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tonic::Code;

use super::fixture::{Running, Setup, ask, definitions, service};

/// What the store of these tests answers: so many at once, each in so long, 100 in a second.
/// Far less than even a busy machine can do, so that it is the store that there is too little of.
const AT_ONCE: usize = 2;
const TAKES: Duration = Duration::from_millis(20);
const CAPACITY: u32 = 100;

const TARGET: Duration = Duration::from_secs(1);

/// What became of one request.
#[derive(Debug, Clone, Copy)]
struct Fate {
    /// Since the load began.
    asked: Duration,
    took: Duration,
    answered: bool,
}

async fn slow_server() -> Running {
    let mut setup = Setup::new();
    setup.options.limits.latency_target = TARGET;
    setup.options.limits.requests_in_flight = 100;
    setup.apply(&definitions()).await;
    let running = setup.start().await;
    let millis = u64::try_from(TAKES.as_millis()).unwrap();
    running.setup.store.slow_down(AT_ONCE, millis);
    running
}

/// Asks `per_second` times a second, whatever becomes of it.
async fn load(running: &Running, per_second: u32, lasts: Duration) -> Vec<Fate> {
    let began = Instant::now();
    let mut ticks = interval(Duration::from_millis(50));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut asked = JoinSet::new();
    while began.elapsed() < lasts {
        ticks.tick().await;
        for _ in 0..per_second / 20 {
            let mut client = running.client();
            asked.spawn(async move {
                let start = Instant::now();
                let request = ask(service("model"), &["EWR"]);
                let answered = match client.get_online_features(request).await {
                    Ok(_) => true,
                    Err(status) => {
                        assert_eq!(status.code(), Code::ResourceExhausted, "{status:?}");
                        let again = status.metadata().get("grpc-retry-pushback-ms");
                        assert_eq!(again.unwrap(), "1000");
                        assert!(status.message().contains("try again in 1000 ms"));
                        false
                    }
                };
                Fate {
                    asked: start - began,
                    took: start.elapsed(),
                    answered,
                }
            });
        }
    }
    asked.join_all().await
}

fn nth(mut times: Vec<Duration>, percent: usize) -> Duration {
    times.sort_unstable();
    times[(times.len() - 1) * percent / 100]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_let_in_is_answered_in_time_and_the_rest_is_told_to_come_again() {
    let running = slow_server().await;
    let fates = load(&running, CAPACITY * 3, Duration::from_secs(6)).await;
    // What is in flight before the first answers are there is not learnt yet.
    let settled = |fate: &&Fate| fate.asked > Duration::from_secs(3);
    let of = |answered| {
        let fates = fates.iter().filter(settled);
        let fates = fates.filter(move |fate| fate.answered == answered);
        fates.map(|fate| fate.took).collect::<Vec<_>>()
    };
    let (answered, shed) = (of(true), of(false));
    let p99 = nth(answered.clone(), 99);
    assert!(p99 <= TARGET, "{p99:?} of {}", answered.len());
    assert!(nth(shed.clone(), 50) < TARGET / 8, "shedding is quick");
    // Three seconds of a store that is never idle, less what a busy machine takes.
    let least = CAPACITY as usize * 3 * 7 / 10;
    assert!(answered.len() >= least, "{} answers", answered.len());
    assert!(!shed.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn as_soon_as_the_load_is_gone_everybody_is_let_in() {
    let running = slow_server().await;
    load(&running, CAPACITY * 3, Duration::from_secs(2)).await;
    let fates = load(&running, CAPACITY / 5, Duration::from_secs(1)).await;
    assert!(fates.iter().all(|fate| fate.answered), "{fates:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_that_nobody_waits_for_do_not_keep_others_out() {
    let running = slow_server().await;
    let stop = Arc::new(AtomicBool::new(false));
    let impatient: Vec<_> = (0..100)
        .map(|_| {
            let (mut client, stop) = (running.client(), stop.clone());
            tokio::spawn(async move {
                while !stop.load(Ordering::SeqCst) {
                    let mut request = tonic::Request::new(ask(service("model"), &["EWR"]));
                    request.set_timeout(Duration::from_millis(100));
                    client.get_online_features(request).await.ok();
                }
            })
        })
        .collect();
    // They give up before they are answered, so fewer are let in, until answers come in time.
    let limit = || running.shared.admission.levels()[0].limit;
    let learnt = async {
        while limit() > 40 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let patience = Duration::from_secs(20);
    tokio::time::timeout(patience, learnt).await.unwrap();
    stop.store(true, Ordering::SeqCst);
    for client in impatient {
        client.await.unwrap();
    }
}
