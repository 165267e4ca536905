"""Made-up histories: whose rows they are, when they happened, in which order they arrived."""

import datetime
import pathlib
import shutil
import sys
from collections.abc import Callable, Iterator

import numpy as np
import pyarrow as pa

CHUNK_ROWS = 1_000_000
HOUR = 3_600_000_000
TIME = pa.timestamp("us", tz="UTC")

Draw = Callable[[np.random.Generator, int], np.ndarray]


def key_distribution(keys: str, entities: int, seed: int) -> Draw:
    """Draws keys: all alike, or the k-th most frequent key as often as 1/k of the most frequent one."""
    ids = np.random.default_rng([seed, 0]).permutation(entities).astype(np.int64) + 1
    if keys == "uniform":
        return lambda rng, rows: ids[rng.integers(0, entities, rows)]
    cumulative = np.cumsum(1.0 / np.arange(1, entities + 1))
    cumulative /= cumulative[-1]
    return lambda rng, rows: ids[np.searchsorted(cumulative, rng.random(rows))]


def arrivals(
    rows: int, start: datetime.datetime, end: datetime.datetime, rng: np.random.Generator
) -> Iterator[np.ndarray]:
    """Event times in order of arrival: event time plus some lateness, an hour at the mean, for one row in fifty a day.

    Each has its own slice of the span, so no two are equal.
    """
    start_micros = micros(start)
    slice_micros = (micros(end) - start_micros) // rows
    pending_event, pending_arrival = np.empty(0, np.int64), np.empty(0, np.int64)
    for first in range(0, rows, CHUNK_ROWS):
        last = min(first + CHUNK_ROWS, rows)
        event = start_micros + np.arange(first, last) * slice_micros + rng.integers(0, slice_micros, last - first)
        mean = np.where(rng.random(last - first) < 0.02, 24 * HOUR, HOUR)
        arrival = event + (rng.exponential(1.0, last - first) * mean).astype(np.int64)
        pending_event = np.concatenate([pending_event, event])
        pending_arrival = np.concatenate([pending_arrival, arrival])
        # Whatever is generated later happens later, so what has arrived by now is complete.
        order = np.argsort(pending_arrival, kind="stable")
        complete = np.searchsorted(pending_arrival[order], start_micros + last * slice_micros) if last < rows else None
        yield pending_event[order[:complete]]
        waiting = order[len(order) if complete is None else complete:]
        pending_event, pending_arrival = pending_event[waiting], pending_arrival[waiting]


def files(chunks: Iterator[np.ndarray], rows: int) -> Iterator[np.ndarray]:
    """Cuts `chunks` anew, into `rows` each and the rest."""
    rest = np.empty(0, np.int64)
    for chunk in chunks:
        rest = np.concatenate([rest, chunk])
        while len(rest) >= rows:
            yield rest[:rows]
            rest = rest[rows:]
    if len(rest):
        yield rest


def micros(instant: datetime.datetime) -> int:
    return int(instant.timestamp()) * 1_000_000


def unless_there(path: pathlib.Path, write: Callable[[pathlib.Path], None]) -> None:
    """Writes to a name beside `path` and renames, so that what has the name is whole."""
    if path.exists():
        return
    unfinished = path.with_name(path.name + ".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    write(unfinished)
    unfinished.rename(path)
    print(f"generated {path.relative_to(path.parents[1])}", file=sys.stderr)
