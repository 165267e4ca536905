"""A foreign Parquet reader: the record of a training set, and the columns of its spine.

    parquet_record.py TRAINING_SET.parquet SPINE_OUT.parquet
"""

import json
import sys

import pyarrow.parquet as pq


def main():
    path, spine = sys.argv[1:]
    record = json.loads(pq.read_metadata(path).metadata[b"fs.training_set"])
    # What the rows were before features: enough to ask for the training set again.
    rows = pq.read_table(path, columns=record["spine"]["columns"])
    pq.write_table(rows.replace_schema_metadata(), spine)
    print(json.dumps(record))


if __name__ == "__main__":
    main()
