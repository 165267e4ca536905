//! The steps of the demo.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::{Duration, Instant};

use arrow::array::RecordBatch;
use fs_core::{Catalog, FeatureRequest, FeatureSet, Naming, TimeRange};
use fs_registry::{Applied, Force};
use fs_server::ServerOptions;
use fs_training::{Spine, TrainingQuery};
use serde_json::json;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::{END, SERVICE, SPINE, START, Told, instant};
use crate::commands::{materialize, online, serve};
use crate::failure::Failure;
use crate::output::{Output, elapsed, grouped};
use crate::project::{Project, checked};
use crate::remote::{self, Remote};
use crate::{entities, progress, wall_clock};

/// How often the demo asks for one vector, to say how long that takes.
const LOOKUPS: usize = 1000;

pub(super) async fn apply(repo: &Path) -> Result<(Project, Told), Failure> {
    let (project, repo) = checked(repo).await?;
    let registry = project.registry()?;
    let plan = registry.plan(&repo.catalog).await?;
    let now = wall_clock::clock(None).now();
    let version = match registry.apply(&plan, Force::No, now, Some("demo")).await? {
        Applied::Recorded { version } => version,
        Applied::NothingToDo => plan.base.unwrap_or_default(),
    };
    let Catalog {
        entities,
        sources,
        feature_views,
        feature_services,
        ..
    } = &repo.catalog;
    let line = format!(
        "Applied {} entities, {} sources, {} feature views and {} feature services as version {version}",
        entities.len(),
        sources.len(),
        feature_views.len(),
        feature_services.len()
    );
    Ok((
        project,
        Told {
            name: "apply",
            value: json!({ "version": version }),
            lines: vec![line],
        },
    ))
}

pub(super) async fn materialize(project: &Project, output: Output) -> Result<Told, Failure> {
    let progress = progress::bar_or_silence(output);
    let range = TimeRange::new(instant(START)?, instant(END)?)
        .map_err(|error| Failure::input(error.to_string()))?;
    let (_, catalog) = project.applied().await?;
    let materializer = project.materializer(wall_clock::clock(None))?;
    let summary = materialize::window(&materializer, &catalog, &[], range, progress).await?;
    let (rows, published) = (summary.rows_written(), summary.published());
    let mut lines = vec![format!(
        "Materialized the first quarter of 2013: {} rows into {} Delta tables, {} newest rows online",
        grouped(rows),
        summary.runs().len(),
        grouped(published)
    )];
    lines.extend(summary.table().lines().map(str::to_owned));
    let value = json!({ "rows_written": rows, "published": published });
    Ok(Told {
        name: "materialize",
        value,
        lines,
    })
}

/// The server of the demo, and a connection to it.
pub(super) struct Serving {
    pub(super) remote: Remote,
    grpc: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), fs_server::Error>>,
}

pub(super) async fn serve(project: &Project) -> Result<Serving, Failure> {
    let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let clock = wall_clock::clock(Some(instant(END)?));
    let options = ServerOptions {
        grpc_addr: any_port,
        http_addr: any_port,
        ..ServerOptions::default()
    };
    let server = serve::bind(project, clock, options).await?;
    let grpc = server.grpc_addr();
    let (stop, stopped) = oneshot::channel::<()>();
    let task = tokio::spawn(server.run(async {
        // A dropped sender stops the server, too.
        stopped.await.ok();
    }));
    let remote = Remote::connect(&format!("http://{grpc}")).await?;
    Ok(Serving {
        remote,
        grpc,
        stop,
        task,
    })
}

impl Serving {
    pub(super) fn told(&self) -> Told {
        let line = format!(
            "Serving gRPC and Arrow Flight on {}, as of {END}",
            self.grpc
        );
        Told {
            name: "serve",
            value: json!({ "grpc": self.grpc.to_string() }),
            lines: vec![line],
        }
    }

    /// Drains the server.
    pub(super) async fn stop(self) -> Result<(), Failure> {
        // It may have stopped already; the task tells why.
        self.stop.send(()).ok();
        match self.task.await {
            Ok(ended) => Ok(ended?),
            Err(error) => Err(Failure::new(fs_core::Code::Internal, error.to_string())),
        }
    }
}

pub(super) fn request() -> Result<FeatureRequest, Failure> {
    let service = SERVICE.parse();
    service
        .map(FeatureRequest::Service)
        .map_err(|error: fs_core::name::NameError| Failure::input(error.to_string()))
}

pub(super) async fn online(project: &Project, remote: &Remote) -> Result<Told, Failure> {
    let (_, catalog) = project.applied().await?;
    let request = request()?;
    let features = FeatureSet::resolve(&catalog, &request, Naming::Short)?;
    let flights = [
        "tailnum=N14228,carrier=UA,origin=EWR,dest=IAH",
        "tailnum=N593JB,carrier=B6,origin=JFK,dest=BUF",
    ];
    let keys = entities::columns(&flights.map(str::to_owned), &features.key_columns())?;
    let vectors = online::ask(remote, &request, Naming::Short, keys).await?;

    let one = entities::columns(&[flights[0].to_owned()], &features.key_columns())?;
    let mut times = Vec::with_capacity(LOOKUPS);
    for _ in 0..LOOKUPS {
        let asked = Instant::now();
        online::ask(remote, &request, Naming::Short, one.clone()).await?;
        times.push(asked.elapsed());
    }
    times.sort_unstable();
    let at = |share: usize| micros(times[(LOOKUPS * share / 100).min(LOOKUPS - 1)]);
    let mut lines = vec![format!(
        "Asked for {} features of 2 flights over gRPC; one vector takes {} at the median, {} at p99 \
         of {} calls",
        vectors.features.len(),
        at(50),
        at(99),
        grouped(LOOKUPS as u64)
    )];
    lines.extend(vectors.to_table()?.lines().map(str::to_owned));
    let value = json!({ "features": vectors.features.len(), "p50": at(50), "p99": at(99) });
    Ok(Told {
        name: "online",
        value,
        lines,
    })
}

pub(super) async fn training_set(
    project: &Project,
    remote: &Remote,
    out: &Path,
) -> Result<Told, Failure> {
    let (_, catalog) = project.applied().await?;
    let request = request()?;
    let features = FeatureSet::resolve(&catalog, &request, Naming::Short)?;
    let spine = Spine::read(&project.root.join(SPINE)).await?;
    let (schema, batches) = spine.into_batches(&features).await?;
    let spine_rows = batches.iter().map(RecordBatch::num_rows).sum();
    let query = TrainingQuery::new(request, Naming::Short);
    let stream = remote
        .training_set(&remote::command(&query), schema, batches)
        .await?;
    let written = remote
        .received(stream, spine_rows)
        .await?
        .write(out)
        .await?;
    let line = format!(
        "Exported a training set over Arrow Flight: {} flights x {} features, as known two hours \
         before departure",
        grouped(written.rows),
        features.columns.len()
    );
    let place = format!("{} ({} KiB)", out.display(), grouped(written.bytes / 1024));
    let value = json!({
        "spine_rows": spine_rows, "rows": written.rows, "features": features.columns.len(), "out": out,
    });
    Ok(Told {
        name: "training_set",
        value,
        lines: vec![line, place],
    })
}

fn micros(duration: Duration) -> String {
    match duration.as_micros() {
        short @ 0..10_000 => format!("{short} µs"),
        _ => elapsed(duration),
    }
}
