//! The command line.

mod bench_serve;
mod jobs;
mod materialize;
mod scheduler;
mod serve;
mod tend;

use std::path::PathBuf;

use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum};
use fs_core::{DatasetName, EventTime, FeatureRef, ServiceName, ViewName};

pub(crate) use self::bench_serve::{BenchServeArgs, GrpcWire};
pub(crate) use self::jobs::{JobStatus, JobsCommand, JobsListArgs};
pub(crate) use self::materialize::{IncrementalArgs, MannerArgs, MaterializeArgs};
pub(crate) use self::scheduler::{BesideArgs, SchedulerArgs};
pub(crate) use self::serve::{LogFormat, ServeArgs, WatchArgs, duration};
pub(crate) use self::tend::{OptimizeArgs, QuarantineCommand, VacuumArgs};
use crate::output::Format;

/// A feature store: definitions in YAML, history in Delta Lake, newest values in Redis or LMDB.
#[derive(Debug, Parser)]
#[command(name = "fs", version, max_term_width = 100)]
pub(crate) struct Cli {
    /// The feature repo: the folder with `feature_store.yaml`
    #[arg(
        short = 'C',
        long = "repo",
        value_name = "REPO",
        default_value = ".",
        global = true
    )]
    pub(crate) repo: PathBuf,
    /// How to print the answer
    #[arg(long, value_enum, default_value_t = Format::Human, global = true)]
    pub(crate) format: Format,
    /// Say more on standard error (-v, -vv, -vvv)
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    pub(crate) verbose: u8,
    /// What to do
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What there is to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Write a small repo that runs as it is
    Init(InitArgs),
    /// Check the definitions, also against the real sources
    Validate,
    /// Show what an apply would change
    Plan,
    /// Record the definitions as the next version of the registry
    Apply(ApplyArgs),
    /// Bring [START, END) from the sources into the offline and the online store
    Materialize(MaterializeArgs),
    /// Bring everything that is new since the watermark
    MaterializeIncremental(IncrementalArgs),
    /// Push rows from a file to a feature view, or to all views of a source
    Push(PushArgs),
    /// Run scheduled materializations when they are due, together with all other schedulers
    Scheduler(SchedulerArgs),
    /// Serve feature vectors (gRPC), training sets (Arrow Flight), health and metrics (HTTP)
    Serve(ServeArgs),
    /// Look up one feature vector per entity
    GetOnlineFeatures(OnlineArgs),
    /// Join features to the rows of a spine, as they were at each row's time
    GetHistoricalFeatures(HistoricalArgs),
    /// The entities of the registry
    #[command(subcommand)]
    Entities(CatalogueCommand),
    /// The sources of the registry
    #[command(subcommand)]
    Sources(CatalogueCommand),
    /// The feature views of the registry
    #[command(subcommand)]
    FeatureViews(CatalogueCommand),
    /// The feature services of the registry
    #[command(subcommand)]
    FeatureServices(CatalogueCommand),
    /// The versions of the registry
    #[command(subcommand)]
    Registry(RegistryCommand),
    /// The training sets that were saved under a name
    #[command(subcommand)]
    Datasets(DatasetsCommand),
    /// The materialization runs
    #[command(subcommand)]
    Jobs(JobsCommand),
    /// The rows that broke an expectation and were put aside
    #[command(subcommand)]
    Quarantine(QuarantineCommand),
    /// Put small data files of the offline tables together, without changing a row
    Optimize(OptimizeArgs),
    /// Remove files of the offline tables that only old versions need
    Vacuum(VacuumArgs),
    /// Remove what apply and materialize made
    Teardown(TeardownArgs),
    /// Print the JSON Schema of the definition files
    Schema,
    /// Ask a server whether it is healthy
    Health(HealthArgs),
    /// Put load on a feature server and say what it took to answer
    BenchServe(Box<BenchServeArgs>),
    /// All of the above on this repo, explained as it goes
    Demo(DemoArgs),
}

/// `fs init`
#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// The folder to make; it must not hold a repo already
    pub(crate) dir: PathBuf,
}

/// `fs apply`
#[derive(Debug, Args)]
pub(crate) struct ApplyArgs {
    /// Apply even where a service loses a feature or a table cannot follow
    #[arg(long)]
    pub(crate) force: bool,
    /// A note for the history
    #[arg(long, value_name = "TEXT")]
    pub(crate) note: Option<String>,
}

/// `fs push`
#[derive(Debug, Args)]
pub(crate) struct PushArgs {
    /// A feature view; or a source, for all its views without a query
    pub(crate) name: String,
    /// The rows: a Parquet, CSV or JSON file, with the columns of the view or of its source
    #[arg(long, value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Where they go
    #[arg(long, value_enum, default_value_t = To::Both)]
    pub(crate) to: To,
    /// Makes a push that is run again count once, for a day
    #[arg(long, value_name = "KEY")]
    pub(crate) idempotency_key: Option<String>,
    /// Push through this server instead of opening the stores
    #[arg(long, value_name = "URL")]
    pub(crate) server: Option<String>,
    /// Receive the rows at this instant instead of now, to replay the past
    #[arg(long, value_name = "TIME", value_parser = event_time, conflicts_with = "server")]
    pub(crate) now: Option<EventTime>,
}

