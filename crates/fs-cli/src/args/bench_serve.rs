//! The arguments of `fs bench-serve`.

use std::path::PathBuf;

use clap::{ArgGroup, Args, ValueEnum};
use fs_core::{FeatureRef, ServiceName};
use fs_load::{KeyRange, LoadArgs};

/// `fs bench-serve`
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("server").required(true)))]
#[command(group(ArgGroup::new("wanted").required(true)))]
pub(crate) struct BenchServeArgs {
    /// Ask this server over gRPC
    #[arg(long, value_name = "HOST:PORT", group = "server")]
    pub(crate) grpc: Option<String>,
    /// Ask this server over HTTP, with JSON in the form that Feast's server takes too
    #[arg(long, value_name = "HOST:PORT", group = "server")]
    pub(crate) http: Option<String>,
    /// What to speak over gRPC
    #[arg(long, value_enum, default_value_t = GrpcWire::Native, conflicts_with = "http")]
    pub(crate) wire: GrpcWire,
    /// Ask for the features of this feature service
    #[arg(long, value_name = "SERVICE", group = "wanted")]
    pub(crate) service: Option<ServiceName>,
    /// Ask for these features
    #[arg(
        long,
        value_name = "VIEW:FEATURE,…",
        value_delimiter = ',',
        group = "wanted"
    )]
    pub(crate) features: Vec<FeatureRef>,
    /// Draw a join key that is a whole number from FIRST to END, END exclusive; repeat it for more keys
    #[arg(
        long = "key",
        value_name = "NAME[:int32]=FIRST..END",
        conflicts_with = "entities"
    )]
    pub(crate) keys: Vec<KeyRange>,
    /// Draw entities from the first million rows of this Parquet file
    #[arg(long, value_name = "FILE")]
    pub(crate) entities: Option<PathBuf>,
    /// The columns of the file that are join keys [default: all]
    #[arg(long, value_name = "A,B", value_delimiter = ',', requires = "entities")]
    pub(crate) columns: Vec<String>,
    #[command(flatten)]
    pub(crate) load: LoadArgs,
}

/// What to speak over gRPC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum GrpcWire {
    /// `fs.v1.FeatureStore`
    Native,
    /// `feast.serving.ServingService`
    Feast,
}
