//! The feature repo that a command works on, and the stores that it names.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fs_core::{Catalog, Clock, Code, Feature, ViewName};
use fs_engine::{Engine, EngineOptions, SourceProblem};
use fs_materialize::{Materializer, Pusher};
use fs_offline::{OfflineOptions, OfflineStore};
use fs_online::OnlineStore;
use fs_online_lmdb::{LmdbOptions, LmdbStore};
use fs_online_redis::{RedisClientCertificate, RedisOptions, RedisStore, RedisTls};
use fs_registry::{LeaseOptions, Leases, Registry};
use fs_spec::{
    Definitions, LoadError, OnlineStoreSettings, Problem, RedisSettings, Repo, Settings, Style,
};
use fs_training::{TrainingOptions, TrainingSets};
use serde_json::json;

use crate::failure::Failure;
use crate::process::{environment, environment_variables};
use crate::{args, wall_clock};

/// A repo whose settings are read; its stores are opened when they are asked for.
#[derive(Debug)]
pub(crate) struct Project {
    /// The folder of the repo, absolute.
    pub(crate) root: PathBuf,
    /// What `feature_store.yaml` says.
    pub(crate) settings: Settings,
}

impl Project {
    /// Reads the settings of the repo; definitions that are being edited do not matter here.
    pub(crate) fn open(repo: &Path) -> Result<Self, Failure> {
        let root = absolute(repo)?;
        let settings = fs_spec::load_settings(&root, &environment).map_err(load_failure)?;
        Ok(Self { root, settings })
    }

    /// The registry.
    pub(crate) fn registry(&self) -> Result<Registry, Failure> {
        let Settings {
            registry, project, ..
        } = &self.settings;
        Ok(Registry::open(
            registry,
            project.clone(),
            environment_variables(),
        )?)
    }

    /// Who may materialize which view now; by the wall clock, also where the past is replayed.
    ///
    /// `FS_LEASE_TTL` says how long a lease stands whose holder is not heard of.
    pub(crate) fn leases(&self) -> Result<Leases, Failure> {
        let leases = self.registry()?.leases(wall_clock::clock(None));
        let Some(ttl) = environment("FS_LEASE_TTL") else {
            return Ok(leases);
        };
        let ttl = args::duration(&ttl).map_err(|problem| {
            Failure::input(format!("`{ttl}` in FS_LEASE_TTL is no time: {problem}"))
        })?;
        Ok(leases.with_options(LeaseOptions::with_ttl(ttl)))
    }

    /// The number and the definitions of the version that is applied.
    pub(crate) async fn applied(&self) -> Result<(u64, Arc<Catalog>), Failure> {
        let current = self.registry()?.current().await?.ok_or_else(|| {
            let message = format!(
                "nothing is applied yet in project `{}`: run `fs apply` first",
                self.settings.project
            );
            Failure::new(Code::FailedPrecondition, message)
        })?;
        Ok((current.number, current.catalog))
    }

    /// The same of version `number`, which need not be the one that is applied.
    pub(crate) async fn at_version(&self, number: u64) -> Result<(u64, Arc<Catalog>), Failure> {
        let version = self.registry()?.version(number).await?;
        Ok((version.number, version.catalog))
    }

    /// The offline tables.
    pub(crate) fn offline(&self) -> Arc<OfflineStore> {
        Arc::new(OfflineStore::with_options(
            &self.settings.offline_store,
            &self.settings.project,
            OfflineOptions::within(self.memory_limit()),
        ))
    }

    /// The query engine.
    pub(crate) fn engine(&self) -> Result<Arc<Engine>, Failure> {
        Ok(Arc::new(Engine::new(EngineOptions {
            base_dir: self.root.clone(),
            memory_limit: self.memory_limit(),
            storage_options: environment_variables().collect(),
        })?))
    }

    /// The online store.
    pub(crate) fn online(&self) -> Result<Arc<dyn OnlineStore>, Failure> {
        Ok(match &self.settings.online_store {
            OnlineStoreSettings::Embedded { path } => {
                Arc::new(LmdbStore::open(path, LmdbOptions::default())?)
            }
            OnlineStoreSettings::Redis(settings) => Arc::new(redis(settings)?),
        })
    }

    /// What answers training sets.
    pub(crate) fn training(&self) -> Result<TrainingSets, Failure> {
        let memory_limit = self.memory_limit();
        let options = TrainingOptions { memory_limit };
        Ok(TrainingSets::new(self.offline(), options)?)
    }

    fn memory_limit(&self) -> Option<usize> {
        let limit = self.settings.memory_limit;
        limit.map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX))
    }

    /// What takes rows from clients.
    pub(crate) fn pusher(&self, clock: Arc<dyn Clock>) -> Result<Pusher, Failure> {
        Ok(Pusher::new(self.offline(), self.online()?, clock))
    }

    /// What brings rows from the sources to the stores.
    pub(crate) fn materializer(&self, clock: Arc<dyn Clock>) -> Result<Materializer, Failure> {
        Ok(Materializer::new(
            self.engine()?,
            self.offline(),
            self.online()?,
            self.leases()?,
            clock,
        ))
    }
}

/// The store in Redis that the settings name.
fn redis(settings: &RedisSettings) -> Result<RedisStore, Failure> {
    let RedisSettings {
        url,
        cluster,
        ca_file,
        client,
        connections,
        connect_timeout,
        read_timeout,
        write_timeout,
        expiry,
    } = settings.clone();
    let client = client.map(|(cert_file, key_file)| RedisClientCertificate {
        cert_file,
        key_file,
    });
    let usual = RedisOptions::default();
    let options = RedisOptions {
        cluster,
        tls: RedisTls { ca_file, client },
        connections: connections.unwrap_or(usual.connections),
        connect_timeout: connect_timeout.unwrap_or(usual.connect_timeout),
        read_timeout: read_timeout.unwrap_or(usual.read_timeout),
        write_timeout: write_timeout.unwrap_or(usual.write_timeout),
        expiry: expiry.unwrap_or(usual.expiry),
        buckets: usual.buckets,
    };
    Ok(RedisStore::connect(&url, options)?)
}

