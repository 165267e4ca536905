"""Writes the feature repo for `fs`: one entity, five views, a service of one of them and a service of all."""

import pathlib

from cases import KEY, PROJECT, SERVICES, VIEWS, features

STORE = """\
project: {project}
registry: {{ path: .fs/registry }}
offline_store: {{ path: .fs/offline }}
online_store: {online_store}
engine: {{ type: local, memory_limit: 2GiB }}
"""

ENTITY = """\
kind: entity
name: user
join_keys: [{{ name: {key}, type: int64 }}]
"""

VIEW = """\
---
kind: source
name: {view}
format: parquet
path: {rows}/{view}.parquet
timestamp_field: event_timestamp
---
kind: feature_view
name: {view}
entities: [user]
source: {view}
{ttl}schema:
"""


def write(repo: pathlib.Path, rows: pathlib.Path, online_store: str, ttl_days: int) -> None:
    """Writes the definitions into the folder `repo`. Without days, rows live for ever."""
    repo.mkdir(parents=True)
    (repo / "feature_store.yaml").write_text(STORE.format(project=PROJECT, online_store=online_store))
    definitions = ENTITY.format(key=KEY)
    ttl = f"ttl: {ttl_days}d\n" if ttl_days else ""
    for view in VIEWS:
        definitions += VIEW.format(view=view, rows=rows, ttl=ttl)
        definitions += "".join(f"  - {{ name: {name}, type: float64 }}\n" for name in features(view))
    for service, views in SERVICES.items():
        definitions += f"---\nkind: feature_service\nname: {service}\nfeatures: [{', '.join(views)}]\n"
    (repo / "definitions.yaml").write_text(definitions)


def redis(port: int) -> str:
    return f'{{ type: redis, url: "redis://127.0.0.1:{port}" }}'


LMDB = "{ type: embedded, path: .fs/online }"
