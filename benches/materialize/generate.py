#!/usr/bin/env python3
"""Generates the Parquet files of a case from a seed, in the memory of a few row groups whatever the size.

    generate.py CASE --data FOLDER

A file holds a million rows, and each entity of the case once. Rows are in the order in which they arrived, evenly over
ten days; their event times are earlier, an hour at the mean and a day at most. Entities are in no order, and values are
normal deviates with all their bits, which no encoding makes smaller. Files that are there are kept.
"""

import argparse
import pathlib
import shutil
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from cases import CASES, FEATURES, KEY, START, Case

SEED = 20_250_101
FILE_ROWS = 1_000_000
ROW_GROUP_ROWS = 131_072
DAY = 86_400_000_000
HOUR = DAY // 24
START_MICROS = int(START.timestamp()) * 1_000_000
TIME = pa.timestamp("us", tz="UTC")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("case", choices=CASES)
    arguments.add_argument("--data", type=pathlib.Path, required=True, help="the folder for the files")
    chosen = arguments.parse_args()
    write(CASES[chosen.case], CASES[chosen.case].source(chosen.data))


def write(case: Case, folder: pathlib.Path) -> None:
    """Writes beside `folder` and renames, so that what has the name is whole."""
    if folder.exists():
        return
    unfinished = folder.with_name(folder.name + ".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    for number, first in enumerate(range(0, case.rows, FILE_ROWS)):
        last = min(first + FILE_ROWS, case.rows)
        write_file(case, number, first, last, unfinished / f"part-{number:05}.parquet")
    unfinished.rename(folder)
    print(f"generated {folder.name}", file=sys.stderr)


def write_file(case: Case, number: int, first: int, last: int, path: pathlib.Path) -> None:
    rng = np.random.default_rng([SEED, case.rows, number])
    keys = rng.permutation(case.entities)
    arrival = START_MICROS + DAY + np.arange(first, last) * (10 * DAY // case.rows)
    late = np.minimum(rng.exponential(HOUR, last - first), DAY - 1).astype(np.int64)
    schema = pa.schema([(KEY, pa.int64()), ("event_timestamp", TIME), *((name, pa.float64()) for name in FEATURES)])
    with pq.ParquetWriter(path, schema) as file:
        for begin in range(0, last - first, ROW_GROUP_ROWS):
            rows = slice(begin, min(begin + ROW_GROUP_ROWS, last - first))
            values = rng.normal(0.0, 1_000.0, (len(FEATURES), rows.stop - rows.start))
            times = pa.array((arrival - late)[rows], TIME)
            file.write_table(pa.table([pa.array(keys[rows]), times, *map(pa.array, values)], schema), ROW_GROUP_ROWS)


if __name__ == "__main__":
    main()
