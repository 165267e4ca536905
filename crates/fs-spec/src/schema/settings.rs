//! The shape of `feature_store.yaml`.

#![expect(
    dead_code,
    reason = "only the shape matters: nobody makes or reads these"
)]

use schemars::JsonSchema;

use super::values::{Boolean, Connections, Duration, Memory, Name};

/// `feature_store.yaml`: where a project keeps its things.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename = "feature_store")]
pub(super) struct FeatureStore {
    /// The project: one registry, one offline root and one online namespace.
    project: Name,
    /// Where the versions of the registry are.
    registry: Folder,
    /// The root of the Delta tables.
    offline_store: Folder,
    /// Where the newest rows are.
    online_store: OnlineStore,
    /// What does the work.
    engine: Option<Engine>,
}

/// A folder or an object-store URL.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename = "folder")]
struct Folder {
    /// A path relative to the repo, or a URL: file, s3, gs, az.
    path: String,
}

/// Where the newest rows are.
#[derive(JsonSchema)]
#[schemars(untagged, rename = "online_store")]
enum OnlineStore {
    Embedded(Embedded),
    Redis(Redis),
}

/// A folder of this machine.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename = "embedded")]
struct Embedded {
    r#type: EmbeddedType,
    /// The folder, relative to the repo.
    path: String,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case", inline)]
enum EmbeddedType {
    Embedded,
}

/// A Redis server, or a cluster of them.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename = "redis")]
struct Redis {
    r#type: RedisType,
    /// Its `redis://` URL, or `rediss://` for TLS, with `USER:PASSWORD@` before the host where it has
    /// one. Of a cluster, the addresses of some nodes: `redis://HOST:PORT,HOST:PORT`.
    url: String,
    /// Whether it is a Redis Cluster. Default: false.
    cluster: Option<Boolean>,
    /// Certificates for a `rediss://` URL.
    tls: Option<Tls>,
    /// Connections to keep to each server for reads, and as many for writes. Default: 1; requests share
    /// them.
    connections: Option<Connections>,
    /// The longest that opening a connection may take. Default: 1s.
    connect_timeout: Option<Duration>,
    /// The longest that a read may take. Default: 1s.
    read_timeout: Option<Duration>,
    /// The longest that a round trip of a write may take. Default: 10s.
    write_timeout: Option<Duration>,
    /// Whether rows are forgotten a day after their `ttl` has passed. Default: true.
    expiry: Option<Boolean>,
}

/// Files with certificates, in PEM, relative to the repo.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename = "redis_tls")]
#[expect(clippy::struct_field_names, reason = "the names are those of the YAML")]
struct Tls {
    /// The authorities to trust. Default: those that browsers trust.
    ca_file: Option<String>,
    /// A certificate of our own, for a server that asks for one.
    cert_file: Option<String>,
    /// The private key of that certificate.
    key_file: Option<String>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case", inline)]
enum RedisType {
    Redis,
}

/// What does the work.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename = "engine")]
struct Engine {
    r#type: EngineType,
    /// Most bytes that queries may hold in memory; no limit if absent.
    memory_limit: Option<Memory>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case", inline)]
enum EngineType {
    Local,
}
