//! The Redis of `feature_store.yaml`.

use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::time::Duration;

use fs_core::Span;

use crate::decode::fields::Fields;
use crate::decode::{Grammar, values};
use crate::position::At;
use crate::problem::Sink;
use crate::settings::{OnlineStoreSettings, RedisSettings};
use crate::tree::Node;

pub(crate) const REDIS: Grammar = Grammar {
    fields: &[
        "type",
        "url",
        "cluster",
        "tls",
        "connections",
        "connect_timeout",
        "read_timeout",
        "write_timeout",
        "expiry",
    ],
    later: &[],
};
pub(crate) const TLS: Grammar = Grammar {
    fields: &["ca_file", "cert_file", "key_file"],
    later: &[],
};

/// More would not be of use: requests share connections.
const MOST_CONNECTIONS: u32 = 256;

/// Decodes `online_store` of type `redis`, whose relative paths are below `root`.
pub(super) fn decode(node: &Node, root: &Path, sink: &mut Sink) -> Option<At<OnlineStoreSettings>> {
    let fields = Fields::open(node, "a redis online store".to_owned(), &REDIS, sink)?;
    let cluster = fields
        .optional("cluster")
        .and_then(|node| values::boolean(node, "`cluster`", sink))
        .unwrap_or_default();
    let url = fields
        .required("url", "redis://127.0.0.1:6379", sink)
        .and_then(|node| url(node, cluster, sink));
    let is_encrypted = url
        .as_ref()
        .is_some_and(|url| url.value.starts_with("rediss://"));
    let tls = fields.optional("tls");
    if let (Some(tls), Some(_), false) = (tls, &url, is_encrypted) {
        let message = "certificates are for a URL that begins with rediss://";
        let help = "write `url: rediss://…`, or leave `tls` out";
        sink.report_with_help(&tls.at, message, help);
    }
    let tls = tls.and_then(|node| tls_files(node, root, sink));
    let mut duration = |field: &str| {
        let node = fields.optional(field)?;
        values::checked(node, &format!("`{field}`"), timeout, sink).map(|found| found.value)
    };
    let connect_timeout = duration("connect_timeout");
    let read_timeout = duration("read_timeout");
    let write_timeout = duration("write_timeout");
    let connections = fields
        .optional("connections")
        .and_then(|node| values::checked(node, "`connections`", connections, sink));
    let expiry = fields
        .optional("expiry")
        .and_then(|node| values::boolean(node, "`expiry`", sink));
    let (ca_file, client) = tls.unwrap_or_default();
    let url = url?;
    let settings = RedisSettings {
        url: url.value,
        cluster,
        ca_file,
        client,
        connections: connections.map(|found| found.value),
        connect_timeout,
        read_timeout,
        write_timeout,
        expiry,
    };
    Some(At {
        value: OnlineStoreSettings::Redis(settings),
        at: url.at,
    })
}

/// The URL may hold a password, so no message repeats it.
fn url(node: &Node, cluster: bool, sink: &mut Sink) -> Option<At<String>> {
    let url = values::text(node, "`url`", sink)?;
    let schemes = ["redis://", "rediss://"];
    if !schemes.iter().any(|scheme| url.value.starts_with(scheme)) {
        let message = "this is not the URL of a Redis server";
        let help = "write `redis://host:port`, or `rediss://host:port` for TLS";
        sink.report_with_help(&url.at, message, help);
        return None;
    }
    let hosts = url.value.rsplit('@').next().unwrap_or_default();
    if hosts.contains(',') && !cluster {
        let message = "only a cluster has several addresses";
        let help = "add `cluster: true`, or leave one address";
        sink.report_with_help(&url.at, message, help);
        return None;
    }
    Some(url)
}

/// The authorities; the certificate of our own and its key.
type Files = (Option<PathBuf>, Option<(PathBuf, PathBuf)>);

fn tls_files(node: &Node, root: &Path, sink: &mut Sink) -> Option<Files> {
    let fields = Fields::open(node, "`tls`".to_owned(), &TLS, sink)?;
    let mut file = |field: &str| {
        let node = fields.optional(field)?;
        let path = values::text(node, &format!("`{field}`"), sink)?;
        Some(root.join(path.value).components().collect())
    };
    let (ca_file, cert_file, key_file) = (file("ca_file"), file("cert_file"), file("key_file"));
    let client = match (fields.has("cert_file"), fields.has("key_file")) {
        (true, false) => {
            fields.required("key_file", "certs/client.key", sink)?;
            None
        }
        (false, true) => {
            fields.required("cert_file", "certs/client.pem", sink)?;
            None
        }
        _ => cert_file.zip(key_file),
    };
    Some((ca_file, client))
}

fn timeout(text: &str) -> Result<Duration, String> {
    let span = Span::from_str(text).map_err(|error| error.to_string())?;
    match u64::try_from(span.as_micros()) {
        Ok(micros) if micros > 0 => Ok(Duration::from_micros(micros)),
        _ => Err("nothing can be done in no time: write a duration such as 500ms or 2s".to_owned()),
    }
}

fn connections(text: &str) -> Result<u32, String> {
    text.parse()
        .ok()
        .filter(|count| (1..=MOST_CONNECTIONS).contains(count))
        .ok_or_else(|| format!("`{text}` is not a number from 1 to {MOST_CONNECTIONS}"))
}
