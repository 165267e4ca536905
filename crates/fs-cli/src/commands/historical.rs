//! `fs get-historical-features`: features joined to the rows of a spine.

mod asked;

use std::path::Path;

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use fs_core::{DatasetName, ViewName};
use fs_training::write::Format;
use fs_training::{Error, Plan, TrainingSet, Written};
use serde_json::{Value, json};

use self::asked::Asked;
use crate::args::HistoricalArgs;
use crate::failure::Failure;
use crate::output::{Output, grouped, table};
use crate::project::Project;
use crate::remote::Remote;
use crate::wall_clock;

pub(super) async fn run(repo: &Path, args: &HistoricalArgs, output: Output) -> Result<(), Failure> {
    // Found out now rather than after the join.
    if let Some(out) = &args.out {
        Format::of(out)?;
    }
    if args.explain && args.server.is_some() {
        return Err(Failure::input(
            "--explain shows how a training set is made on this machine; a server does not tell how \
             it makes one: leave out --explain, or --server",
        ));
    }
    let project = Project::open(repo)?;
    let asked = Asked::of(&project, args).await?;
    let features = asked.features()?.columns.len();
    let registry_version = asked.version;
    let kept = match &args.server {
        Some(url) => {
            let set = from_server(url, asked, args.save.as_ref()).await?;
            // The server saves while it sends, and ends well only if it has saved.
            keep(set, args.out.as_deref(), None).await?
        }
        None => here(&project, asked, args).await?,
    };
    output.answer(&kept.to_json(args, features, registry_version), || {
        kept.to_text(args, features)
    });
    Ok(())
}

/// Joins on this machine.
async fn here(project: &Project, asked: Asked, args: &HistoricalArgs) -> Result<Kept, Failure> {
    let training = project.training()?;
    if let Some(name) = &args.save {
        training.ensure_free(name).await?;
    }
    let pinned = asked.pinned();
    let spine = asked.spine(project, &training).await?;
    let set = training
        .get(&asked.catalog, asked.version, &asked.query, spine, pinned)
        .await?;
    let Some(name) = args.save.clone() else {
        return keep(set, args.out.as_deref(), None).await;
    };
    let now = wall_clock::clock(None).now();
    let Some(out) = args.out.as_deref() else {
        let told = Told::of(&set);
        let saved = training.save(set, name, now).done().await?;
        return Ok(Kept::new(told, saved.rows, None));
    };
    let (set, copy) = set.split();
    keep(set, Some(out), Some(training.save(copy, name, now))).await
}

/// Asks a server: the spine goes up and comes back with features.
async fn from_server(
    url: &str,
    asked: Asked,
    save: Option<&DatasetName>,
) -> Result<TrainingSet, Failure> {
    let mut command = asked.command();
    if let Some(name) = save {
        command["save"] = json!(name);
    }
    let remote = Remote::connect(url).await?;
    let features = asked.features()?;
    let (schema, batches) = match asked.given().await? {
        Some(spine) => spine.into_batches(&features).await?,
        // The server finds them; how many there are is for it to say.
        None => (SchemaRef::new(Schema::empty()), Vec::new()),
    };
    let rows = batches.iter().map(RecordBatch::num_rows).sum();
    let stream = remote.training_set(&command, schema, batches).await?;
    remote.received(stream, rows).await
}

/// Takes a training set to its end: into a file, if there is to be one, while it is being saved.
async fn keep(
    mut set: TrainingSet,
    out: Option<&Path>,
    saving: Option<fs_training::save::Saving>,
) -> Result<Kept, Failure> {
    let told = Told::of(&set);
    let Some(out) = out else {
        let mut rows = 0;
        while let Some(batch) = set.next().await {
            rows += batch?.num_rows() as u64;
        }
        return Ok(Kept::new(told, rows, None));
    };
    let saved = async {
        match saving {
            Some(saving) => saving.done().await.map(|_dataset| ()),
            None => Ok(()),
        }
    };
    let written = match tokio::join!(set.write(out), saved) {
        (Ok(written), Ok(())) => written,
        // The one that failed first is why the other broke off.
        (_, Err(error @ Error::Dataset(_))) | (Err(error), _) | (Ok(_), Err(error)) => {
            return Err(error.into());
        }
    };
    Ok(Kept::new(told, written.rows, Some(written)))
}

/// What a training set tells before it is taken.
struct Told {
    views: Vec<View>,
    record: Option<fs_training::Record>,
    /// Tells more once the set has been taken.
    plan: Option<Plan>,
}

/// What one view gave.
struct View {
    label: ViewName,
    matched: u64,
    read: u64,
    version: i64,
}

/// A training set that has been taken.
struct Kept {
    told: Told,
    rows: u64,
    written: Option<Written>,
}

impl Told {
    fn of(set: &TrainingSet) -> Self {
        let views = set.views().iter().map(|view| View {
            label: view.label.clone(),
            matched: view.rows_matched,
            read: view.rows_read,
            version: view.table_version,
        });
        Self {
            views: views.collect(),
            record: set.record().cloned(),
            plan: set.plan().cloned(),
        }
    }
}

impl Kept {
    const fn new(told: Told, rows: u64, written: Option<Written>) -> Self {
        Self {
            told,
            rows,
            written,
        }
    }

    fn to_json(&self, args: &HistoricalArgs, features: usize, applied: u64) -> Value {
        let Told { views, record, .. } = &self.told;
        let version = record.as_ref().map(|record| record.versions.registry);
        let mut told = json!({
            "rows": self.rows,
            "bytes": self.written.map(|written| written.bytes),
            "features": features,
            "registry_version": version.unwrap_or(applied),
            "out": args.out,
            "dataset": args.save,
            "views": views.iter().map(|view| json!({
                "view": view.label,
                "matched": view.matched,
                "rows_read": view.read,
                "table_version": view.version,
            })).collect::<Vec<_>>(),
            "record": record.as_ref().map(fs_training::Record::to_value),
        });
        if let Some(plan) = self.plan(args) {
            told["plan"] = json!(plan.to_string());
        }
        told
    }

    /// The plan, if it is to be shown.
    fn plan(&self, args: &HistoricalArgs) -> Option<&Plan> {
        self.told.plan.as_ref().filter(|_| args.explain)
    }

    fn to_text(&self, args: &HistoricalArgs, features: usize) -> String {
        let what = format!("{} rows with {features} features", grouped(self.rows));
        let saved = args.save.as_ref().map(|name| format!("dataset `{name}`"));
        let mut text = match (&args.out, saved) {
            (Some(out), None) => format!("Wrote {what} to {}\n", out.display()),
            (Some(out), Some(saved)) => {
                format!(
                    "Wrote {what} to {}, and saved them as {saved}\n",
                    out.display()
                )
            }
            (None, saved) => format!("Saved {what} as {}\n", saved.unwrap_or_default()),
        };
        let views = &self.told.views;
        if !views.is_empty() {
            let rows = views.iter().map(|view| {
                let numbers = [view.matched, view.read].map(grouped);
                let [matched, read] = numbers;
                let version = view.version.to_string();
                [view.label.to_string(), matched, read, version]
            });
            let header = ["feature view", "rows matched", "rows read", "table version"];
            text.push_str(&table(header, rows));
        }
        if let Some(plan) = self.plan(args) {
            text.push('\n');
            text.push_str(&plan.to_string());
        }
        text
    }
}
