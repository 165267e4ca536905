//! Encryption, certificates, users and what they may do.

use std::path::PathBuf;
use std::sync::Arc;

use fs_core::code::report;
use fs_core::{Code, Coded};
use fs_online::{OnlineStore, RowWrite, conformance};
use fs_online_redis::{RedisClientCertificate, RedisOptions, RedisStore, RedisTls};
use fs_testkit::net::free_port;
use fs_testkit::redis::TestRedis;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tempfile::TempDir;

use crate::fixture::{READS, WRITES, key, layout, options, read, row, store, view, write};

/// An authority, and certificates of a server and of a client that it has signed.
struct Certificates {
    folder: TempDir,
}

impl Certificates {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
            .distinguished_name
            .push(DnType::CommonName, "authority");
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let certificates = Self { folder };
        std::fs::write(certificates.path("ca.pem"), authority.pem()).unwrap();
        for name in ["server", "client"] {
            let key = KeyPair::generate().unwrap();
            let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
            params.distinguished_name.push(DnType::CommonName, name);
            let certificate = params.signed_by(&key, &authority).unwrap();
            let file = |end: &str| certificates.path(&format!("{name}.{end}"));
            std::fs::write(file("pem"), certificate.pem()).unwrap();
            std::fs::write(file("key"), key.serialize_pem()).unwrap();
        }
        certificates
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A server that is reached over TLS, and its URL.
    fn server(&self, asks_for_client: bool) -> (TestRedis, String) {
        let port = free_port().unwrap().to_string();
        let file = |name: &str| self.path(name).to_str().unwrap().to_owned();
        let (cert, key, ca) = (file("server.pem"), file("server.key"), file("ca.pem"));
        let redis = TestRedis::private_with(&[
            "--tls-port",
            &port,
            "--tls-cert-file",
            &cert,
            "--tls-key-file",
            &key,
            "--tls-ca-cert-file",
            &ca,
            "--tls-auth-clients",
            if asks_for_client { "yes" } else { "no" },
        ]);
        // Whoever looks for a provider of cryptography first installs it.
        rustls::crypto::aws_lc_rs::default_provider()
            .install_default()
            .ok();
        (redis.unwrap(), format!("rediss://127.0.0.1:{port}"))
    }

    fn tls(&self, client: bool) -> RedisTls {
        RedisTls {
            ca_file: Some(self.path("ca.pem")),
            client: client.then(|| RedisClientCertificate {
                cert_file: self.path("client.pem"),
                key_file: self.path("client.key"),
            }),
        }
    }
}

fn with(tls: RedisTls) -> RedisOptions {
    RedisOptions { tls, ..options() }
}

#[tokio::test]
async fn rows_are_written_and_read_over_tls_by_who_trusts_the_authority() {
    let certificates = Certificates::new();
    let (_redis, url) = certificates.server(false);
    let view = view();
    let store = RedisStore::connect(&url, with(certificates.tls(false))).unwrap();
    assert_eq!(write(&store, &view, 10, 1).await.unwrap(), 10);
    assert_eq!(read(&store, &view, 9).await.unwrap(), Some(row(1)));

    let stranger = RedisStore::connect(&url, options()).unwrap();
    let error = read(&stranger, &view, 9).await.unwrap_err();
    assert_eq!(error.code(), Code::FailedPrecondition, "{}", report(&error));
    assert!(report(&error).contains("`tls`"), "{}", report(&error));
}

#[tokio::test]
async fn a_server_that_asks_who_we_are_gets_our_certificate() {
    let certificates = Certificates::new();
    let (_redis, url) = certificates.server(true);
    let store = RedisStore::connect(&url, with(certificates.tls(true))).unwrap();
    assert_eq!(write(&store, &view(), 10, 1).await.unwrap(), 10);

    let nobody = RedisStore::connect(&url, with(certificates.tls(false))).unwrap();
    let error = nobody.ping().await.unwrap_err();
    assert_eq!(error.code(), Code::FailedPrecondition, "{}", report(&error));
    assert!(report(&error).contains("`tls`"), "{}", report(&error));
}

#[tokio::test]
async fn a_file_that_is_no_certificate_is_refused_with_its_reason() {
    let certificates = Certificates::new();
    std::fs::write(certificates.path("ca.pem"), "no certificate").unwrap();
    std::fs::write(certificates.path("client.pem"), "no certificate").unwrap();
    let url = "rediss://:secret@127.0.0.1:6379";
    let error = RedisStore::connect(url, with(certificates.tls(true))).unwrap_err();
    assert_eq!(error.code(), Code::FailedPrecondition);
    let text = report(&error);
    assert!(
        text.contains("certificates") && !text.contains("secret"),
        "{text}"
    );
}

/// Makes a user; the URL that it uses.
fn user(redis: &TestRedis, name: &str, rights: &str) -> String {
    let mut server = redis.connect().unwrap();
    let mut set = redis::cmd("ACL");
    set.arg(&["SETUSER", name, "reset", "on", ">secret", "~fs1:*"]);
    set.arg(rights.split_whitespace().collect::<Vec<_>>());
    set.exec(&mut server).unwrap();
    format!("redis://{name}:secret@{}", redis.address().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_needs_no_more_than_the_documented_rights() {
    let redis = TestRedis::private().unwrap();
    let url = user(&redis, "writer", &format!("{READS} {WRITES}"));
    let store = Arc::new(RedisStore::connect(&url, RedisOptions::default()).unwrap());
    let outcome = conformance::run_all(async || Arc::clone(&store) as _).await;
    assert_eq!(outcome, Ok(()));
    let view = view();
    let kept = RowWrite::newest(key(0), row(1));
    let until = i64::MAX;
    store
        .write(&view, vec![kept.kept_until(Some(until))], None)
        .await
        .unwrap();
    store
        .write(&view, vec![RowWrite::newest(key(0), row(2))], None)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_user_that_only_reads_is_told_what_it_may_not_do_and_no_password_is_shown() {
    let redis = TestRedis::private().unwrap();
    let view = view();
    let writer = store(&redis);
    writer.prepare(&view, &layout()).await.unwrap();
    write(&writer, &view, 1, 1).await.unwrap();

    let url = user(&redis, "reader", READS);
    let reader = RedisStore::connect(&url, options()).unwrap();
    reader.ping().await.unwrap();
    assert_eq!(read(&reader, &view, 0).await.unwrap(), Some(row(1)));
    assert_eq!(reader.layouts(&view).await.unwrap(), [layout()]);
    assert_eq!(reader.published(&view).await.unwrap(), None);
    let error = write(&reader, &view, 1, 2).await.unwrap_err();
    assert_eq!(error.code(), Code::FailedPrecondition, "{}", report(&error));
    let text = report(&error);
    assert!(text.contains("what that user may do"), "{text}");
    assert!(
        text.contains("evalsha") && !text.contains("secret"),
        "{text}"
    );
    // The connection is as good as before.
    assert_eq!(read(&reader, &view, 0).await.unwrap(), Some(row(1)));
}
