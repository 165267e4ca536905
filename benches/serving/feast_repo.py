#!/usr/bin/env python3
"""The same for Feast: its registry, and rows in Redis as its own store writes them.

Its layout, observed on 0.67: one hash per entity. The key is the entity key, then the project. A field is the
murmur3 hash of `view:feature`, its value a serialized `feast.types.Value`; `_ts:view` holds a serialized
`google.protobuf.Timestamp`. Every value here is a double, so all commands of a view are of one length and are made
by filling in a template; through Feast itself the same rows would take an hour. That Feast's server reads what
was meant is checked like every other answer.

    feast_repo.py apply REPO ROWS PORT TTL_DAYS
"""

import pathlib
import socket
import struct
import sys

import mmh3
import numpy as np

import generate
from cases import KEY, PROJECT, SERVICES, VIEWS, features

STRING, INT64 = 2, 4
DOUBLE_FIELD = 5 << 3 | 1
SECONDS_FIELD = 1 << 3
CHUNK_ROWS = 2_000


def store(repo: pathlib.Path, port: int):
    """The store whose registry is in `repo` and whose rows are in the Redis at `port`."""
    from feast import FeatureStore

    repo.mkdir(parents=True, exist_ok=True)
    (repo / "feature_store.yaml").write_text(
        f"project: {PROJECT}\n"
        "provider: local\n"
        "registry: registry.db\n"
        f"online_store: {{ type: redis, connection_string: '127.0.0.1:{port}' }}\n"
        "entity_key_serialization_version: 3\n"
    )
    return FeatureStore(repo_path=str(repo))


def apply(repo: pathlib.Path, rows: pathlib.Path, port: int, ttl_days: int) -> None:
    """Registers the views and services."""
    import datetime

    from feast import Entity, FeatureService, FeatureView, Field, FileSource, ValueType
    from feast.types import Float64

    user = Entity(name="user", join_keys=[KEY], value_type=ValueType.INT64)

    def view(name: str) -> FeatureView:
        return FeatureView(
            name=name,
            entities=[user],
            ttl=datetime.timedelta(days=ttl_days),
            schema=[Field(name=feature, dtype=Float64) for feature in features(name)],
            source=FileSource(name=name, path=str(rows / f"{name}.parquet"), timestamp_field="event_timestamp"),
        )

    views = {name: view(name) for name in VIEWS}
    services = [
        FeatureService(name=name, features=[views[view] for view in chosen]) for name, chosen in SERVICES.items()
    ]
    store(repo, port).apply([user, *views.values(), *services])


def write_rows(port: int, view: str, entities: int) -> None:
    """Writes the rows of one view."""
    template, at_key, at_values, at_time = command(view)
    values, seconds = generate.values(view, entities), generate.event_seconds(entities)
    with socket.create_connection(("127.0.0.1", port)) as redis:
        replies = redis.makefile("rb")
        for first in range(0, entities, CHUNK_ROWS):
            rows = slice(first, min(first + CHUNK_ROWS, entities))
            commands = np.tile(template, (rows.stop - rows.start, 1))
            commands[:, at_key] = octets(np.arange(rows.start, rows.stop, dtype="<i8"))
            for column, at_value in enumerate(at_values):
                commands[:, at_value] = octets(values[rows, column].astype("<f8"))
            commands[:, at_time] = varints(seconds[rows])
            redis.sendall(commands.tobytes())
            for _ in range(rows.stop - rows.start):
                reply = replies.readline()
                if not reply.startswith(b":"):
                    raise SystemExit(f"Redis does not take the rows of Feast: {reply!r}")


def command(view: str) -> tuple[np.ndarray, slice, list[slice], slice]:
    """An `HSET` of one row, and where the key, the values and the seconds go."""
    names = features(view)
    prefix = struct.pack("<III", 1, STRING, len(KEY)) + KEY.encode() + struct.pack("<II", INT64, 8)
    parts = [b"HSET", prefix + bytes(8) + PROJECT.encode()]
    for name in names:
        parts += [struct.pack("<I", mmh3.hash(f"{view}:{name}", 0, signed=False)), bytes([DOUBLE_FIELD]) + bytes(8)]
    parts += [f"_ts:{view}".encode(), bytes([SECONDS_FIELD]) + bytes(5)]
    packed, starts = f"*{len(parts)}\r\n".encode(), []
    for part in parts:
        packed += f"${len(part)}\r\n".encode()
        starts.append(len(packed))
        packed += part + b"\r\n"
    at_key = starts[1] + len(prefix)
    at_values = [slice(start + 1, start + 9) for start in starts[3:-2:2]]
    at_time = starts[-1] + 1
    template = np.frombuffer(packed, np.uint8)
    return template, slice(at_key, at_key + 8), at_values, slice(at_time, at_time + 5)


def octets(numbers: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(numbers).view(np.uint8).reshape(len(numbers), 8)


def varints(numbers: np.ndarray) -> np.ndarray:
    """Numbers of 29 to 35 bits as the five bytes that protobuf makes of them."""
    sevens = (numbers[:, None] >> np.arange(0, 35, 7)) & 0x7F
    sevens[:, :4] |= 0x80
    return sevens.astype(np.uint8)


if __name__ == "__main__":
    _, _, repo, rows, port, ttl_days = sys.argv
    apply(pathlib.Path(repo), pathlib.Path(rows), int(port), int(ttl_days))
