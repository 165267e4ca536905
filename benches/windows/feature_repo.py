"""Writes the feature repo of a case for `fs`: one entity, one windowed view, a service per set of windows."""

import pathlib

from cases import FUNCTIONS, SECONDS, WINDOWS, Case, features, service

STORE = """\
project: bench
registry: { path: .fs/registry }
offline_store: { path: .fs/offline }
online_store: { type: embedded, path: .fs/online }
engine: { type: local, memory_limit: "${FS_MEMORY_LIMIT:-2GiB}" }
"""

DEFINITIONS = """\
kind: entity
name: user
join_keys: [{ name: user_id, type: int64 }]
---
kind: source
name: purchases
format: parquet
path: ../events
timestamp_field: event_timestamp
---
kind: feature_view
name: purchases
entities: [user]
source: purchases
online: false
aggregations:
"""


def write(case: Case, data: pathlib.Path) -> pathlib.Path:
    """Writes the definitions and returns the repo's folder."""
    repo = case.repo(data)
    repo.mkdir(parents=True, exist_ok=True)
    (repo / "feature_store.yaml").write_text(STORE)
    definitions = DEFINITIONS
    windows = ", ".join(SECONDS)
    for function in FUNCTIONS:
        definitions += f"  - {{ column: amount, function: {function}, name: {function}, windows: [{windows}] }}\n"
    for number, chosen in WINDOWS.items():
        wanted = ", ".join(features(chosen))
        definitions += f"---\nkind: feature_service\nname: {service(number)}\n"
        definitions += f"features:\n  - {{ view: purchases, features: [{wanted}] }}\n"
    (repo / "definitions.yaml").write_text(definitions)
    return repo
