#!/usr/bin/env python3
"""Generates the Parquet files of a case from a seed, in the memory of a few chunks whatever the size.

    generate.py CASE... --data FOLDER

Events are a folder of files of a million rows, in the order in which they arrived; the spine is one file. All times are
whole seconds, so that events happen at the very instants at which windows begin and end. One amount in fifty is null.
Files that are there are kept.
"""

import argparse
import pathlib
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "shared"))

from cases import END, START, Case
from histories import TIME, Draw, arrivals, files, key_distribution, micros, unless_there

SEED = 20_250_401
FILE_ROWS = 1_000_000
ROW_GROUP_ROWS = 131_072
SECOND = 1_000_000
UNKNOWN_KEYS = 0.01
NULL_AMOUNTS = 0.02


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("cases", nargs="+", type=Case.parse, metavar="CASE", help="such as 10m-uniform")
    arguments.add_argument("--data", type=pathlib.Path, required=True, help="the folder for the files")
    chosen = arguments.parse_args()
    for case in chosen.cases:
        keys = key_distribution(case.keys, case.entities, SEED)
        unless_there(case.events(chosen.data), lambda to: write_events(case, keys, to))
        unless_there(case.spine(chosen.data), lambda to: write_spine(case, keys, to))


def write_events(case: Case, keys: Draw, folder: pathlib.Path) -> None:
    rng = np.random.default_rng([SEED, 1, case.event_rows])
    folder.mkdir()
    arrived = arrivals(case.event_rows, START, END, rng)
    for file, times in enumerate(files(arrived, min(FILE_ROWS, case.event_rows // 4))):
        amounts = np.round(rng.lognormal(3.0, 1.0, len(times)), 2)
        columns = {
            "user_id": pa.array(keys(rng, len(times))),
            "event_timestamp": whole_seconds(times),
            "amount": pa.array(amounts, mask=rng.random(len(times)) < NULL_AMOUNTS),
        }
        write(pa.table(columns), folder / f"part-{file:05}.parquet")


def write_spine(case: Case, keys: Draw, path: pathlib.Path) -> None:
    rng = np.random.default_rng([SEED, 2, case.spine_rows])
    rows = case.spine_rows
    unknown = case.entities + 1 + rng.integers(0, case.entities, rows)
    columns = {
        "row_id": np.arange(rows),
        "user_id": np.where(rng.random(rows) < UNKNOWN_KEYS, unknown, keys(rng, rows)),
        "event_timestamp": whole_seconds(rng.integers(micros(START), micros(END), rows)),
        "label": rng.random(rows) < 0.2,
    }
    write(pa.table(columns), path)


def whole_seconds(times: np.ndarray) -> pa.Array:
    return pa.array(times // SECOND * SECOND, TIME)


def write(table: pa.Table, path: pathlib.Path) -> None:
    pq.write_table(table, path, compression="snappy", row_group_size=ROW_GROUP_ROWS)


if __name__ == "__main__":
    main()