/// Where pushed rows go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum To {
    /// To the online store: they are in no training set
    Online,
    /// To the offline table: the next run publishes them
    Offline,
    /// To both
    Both,
}

/// Which features.
#[derive(Debug, Args)]
pub(crate) struct WantedArgs {
    /// The features of this feature service
    #[arg(long, value_name = "SERVICE", group = "wanted")]
    pub(crate) service: Option<ServiceName>,
    /// These features
    #[arg(
        long,
        value_name = "VIEW:FEATURE,…",
        value_delimiter = ',',
        group = "wanted"
    )]
    pub(crate) features: Vec<FeatureRef>,
    /// Name the columns `view__feature`
    #[arg(long)]
    pub(crate) full_feature_names: bool,
}

impl WantedArgs {
    /// Whether features are named.
    pub(crate) const fn is_given(&self) -> bool {
        self.service.is_some() || !self.features.is_empty()
    }
}

/// `fs get-online-features`
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("wanted").required(true)))]
pub(crate) struct OnlineArgs {
    #[command(flatten)]
    pub(crate) wanted: WantedArgs,
    /// The join keys of one entity; repeat it for more. Features of views without entities need none
    #[arg(long = "entity", value_name = "KEY=VALUE[,KEY=VALUE]")]
    pub(crate) entities: Vec<String>,
    /// Ask this server instead of opening the store
    #[arg(long, value_name = "URL")]
    pub(crate) server: Option<String>,
    /// Read as of this instant instead of now
    #[arg(long, value_name = "TIME", value_parser = event_time, conflicts_with = "server")]
    pub(crate) now: Option<EventTime>,
}

/// `fs get-historical-features`
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("rows")))]
pub(crate) struct HistoricalArgs {
    #[command(flatten)]
    pub(crate) wanted: WantedArgs,
    /// The rows to join features to: a Parquet or CSV file
    #[arg(
        long,
        value_name = "FILE",
        group = "rows",
        required_unless_present_any = ["at_versions", "spine_sql", "as_of"]
    )]
    pub(crate) spine: Option<PathBuf>,
    /// The rows to join features to: what this SELECT takes from the sources and offline tables
    #[arg(long, value_name = "SQL", group = "rows")]
    pub(crate) spine_sql: Option<String>,
    /// Join features to every key, as of this instant
    #[arg(long, value_name = "TIME", group = "rows", value_parser = event_time)]
    pub(crate) as_of: Option<EventTime>,
    /// Where the training set goes: a Parquet or CSV file
    #[arg(long, value_name = "FILE", required_unless_present = "save")]
    pub(crate) out: Option<PathBuf>,
    /// Keep the training set as a dataset of this name
    #[arg(long, value_name = "NAME")]
    pub(crate) save: Option<DatasetName>,
    /// Read the versions that this training set was made of: its Parquet file, or its record as
    /// JSON. By itself, makes the same training set again
    #[arg(long, value_name = "FILE")]
    pub(crate) at_versions: Option<PathBuf>,
    /// The spine's time column [default: `event_timestamp`, or the only timestamp column]
    #[arg(long, value_name = "COLUMN")]
    pub(crate) timestamp_field: Option<String>,
    /// Ask this server over Arrow Flight instead of reading the tables
    #[arg(long, value_name = "URL")]
    pub(crate) server: Option<String>,
    /// Show how the training set was made: the operators, and what each read, kept and spilled
    #[arg(long)]
    pub(crate) explain: bool,
}

/// `fs entities|sources|feature-views|feature-services`
#[derive(Debug, Subcommand)]
pub(crate) enum CatalogueCommand {
    /// All of them
    List,
    /// One of them
    Describe {
        /// Its name
        name: String,
    },
}

/// `fs registry`
#[derive(Debug, Subcommand)]
pub(crate) enum RegistryCommand {
    /// The versions, newest first
    History,
    /// The definitions of one version
    Show {
        /// Its number
        #[arg(value_parser = version_number)]
        version: u64,
    },
    /// Record the definitions of an earlier version as the next one
    Rollback {
        /// The number of the earlier version
        #[arg(value_parser = version_number)]
        version: u64,
        /// Also where a service loses a feature or a table cannot follow
        #[arg(long)]
        force: bool,
    },
}

/// `fs datasets`
#[derive(Debug, Subcommand)]
pub(crate) enum DatasetsCommand {
    /// All of them
    List,
    /// One of them: what it was made of, and its columns
    Show {
        /// Its name
        name: DatasetName,
    },
    /// Remove one of them
    Drop {
        /// Its name
        name: DatasetName,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

/// `fs teardown`
#[derive(Debug, Args)]
pub(crate) struct TeardownArgs {
    /// Do not ask
    #[arg(long)]
    pub(crate) yes: bool,
    /// Only the rows of these views, offline and online; the registry stays
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    pub(crate) views: Vec<ViewName>,
}

/// `fs health`
#[derive(Debug, Args)]
pub(crate) struct HealthArgs {
    /// The server
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:50051")]
    pub(crate) server: String,
}

/// `fs demo`
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Where the training set goes [default: `.fs/training_set.parquet` in the repo]
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

fn version_number(text: &str) -> Result<u64, &'static str> {
    let number = text.parse().ok();
    number.ok_or("write the number of a version, such as 3")
}

fn event_time(text: &str) -> Result<EventTime, fs_core::time::TimeError> {
    text.parse()
}
