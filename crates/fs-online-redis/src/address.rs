//! The URL of a Redis, and what of it may be shown.

use fs_online::Error;
use redis::Client;

/// Opens `url`, without connecting, and says how the store is called in messages.
pub(crate) fn open(url: &str) -> Result<(Client, String), Error> {
    match Client::open(url) {
        Ok(client) => {
            let store = format!("redis at {}", client.get_connection_info().addr());
            Ok((client, store))
        }
        Err(error) => Err(Error::CannotOpen {
            store: format!("redis at {}", without_secrets(url)),
            hint: "write its URL as redis://HOST:PORT, rediss://HOST:PORT for TLS, or \
                   unix:///PATH, with USER:PASSWORD@ before the host where it has one",
            source: Box::new(error),
        }),
    }
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
    // A password may hold an unescaped `@`.
    match rest.rsplit_once('@') {
        Some((_secrets, host)) => format!("{scheme}***@{host}"),
        None => format!("{scheme}{rest}"),
    }
}

#[cfg(test)]
mod tests {
    use fs_core::{Code, Coded, code::report};

    use super::*;

    #[test]
    fn a_store_is_called_by_its_address_and_not_by_its_password() {
        for url in [
            "redis://127.0.0.1:6379",
            "redis://me:secret@127.0.0.1:6379/2",
            "redis://:secret@127.0.0.1",
        ] {
            assert_eq!(open(url).unwrap().1, "redis at 127.0.0.1:6379");
        }
    }

    #[test]
    fn a_malformed_url_is_refused_with_an_example_and_without_its_password() {
        for url in [
            "",
            "127.0.0.1:6379",
            "http://me:secret@127.0.0.1",
            "redis://me:se@cret@:99999999",
            "redis://me:secret@127.0.0.1/not_a_number",
            "me:secret@127.0.0.1",
            "redis://me:secret@127.0.0.1:port",
            "unix:relative?pass=secret&db=x",
        ] {
            let error = open(url).unwrap_err();
            assert_eq!(error.code(), Code::FailedPrecondition);
            let text = report(&error);
            assert!(text.contains("redis://HOST:PORT"), "{text}");
            assert!(!text.contains("cret"), "{text}");
        }
    }
}
