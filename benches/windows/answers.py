#!/usr/bin/env python3
"""Compares two training sets value by value, whatever the order of their rows and columns.

    answers.py FILE REFERENCE WINDOWS    prints {"rows": 1000000, "wrong": {}, "off": 3.1e-16}

Compared are the windows that both have. Counts, minima and maxima must be the same to the bit. Sums and averages of
floats depend on the order of addition: an engine may be `off` a little beside the reference. Columns are read one at a
time, so that memory stays that of a few columns.
"""

import argparse
import json
import pathlib
import sys

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cases import OF_ALL, WINDOWS, features

TIME = pa.timestamp("us", tz="UTC")
SPINE = {"row_id": pa.int64(), "user_id": pa.int64(), "event_timestamp": TIME, "label": pa.bool_()}
ROUNDED = ("sum", "avg")
TOLERANCE = 1e-9


class Answer:
    """A training set, in the order of `row_id`."""

    def __init__(self, path: pathlib.Path) -> None:
        self.file = pq.ParquetFile(path)
        ids = self.read("row_id")
        self.order = pc.sort_indices(ids)
        self.ids = ids.take(self.order).to_numpy()

    def read(self, name: str) -> pa.Array:
        return self.file.read(columns=[name])[name].combine_chunks()

    def column(self, name: str, kind: pa.DataType) -> tuple[np.ndarray, np.ndarray]:
        """The values, nulls as zero, and which of them are there. A cast that would change a value fails."""
        values = self.read(name).cast(kind).take(self.order)
        there = values.is_valid().to_numpy(zero_copy_only=False)
        zero = pa.scalar(False) if pa.types.is_boolean(kind) else pa.scalar(0, pa.int64()).cast(kind)
        return values.fill_null(zero).to_numpy(zero_copy_only=False), there


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("file", type=pathlib.Path)
    arguments.add_argument("reference", type=pathlib.Path)
    arguments.add_argument("windows", type=int, choices=WINDOWS, help="how many FILE has")
    chosen = arguments.parse_args()
    found, reference = Answer(chosen.file), Answer(chosen.reference)
    common = tuple(window for window in WINDOWS[OF_ALL] if window in WINDOWS[chosen.windows])
    json.dump(compare(found, reference, features(common)), sys.stdout)


def compare(found: Answer, reference: Answer, names: list[str]) -> dict[str, object]:
    """How many values of which columns are wrong, and how far off the right ones are at most."""
    if not np.array_equal(found.ids, reference.ids):
        return {"rows": len(found.ids), "wrong": {"row_id": len(reference.ids)}, "off": 0.0}
    wrong, off = {}, 0.0
    kinds = SPINE | {name: pa.int64() if name.startswith("count_") else pa.float64() for name in names}
    for name, kind in kinds.items():
        (values, there), (expected, expected_there) = found.column(name, kind), reference.column(name, kind)
        same = values == expected
        if name.startswith(ROUNDED):
            error = np.abs(values - expected) / np.maximum(np.abs(expected), np.finfo(float).tiny)
            off = max(off, float(error.max(initial=0.0, where=there & expected_there)))
            same = error <= TOLERANCE
        if differ := np.count_nonzero((there != expected_there) | (there & ~same)):
            wrong[name] = int(differ)
    return {"rows": len(found.ids), "wrong": wrong, "off": off}


if __name__ == "__main__":
    main()
