//! `fs get-online-features`: one feature vector per entity.

use std::path::Path;
use std::sync::Arc;

use arrow::array::ArrayRef;
use fs_core::{Catalog, FeatureRequest, FeatureSet, Naming};
use fs_server::wire;
use fs_serving::{EntityColumns, Serving};

use crate::args::{OnlineArgs, WantedArgs};
use crate::failure::Failure;
use crate::output::Output;
use crate::project::Project;
use crate::remote::Remote;
use crate::vectors::{Feature, Vectors};
use crate::{entities, wall_clock};

pub(super) async fn run(repo: &Path, args: &OnlineArgs, output: Output) -> Result<(), Failure> {
    let project = Project::open(repo)?;
    let (version, catalog) = project.applied().await?;
    let (request, naming) = wanted(&args.wanted);
    let features = FeatureSet::resolve(&catalog, &request, naming)?;
    let keys = entities::columns(&args.entities, &features.key_columns())?;
    let vectors = if let Some(url) = &args.server {
        ask(&Remote::connect(url).await?, &request, naming, keys).await?
    } else {
        let serving = Serving::new(project.online()?, wall_clock::clock(args.now));
        read(&serving, version, &catalog, &request, naming, keys).await?
    };
    let (json, table) = (vectors.to_json()?, vectors.to_table()?);
    output.answer(&json, || table);
    Ok(())
}

/// What was asked for.
pub(super) fn wanted(args: &WantedArgs) -> (FeatureRequest, Naming) {
    let request = match &args.service {
        Some(service) => FeatureRequest::Service(service.clone()),
        None => FeatureRequest::Features(args.features.clone()),
    };
    (
        request,
        if args.full_feature_names {
            Naming::Full
        } else {
            Naming::Short
        },
    )
}

async fn read(
    serving: &Serving,
    version: u64,
    catalog: &Arc<Catalog>,
    request: &FeatureRequest,
    naming: Naming,
    keys: Vec<(String, ArrayRef)>,
) -> Result<Vectors, Failure> {
    let plan = serving.plan(catalog, version, request, naming)?;
    let answer = serving
        .get(&plan, &EntityColumns::new(keys.clone())?)
        .await?;
    let features = answer.columns().map(|column| Feature {
        name: column.name().to_owned(),
        values: column.to_arrow(),
        statuses: (0..answer.rows())
            .map(|row| column.status(row).as_str())
            .collect(),
    });
    Ok(Vectors {
        registry_version: version,
        keys,
        features: features.collect(),
    })
}

/// Asks a server; also what the demo does.
pub(super) async fn ask(
    remote: &Remote,
    request: &FeatureRequest,
    naming: Naming,
    keys: Vec<(String, ArrayRef)>,
) -> Result<Vectors, Failure> {
    let columns = keys
        .iter()
        .map(|(name, values)| wire::named_column(name, values));
    let answer = remote
        .online(request, naming, columns.collect::<Result<_, _>>()?)
        .await?;
    let registry_version = answer.registry_version;
    let features = wire::feature_columns(answer)?
        .into_iter()
        .map(|column| Feature {
            name: column.name,
            values: column.values,
            statuses: column
                .statuses
                .iter()
                .map(|status| status.as_str())
                .collect(),
        });
    Ok(Vectors {
        registry_version,
        keys,
        features: features.collect(),
    })
}
