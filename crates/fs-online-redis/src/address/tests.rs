use std::path::PathBuf;

use fs_core::{Code, Coded, code::report};

use super::*;
use crate::{RedisClientCertificate, RedisTls};

fn single() -> RedisOptions {
    RedisOptions::default()
}

fn cluster() -> RedisOptions {
    RedisOptions {
        cluster: true,
        ..single()
    }
}

fn refused(url: &str, options: &RedisOptions, expected: &str) {
    let error = open(url, options).unwrap_err();
    assert_eq!(error.code(), Code::FailedPrecondition);
    let text = report(&error);
    assert!(text.contains(expected), "{text}");
    assert!(!text.contains("cret"), "{text}");
}

#[test]
fn a_store_is_called_by_its_address_and_not_by_its_password() {
    for url in [
        "redis://127.0.0.1:6379",
        "redis://me:secret@127.0.0.1:6379/2",
        "redis://:secret@127.0.0.1",
        "rediss://:secret@127.0.0.1:6379",
    ] {
        let address = open(url, &single()).unwrap();
        assert_eq!(address.store, "redis at 127.0.0.1:6379");
    }
}

#[test]
fn a_cluster_is_called_by_the_nodes_that_its_url_names() {
    let url = "redis://me:se@cret@a:7000,b, [::1]:7002/0";
    let address = open(url, &cluster()).unwrap();
    assert_eq!(address.store, "redis cluster at a:7000, b:6379, ::1:7002");
    for server in [vec![address.server], address.others].concat() {
        let settings = server.get_connection_info().redis_settings().clone();
        assert_eq!(settings.username(), Some("me"));
        assert_eq!(settings.password(), Some("se@cret"));
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
        refused(url, &single(), "redis://HOST:PORT, rediss://");
        refused(url, &cluster(), "redis://HOST:PORT,HOST:PORT");
    }
}

#[test]
fn what_only_a_cluster_has_and_what_no_cluster_has_is_refused() {
    refused("redis://:secret@a,b", &single(), "`cluster: true`");
    for url in ["redis://:secret@a/3", "unix:///a/socket", "redis://a,b/3"] {
        refused(url, &cluster(), "HOST:PORT,HOST:PORT");
    }
}

#[test]
fn certificates_are_for_tls_and_must_be_there() {
    let with = |tls| RedisOptions { tls, ..single() };
    let missing = PathBuf::from("/nowhere/cert.pem");
    let authority = RedisTls {
        ca_file: Some(missing.clone()),
        client: None,
    };
    refused("redis://:secret@a", &with(authority.clone()), "rediss://");
    refused("rediss://:secret@a", &with(authority), "/nowhere/cert.pem");
    let client = RedisClientCertificate {
        cert_file: missing.clone(),
        key_file: missing,
    };
    let client = RedisTls {
        ca_file: None,
        client: Some(client),
    };
    refused("rediss://:secret@a", &with(client), "/nowhere/cert.pem");
}