/// A repo whose definitions are valid, also against the real sources.
pub(crate) async fn checked(repo: &Path) -> Result<(Project, Repo), Failure> {
    let root = absolute(repo)?;
    let definitions = fs_spec::load(&root, &environment).map_err(load_failure)?;
    let project = Project {
        root,
        settings: definitions.settings().clone(),
    };
    let engine = project.engine()?;
    let found = inputs(&engine, &definitions).await?;
    let repo = definitions
        .complete(found)
        .map_err(|problems| problems_failure(Code::InvalidArgument, &problems))?;
    let found = engine.check(&repo.catalog).await;
    if found.is_empty() {
        return Ok((project, repo));
    }
    let problem_at = |place: &_, message: &str| repo.problem_at(place, message, None);
    Err(source_failure(&repo.catalog, &found, problem_at))
}

/// The inputs of windowed views that only the sources tell, or all that the sources are found wrong in.
async fn inputs(
    engine: &Engine,
    definitions: &Definitions,
) -> Result<BTreeMap<ViewName, Vec<Feature>>, Failure> {
    let catalog = definitions.catalog();
    let (mut inputs, mut problems) = (BTreeMap::new(), Vec::new());
    for wanted in definitions.wanted() {
        match engine.view_inputs(catalog, &wanted).await {
            Ok(found) => {
                inputs.insert(wanted.view, found);
            }
            Err(more) => problems.extend(more),
        }
    }
    if problems.is_empty() {
        return Ok(inputs);
    }
    for problem in engine.check(catalog).await {
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    }
    let problem_at = |place: &_, message: &str| definitions.problem_at(place, message, None);
    Err(source_failure(catalog, &problems, problem_at))
}

fn source_failure(
    catalog: &Catalog,
    found: &[SourceProblem],
    problem_at: impl Fn(&fs_spec::Place, &str) -> Problem,
) -> Failure {
    let unavailable = found
        .iter()
        .any(|problem| problem.code == Code::Unavailable);
    let problems = found
        .iter()
        .map(|problem| problem_at(&places::of(catalog, &problem.place), &problem.message));
    let mut problems: Vec<Problem> = problems.collect();
    problems.sort_by(|a, b| (&a.file, a.line, a.column).cmp(&(&b.file, b.line, b.column)));
    problems.dedup();
    let code = if unavailable {
        Code::Unavailable
    } else {
        Code::InvalidArgument
    };
    problems_failure(code, &problems)
}

fn absolute(repo: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(repo)
        .map_err(|error| Failure::io(&format!("cannot find `{}`", repo.display()), &error))
}

fn load_failure(error: LoadError) -> Failure {
    match error {
        LoadError::Problems(problems) => problems_failure(Code::InvalidArgument, &problems),
        other => Failure::from(other),
    }
}

fn problems_failure(code: Code, problems: &[Problem]) -> Failure {
    let style = if std::io::stderr().is_terminal() {
        Style::Colored
    } else {
        Style::Plain
    };
    let message = "the definitions are not valid";
    let rendered = fs_spec::render(problems, style);
    Failure::new(code, message)
        .explained(format!("{message}\n\n{}", rendered.trim_end()))
        .with_details(json!({ "problems": problems }))
}

mod places {
    //! From what the engine checked to where it is written.

    use fs_core::{Catalog, ViewName};
    use fs_engine::{Place as Checked, SourceField, ViewField};
    use fs_spec::Place;

    pub(super) fn of(catalog: &Catalog, place: &Checked) -> Place {
        match place.clone() {
            Checked::Source { source, field } => match field {
                SourceField::Path => Place::SourcePath(source),
                SourceField::Query => Place::SourceQuery(source),
                SourceField::TimestampField => Place::SourceTimestampField(source),
                SourceField::CreatedTimestampColumn => Place::SourceCreatedTimestampColumn(source),
                SourceField::FieldMapping(column) => Place::SourceMapping(source, column),
            },
            Checked::View { view, field } => match field {
                ViewField::Query => Place::ViewQuery(view),
                ViewField::JoinKey(key) => {
                    let definition = catalog.feature_views.get(&view);
                    let entity =
                        definition
                            .into_iter()
                            .flat_map(|view| &view.entities)
                            .find(|name| {
                                catalog.entities.get(*name).is_some_and(|entity| {
                                    entity
                                        .join_keys
                                        .iter()
                                        .any(|candidate| candidate.name == key)
                                })
                            });
                    match entity {
                        Some(entity) => Place::ViewEntity(view, entity.clone()),
                        None => Place::View(view),
                    }
                }
                ViewField::Feature(feature) if is_windowed(catalog, &view) => {
                    Place::ViewInput(view, feature)
                }
                ViewField::Feature(feature) => Place::ViewFeature(view, feature),
                ViewField::FeatureColumn(feature) => Place::ViewFeatureColumn(view, feature),
                ViewField::FeatureFilter(feature) => Place::ViewFeatureFilter(view, feature),
                ViewField::Expectation(name) => Place::ViewExpectation(view, name),
            },
        }
    }
    fn is_windowed(catalog: &Catalog, view: &ViewName) -> bool {
        let view = catalog.feature_views.get(view);
        view.is_some_and(|view| view.windows.is_some())
    }
}
