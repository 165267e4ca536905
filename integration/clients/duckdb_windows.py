"""Another query engine's opinion of windows: the same features, by DuckDB, from the files that the events came from.

    duckdb_windows.py TRAINING_SET.parquet SPINE.parquet SPEC_JSON

SPEC_JSON:

    {
      "every": 40,                               of the rows of the spine, every 40th is looked at
      "views": {
        "carriers": { "events": "SELECT ... FROM read_parquet(...)", "keys": ["carrier"] }
      },
      "columns": [
        ["delay_1d", "carriers", 86400, "avg(arr_delay)", "NULL", 0]
      ]
    }

A column is its name, its view, the seconds of its window (null: all that happened), an aggregate over the columns
of the events, what it is of no events, and how far it may be off, relative to its value. Every pair of a row and an
event of its key is made, and those inside the window are aggregated.

Prints how many values were compared, and how many differ, by column, with the first of them.
"""

import json
import math
import sys

import duckdb


def answers(db, column):
    name, view, seconds, aggregate, empty, _ = column
    inside = "true" if seconds is None else f"age < {seconds * 10**6}"
    return db.execute(f"""
        SELECT coalesce(found, {empty}), {name}
        FROM sample LEFT JOIN (
            SELECT row, {aggregate} AS found FROM pairs_{view} WHERE {inside} GROUP BY row
        ) USING (row)
        ORDER BY row
    """).fetchall()


def same(expected, found, tolerance):
    if isinstance(expected, float) and isinstance(found, float):
        return math.isclose(expected, found, rel_tol=tolerance, abs_tol=tolerance)
    return expected == found


def main():
    training_set, spine, spec = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
    db = duckdb.connect()
    db.execute("SET TimeZone = 'UTC'")
    every = spec["every"]
    names = ", ".join(column[0] for column in spec["columns"])
    db.execute(f"""
        CREATE TABLE sample AS
        SELECT spine.*, spine.file_row_number AS row, {names}
        FROM read_parquet('{spine}', file_row_number = true) spine
        JOIN read_parquet('{training_set}', file_row_number = true) told
            ON spine.file_row_number = told.file_row_number
        WHERE spine.file_row_number % {every} = 0
    """)
    for view, of in spec["views"].items():
        on = " AND ".join(f"sample.{key} = event.{key}" for key in of["keys"])
        age = "epoch_us(sample.event_timestamp) - epoch_us(event.event_timestamp)"
        db.execute(f"""
            CREATE TABLE pairs_{view} AS
            SELECT row, {age} AS age, event.* FROM sample JOIN ({of["events"]}) event ON {on} WHERE {age} >= 0
        """)
    compared, different, first = 0, {}, {}
    for column in spec["columns"]:
        for row, (expected, found) in enumerate(answers(db, column)):
            compared += 1
            if not same(expected, found, column[-1]):
                different[column[0]] = different.get(column[0], 0) + 1
                first.setdefault(column[0], [row * every, repr(expected), repr(found)])
    print(json.dumps({"compared": compared, "different": different, "first": first}))


main()
