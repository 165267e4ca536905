"""Writes the rows: one per view and entity, whose key is its number. The same values every time."""

import pathlib

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from cases import DAY_SECONDS, FEATURES_PER_VIEW, KEY, START, VIEWS, features

SEED = 20_250_101
TIME = pa.timestamp("us", tz="UTC")


def values(view: str, entities: int) -> np.ndarray:
    """The values of a view: a row per entity, a column per feature."""
    rng = np.random.default_rng([SEED, VIEWS.index(view)])
    return rng.normal(0.0, 1_000.0, (entities, FEATURES_PER_VIEW))


def event_seconds(entities: int) -> np.ndarray:
    """When the rows were true, in seconds since 1970: spread over a day."""
    return int(START.timestamp()) + np.arange(entities) % DAY_SECONDS


def write(folder: pathlib.Path, entities: int) -> None:
    """Writes a Parquet file per view into `folder`, unless they are there."""
    folder.mkdir(parents=True, exist_ok=True)
    for view in VIEWS:
        path = folder / f"{view}.parquet"
        if path.exists() and pq.read_metadata(path).num_rows == entities:
            continue
        columns = {KEY: np.arange(entities), "event_timestamp": pa.array(event_seconds(entities) * 10**6, TIME)}
        matrix = values(view, entities)
        columns |= {name: matrix[:, number] for number, name in enumerate(features(view))}
        pq.write_table(pa.table(columns), path)
