#!/usr/bin/env python3
"""The same for Feast.

    feast_repo.py REPO ROWS PORT OFFLINE_STORE BATCH_ROWS

Registers the view. Rows are written to Redis in batches: without `online_write_batch_size`, Feast makes all rows into
Python objects before it writes the first of them.
"""

import pathlib
import sys

from feast import Entity, FeatureStore, FeatureView, Field, FileSource, ValueType
from feast.types import Float64

from cases import FEATURES, KEY, PROJECT, VIEW

SETTINGS = """\
project: {project}
provider: local
registry: registry.db
offline_store: {{ type: {offline_store} }}
online_store: {{ type: redis, connection_string: '127.0.0.1:{port}' }}
entity_key_serialization_version: 3
materialization: {{ online_write_batch_size: {batch_rows} }}
"""


def apply(repo: pathlib.Path, rows: pathlib.Path, **settings: str) -> None:
    repo.mkdir(parents=True)
    (repo / "feature_store.yaml").write_text(SETTINGS.format(project=PROJECT, **settings))
    user = Entity(name="user", join_keys=[KEY], value_type=ValueType.INT64)
    view = FeatureView(
        name=VIEW,
        entities=[user],
        schema=[Field(name=name, dtype=Float64) for name in FEATURES],
        source=FileSource(name=VIEW, path=str(rows), timestamp_field="event_timestamp"),
    )
    FeatureStore(repo_path=str(repo)).apply([user, view])


if __name__ == "__main__":
    _, to, source, redis_port, store, batch = sys.argv
    apply(pathlib.Path(to), pathlib.Path(source), port=redis_port, offline_store=store, batch_rows=batch)
