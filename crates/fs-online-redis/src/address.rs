//! The URL of a Redis, and what of it may be shown.

use std::path::Path;

use fs_online::Error;
use fs_online::error::Cause;
use redis::{
    Client, ClientTlsConfig, ConnectionAddr, ConnectionInfo, IntoConnectionInfo as _,
    TlsCertificates,
};

use crate::RedisOptions;

const URL_HINT: &str = "write its URL as redis://HOST:PORT, rediss://HOST:PORT for TLS, or \
                        unix:///PATH, with USER:PASSWORD@ before the host where it has one";
const CLUSTER_HINT: &str = "write the URL of a cluster as redis://HOST:PORT,HOST:PORT or \
                            rediss://HOST:PORT,HOST:PORT with some of its nodes, without a database";
const LIST_HINT: &str = "only a cluster has several addresses: set `cluster: true`, or leave one";
const TLS_HINT: &str = "certificates are for a URL that begins with rediss://";
const FILE_HINT: &str = "check the files with its certificates";

/// The servers that a URL names.
#[derive(Debug)]
pub(crate) struct Address {
    /// How the store is called in messages.
    pub(crate) store: String,
    /// The first server of the URL.
    pub(crate) server: Client,
    /// The others.
    pub(crate) others: Vec<Client>,
}

/// Opens `url`, without connecting.
pub(crate) fn open(url: &str, options: &RedisOptions) -> Result<Address, Error> {
    let kind = if options.cluster {
        "redis cluster"
    } else {
        "redis"
    };
    let refuse = |hint: &'static str, source: Cause| Error::CannotOpen {
        store: format!("{kind} at {}", without_secrets(url)),
        hint,
        source,
    };
    let urls = one_by_one(url);
    if urls.len() > 1 && !options.cluster {
        return Err(refuse(LIST_HINT, "it names several servers".into()));
    }
    let hint = if options.cluster {
        CLUSTER_HINT
    } else {
        URL_HINT
    };
    let open = |url: &String| {
        let info = url
            .as_str()
            .into_connection_info()
            .map_err(|error| refuse(hint, error.into()))?;
        if options.cluster && !is_of_cluster(&info) {
            return Err(refuse(hint, "no cluster is reached like this".into()));
        }
        client(info, options).map_err(|(hint, source)| refuse(hint, source))
    };
    let (first, rest) = urls
        .split_first()
        .ok_or_else(|| refuse(hint, "it is empty".into()))?;
    let server = open(first)?;
    let others: Vec<Client> = rest.iter().map(open).collect::<Result<_, _>>()?;
    let names: Vec<String> = std::iter::once(&server)
        .chain(&others)
        .map(address_of)
        .collect();
    Ok(Address {
        store: format!("{kind} at {}", names.join(", ")),
        server,
        others,
    })
}

/// Host and port of a server, or the path of its socket.
pub(crate) fn address_of(client: &Client) -> String {
    client.get_connection_info().addr().to_string()
}

fn is_of_cluster(info: &ConnectionInfo) -> bool {
    !matches!(info.addr(), ConnectionAddr::Unix(_)) && info.redis_settings().db() == 0
}

/// A client for a server, with the certificates of the options.
fn client(info: ConnectionInfo, options: &RedisOptions) -> Result<Client, (&'static str, Cause)> {
    let tls = &options.tls;
    if *tls == crate::RedisTls::default() {
        return Client::open(info).map_err(|error| (URL_HINT, error.into()));
    }
    if !matches!(info.addr(), ConnectionAddr::TcpTls { .. }) {
        return Err((TLS_HINT, "it is not reached over TLS".into()));
    }
    let read = |path: &Path| {
        pem(path).map_err(|problem| {
            let cause = format!("{}: {problem}", path.display());
            (FILE_HINT, Cause::from(cause))
        })
    };
    let client_tls = match &tls.client {
        None => None,
        Some(files) => Some(ClientTlsConfig {
            client_cert: read(&files.cert_file)?,
            client_key: read(&files.key_file)?,
        }),
    };
    let root_cert = tls.ca_file.as_deref().map(read).transpose()?;
    let certificates = TlsCertificates {
        client_tls,
        root_cert,
    };
    Client::build_with_tls(info, certificates).map_err(|error| (FILE_HINT, error.into()))
}

/// What a file of certificates or keys holds.
fn pem(path: &Path) -> Result<Vec<u8>, String> {
    const BEGIN: &[u8] = b"-----BEGIN ";
    let bytes = std::fs::read(path).map_err(|error| format!("it cannot be read: {error}"))?;
    // Without this, a file that holds nothing would be taken for one without certificates.
    if bytes.windows(BEGIN.len()).any(|window| window == BEGIN) {
        Ok(bytes)
    } else {
        Err("it is no PEM file".to_owned())
    }
}

/// `scheme://user@a:1,b:2/path` as `scheme://user@a:1/path` and `scheme://user@b:2/path`.
fn one_by_one(url: &str) -> Vec<String> {
    let Some((scheme, rest)) = url.split_once("://") else {
        return vec![url.to_owned()];
    };
    // A password may hold an unescaped `@`.
    let (user, rest) = match rest.rsplit_once('@') {
        Some((user, rest)) => (format!("{user}@"), rest),
        None => (String::new(), rest),
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (hosts, tail) = rest.split_at(end);
    hosts
        .split(',')
        .map(|host| format!("{scheme}://{user}{}{tail}", host.trim()))
        .collect()
}

/// `url` without user, password and query.
///
/// It need not be a URL at all: whatever stands before an `@` may be a password.
fn without_secrets(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    let (scheme, rest) = match url.split_once("://") {
        Some((scheme, rest)) => (format!("{scheme}://"), rest),
        None => (String::new(), url),
    };
    match rest.rsplit_once('@') {
        Some((_secrets, host)) => format!("{scheme}***@{host}"),
        None => format!("{scheme}{rest}"),
    }
}

#[cfg(test)]
mod tests;
