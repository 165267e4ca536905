"""Writes the feature repo for `fs`: one entity, one view of fifty features."""

import pathlib

from cases import FEATURES, KEY, PROJECT, VIEW

STORE = """\
project: {project}
registry: {{ path: .fs/registry }}
offline_store: {{ path: .fs/offline }}
online_store: {online_store}
engine: {{ type: local, memory_limit: {memory_limit} }}
"""

DEFINITIONS = """\
kind: entity
name: user
join_keys: [{{ name: {key}, type: int64 }}]
---
kind: source
name: {view}
format: parquet
path: {rows}
timestamp_field: event_timestamp
---
kind: feature_view
name: {view}
entities: [user]
source: {view}
schema:
"""

LMDB = "{ type: embedded, path: .fs/online }"


def redis(port: int) -> str:
    return f'{{ type: redis, url: "redis://127.0.0.1:{port}" }}'


def write(repo: pathlib.Path, rows: pathlib.Path, online_store: str, memory_limit: str) -> None:
    """Writes the definitions into the folder `repo`."""
    repo.mkdir(parents=True)
    settings = STORE.format(project=PROJECT, online_store=online_store, memory_limit=memory_limit)
    (repo / "feature_store.yaml").write_text(settings)
    definitions = DEFINITIONS.format(key=KEY, view=VIEW, rows=rows)
    definitions += "".join(f"  - {{ name: {name}, type: float64 }}\n" for name in FEATURES)
    (repo / "definitions.yaml").write_text(definitions)
