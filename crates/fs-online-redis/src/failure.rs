//! What the errors of Redis mean here.

use std::error::Error as StdError;

use fs_online::Error;
use redis::{ErrorKind, RedisError, ServerErrorKind};

/// A connection could not be opened.
pub(crate) fn cannot_connect(store: &str, error: RedisError) -> Error {
    if is_refusal(&error) {
        return refused(store, error);
    }
    if is_about_certificates(&error) {
        return Error::CannotOpen {
            store: store.to_owned(),
            hint: "check the certificates under `tls` in feature_store.yaml, and those of the server",
            source: Box::new(error),
        };
    }
    Error::Unavailable {
        store: store.to_owned(),
        source: Box::new(error),
    }
}

/// A command failed, or the connection did.
pub(crate) fn failed(store: &str, operation: &'static str, error: RedisError) -> Error {
    if is_refusal(&error) {
        return refused(store, error);
    }
    let store = store.to_owned();
    if error.code() == Some("OOM") {
        return Error::Full {
            store,
            hint: "raise its `maxmemory`, or publish fewer views".to_owned(),
        };
    }
    let source = Box::new(error);
    if let Some(hint) = about_the_cluster(&source) {
        return Error::CannotOpen {
            store,
            hint,
            source,
        };
    }
    if is_passing(&source) {
        return Error::Unavailable { store, source };
    }
    Error::Failed {
        store,
        operation,
        source,
    }
}

fn refused(store: &str, error: RedisError) -> Error {
    Error::CannotOpen {
        store: store.to_owned(),
        hint: "check the user and the password in its URL, and what that user may do",
        source: Box::new(error),
    }
}

/// Whether it is about who we are.
fn is_refusal(error: &RedisError) -> bool {
    error.kind() == ErrorKind::AuthenticationFailed
        || matches!(error.code(), Some("NOAUTH" | "WRONGPASS" | "NOPERM"))
}

/// Whether one side does not trust the other.
fn is_about_certificates(error: &RedisError) -> bool {
    let causes = std::iter::successors(Some(error as &dyn StdError), |&error| error.source());
    // As rustls calls them, and the alerts that the other side sends.
    let names = ["certificate", "unknownca", "handshakefailure"];
    let is_meant = |cause: &dyn StdError| {
        let text = cause.to_string().to_lowercase();
        names.iter().any(|name| text.contains(name))
    };
    error.is_io_error() && causes.into_iter().any(is_meant)
}

/// What to change, if there is a cluster where none was expected, or none where one was.
fn about_the_cluster(error: &RedisError) -> Option<&'static str> {
    let detail = error.detail().unwrap_or_default();
    match error.kind() {
        ErrorKind::Server(ServerErrorKind::Moved | ServerErrorKind::CrossSlot) => {
            Some("it is a node of a Redis Cluster: set `cluster: true` in feature_store.yaml")
        }
        _ if detail.contains("cluster support disabled") => {
            Some("it is no Redis Cluster: leave `cluster: true` out of feature_store.yaml")
        }
        _ => None,
    }
}

/// Whether it goes away by itself: the server is gone, loading, or no longer the one that is written.
fn is_passing(error: &RedisError) -> bool {
    use ServerErrorKind::{BusyLoading, ClusterDown, MasterDown, ReadOnly, TryAgain};

    error.is_io_error()
        || error.is_unrecoverable_error()
        || matches!(
            error.kind(),
            ErrorKind::Server(BusyLoading | MasterDown | ClusterDown | TryAgain | ReadOnly)
        )
}
