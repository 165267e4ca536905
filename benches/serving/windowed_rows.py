#!/usr/bin/env python3
"""Writes the rows of the benchmark of windowed lookups; and says what the windows hold. The same values every time.

    windowed_rows.py events FOLDER           the events of all windowed views
    windowed_rows.py plain FOLDER VIEW BYTES the rows of a plain view, with padding of so many bytes
"""

import datetime
import pathlib
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from cases import KEY
from windowed_cases import END, FEATURES, FUNCTIONS, HISTORIES, NOW, PADDING, SECONDS, SHORT, START, History

SEED = 20_250_102
TIME = pa.timestamp("us", tz="UTC")
MOST_ENTITIES = max(history.entities for history in HISTORIES)


def micros(instant: datetime.datetime) -> int:
    return int(instant.timestamp()) * 10**6


def events(history: History) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Keys, event times in microseconds, amounts: spread evenly over the period, in no order."""
    rng = np.random.default_rng([SEED, history.events])
    rows = history.events * history.entities
    keys = np.tile(np.arange(history.entities), history.events)
    return keys, rng.integers(micros(START), micros(END), rows), np.round(rng.lognormal(3.0, 1.0, rows), 2)


def expected(history: History, entity: int) -> dict[str, float | int | None]:
    """What the windows of an entity hold when it is asked."""
    keys, times, amounts = events(history)
    values = {}
    for window, seconds in SECONDS.items():
        inside = amounts[(keys == entity) & (times > micros(NOW) - seconds * 10**6)]
        found = {"count": len(inside)}
        if len(inside):
            found |= {"sum": inside.sum(), "avg": inside.mean(), "min": inside.min(), "max": inside.max()}
        values |= {f"{function}_{window}": found.get(function) for function in FUNCTIONS}
    return values


def write_events(folder: pathlib.Path) -> None:
    for history in HISTORIES:
        keys, times, amounts = events(history)
        columns = {KEY: keys, "event_timestamp": pa.array(times, TIME), "amount": amounts}
        pq.write_table(pa.table(columns), folder / f"{history.windowed}.parquet")


def write_plain(folder: pathlib.Path, view: str, padding: int) -> None:
    entities = next((history.entities for history in HISTORIES if history.plain == view), MOST_ENTITIES)
    rng = np.random.default_rng([SEED, 1])
    columns = {KEY: np.arange(entities), "event_timestamp": pa.array(np.full(entities, micros(START)), TIME)}
    for feature in FEATURES:
        is_count = feature.startswith("count")
        columns[feature] = rng.integers(0, 1_000, entities) if is_count else rng.lognormal(3.0, 1.0, entities)
    if view != SHORT:
        columns[PADDING] = pa.array([rng.bytes(padding)] * entities, pa.binary())
    pq.write_table(pa.table(columns), folder / f"{view}.parquet")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["events", folder]:
            write_events(pathlib.Path(folder))
        case ["plain", folder, view, padding]:
            write_plain(pathlib.Path(folder), view, int(padding))
        case _:
            raise SystemExit(__doc__)
