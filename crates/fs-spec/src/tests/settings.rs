//! What `feature_store.yaml` gets wrong.

use super::files::{SETTINGS, same, settings_problems};

#[test]
fn settings_have_their_own_problems() {
    same(
        &settings_problems("project: p\n"),
        &[
            "needs `offline_store`",
            "needs `online_store`",
            "needs `registry`",
        ],
    );
    let with = |from: &str, to: &str| settings_problems(&SETTINGS.replace(from, to));
    same(
        &with("embedded", "embeded"),
        &["`embeded` is not a type of online store (did you mean `embedded`?)"],
    );
    same(
        &with("embedded, path", "embedded, url"),
        &["needs `path`", "has no field `url`"],
    );
    same(
        &with(".fs/registry", "ftp://x"),
        &["feature_store.yaml:2:19: `ftp://x` starts with `ftp:`"],
    );
    same(
        &with("embedded, path: .fs/online", "redis, url: localhost"),
        &["this is not the URL of a Redis server"],
    );
    same(
        &settings_problems(&format!("{SETTINGS}engine: {{ type: ballista, url: x }}\n")),
        &["the engine type `ballista` is not supported by this version of fs yet"],
    );
    same(
        &settings_problems(&format!(
            "{SETTINGS}engine: {{ type: local, memory_limit: lots }}\n"
        )),
        &["`lots` is not an amount of memory"],
    );
    same(
        &settings_problems(&format!("{SETTINGS}---\nkind: entity\n")),
        &["holds one document"],
    );
    same(&settings_problems(""), &["feature_store.yaml is empty"]);
}

#[test]
fn the_settings_of_redis_have_problems_of_their_own_and_none_repeats_a_password() {
    let with = |redis: &str| {
        let settings = SETTINGS.replace(
            "{ type: embedded, path: .fs/online }",
            &format!("{{ type: redis, {redis} }}"),
        );
        let problems = settings_problems(&settings);
        assert!(!format!("{problems:?}").contains("secret"), "{problems:?}");
        problems
    };
    same(&with("cluster: true"), &["needs `url`"]);
    same(
        &with("url: \"redis://:secret@a:1,b:2\""),
        &["only a cluster has several addresses"],
    );
    same(
        &with("url: \"redis://:secret@a\", clusters: true"),
        &["has no field `clusters`"],
    );
    same(
        &with("url: \"redis://:secret@a\", tls: { ca_file: ca.pem }"),
        &["certificates are for a URL that begins with rediss://"],
    );
    same(
        &with("url: \"rediss://:secret@a\", tls: { cert_file: a.pem }"),
        &["`tls` needs `key_file`"],
    );
    same(
        &with("url: \"rediss://:secret@a\", tls: { key_file: a.pem }"),
        &["`tls` needs `cert_file`"],
    );
    same(
        &with(
            "url: \"redis://a\", connections: 0, read_timeout: 0, write_timeout: soon, expiry: 1",
        ),
        &[
            "`0` is not a number from 1 to 256",
            "nothing can be done in no time",
            "`soon` is not a duration",
            "`expiry` must be true or false",
        ],
    );
}
