#!/usr/bin/env python3
"""Generates the Parquet files of a case from a seed, in the memory of a few chunks whatever the size.

    generate.py CASE... --data FOLDER

A view is a folder of files of a million rows, a spine one file. The rows of a view are in the order in which they
arrived: event time plus some lateness, an hour at the mean, for one row in fifty a day. Event times are spread over
90 days and no two of a view are equal, so that the newest row is the same one for every engine, whatever its rule
for ties. Files that are there are kept.
"""

import argparse
import pathlib
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "shared"))

from cases import END, FLOATS, INTEGERS, START, Case
from histories import TIME, Draw, arrivals, files, key_distribution, micros, unless_there

SEED = 20_250_101
FILE_ROWS = 1_000_000
ROW_GROUP_ROWS = 131_072
START_MICROS = micros(START)
SPAN_MICROS = micros(END) - START_MICROS
UNKNOWN_KEYS = 0.01


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("cases", nargs="+", type=Case.parse, metavar="CASE", help="such as 10m-uniform-3")
    arguments.add_argument("--data", type=pathlib.Path, required=True, help="the folder for the files")
    chosen = arguments.parse_args()
    for case in chosen.cases:
        keys = key_distribution(case.keys, case.entities, SEED)
        for number, view in enumerate(case.view_names):
            unless_there(case.folder(chosen.data) / view, lambda to: write_view(case, number, view, keys, to))
        unless_there(case.spine(chosen.data), lambda to: write_spine(case, keys, to))


def write_view(case: Case, number: int, view: str, keys: Draw, folder: pathlib.Path) -> None:
    rng = np.random.default_rng([SEED, 1, number, case.feature_rows])
    folder.mkdir()
    arrived = arrivals(case.feature_rows, START, END, rng)
    for file, times in enumerate(files(arrived, min(FILE_ROWS, case.feature_rows // 4))):
        columns = {"user_id": pa.array(keys(rng, len(times))), "event_timestamp": pa.array(times, TIME)}
        for name in FLOATS + INTEGERS:
            values, nulls = DRAWS[name]
            mask = rng.random(len(times)) < nulls if nulls else None
            columns[f"{view}_{name}"] = pa.array(values(rng, len(times)), mask=mask)
        write(pa.table(columns), folder / f"part-{file:05}.parquet")


def write_spine(case: Case, keys: Draw, path: pathlib.Path) -> None:
    rng = np.random.default_rng([SEED, 2, case.spine_rows])
    with pq.ParquetWriter(path, SPINE_SCHEMA, compression="snappy") as writer:
        for first in range(0, case.spine_rows, FILE_ROWS):
            rows = min(FILE_ROWS, case.spine_rows - first)
            unknown = case.entities + 1 + rng.integers(0, case.entities, rows)
            columns = [
                np.arange(first, first + rows),
                np.where(rng.random(rows) < UNKNOWN_KEYS, unknown, keys(rng, rows)),
                pa.array(START_MICROS + rng.integers(0, SPAN_MICROS, rows), TIME),
                rng.random(rows) < 0.2,
            ]
            writer.write_table(pa.table(columns, schema=SPINE_SCHEMA), row_group_size=ROW_GROUP_ROWS)


def write(table: pa.Table, path: pathlib.Path) -> None:
    pq.write_table(table, path, compression="snappy", row_group_size=ROW_GROUP_ROWS)


SPINE_SCHEMA = pa.schema(
    [("row_id", pa.int64()), ("user_id", pa.int64()), ("event_timestamp", TIME), ("label", pa.bool_())]
)


def cents(mean: float) -> Draw:
    return lambda rng, rows: np.round(rng.lognormal(np.log(mean), 1.0, rows), 2)


# The values of each feature, and which share of them is null. Half of the floats have all their digits, half are
# amounts of money or ratios of few values, as in most tables.
DRAWS: dict[str, tuple[Draw, float]] = {
    "f0": (lambda rng, rows: rng.normal(0.0, 1.0, rows), 0.0),
    "f1": (lambda rng, rows: rng.normal(50.0, 12.0, rows), 0.0),
    "f2": (lambda rng, rows: rng.random(rows), 0.0),
    "f3": (lambda rng, rows: rng.exponential(300.0, rows), 0.0),
    "f4": (lambda rng, rows: rng.normal(0.0, 1e6, rows), 0.1),
    "f5": (cents(20.0), 0.0),
    "f6": (cents(250.0), 0.0),
    "f7": (cents(5.0), 0.05),
    "f8": (lambda rng, rows: rng.integers(0, 101, rows) / 100.0, 0.0),
    "f9": (lambda rng, rows: rng.integers(1, 11, rows) / 2.0, 0.02),
    "i0": (lambda rng, rows: rng.poisson(4.0, rows).astype(np.int64), 0.0),
    "i1": (lambda rng, rows: rng.integers(0, 2**40, rows), 0.0),
    "i2": (lambda rng, rows: rng.integers(0, 5_000, rows), 0.03),
}

if __name__ == "__main__":
    main()
