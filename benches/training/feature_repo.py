"""Writes the feature repo of a case, for `fs` and for Feast: one entity, one view per history, one service, `bench`."""

import pathlib

from cases import TTL_DAYS, Case, features

SERVICE = "bench"

STORE = """\
project: bench
registry: { path: .fs/registry }
offline_store: { path: .fs/offline }
online_store: { type: embedded, path: .fs/online }
engine: { type: local, memory_limit: "${FS_MEMORY_LIMIT:-2GiB}" }
"""

ENTITY = """\
kind: entity
name: user
join_keys: [{ name: user_id, type: int64 }]
"""

VIEW = """\
---
kind: source
name: {view}
format: parquet
path: ../{view}
timestamp_field: event_timestamp
---
kind: feature_view
name: {view}
entities: [user]
source: {view}
ttl: {ttl_days}d
online: false
schema:
"""


def write(case: Case, data: pathlib.Path) -> pathlib.Path:
    """Writes the definitions for `fs` and returns the repo's folder."""
    repo = case.repo(data)
    repo.mkdir(parents=True, exist_ok=True)
    (repo / "feature_store.yaml").write_text(STORE)
    definitions = ENTITY
    for view in case.view_names:
        definitions += VIEW.format(view=view, ttl_days=TTL_DAYS)
        definitions += "".join(f"  - {{ name: {name}, type: {kind} }}\n" for name, kind in features(view))
    definitions += f"---\nkind: feature_service\nname: {SERVICE}\nfeatures:\n"
    definitions += "".join(f"  - {view}\n" for view in case.view_names)
    (repo / "definitions.yaml").write_text(definitions)
    return repo
