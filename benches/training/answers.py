#!/usr/bin/env python3
"""Says what a training set holds, whatever the order of its rows and columns, so that two can be compared.

    answers.py FILE VIEW...          prints {"rows": 1000000, "digest": "..."}
    answers.py FILE VIEW... --with OTHER    prints how many values of each column differ

Rows are put in the order of `row_id`; columns are read one at a time, so that memory stays that of one column.
"""

import argparse
import hashlib
import json
import pathlib
import sys

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cases import features

SPINE = [("row_id", "int64"), ("user_id", "int64"), ("event_timestamp", "timestamp"), ("label", "bool")]
TYPES = {"int64": pa.int64(), "float64": pa.float64(), "bool": pa.bool_(), "timestamp": pa.timestamp("us", tz="UTC")}


class Answer:
    """A training set, in the order of `row_id`."""

    def __init__(self, path: pathlib.Path) -> None:
        self.file = pq.ParquetFile(path)
        ids = self.read("row_id")
        self.order = pc.sort_indices(ids)
        self.ids = ids.take(self.order)

    def read(self, name: str) -> pa.Array:
        return self.file.read(columns=[name])[name].combine_chunks()

    def column(self, name: str, kind: str) -> tuple[np.ndarray, np.ndarray]:
        """The values, nulls as zero, and which of them are there."""
        # A cast that would change a value fails; engines that go by way of pandas make floats of integers.
        values = self.read(name).cast(TYPES[kind]).take(self.order)
        there = values.is_valid().to_numpy(zero_copy_only=False)
        zero = pa.scalar(0, pa.int64()).cast(values.type) if kind != "bool" else pa.scalar(False)
        return values.fill_null(zero).to_numpy(zero_copy_only=False), there


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("file", type=pathlib.Path)
    arguments.add_argument("views", nargs="+", metavar="VIEW")
    arguments.add_argument("--with", type=pathlib.Path, dest="other", metavar="OTHER")
    chosen = arguments.parse_args()
    columns = SPINE + [column for view in chosen.views for column in features(view)]
    if chosen.other:
        compare(Answer(chosen.file), Answer(chosen.other), columns)
    else:
        json.dump(digest(Answer(chosen.file), columns), sys.stdout)


def digest(answer: Answer, columns: list[tuple[str, str]]) -> dict[str, object]:
    digest = hashlib.blake2b(digest_size=16)
    for name, kind in columns:
        values, there = answer.column(name, kind)
        digest.update(name.encode())
        digest.update(np.packbits(there).tobytes())
        digest.update(np.ascontiguousarray(values).tobytes())
    return {"rows": len(answer.ids), "digest": digest.hexdigest()}


def compare(one: Answer, other: Answer, columns: list[tuple[str, str]]) -> None:
    """Compares the rows that both have."""
    common = np.intersect1d(one.ids.to_numpy(), other.ids.to_numpy())
    print(f"rows: {len(one.ids):,} and {len(other.ids):,}, {len(common):,} of them in both")
    in_one, in_other = (np.searchsorted(answer.ids.to_numpy(), common) for answer in (one, other))
    for name, kind in columns:
        values, there = one.column(name, kind)
        other_values, other_there = other.column(name, kind)
        same = (there[in_one] == other_there[in_other]) & (values[in_one] == other_values[in_other])
        print(f"{name}: {np.count_nonzero(~same):,} differ")


if __name__ == "__main__":
    main()
