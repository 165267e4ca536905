//! `fs push`: rows from a file to the stores.

mod file;

use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;
use fs_core::{Catalog, ViewName};
use fs_materialize::{PushTo, Pusher, RowOutcome, Target};
use fs_proto::v1;
use fs_server::wire;
use serde_json::{Value, json};

use crate::args::{PushArgs, To};
use crate::failure::Failure;
use crate::output::{Output, grouped, lines, table};
use crate::project::Project;
use crate::remote::Remote;
use crate::wall_clock;

/// Rows that go in one push; further ones follow in others.
const ROWS_AT_ONCE: usize = 50_000;

pub(super) async fn run(repo: &Path, args: &PushArgs, output: Output) -> Result<(), Failure> {
    let project = Project::open(repo)?;
    let (_, catalog) = project.applied().await?;
    let target = Target::named(&catalog, &args.name)?;
    let mut rows = Vec::new();
    for view in &target.views {
        let of_view = file::rows(&catalog, view, &args.file).await?;
        rows.push((view.name.clone(), of_view));
    }
    let door = if let Some(url) = &args.server {
        Door::Server(Remote::connect(url).await?)
    } else {
        let pusher = project.pusher(wall_clock::clock(args.now))?;
        Door::Stores(pusher, Arc::clone(&catalog))
    };
    let mut done = Vec::new();
    for (view, rows) in rows {
        done.push(push_all(&door, view, &rows, args).await?);
    }
    let left_out = target.left_out.iter();
    let left_out: Vec<_> = left_out
        .map(|(view, why)| (view.to_string(), why.clone()))
        .collect();
    print(&done, &left_out, output);
    Ok(())
}

/// The way to the stores.
enum Door {
    Stores(Pusher, Arc<Catalog>),
    Server(Remote),
}

/// What became of the rows in one view.
struct Done {
    view: ViewName,
    outcomes: Vec<&'static str>,
    repeated: bool,
}

async fn push_all(
    door: &Door,
    view: ViewName,
    rows: &RecordBatch,
    args: &PushArgs,
) -> Result<Done, Failure> {
    let mut done = Done {
        view,
        outcomes: Vec::with_capacity(rows.num_rows()),
        repeated: false,
    };
    let parts = rows.num_rows().div_ceil(ROWS_AT_ONCE);
    for part in 0..parts {
        let first = part * ROWS_AT_ONCE;
        let some = rows.slice(first, ROWS_AT_ONCE.min(rows.num_rows() - first));
        let key = args.idempotency_key.as_ref().map(|key| match parts {
            1 => key.clone(),
            _ => format!("{key} {part}"),
        });
        match door {
            Door::Stores(pusher, catalog) => {
                let to = args.to.into();
                let work = pusher.push(catalog, &done.view, &some, to, key.as_deref());
                let report = work.await?;
                done.repeated |= report.repeated;
                done.outcomes.extend(report.outcomes.into_iter().map(word));
            }
            Door::Server(remote) => {
                let response = remote
                    .push(request(&done.view, &some, args.to, key)?)
                    .await?;
                for view in response.views {
                    done.repeated |= view.repeated;
                    done.outcomes
                        .extend(view.outcomes.into_iter().map(word_of_byte));
                }
            }
        }
    }
    Ok(done)
}

fn request(
    view: &ViewName,
    rows: &RecordBatch,
    to: To,
    key: Option<String>,
) -> Result<v1::PushRequest, Failure> {
    let schema = rows.schema();
    let names = schema.fields().iter().map(|field| field.name());
    let columns = names.zip(rows.columns());
    let columns = columns.map(|(name, values)| wire::named_column(name, values));
    Ok(v1::PushRequest {
        name: view.to_string(),
        columns: columns.collect::<Result<_, _>>()?,
        to: match to {
            To::Online => v1::PushTo::Online,
            To::Offline => v1::PushTo::Offline,
            To::Both => v1::PushTo::Both,
        }
        .into(),
        idempotency_key: key.unwrap_or_default(),
    })
}

impl From<To> for PushTo {
    fn from(to: To) -> Self {
        match to {
            To::Online => Self::Online,
            To::Offline => Self::Offline,
            To::Both => Self::Both,
        }
    }
}

const STORED: &str = "stored";
const OUTDONE: &str = "outdone";
const APPENDED: &str = "appended";
const LATER: &str = "later";
const IGNORED: &str = "ignored";

const fn word(outcome: RowOutcome) -> &'static str {
    match outcome {
        RowOutcome::Stored => STORED,
        RowOutcome::Outdone => OUTDONE,
        RowOutcome::Appended => APPENDED,
        RowOutcome::Later => LATER,
        RowOutcome::Ignored => IGNORED,
    }
}

fn word_of_byte(outcome: u8) -> &'static str {
    match v1::PushOutcome::try_from(i32::from(outcome)) {
        Ok(v1::PushOutcome::Stored) => STORED,
        Ok(v1::PushOutcome::Outdone) => OUTDONE,
        Ok(v1::PushOutcome::Appended) => APPENDED,
        Ok(v1::PushOutcome::Later) => LATER,
        Ok(v1::PushOutcome::Ignored) => IGNORED,
        Ok(v1::PushOutcome::Unspecified) | Err(_) => "unknown to this release",
    }
}

fn print(done: &[Done], left_out: &[(String, String)], output: Output) {
    let views = done.iter().map(|done| {
        json!({
            "view": done.view,
            "rows": done.outcomes.len(),
            "outcomes": done.outcomes,
            "repeated": done.repeated,
        })
    });
    let out = left_out
        .iter()
        .map(|(view, reason)| json!({ "view": view, "reason": reason }));
    let value = json!({
        "views": views.collect::<Vec<Value>>(),
        "left_out": out.collect::<Vec<Value>>(),
    });
    output.answer(&value, || {
        let rows = done.iter().map(|done| {
            let count = |words: &[&str]| {
                let of = done.outcomes.iter().filter(|word| words.contains(*word));
                grouped(of.count() as u64)
            };
            [
                done.view.to_string(),
                grouped(done.outcomes.len() as u64),
                count(&[STORED]),
                count(&[OUTDONE]),
                count(&[APPENDED, LATER]),
            ]
        });
        let header = [
            "feature view",
            "rows",
            "stored online",
            "outdone",
            "published later",
        ];
        let repeated = done.iter().filter(|done| done.repeated).map(|done| {
            format!(
                "{}: pushed before under this key; that push counts, not this one",
                done.view
            )
        });
        let left_out = left_out
            .iter()
            .map(|(view, why)| format!("{view}: left out, {why}"));
        table(header, rows) + &lines(repeated.chain(left_out))
    });
}
