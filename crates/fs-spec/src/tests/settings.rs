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
